//! Pausing, resuming and draining a part.

use actix::prelude::*;
use futures::future::join;
use latido::fault::Fault;
use latido::supervision::*;
use latido::testing::{Recorder, assert_all_down, assert_conserved, assert_story};
use latido::{EventKind, ExitReason};

use crate::pulse::LIMIT;
use crate::support::*;

fn info(tree: &Tree, path: &str) -> ChildInfo {
    tree.snapshot().get(path).unwrap().clone()
}

#[test]
fn the_messages_of_a_paused_child_wait_and_are_handled_in_order_when_it_is_resumed() {
    run(async {
        let probe = child("probe").on(Placement::OwnThread);
        let addr = probe.addr();
        let tree = patient("app").child(probe).start().unwrap();
        let recorder = Recorder::of(&tree);
        addr.send(note(0)).await.unwrap();
        tree.pause("app/probe").unwrap();
        tree.pause("app/probe").unwrap();
        let waiting: Vec<_> = (1..=3).map(|n| actix_rt::spawn(addr.send(note(n)))).collect();
        tree.inject("app/probe", Fault::Fail).unwrap(); // it outlasts a restart
        recorder.started("app/probe", 2).await;
        let now = info(&tree, "app/probe");
        assert!(now.paused && now.messages.handled == 1 && now.messages.queued == 3, "{now:?}");
        assert!(tree.snapshot().to_string().contains(", 3 queued, paused"), "{}", tree.snapshot());
        assert_conserved(&tree);
        tree.resume("app/probe").unwrap();
        for (n, answer) in waiting.into_iter().enumerate() {
            assert_eq!(answer.await.unwrap().unwrap().len(), n + 1);
        }
        assert!(!info(&tree, "app/probe").paused);
        assert_conserved(&tree);
        tree.stop(SECOND).await;
        assert_all_down(&tree).await;
        assert_story(
            &recorder,
            "app/probe",
            &[
                "app/probe #1 started",
                "app/probe #1 is paused: its messages wait",
                "app/probe #1 gets a fault on purpose: fail",
                "app/probe #1 failed: injected fault",
                "app/probe #1 restarts at once ...",
                "app/probe #2 started",
                "app/probe #2 is resumed",
                "app/probe #2 stopped",
            ],
        );
    });
}

#[test]
fn a_paused_child_is_not_deaf() {
    run(async {
        let specs = ["paused", "deaf"].map(|id| child(id).on(Placement::OwnThread).message_limit(LIMIT));
        let [paused, deaf] = specs.each_ref().map(ChildSpec::addr);
        let tree = patient("app").children(specs).start().unwrap();
        let mut events = tree.subscribe();
        paused.send(note(0)).await.unwrap();
        tree.pause("app/paused").unwrap();
        let waiting = actix_rt::spawn(paused.send(note(1)));
        // One that is deaf is found, three times over: as long was the other watched.
        for _ in 0..3 {
            tree.inject("app/deaf", Fault::Hang).unwrap();
            events.until("app/deaf", |event| matches!(event.kind, EventKind::Injected(_))).await.unwrap();
            deaf.send(note(1)).await.unwrap();
        }
        assert_eq!(info(&tree, "app/paused").incarnation, 1);
        tree.resume("app/paused").unwrap();
        assert_eq!(waiting.await.unwrap().unwrap(), [0, 1]);
        tree.stop(SECOND).await;
    });
}

/// In virtual time a task that never rests would keep the clock from moving.
#[test]
fn who_waits_rests_however_many_reasons_there_are_to_wait() {
    run_in_virtual_time(async {
        let (probe, _) = child_with(
            "probe",
            Hooks::default().started(|probe, ctx| {
                ctx.wait(
                    actix::fut::wrap_future(tokio::time::sleep(10 * SECOND)).map(|(), _: &mut Probe, _| ()),
                );
                let _ = probe;
            }),
        );
        let addr = probe.addr();
        let tree = patient("app").child(probe).start().unwrap();
        let mut events = tree.subscribe();
        let panic = "panic@after=1".parse::<latido::fault::Injection>().unwrap();
        tree.inject("app/probe", panic).unwrap(); // its time comes while it comes up
        started(&mut events, "app/probe", 2).await;
        for fault in ["delay:1", "slow:2@times=1", "hang@after=3,for=20"] {
            tree.inject("app/probe", fault.parse::<latido::fault::Injection>().unwrap()).unwrap();
        }
        let waiting = actix_rt::spawn(addr.send(note(1)));
        tokio::time::sleep(SECOND / 2).await;
        tree.pause("app/probe").unwrap(); // its message comes meanwhile
        tokio::time::sleep(40 * SECOND).await;
        tree.resume("app/probe").unwrap();
        assert_eq!(waiting.await.unwrap().unwrap(), [1]);
        tree.stop(SECOND).await;
    });
}

#[test]
fn a_paused_mailbox_keeps_to_its_bound() {
    run(async {
        let probe = child("probe").mailbox(Bound::new(2, Overflow::Reject));
        let (addr, asked) = (probe.addr(), probe.actor_ref());
        let tree = patient("app").child(probe).start().unwrap();
        addr.send(note(0)).await.unwrap();
        tree.pause("app/probe").unwrap();
        let waiting = [1, 2].map(|n| actix_rt::spawn(addr.send(note(n))));
        tokio::task::yield_now().await;
        assert!(matches!(asked.ask(note(3)).await, Err(AskError::Full)));
        tree.resume("app/probe").unwrap();
        for answer in waiting {
            answer.await.unwrap().unwrap();
        }
        assert_eq!(asked.ask(note(4)).await.unwrap(), [0, 1, 2, 4]);
        assert_conserved(&tree);
        tree.stop(SECOND).await;
    });
}

#[test]
fn a_drained_child_handles_what_is_queued_takes_nothing_new_and_is_down_until_restarted() {
    run(async {
        let probe = child("probe").on(Placement::OwnThread);
        let (addr, asked) = (probe.addr(), probe.actor_ref());
        let tree = patient("app").child(probe).start().unwrap();
        let recorder = Recorder::of(&tree);
        addr.send(note(0)).await.unwrap();
        let (release, is_released) = std::sync::mpsc::channel::<()>();
        let blocked = actix_rt::spawn(addr.send(job(move |_, _| assert!(is_released.recv().is_err()))));
        let queued: Vec<_> = (1..=3).map(|n| actix_rt::spawn(addr.send(note(n)))).collect();
        tokio::task::yield_now().await;
        let draining = {
            let tree = tree.clone();
            actix_rt::spawn(async move { tree.drain("app/probe").await })
        };
        recorder.seen("app/probe", |event| matches!(event.kind, EventKind::Draining)).await;
        assert!(info(&tree, "app/probe").draining && !draining.is_finished());
        assert!(matches!(asked.ask(note(9)).await, Err(AskError::Draining)));
        assert!(matches!(tree.drain("app/probe").await, Err(AdminError::Draining(_))));
        assert!(matches!(tree.pause("app/probe"), Err(AdminError::Draining(_))));
        let late = actix_rt::spawn(addr.send(note(10)));
        drop(release);
        blocked.await.unwrap().unwrap();
        for (n, answer) in queued.into_iter().enumerate() {
            assert_eq!(answer.await.unwrap().unwrap().len(), n + 2);
        }
        assert_eq!(late.await.unwrap(), Err(MailboxError::Closed));
        draining.await.unwrap().unwrap();
        assert_eq!(info(&tree, "app/probe").state, ChildState::Finished);
        assert!(!info(&tree, "app/probe").draining);
        assert!(matches!(asked.ask(note(11)).await, Err(AskError::Down)));
        assert_conserved(&tree);
        tree.restart_child("app/probe").await.unwrap();
        assert_eq!(addr.send(note(12)).await.unwrap(), [12]);
        tree.stop(SECOND).await;
        assert_all_down(&tree).await;
        let story = recorder.story();
        assert!(story.contains("is being drained: it takes nothing new"), "{story}");
        assert!(story.contains("was not handled: the child is being drained"), "{story}");
        assert!(tree.incidents().is_empty());
    });
}

#[test]
fn one_that_fails_while_it_is_drained_goes_on_in_its_next_life() {
    run(async {
        let probe = child("probe").on(Placement::OwnThread);
        let addr = probe.addr();
        let tree = patient("app").child(probe).start().unwrap();
        addr.send(note(0)).await.unwrap();
        tree.pause("app/probe").unwrap(); // draining resumes it
        let answers: Vec<_> = (1..=3).map(|n| actix_rt::spawn(addr.send(note(n)))).collect();
        tokio::task::yield_now().await;
        tree.inject("app/probe", "panic@2".parse::<latido::fault::Injection>().unwrap()).unwrap();
        tree.drain("app/probe").await.unwrap();
        let mut answered = Vec::new();
        for answer in answers {
            answered.push(answer.await.unwrap().ok());
        }
        assert_eq!(answered, [Some(vec![0, 1]), None, Some(vec![3])]);
        assert_eq!(info(&tree, "app/probe").incarnation, 2);
        assert_conserved(&tree);
        tree.stop(SECOND).await;
    });
}

#[test]
fn a_drain_that_is_given_up_or_resumed_leaves_the_child_as_it_was() {
    run(async {
        let probe = child("probe").on(Placement::OwnThread);
        let addr = probe.addr();
        let tree = patient("app").child(probe).start().unwrap();
        let recorder = Recorder::of(&tree);
        for is_resumed in [false, true] {
            let (release, is_released) = std::sync::mpsc::channel::<()>();
            let blocked = actix_rt::spawn(addr.send(job(move |_, _| assert!(is_released.recv().is_err()))));
            tokio::task::yield_now().await;
            let drain = tree.drain("app/probe");
            if is_resumed {
                let resume = async { tree.resume("app/probe") };
                let (drained, resumed) = join(drain, resume).await;
                resumed.unwrap();
                assert!(matches!(drained, Err(AdminError::Resumed(_))), "{drained:?}");
            } else {
                assert!(tokio::time::timeout(10 * MS, drain).await.is_err());
            }
            drop(release);
            blocked.await.unwrap().unwrap();
            addr.send(note(1)).await.unwrap();
            assert!(!info(&tree, "app/probe").draining);
        }
        assert_eq!(info(&tree, "app/probe").incarnation, 1);
        let resumed = recorder.events().iter().filter(|it| matches!(it.kind, EventKind::Resumed)).count();
        assert_eq!(resumed, 2);
        tree.stop(SECOND).await;
    });
}

#[test]
fn a_drain_ends_with_a_child_that_its_supervisor_gives_up() {
    run(async {
        let probe = child("probe").restart(Restart::Temporary).on(Placement::OwnThread);
        let addr = probe.addr();
        let tree = patient("app").child(probe).start().unwrap();
        addr.send(note(0)).await.unwrap();
        tree.pause("app/probe").unwrap();
        let answers = [1, 2].map(|n| actix_rt::spawn(addr.send(note(n))));
        tokio::task::yield_now().await;
        tree.inject("app/probe", "fail@1".parse::<latido::fault::Injection>().unwrap()).unwrap();
        tree.drain("app/probe").await.unwrap();
        for answer in answers {
            assert_eq!(answer.await.unwrap(), Err(MailboxError::Closed));
        }
        assert_conserved(&tree);
        assert!(matches!(tree.stop(SECOND).await, ExitReason::Shutdown));
    });
}

#[test]
fn a_supervisor_can_be_neither_paused_nor_drained_and_says_why() {
    run(async {
        let tree = patient("app").child(child("probe")).start().unwrap();
        for refused in [tree.pause("app"), tree.resume("app"), tree.drain("app").await] {
            let error = refused.unwrap_err().to_string();
            assert!(
                error.contains("app is a supervisor, whose messages are the news of its children"),
                "{error}"
            );
        }
        assert!(matches!(tree.pause("app/nobody"), Err(AdminError::Unknown(_))));
        tree.stop(SECOND).await;
    });
}
