//! Failures on demand.

use std::time::Instant;

use latido::fault::{Fault, Rule};
use latido::supervision::*;
use latido::{EventKind, ExitReason};

use crate::support::*;

fn is_wanted(fault: &Fault, reason: &ExitReason) -> bool {
    match fault {
        Fault::Panic => {
            matches!(reason, ExitReason::Panicked(panic) if panic.message() == "injected fault")
        }
        Fault::Fail => matches!(reason, ExitReason::Failed(_)),
        _ => matches!(reason, ExitReason::Normal),
    }
}

#[test]
fn each_fault_that_ends_an_actor_strikes_now_and_is_told_before() {
    for fault in [Fault::Panic, Fault::Fail, Fault::Stop] {
        run(async {
            let probe = child("probe");
            let addr = probe.addr();
            let tree = patient("app").child(probe).start().unwrap();
            let mut events = tree.subscribe();
            started(&mut events, "app", 1).await;
            assert_eq!(tree.inject("app/probe", fault.clone()).unwrap(), 1);
            let told = events.next().await.unwrap();
            assert!(matches!(told.kind, EventKind::Injected(injected) if injected == fault));
            assert_eq!((told.path, told.incarnation), (latido::TreePath::root("app").join("probe"), 1));
            let reason = ended(&mut events, "app/probe").await;
            assert!(is_wanted(&fault, &reason), "{fault}: {reason}");
            assert_eq!(addr.send(note(1)).await.unwrap(), [1]);
            tree.stop(SECOND).await;
        });
    }
}

#[test]
fn a_fault_strikes_at_the_nth_message_from_here_on() {
    for fault in [Fault::Panic, Fault::Fail, Fault::Stop] {
        run(async {
            let probe = child("probe");
            let addr = probe.addr();
            let tree = patient("app").child(probe).start().unwrap();
            let mut events = tree.subscribe();
            addr.send(note(0)).await.unwrap();
            tree.inject("app/probe", fault.clone().with(Rule::message(3))).unwrap();
            assert_eq!(addr.send(note(1)).await.unwrap(), [0, 1]);
            assert_eq!(addr.send(note(2)).await.unwrap(), [0, 1, 2]);
            let third = addr.send(note(3)).await;
            // An actor that stops itself in a handler still answers the message in hand, as by `ctx.stop()`.
            assert_eq!(third.is_ok(), fault == Fault::Stop, "{fault}");
            assert!(is_wanted(&fault, &ended(&mut events, "app/probe").await));
            for n in 1..10 {
                assert_eq!(addr.send(note(n)).await.unwrap().len() as u64, n, "it strikes once");
            }
            tree.stop(SECOND).await;
        });
    }
}

#[test]
fn a_block_holds_the_thread_and_then_the_actor_goes_on() {
    run(async {
        let (probe, lives) = child_with("probe", Hooks::default());
        let addr = probe.addr();
        let tree = patient("app").child(probe).start().unwrap();
        addr.send(note(1)).await.unwrap();
        for rule in [Rule::default(), Rule::message(1)] {
            let asked = Instant::now();
            tree.inject("app/probe", Fault::Block(50 * MS).with(rule)).unwrap();
            addr.send(note(1)).await.unwrap();
            assert!(asked.elapsed() >= 50 * MS);
        }
        assert_eq!(lives.ever(), 1);
        tree.stop(SECOND).await;
    });
}

#[test]
fn a_fault_now_strikes_a_child_that_has_nothing_to_do() {
    run(async {
        let idle = child("idle").on(Placement::OwnThread);
        let tree = patient("app").child(idle).start().unwrap();
        let mut events = tree.subscribe();
        for incarnation in 1..50 {
            started(&mut events, "app/idle", incarnation).await;
            tree.inject("app/idle", Fault::Panic).unwrap();
        }
        tree.stop(SECOND).await;
    });
}

#[test]
fn a_glob_hits_all_that_it_fits() {
    run(async {
        let workers = patient("workers").children(["x", "y"].map(child));
        let tree = patient("app").child(child("a")).child(workers).start().unwrap();
        let mut events = tree.subscribe();
        started(&mut events, "app", 1).await;
        assert_eq!(tree.inject("app/workers/*", Fault::Panic).unwrap(), 2);
        started(&mut events, "app/workers/x", 2).await;
        started(&mut events, "app/workers/y", 2).await;
        assert_eq!(tree.snapshot().get("app/a").unwrap().incarnation, 1);
        assert_eq!(tree.inject("app/**", Fault::Panic.with(Rule::message(99))).unwrap(), 4);
        assert_eq!(tree.inject("app/*", Fault::Panic.with(Rule::message(99))).unwrap(), 2);
        tree.stop(SECOND).await;
    });
}

#[test]
fn an_unknown_path_is_answered_with_those_there_are() {
    run(async {
        let tree = SupervisorSpec::new("app").children(["a", "b"].map(child)).start().unwrap();
        let error = tree.inject("app/c", Fault::Panic).unwrap_err();
        assert_eq!(error.to_string(), "there is no app/c; there are app, app/a, app/b");
        tree.stop(SECOND).await;
    });
}

#[test]
fn a_fault_put_into_a_child_that_is_down_strikes_its_next_life_once_it_is_up() {
    for fault in [Fault::Panic, Fault::Stop] {
        run_in_virtual_time(async move {
            let (probe, lives) = child_with("probe", Hooks::default());
            let probe = probe.backoff(Backoff::exponential(SECOND, SECOND));
            let addr = probe.addr();
            let tree = SupervisorSpec::new("app").child(probe).start().unwrap();
            tree.inject("app/probe", fault.clone()).unwrap(); // before its first life: no failed start
            let mut events = tree.subscribe();
            for incarnation in 1..3 {
                started(&mut events, "app/probe", incarnation).await;
                assert!(is_wanted(&fault, &ended(&mut events, "app/probe").await));
                if incarnation == 1 {
                    assert_ne!(tree.snapshot().get("app/probe").unwrap().state, ChildState::Running);
                    tree.inject("app/probe", fault.clone()).unwrap();
                }
            }
            assert_eq!(addr.send(note(1)).await.unwrap(), [1]);
            assert_eq!(lives.ever(), 3);
            tree.stop(SECOND).await;
        });
    }
}

#[test]
fn a_supervisor_can_be_stopped_by_a_fault_and_takes_its_children_along_in_order() {
    run(async {
        let inner = patient("inner").restart(Restart::Transient).children(["a", "b"].map(child));
        let tree = patient("app").child(inner).start().unwrap();
        let mut events = tree.subscribe();
        started(&mut events, "app", 1).await;
        tree.inject("app/inner", Fault::Stop).unwrap();
        assert!(matches!(ended(&mut events, "app/inner/b").await, ExitReason::Shutdown));
        assert!(matches!(ended(&mut events, "app/inner/a").await, ExitReason::Shutdown));
        assert!(matches!(ended(&mut events, "app/inner").await, ExitReason::Normal));
        tree.stop(SECOND).await;
    });
}
