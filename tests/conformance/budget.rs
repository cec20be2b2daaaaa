//! Restart intensity: one window for all the children of a supervisor, over real instants.

use std::sync::atomic::Ordering;
use std::time::Duration;

use latido::supervision::*;
use latido::{EventKind, ExitReason};
use tokio::time::{Instant, sleep};

use crate::kit::*;

#[test]
fn the_children_share_one_budget() {
    run_in_virtual_time(async {
        let specs = ["a", "b", "c"].map(child);
        let addrs: Vec<_> = specs.iter().map(ChildSpec::addr).collect();
        let tree = SupervisorSpec::new("app").intensity(2, 60 * SECOND).children(specs).start().unwrap();
        crash(&addrs[0]).await;
        crash(&addrs[1]).await;
        addrs[1].send(note(1)).await.unwrap();
        assert_eq!(used(&tree, "app"), 2);
        crash(&addrs[2]).await;
        assert!(matches!(tree.join().await, ExitReason::GaveUp { child, .. } if child == "app/c"));
    });
}

#[test]
fn the_budgets_of_two_supervisors_are_their_own() {
    run_in_virtual_time(async {
        let specs = ["a", "b"].map(|id| (id, child(id)));
        let addrs = [specs[0].1.addr(), specs[1].1.addr()];
        let inner =
            specs.map(|(id, spec)| SupervisorSpec::new(format!("of {id}")).intensity(1, SECOND).child(spec));
        let tree = SupervisorSpec::new("app").intensity(0, SECOND).children(inner).start().unwrap();
        for addr in &addrs {
            crash(addr).await;
            addr.send(note(1)).await.unwrap();
        }
        assert_eq!((used(&tree, "app/of a"), used(&tree, "app/of b"), used(&tree, "app")), (1, 1, 0));
        tree.stop(SECOND).await;
    });
}

#[test]
fn the_window_slides_and_its_boundary_is_exact() {
    // Offsets of crashes in milliseconds; two restarts are allowed in a second. OTP counts in whole seconds.
    for (crashes, gives_up) in [
        ([0, 500, 1000], true),  // the first is one period old, and counts
        ([0, 500, 1001], false), // a millisecond later it does not
        ([0, 1000, 1001], false),
        ([0, 0, 1000], true),
        ([0, 0, 1001], false),
        ([700, 1500, 1650], true), // across OTP's whole seconds
    ] {
        run_in_virtual_time(async move {
            let spec = child("a");
            let addr = spec.addr();
            let tree = SupervisorSpec::new("app").intensity(2, SECOND).child(spec).start().unwrap();
            addr.send(note(1)).await.unwrap();
            let begin = Instant::now();
            for ms in crashes {
                tokio::time::sleep_until(begin + ms * MS).await;
                crash(&addr).await;
            }
            let survived = addr.send(note(1)).await.is_ok();
            assert_eq!(survived, !gives_up, "{crashes:?}");
            tree.stop(SECOND).await;
        });
    }
}

#[test]
fn one_crash_a_period_for_ever_is_allowed() {
    run_in_virtual_time(async {
        let spec = child("a");
        let addr = spec.addr();
        let tree = SupervisorSpec::new("app").intensity(1, SECOND).child(spec).start().unwrap();
        for n in 0..100 {
            addr.send(note(n)).await.unwrap();
            crash(&addr).await;
            sleep(SECOND + MS).await;
        }
        addr.send(note(1)).await.unwrap();
        assert_eq!(lives_of_all(&tree), "a#101");
        tree.stop(SECOND).await;
    });
}

#[test]
fn a_group_counts_once_however_many_go_with_it() {
    for strategy in [Strategy::OneForAll, Strategy::RestForOne] {
        run_in_virtual_time(async move {
            let specs: Vec<_> = (0..10).map(|n| child(&format!("c{n}"))).collect();
            let (first, last) = (specs[0].addr(), specs[9].addr());
            let app = SupervisorSpec::new("app").intensity(1, 60 * SECOND).strategy(strategy);
            let tree = app.children(specs).start().unwrap();
            crash(&first).await;
            last.send(note(1)).await.unwrap();
            assert_eq!(used(&tree, "app"), 1);
            crash(&last).await;
            assert!(matches!(tree.join().await, ExitReason::GaveUp { .. }));
        });
    }
}

#[test]
fn a_restart_that_fails_counts_and_is_tried_again_after_the_backoff() {
    run_in_virtual_time(async {
        let (spec, lives, switch) = breakable("a");
        let spec = spec.backoff(Backoff::exponential(SECOND, 4 * SECOND));
        let addr = spec.addr();
        let tree = SupervisorSpec::new("app").intensity(5, 60 * SECOND).child(spec).start().unwrap();
        let mut events = tree.subscribe();
        addr.send(note(1)).await.unwrap();
        switch.store(true, Ordering::SeqCst);
        let begin = Instant::now();
        crash(&addr).await;
        let reason = tree.join().await;
        let text = "gave up: more than 5 restarts in 60s, the last for app/a, which failed: no disk";
        assert_eq!(reason.to_string(), text);
        assert_eq!((begin.elapsed().as_secs(), lives.ever()), (1 + 2 + 4 + 4 + 4, 6));
        let mut counted = Vec::new();
        while let Some(event) = events.try_next() {
            if let EventKind::Restarting { delay, budget, failures, .. } = event.kind {
                counted.push((delay.as_secs(), budget.used, failures));
            }
        }
        assert_eq!(counted, [(1, 1, 1), (2, 2, 2), (4, 3, 3), (4, 4, 4), (4, 5, 5)]);
    });
}

#[test]
fn without_backoff_failed_restarts_burn_the_budget_at_once() {
    run_in_virtual_time(async {
        let (spec, lives, switch) = breakable("a");
        let addr = spec.addr();
        let tree = SupervisorSpec::new("app").intensity(4, 5 * SECOND).child(spec).start().unwrap();
        addr.send(note(1)).await.unwrap();
        switch.store(true, Ordering::SeqCst);
        let begin = Instant::now();
        crash(&addr).await;
        assert!(matches!(tree.join().await, ExitReason::GaveUp { .. }));
        assert_eq!((begin.elapsed(), lives.ever()), (Duration::ZERO, 5));
    });
}

#[test]
fn who_gives_up_stops_the_others_in_reverse_before_it_fails() {
    run_in_virtual_time(async {
        let specs = ["a", "b", "c"].map(child);
        let addr = specs[1].addr();
        let inner = SupervisorSpec::new("inner").intensity(0, SECOND).children(specs);
        let tree =
            SupervisorSpec::new("app").intensity(0, SECOND).child(child("z")).child(inner).start().unwrap();
        let mut events = tree.subscribe();
        started(&mut events, "app", 1).await;
        crash(&addr).await;
        let reason = tree.join().await;
        assert_eq!(lives_in(&mut events).join(" "), "-b -c -a -inner -z -app");
        let ExitReason::GaveUp { child, reason, .. } = reason else { panic!("{reason}") };
        assert_eq!(child, "app/inner");
        assert!(matches!(*reason, ExitReason::GaveUp { child, .. } if child == "app/inner/b"));
    });
}

#[test]
fn a_temporary_childs_crash_costs_nothing() {
    run_in_virtual_time(async {
        let spec = child("a").restart(Restart::Temporary);
        let addr = spec.addr();
        let tree = SupervisorSpec::new("app").intensity(0, SECOND).child(spec).start().unwrap();
        crash(&addr).await;
        all_is_done().await;
        assert_eq!((lives_of_all(&tree), used(&tree, "app")), ("a#1 Finished".to_owned(), 0));
        tree.stop(SECOND).await;
    });
}
