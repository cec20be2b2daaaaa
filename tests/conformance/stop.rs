//! How children are stopped, and what that means for the one who stops them: nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use actix::prelude::*;
use latido::ExitReason;
use latido::supervision::*;
use tokio::time::Instant;

use crate::kit::*;

#[test]
fn a_supervisor_without_children_is_up_at_once_and_stops_when_asked() {
    run_in_virtual_time(async {
        for spec in [SupervisorSpec::new("app"), SupervisorSpec::dynamic("app")] {
            let tree = spec.start().unwrap();
            let mut events = tree.subscribe();
            started(&mut events, "app", 1).await;
            assert_eq!(tree.count_children("app").unwrap(), Counts::default());
            assert!(matches!(tree.stop(SECOND).await, ExitReason::Shutdown));
            assert_eq!(lives_in(&mut events), ["-app"]);
        }
    });
}

#[test]
fn a_child_with_infinity_is_waited_for_whether_it_is_a_worker_or_a_supervisor() {
    run_in_virtual_time(async {
        let slow = |id| slow_to_stop(id, 3600 * SECOND).shutdown(Shutdown::Infinity);
        let inner = SupervisorSpec::new("inner").shutdown(Shutdown::Infinity).child(slow("x"));
        let tree = SupervisorSpec::new("app").child(slow("a")).child(inner).start().unwrap();
        let mut events = tree.subscribe();
        started(&mut events, "app", 1).await;
        let begin = Instant::now();
        assert!(matches!(tree.stop(9999 * SECOND).await, ExitReason::Shutdown));
        assert_eq!(begin.elapsed().as_secs(), 7200, "one after the other");
        for path in ["app/inner/x", "app/inner", "app/a"] {
            assert!(matches!(ended(&mut events, path).await, ExitReason::Shutdown), "{path}");
        }
    });
}

#[test]
fn one_that_stops_in_time_is_not_killed_because_another_is_late() {
    for dynamic in [false, true] {
        run_in_virtual_time(async move {
            let app = if dynamic { SupervisorSpec::dynamic("app") } else { SupervisorSpec::new("app") };
            let limit = Shutdown::Timeout(2 * SECOND);
            let in_time = ["a", "b"].map(|id| slow_to_stop(id, SECOND).shutdown(limit));
            let late = slow_to_stop("late", 5 * SECOND).shutdown(limit);
            let tree = app.children(in_time).child(late).start().unwrap();
            let mut events = tree.subscribe();
            started(&mut events, "app", 1).await;
            let begin = Instant::now();
            assert!(matches!(tree.stop(60 * SECOND).await, ExitReason::Shutdown));
            // Two seconds for the late one; the others before it in the same time, or after it.
            assert_eq!(begin.elapsed().as_secs(), if dynamic { 2 } else { 4 });
            let mut ends = Vec::new();
            while let Some(event) = events.try_next() {
                if let latido::EventKind::Stopped { reason, .. } = event.kind {
                    ends.push(format!("{} {reason}", event.path.name()));
                }
            }
            ends.sort();
            let late = "late was killed: did not stop within 2s";
            assert_eq!(ends, ["a was stopped", "app was stopped", "b was stopped", late]);
        });
    }
}

#[test]
fn a_child_killed_by_its_rule_is_not_asked_and_its_siblings_are() {
    for dynamic in [false, true] {
        run_in_virtual_time(async move {
            let app = if dynamic { SupervisorSpec::dynamic("app") } else { SupervisorSpec::new("app") };
            let asked = Arc::new(AtomicUsize::new(0));
            let spec = |id: &str| {
                let asked = asked.clone();
                let hooks = Hooks::default().stopping(move |_, _| {
                    asked.fetch_add(1, Ordering::SeqCst);
                    Running::Stop
                });
                child_with(id, hooks).0
            };
            let brutal = |n| spec(&format!("b{n}")).shutdown(Shutdown::BrutalKill);
            let tree = app.child(spec("a")).children((0..10).map(brutal)).start().unwrap();
            let mut events = tree.subscribe();
            started(&mut events, "app", 1).await;
            assert!(matches!(tree.stop(SECOND).await, ExitReason::Shutdown));
            assert_eq!(asked.load(Ordering::SeqCst), 1);
            let snapshot = tree.snapshot();
            let exits =
                snapshot.children[1..].iter().map(|child| child.last_exit.as_ref().unwrap().to_string());
            let exits = exits.collect::<Vec<_>>();
            assert_eq!(exits[0], "was stopped");
            assert_eq!(exits[1..], ["was killed: by its shutdown rule"; 10]);
        });
    }
}

/// The last is still being waited for.
#[test]
fn children_that_end_by_themselves_while_all_stop_have_their_own_reasons_and_do_not_come_back() {
    run_in_virtual_time(async {
        let restarts = [Restart::Permanent, Restart::Transient, Restart::Temporary];
        let (mut specs, mut addrs) = (vec![child("first")], Vec::new());
        for restart in restarts {
            for end in ["finish", "crash"] {
                let spec = child(&format!("{end} {restart:?}")).restart(restart);
                addrs.push((end, spec.addr()));
                specs.push(spec);
            }
        }
        specs.push(slow_to_stop("last", SECOND));
        let tree = SupervisorSpec::new("app").intensity(0, SECOND).children(specs).start().unwrap();
        let mut events = tree.subscribe();
        started(&mut events, "app", 1).await;
        let stop = meanwhile(&tree, async |tree| tree.stop(60 * SECOND).await);
        all_is_done().await;
        assert_eq!(state(&tree, "app/last"), ChildState::Stopping);
        for (end, addr) in &addrs {
            match *end {
                "finish" => finish(addr).await,
                _ => crash(addr).await,
            }
        }
        assert!(matches!(stop.await.unwrap(), ExitReason::Shutdown));
        for child in &tree.snapshot().children[1..] {
            let expected = match child.path.name().split(' ').next().unwrap() {
                "finish" => "stopped itself",
                "crash" => "panicked: no",
                _ => "was stopped",
            };
            let reason = child.last_exit.as_ref().unwrap().to_string();
            assert!(reason.starts_with(expected), "{}: {reason}", child.path);
            assert_eq!(child.incarnation, 1, "{}", child.path);
        }
    });
}

#[test]
fn a_child_that_fails_while_it_stops_fails_nobody_else() {
    for dynamic in [false, true] {
        for restart in [Restart::Permanent, Restart::Transient, Restart::Temporary] {
            run_in_virtual_time(async move {
                let app = if dynamic { SupervisorSpec::dynamic("app") } else { SupervisorSpec::new("app") };
                let panics = Hooks::default().stopping(|_, _| panic!("not now"));
                let fails = Hooks::default().stopped(|_, _| latido::crash("no disk"));
                let specs = [("a", panics), ("b", fails), ("c", Hooks::default())];
                let specs = specs.map(|(id, hooks)| child_with(id, hooks).0.restart(restart));
                let app = app.intensity(0, SECOND).children(specs);
                let tree = SupervisorSpec::new("top").intensity(0, SECOND).child(app).start().unwrap();
                let mut events = tree.subscribe();
                started(&mut events, "top", 1).await;
                tree.terminate_child("top/app").await.unwrap();
                assert!(matches!(ended(&mut events, "top/app").await, ExitReason::Shutdown));
                let snapshot = tree.snapshot();
                let exits = snapshot.children[2..].iter().map(|child| child.last_exit.clone().unwrap());
                let texts: Vec<_> = exits.map(|reason| reason.to_string()).collect();
                assert!(texts[0].starts_with("panicked: not now"), "{texts:?}");
                assert_eq!(texts[1..], ["failed: no disk", "was stopped"]);
                assert!(matches!(tree.stop(SECOND).await, ExitReason::Shutdown));
            });
        }
    }
}
