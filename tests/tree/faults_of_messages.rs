//! Faults that strike messages and starts, and what is taken back.

use actix::prelude::*;
use latido::fault::{Fault, Injection};
use latido::supervision::*;
use latido::testing::{assert_all_down, assert_conserved};
use latido::{Event, EventKind, Events, ExitReason};
use tokio::time::Instant;

use crate::support::*;

fn fault(text: &str) -> Injection {
    text.parse().unwrap()
}

/// The faults that have been told so far.
fn told(events: &mut Events) -> Vec<String> {
    let mut told = Vec::new();
    while let Some(event) = events.try_next() {
        if let EventKind::Injected(fault) = event.kind {
            told.push(fault.to_string());
        }
    }
    told
}

#[test]
fn a_slow_actor_takes_so_much_longer_for_each_message_until_it_is_healed() {
    run_in_virtual_time(async {
        let probe = child("probe");
        let addr = probe.addr();
        let tree = SupervisorSpec::new("app").child(probe).start().unwrap();
        let mut events = tree.subscribe();
        started(&mut events, "app", 1).await;
        tree.inject("app/probe", fault("slow:2")).unwrap();
        let begun = Instant::now();
        for n in 1..=3 {
            assert_eq!(addr.send(note(n)).await.unwrap().len() as u64, n);
        }
        assert_eq!(begun.elapsed(), 6 * SECOND);
        assert_eq!(tree.snapshot().get("app/probe").unwrap().armed, [fault("slow:2")]);

        let waiting = addr.send(note(4));
        let begun = Instant::now();
        let heal = async {
            tokio::time::sleep(SECOND / 2).await;
            tree.inject("app/probe", Fault::Heal).unwrap();
        };
        let (answer, ()) = futures::future::join(waiting, heal).await;
        assert_eq!((answer.unwrap().len(), begun.elapsed()), (4, SECOND / 2), "at once when it is healed");
        addr.send(note(5)).await.unwrap();
        assert_eq!(begun.elapsed(), SECOND / 2);
        assert_eq!(told(&mut events), ["slow:2", "heal"], "once, and not of each message");
        assert_conserved(&tree);
        tree.stop(SECOND).await;
        assert_all_down(&tree).await;
    });
}

#[test]
fn a_message_that_is_held_back_is_handled_also_if_its_actor_has_cancelled_what_runs_its_handlers() {
    run_in_virtual_time(async {
        let probe = child("probe");
        let addr = probe.addr();
        let tree = SupervisorSpec::new("app").child(probe).start().unwrap();
        started(&mut tree.subscribe(), "app", 1).await;
        tree.inject("app/probe", fault("slow:2@2")).unwrap();
        let cancel = addr.send(job(|_, ctx| {
            ctx.cancel_future(ctx.handle());
        }));
        let held = addr.send(note(1));
        cancel.await.unwrap();
        assert_eq!(held.await.unwrap().len(), 1);
        assert_conserved(&tree);
        tree.stop(SECOND).await;
    });
}

#[test]
fn what_goes_on_for_a_while_ends_by_itself() {
    run_in_virtual_time(async {
        let probe = child("probe");
        let addr = probe.addr();
        let tree = SupervisorSpec::new("app").child(probe).start().unwrap();
        addr.send(note(0)).await.unwrap();
        tree.inject("app/probe", fault("slow:2@for=3")).unwrap();
        let begun = Instant::now();
        for n in 1..=5 {
            addr.send(note(n)).await.unwrap();
        }
        assert_eq!(begun.elapsed(), 4 * SECOND, "two of them");
        tree.inject("app/probe", fault("hang@for=5")).unwrap();
        tokio::task::yield_now().await;
        addr.send(note(6)).await.unwrap();
        assert_eq!(begun.elapsed(), 9 * SECOND);
        assert!(tree.snapshot().get("app/probe").unwrap().armed.is_empty());
        tree.stop(SECOND).await;
    });
}

#[test]
fn a_message_that_a_slow_actor_holds_is_lost_when_it_fails_and_those_behind_it_are_kept() {
    run_in_virtual_time(async {
        let probe = child("probe");
        let addr = probe.addr();
        let tree = patient("app").child(probe).start().unwrap();
        addr.send(note(0)).await.unwrap();
        tree.inject("app/probe", fault("slow:60@times=1")).unwrap();
        let (held, behind) = (addr.send(note(1)), addr.send(note(2)));
        let (held, behind) = (actix_rt::spawn(held), actix_rt::spawn(behind));
        tokio::time::sleep(SECOND).await;
        tree.inject("app/probe", Fault::Panic).unwrap();
        assert_eq!(held.await.unwrap(), Err(MailboxError::Closed));
        assert_eq!(behind.await.unwrap().unwrap(), [2], "by its next life");
        let counts = tree.snapshot().get("app/probe").unwrap().messages;
        assert_eq!((counts.lost, counts.received), (1, 3));
        assert_conserved(&tree);
        tree.stop(SECOND).await;
    });
}

#[test]
fn delayed_messages_come_later_and_in_order_and_wait_over_a_restart() {
    run_in_virtual_time(async {
        let probe = child("probe");
        let addr = probe.addr();
        let tree = patient("app").child(probe).start().unwrap();
        addr.send(note(0)).await.unwrap();
        let mut events = tree.subscribe();
        tree.inject("app/probe", fault("delay:3")).unwrap();
        let begun = Instant::now();
        let (first, second) = (actix_rt::spawn(addr.send(note(1))), actix_rt::spawn(addr.send(note(2))));
        tokio::time::sleep(SECOND).await;
        assert_eq!(tree.snapshot().get("app/probe").unwrap().messages.queued, 2);
        let third = actix_rt::spawn(addr.send(note(3)));
        tree.inject("app/probe", Fault::Fail).unwrap();
        assert_eq!(first.await.unwrap().unwrap(), [1]);
        assert_eq!(second.await.unwrap().unwrap(), [1, 2]);
        assert_eq!(begun.elapsed(), 3 * SECOND);
        assert_eq!(third.await.unwrap().unwrap(), [1, 2, 3]);
        assert_eq!(begun.elapsed(), 4 * SECOND);
        assert_conserved(&tree);

        let last = actix_rt::spawn(addr.send(note(4)));
        tokio::time::sleep(SECOND).await;
        tree.inject("app/probe", Fault::Heal).unwrap();
        last.await.unwrap().unwrap();
        assert_eq!(begun.elapsed(), 5 * SECOND, "at once when it is healed");
        assert_eq!(told(&mut events), ["delay:3", "fail", "delay:3", "heal"], "once in each life");
        tree.stop(SECOND).await;
    });
}

#[test]
fn dropped_messages_are_dead_letters_with_their_reason_and_who_asks_hears_it() {
    run(async {
        let probe = child("probe");
        let (addr, asked) = (probe.addr(), probe.actor_ref());
        let tree = SupervisorSpec::new("app").child(probe).start().unwrap();
        addr.send(note(0)).await.unwrap();
        let mut events = tree.subscribe();
        tree.inject("app/probe", fault("drop:2")).unwrap();
        assert_eq!(addr.send(note(1)).await, Err(MailboxError::Closed));
        let error = asked.ask(note(2)).await.unwrap_err();
        assert!(matches!(error, AskError::Injected), "{error}");
        assert_eq!(addr.send(note(3)).await.unwrap(), [0, 3]);
        let counts = tree.snapshot().get("app/probe").unwrap().messages;
        assert_eq!((counts.dropped, counts.handled, counts.lost), (2, 2, 0));
        let mut letters = Vec::new();
        while let Some(event) = events.try_next() {
            letters.extend(matches!(event.kind, EventKind::DeadLetter { .. }).then(|| event.to_string()));
        }
        assert!(letters[0].contains("dropped on purpose") && letters.len() == 2, "{letters:?}");
        assert_conserved(&tree);
        tree.stop(SECOND).await;
        assert_all_down(&tree).await;
    });
}

#[test]
fn the_same_seed_loses_the_same_messages_whatever_its_sibling_does() {
    let lost = |with_sibling: bool| {
        let (tell, told) = std::sync::mpsc::channel();
        run(async move {
            let specs = ["probe", "sibling"].map(|id| child(id).on(Placement::OwnThread));
            let addrs = specs.each_ref().map(ChildSpec::addr);
            let tree = SupervisorSpec::new("app").children(specs).start().unwrap();
            addrs[0].send(note(0)).await.unwrap();
            tree.inject("app/*", fault("drop:1000@p=0.3,seed=11")).unwrap();
            if with_sibling {
                (0..50).for_each(|n| addrs[1].do_send(note(n)));
            }
            for n in 1..=40 {
                if addrs[0].send(note(n)).await.is_err() {
                    tell.send(n).unwrap();
                }
            }
            assert_conserved(&tree);
            tree.stop(SECOND).await;
        });
        told.into_iter().collect::<Vec<u64>>()
    };
    let once = lost(false);
    assert!((5..25).contains(&once.len()), "{once:?}");
    assert_eq!(once, lost(true));
}

#[test]
fn a_flood_fills_the_mailbox_and_its_bound_shows() {
    run(async {
        let probe = child("probe").mailbox(Bound::new(10, Overflow::DropNewest));
        let addr = probe.addr();
        let tree = SupervisorSpec::new("app").child(probe).start().unwrap();
        addr.send(note(0)).await.unwrap();
        tree.inject("app/probe", Fault::Flood(100)).unwrap();
        addr.send(note(1)).await.unwrap_or_default(); // it may be one too many
        assert_eq!(addr.send(note(2)).await.unwrap().last(), Some(&2), "whole afterwards");
        let counts = tree.snapshot().get("app/probe").unwrap().messages;
        assert!(counts.received >= 102 && counts.dropped >= 90, "{counts:?}");
        assert_conserved(&tree);
        tree.stop(SECOND).await;
    });
}

#[test]
fn failed_starts_count_as_failures_and_their_story_says_that_it_was_on_purpose() {
    run(async {
        let probe = child("probe");
        let addr = probe.addr();
        let tree = patient("app").child(probe).start().unwrap();
        addr.send(note(0)).await.unwrap();
        tree.inject("app/probe", Fault::FailStarts(2)).unwrap();
        assert_eq!(addr.send(note(1)).await.unwrap(), [0, 1], "it runs already");
        tree.inject("app/probe", Fault::Panic).unwrap();
        let mut events = tree.subscribe();
        started(&mut events, "app/probe", 4).await;
        assert_eq!(addr.send(note(2)).await.unwrap(), [2]);
        let incidents = tree.incidents();
        let injected: Vec<_> = incidents.iter().map(|it| it.injected.clone().unwrap().to_string()).collect();
        assert_eq!(injected, ["panic", "fail-starts:2", "fail-starts:2"]);
        assert!(incidents[1].to_string().contains("injected fault: this start fails"), "{}", incidents[1]);
        assert!(tree.snapshot().get("app/probe").unwrap().armed.is_empty());
        tree.stop(SECOND).await;
        assert_all_down(&tree).await;
    });
}

#[test]
fn a_start_that_fails_as_often_as_its_supervisor_allows_ends_the_tree() {
    run(async {
        let tree = SupervisorSpec::new("app").child(child("probe")).start().unwrap();
        let mut events = tree.subscribe();
        started(&mut events, "app", 1).await;
        tree.inject("app/probe", Fault::FailStarts(10)).unwrap();
        tree.inject("app/probe", Fault::Fail).unwrap();
        let reason = tree.join().await;
        assert!(matches!(reason, ExitReason::GaveUp { intensity: 3, .. }), "{reason}");
        assert_all_down(&tree).await;
    });
}

#[test]
fn a_hang_is_found_by_the_message_limit_and_its_story_says_so() {
    run(async {
        let probe = child("probe").on(Placement::OwnThread).message_limit(20 * MS);
        let addr = probe.addr();
        let tree = patient("app").child(probe).start().unwrap();
        let mut events = tree.subscribe();
        addr.send(note(0)).await.unwrap();
        tree.inject("app/probe", fault("hang@1")).unwrap();
        assert_eq!(addr.send(note(1)).await.unwrap(), [0, 1], "that one is its last");
        assert_eq!(addr.send(note(2)).await.unwrap(), [2], "by its next life");
        let reason = ended(&mut events, "app/probe").await;
        assert!(matches!(reason, ExitReason::Deaf { .. }), "{reason}");
        assert_eq!(tree.incidents()[0].injected, Some(Fault::Hang));
        assert_eq!(tree.abandoned_threads(), 0, "its thread was free");
        assert_conserved(&tree);
        tree.stop(SECOND).await;
        assert_all_down(&tree).await;
    });
}

#[test]
fn a_fault_strikes_an_idle_child_when_its_time_comes_and_again() {
    run_in_virtual_time(async {
        let tree = patient("app").child(child("idle")).start().unwrap();
        let mut events = tree.subscribe();
        started(&mut events, "app", 1).await;
        let begun = Instant::now();
        tree.inject("app/idle", fault("panic@after=60,times=2")).unwrap();
        let struck = |event: &Event| matches!(event.kind, EventKind::Injected(Fault::Panic));
        for minute in 1..=2 {
            events.until("app/idle", struck).await.unwrap();
            assert_eq!(begun.elapsed(), minute * 60 * SECOND);
        }
        started(&mut events, "app/idle", 3).await;
        assert!(tree.snapshot().get("app/idle").unwrap().armed.is_empty());
        tree.stop(SECOND).await;
    });
}

#[test]
fn what_is_armed_is_taken_back_by_healing() {
    run(async {
        let probe = child("probe");
        let addr = probe.addr();
        let tree = SupervisorSpec::new("app").child(probe).start().unwrap();
        for armed in ["panic@1", "fail@p=1", "drop:5", "stop@after=3600", "fail-starts:2"] {
            tree.inject("app/probe", fault(armed)).unwrap();
        }
        assert_eq!(tree.snapshot().get("app/probe").unwrap().armed.len(), 5);
        tree.inject("**", Fault::Heal).unwrap();
        assert_eq!(addr.send(note(1)).await.unwrap(), [1]);
        assert!(tree.incidents().is_empty() && tree.snapshot().get("app/probe").unwrap().armed.is_empty());
        tree.stop(SECOND).await;
    });
}

#[test]
fn a_supervisor_is_spared_what_would_cost_it_the_news_of_its_children() {
    run(async {
        let tree = SupervisorSpec::new("app").children(["a", "b"].map(child)).start().unwrap();
        for text in ["drop:1", "delay:1", "slow:1", "hang", "flood:1"] {
            let error = tree.inject("app", fault(text)).unwrap_err().to_string();
            let known = "it has panic, fail, stop, block:SECONDS, fail-starts:N, heal";
            assert!(
                error.starts_with(&format!("app has no fault `{text}`")) && error.ends_with(known),
                "{error}"
            );
            assert_eq!(tree.inject("**", fault(text)).unwrap(), 2, "the others have it");
        }
        tree.stop(SECOND).await;
    });
}
