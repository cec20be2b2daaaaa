//! Children that hang: they are found, fenced off and replaced, and nobody else pays for it.

use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use actix::prelude::*;
use latido::supervision::*;
use latido::{EventKind, Events, ExitReason};

use crate::blocked::{block, thread};
use crate::support::*;

pub(crate) const LIMIT: Duration = Duration::from_millis(60);

/// The next end of the child is by the watchdog.
pub(crate) async fn hung(events: &mut Events, path: &str) {
    let reason = ended(events, path).await;
    assert!(matches!(reason, ExitReason::Unresponsive { blocked } if blocked >= LIMIT), "{reason}");
}

/// Waits until the threads that were left behind have returned.
pub(crate) async fn returned(tree: &Tree) {
    while tree.abandoned_threads() > 0 {
        tokio::task::yield_now().await;
    }
}

pub(crate) fn used(tree: &Tree, supervisor: &str) -> u32 {
    tree.snapshot().get(supervisor).unwrap().supervisor.unwrap().1.used
}

pub(crate) fn incarnation(tree: &Tree, path: &str) -> u64 {
    tree.snapshot().get(path).unwrap().incarnation
}

#[test]
fn a_hung_child_has_failed_and_its_successor_answers_what_waits_on_a_new_thread() {
    for placement in [Placement::OwnThread, Placement::Shared(Arbiters::new(1))] {
        run(async {
            let (spec, lives) = child_with("stuck", Hooks::default());
            let spec = spec.on(placement).watchdog(LIMIT).restart(Restart::Transient);
            let (addr, stuck) = (spec.addr(), spec.actor_ref());
            let tree = patient("app").child(spec).start().unwrap();
            let mut events = tree.subscribe();
            let before = addr.send(thread()).await.unwrap();

            let (release, released) = mpsc::channel::<()>();
            let in_hand = stuck.ask(job(move |_, _| released.recv().is_err()));
            let queued = (0..10).map(|n| addr.send(note(n))).collect::<Vec<_>>();
            let error = in_hand.await.unwrap_err();
            let AskError::Crashed { reason: ExitReason::Unresponsive { blocked }, incarnation: 1, .. } =
                &error
            else {
                panic!("{error}");
            };
            assert!(*blocked >= LIMIT, "{blocked:?}");
            let text =
                format!("app/stuck #1 did not answer for {blocked:.1?}: its handler blocks its thread");
            assert_eq!(error.to_string(), text);
            hung(&mut events, "app/stuck").await;
            for (n, answer) in queued.into_iter().enumerate() {
                assert_eq!(answer.await.unwrap().len(), n + 1, "the new life answers");
            }
            let after = addr.send(thread()).await.unwrap();
            assert_ne!(before, after);
            assert_eq!((tree.abandoned_threads(), used(&tree, "app"), lives.now()), (1, 1, 2));

            drop(release);
            while lives.now() > 1 || tree.abandoned_threads() > 0 {
                assert_eq!(addr.send(thread()).await.unwrap(), after, "the old life takes no message");
            }
            let messages = tree.snapshot().get("app/stuck").unwrap().messages;
            assert_eq!((messages.lost, messages.dropped), (1, 0));
            assert_eq!((incarnation(&tree, "app/stuck"), lives.ever()), (2, 2));
            assert!(matches!(tree.stop(SECOND).await, ExitReason::Shutdown));
        });
    }
}

/// Blocks the second life until the sender is dropped.
type Trap = Arc<dyn Fn(usize) + Send + Sync>;

fn trap() -> (Trap, mpsc::Sender<()>) {
    let (release, released) = mpsc::channel();
    let released = Mutex::new(Some(released));
    let fall_in = move |life| {
        let released = released.lock().unwrap().take_if(|_| life == 2);
        if let Some(released) = released {
            let _ = released.recv();
        }
    };
    (Arc::new(fall_in), release)
}

#[test]
fn a_child_is_watched_wherever_its_code_runs() {
    type Setting = fn(Hooks, Trap) -> Hooks;
    let factory: Setting = |hooks, trap| hooks.built(move |life| trap(life));
    let started: Setting = |hooks, trap| hooks.started(move |probe, _| trap(probe.life));
    let waited_for: Setting = |hooks, trap| {
        hooks.started(move |probe, ctx| {
            let (trap, life) = (trap.clone(), probe.life);
            ctx.wait(async move { trap(life) }.into_actor(probe));
        })
    };
    let interval: Setting = |hooks, trap| {
        hooks.started(move |_, ctx| {
            let trap = trap.clone();
            ctx.run_interval(MS, move |probe, _| trap(probe.life));
        })
    };
    let stopping: Setting = |hooks, trap| {
        let hooks = hooks.stopping(move |probe, _| {
            trap(probe.life);
            Running::Stop
        });
        hooks.started(|probe, ctx| {
            if probe.life == 2 {
                ctx.stop();
            }
        })
    };
    let destructor: Setting = |hooks, trap| {
        let hooks = hooks.dropped(move |life| trap(life));
        hooks.started(|probe, ctx| {
            if probe.life == 2 {
                ctx.terminate();
            }
        })
    };
    for setting in [factory, started, waited_for, interval, stopping, destructor] {
        run(async {
            let (trap, release) = trap();
            let (spec, lives) = child_with("stuck", setting(Hooks::default(), trap));
            let spec = spec.on(Placement::OwnThread).watchdog(LIMIT);
            let addr = spec.addr();
            let tree = patient("app").child(child("sibling")).child(spec).start().unwrap();
            let mut events = tree.subscribe();
            assert!(addr.send(job(|_, _| -> () { panic!("no") })).await.is_err());
            ended(&mut events, "app/stuck").await;
            hung(&mut events, "app/stuck").await;
            addr.send(note(1)).await.unwrap();
            drop(release);
            returned(&tree).await;
            while lives.now() > 1 {
                addr.send(note(1)).await.unwrap();
            }
            assert!(matches!(tree.stop(SECOND).await, ExitReason::Shutdown));
        });
    }
}

#[test]
fn a_hung_child_restarts_by_the_usual_rules() {
    run(async {
        let spec = |id| child(id).on(Placement::OwnThread).watchdog(LIMIT);
        let specs = [spec("once").restart(Restart::Temporary), spec("again"), spec("sibling")];
        let addrs = specs.each_ref().map(ChildSpec::addr);
        let group = SupervisorSpec::new("group").strategy(Strategy::OneForAll).intensity(1, 100 * SECOND);
        let tree =
            SupervisorSpec::new("app").intensity(0, SECOND).child(group.children(specs)).start().unwrap();
        let mut events = tree.subscribe();

        let _once = block(&addrs[0]).await;
        hung(&mut events, "app/group/once").await;
        assert!(addrs[0].send(note(1)).await.is_err(), "a temporary child stays down");
        assert_eq!(incarnation(&tree, "app/group/again"), 1);

        let _again = block(&addrs[1]).await;
        let restarting = |event: &latido::Event| match &event.kind {
            EventKind::Restarting { siblings, budget, .. } => Some((siblings.clone(), budget.used)),
            _ => None,
        };
        let (siblings, used) = events.find_map("app/group/again", restarting).await.unwrap();
        assert_eq!((siblings.len(), siblings[0].as_str(), used), (1, "app/group/sibling", 1));
        assert_eq!(addrs[2].send(note(1)).await.unwrap(), [1]);

        let _and_again = block(&addrs[1]).await;
        let reason = tree.join().await;
        let text = reason.to_string();
        let inner =
            "gave up: more than 1 restarts in 100s, the last for app/group/again, which did not answer for ";
        assert!(text.contains(inner), "{text}");
        assert_eq!(tree.abandoned_threads(), 3);
    });
}

#[test]
fn a_child_that_blocks_the_thread_of_the_whole_tree_is_told_of_at_once_and_restarted_after() {
    run(async {
        let spec = child("stuck").watchdog(LIMIT);
        let addr = spec.addr();
        let tree = patient("app").child(spec).child(child("sibling")).start().unwrap();
        let mut events = tree.subscribe();
        started(&mut events, "app", 1).await;
        let mut seen = tree.subscribe();
        addr.do_send(job(move |_, _| {
            let is_told =
                |kind| matches!(kind, EventKind::Exited { reason: ExitReason::Unresponsive { .. }, .. });
            while !seen.try_next().is_some_and(|event| is_told(event.kind)) {
                std::thread::yield_now();
            }
        }));
        started(&mut events, "app/stuck", 2).await;
        assert_eq!(addr.send(note(1)).await.unwrap(), [1]);
        assert_eq!((tree.abandoned_threads(), incarnation(&tree, "app/sibling")), (0, 1));
        assert!(matches!(tree.stop(SECOND).await, ExitReason::Shutdown));
    });
}

#[test]
fn a_tree_that_has_left_too_many_threads_behind_gives_up() {
    run(async {
        let specs: Vec<_> =
            (0..17).map(|n| child(&n.to_string()).on(Placement::OwnThread).watchdog(LIMIT)).collect();
        let addrs: Vec<_> = specs.iter().map(ChildSpec::addr).collect();
        let workers = patient("workers").children(specs);
        let tree = patient("app").child(workers).start().unwrap();
        let mut events = tree.subscribe();
        started(&mut events, "app", 1).await;
        let mut releases = Vec::new();
        for (n, addr) in addrs.iter().enumerate().take(16) {
            releases.push(block(addr).await);
            started(&mut events, &format!("app/workers/{n}"), 2).await;
        }
        assert_eq!(tree.abandoned_threads(), 16);
        releases.push(block(&addrs[16]).await);
        let reason = tree.join().await;
        let text = reason.to_string();
        let workers = "gave up: more than 16 threads are blocked and were left behind, the last by app/workers, which gave up: more \
            than 16 threads are blocked and were left behind, the last by app/workers/16, which did not answer for ";
        assert!(text.starts_with(workers), "{text}");
        assert_eq!(tree.abandoned_threads(), 17);
        drop(releases);
        returned(&tree).await;
    });
}

#[test]
fn threads_that_have_returned_are_not_held_against_the_tree() {
    run(async {
        let spec = child("stuck").on(Placement::OwnThread).watchdog(10 * MS);
        let addr = spec.addr();
        let tree = patient("app").child(spec).start().unwrap();
        for _ in 0..20 {
            drop(block(&addr).await);
            let release = block(&addr).await;
            addr.send(note(1)).await.unwrap();
            drop(release);
            returned(&tree).await;
        }
        assert!(matches!(tree.stop(SECOND).await, ExitReason::Shutdown));
    });
}
