//! Orders to a running supervisor: OTP's `start_child`, `terminate_child`, `restart_child`, `delete_child` and
//! `count_children`, each with its error cases.

use std::time::Duration;

use latido::ExitReason;
use latido::fault::Fault;
use latido::supervision::*;

use crate::kit::*;

#[test]
fn a_started_child_comes_after_those_there_and_stops_before_them() {
    run(async {
        let tree = SupervisorSpec::new("app").child(child("a")).start().unwrap();
        let mut events = tree.subscribe();
        started(&mut events, "app", 1).await;
        let b = child("b");
        let addr = b.addr();
        let queued = addr.send(note(1));
        tree.start_child("app", b).await.unwrap();
        assert_eq!(state(&tree, "app/b"), ChildState::Running, "it is up when the order returns");
        assert_eq!(queued.await.unwrap(), [1], "its address was good before");
        tree.start_child("app", SupervisorSpec::new("c").child(child("d"))).await.unwrap();
        let counts = tree.count_children("app").unwrap();
        assert_eq!((counts.specs, counts.active, counts.supervisors, counts.workers), (3, 3, 1, 2));
        tree.start_child("app/c", child("e")).await.unwrap();
        tree.stop(SECOND).await;
        assert_eq!(lives_in(&mut events).join(" "), "+b +d +c +e -e -d -c -b -a -app");
    });
}

#[test]
fn a_started_child_is_restarted_like_any_other() {
    run(async {
        let tree =
            SupervisorSpec::new("app").strategy(Strategy::RestForOne).child(child("a")).start().unwrap();
        let b = child("b");
        let (addr, mut events) = (b.addr(), tree.subscribe());
        tree.start_child("app", b).await.unwrap();
        tree.inject("app/a", Fault::Panic).unwrap();
        started(&mut events, "app/b", 2).await;
        crash(&addr).await;
        started(&mut events, "app/b", 3).await;
        assert_eq!(used(&tree, "app"), 2);
        tree.stop(SECOND).await;
    });
}

#[test]
fn a_child_cannot_be_started_below_a_worker_nor_twice_nor_against_the_rules() {
    run(async {
        let tree = SupervisorSpec::new("app").child(child("a")).start().unwrap();
        let error = tree.start_child("app/a", child("x")).await.unwrap_err();
        assert!(matches!(error, AdminError::NotASupervisor(path) if path == "app/a"));
        assert!(matches!(tree.count_children("app/a"), Err(AdminError::NotASupervisor(_))));
        // OTP: already_started, and already_present for one that is down.
        for _ in 0..2 {
            let error = tree.start_child("app", child("a")).await.unwrap_err();
            assert!(matches!(error, AdminError::Spec(SpecError::DuplicateId(path)) if path == "app/a"));
            tree.terminate_child("app/a").await.unwrap();
        }
        let transient = child("x").restart(Restart::Transient).significant();
        let error = tree.start_child("app", transient).await.unwrap_err();
        assert!(matches!(error, AdminError::Spec(SpecError::SignificantForNothing(path)) if path == "app/x"));
        let error = tree.start_child("app", child("a/b")).await.unwrap_err();
        assert!(matches!(error, AdminError::Spec(SpecError::BadId { .. })));
        let zero = SupervisorSpec::new("x").child(SupervisorSpec::new("y").intensity(1, Duration::ZERO));
        let error = tree.start_child("app", zero).await.unwrap_err();
        assert!(matches!(error, AdminError::Spec(SpecError::ZeroPeriod(path)) if path == "app/x/y"));
        assert_eq!(ids(&tree), ["a"]);
        tree.stop(SECOND).await;
    });
}

#[test]
fn a_child_that_fails_to_start_or_declines_is_not_kept_and_costs_no_restart() {
    run(async {
        let tree = SupervisorSpec::new("app").intensity(0, SECOND).start().unwrap();
        let inner = SupervisorSpec::new("x").child(child("a")).child(broken("b"));
        let panicking = child_with("x", Hooks::default().started(|_, _| panic!("no"))).0;
        for (bad, text) in [
            (AnySpec::from(broken("x")), "app/x could not start: failed: no disk"),
            (declining("x").into(), "app/x could not start: stopped itself"),
            (declining("x").restart(Restart::Transient).into(), "app/x could not start: stopped itself"),
            (declining("x").restart(Restart::Temporary).into(), "app/x could not start: stopped itself"),
            (inner.into(), "app/x could not start: could not start app/x/b: failed: no disk"),
            (panicking.into(), "app/x could not start: panicked: no"),
        ] {
            let error = tree.start_child("app", bad).await.unwrap_err().to_string();
            assert!(error.starts_with(text), "{error}");
            assert_eq!(tree.count_children("app").unwrap(), Counts::default());
        }
        let x = child("x");
        let addr = x.addr();
        tree.start_child("app", x).await.unwrap();
        assert_eq!(addr.send(note(1)).await.unwrap(), [1]);
        assert_eq!(used(&tree, "app"), 0);
        tree.stop(SECOND).await;
    });
}

#[test]
fn a_terminated_child_stays_down_also_when_a_sibling_crashes() {
    for strategy in [Strategy::OneForOne, Strategy::OneForAll, Strategy::RestForOne] {
        run(async {
            let specs = ["a", "b", "c"].map(child);
            let addrs = [specs[0].addr(), specs[1].addr()];
            let tree = patient("app").strategy(strategy).children(specs).start().unwrap();
            let mut events = tree.subscribe();
            started(&mut events, "app", 1).await;
            tree.terminate_child("app/b").await.unwrap();
            assert_eq!(state(&tree, "app/b"), ChildState::Finished);
            assert!(addrs[1].send(note(1)).await.is_err(), "closed");
            crash(&addrs[0]).await;
            started(&mut events, "app/a", 2).await;
            if strategy != Strategy::OneForOne {
                started(&mut events, "app/c", 2).await;
            }
            assert_eq!(state(&tree, "app/b"), ChildState::Finished, "{strategy:?}");
            let counts = tree.count_children("app").unwrap();
            assert_eq!((counts.specs, counts.active), (3, 2));
            tree.restart_child("app/b").await.unwrap();
            assert_eq!(addrs[1].send(note(1)).await.unwrap(), [1], "open again");
            tree.stop(SECOND).await;
        });
    }
}

#[test]
fn to_terminate_what_is_down_is_no_error_and_the_root_cannot_be_ordered_about() {
    run(async {
        let tree = SupervisorSpec::new("app").child(child("a")).start().unwrap();
        tree.terminate_child("app/a").await.unwrap();
        tree.terminate_child("app/a").await.unwrap();
        for error in [
            tree.terminate_child("app").await,
            tree.restart_child("app").await,
            tree.delete_child("app").await,
        ] {
            let error = error.unwrap_err();
            assert_eq!(error.to_string(), "app is the root: stop the tree instead");
        }
        assert!(matches!(tree.stop(SECOND).await, ExitReason::Shutdown));
    });
}

#[test]
fn only_a_child_that_is_down_for_good_is_restarted_or_deleted_by_hand() {
    run_in_virtual_time(async {
        let spec = child("a").backoff(Backoff::exponential(60 * SECOND, 60 * SECOND));
        let addr = spec.addr();
        let tree = patient("app").child(spec).start().unwrap();
        let error = tree.restart_child("app/a").await.unwrap_err();
        assert!(matches!(error, AdminError::Running(_) | AdminError::Restarting(_)), "{error}");
        addr.send(note(1)).await.unwrap();
        for error in [tree.restart_child("app/a").await, tree.delete_child("app/a").await] {
            assert!(matches!(error, Err(AdminError::Running(path)) if path == "app/a"));
        }
        crash(&addr).await;
        all_is_done().await;
        for error in [tree.restart_child("app/a").await, tree.delete_child("app/a").await] {
            assert!(matches!(error, Err(AdminError::Restarting(path)) if path == "app/a"));
        }
        // Terminated while it waits for its restart: that never comes.
        tree.terminate_child("app/a").await.unwrap();
        actix::clock::sleep(100 * SECOND).await;
        assert_eq!(lives_of_all(&tree), "a#1 Finished");
        tree.delete_child("app/a").await.unwrap();
        assert!(matches!(tree.delete_child("app/a").await, Err(AdminError::Unknown(_))));
        assert!(matches!(tree.restart_child("app/a").await, Err(AdminError::Unknown(_))));
        assert!(addr.send(note(1)).await.is_err());
        tree.start_child("app", child("a")).await.unwrap();
        tree.stop(SECOND).await;
    });
}

#[test]
fn a_restart_by_hand_costs_nothing_and_one_that_fails_leaves_the_child_down() {
    run(async {
        let (spec, lives, switch) = breakable("a");
        let tree = SupervisorSpec::new("app").intensity(0, SECOND).child(spec).start().unwrap();
        let mut events = tree.subscribe();
        started(&mut events, "app", 1).await;
        for _ in 0..5 {
            tree.terminate_child("app/a").await.unwrap();
            switch.store(true, std::sync::atomic::Ordering::SeqCst);
            let error = tree.restart_child("app/a").await.unwrap_err();
            assert_eq!(error.to_string(), "app/a could not start: failed: no disk");
            assert_eq!(state(&tree, "app/a"), ChildState::Finished);
            switch.store(false, std::sync::atomic::Ordering::SeqCst);
            tree.restart_child("app/a").await.unwrap();
        }
        assert_eq!((lives.ever(), used(&tree, "app")), (11, 0));
        tree.stop(SECOND).await;
    });
}

#[test]
fn a_temporary_child_that_has_ended_keeps_its_spec_until_it_is_deleted() {
    run(async {
        let spec = child("a").restart(Restart::Temporary);
        let addr = spec.addr();
        let tree = SupervisorSpec::new("app").child(spec).start().unwrap();
        let mut events = tree.subscribe();
        crash(&addr).await;
        ended(&mut events, "app/a").await;
        while !matches!(tree.restart_child("app/a").await, Ok(())) {}
        tree.terminate_child("app/a").await.unwrap();
        assert_eq!(tree.count_children("app").unwrap().specs, 1);
        tree.delete_child("app/a").await.unwrap();
        assert_eq!(tree.count_children("app").unwrap().specs, 0);
        tree.stop(SECOND).await;
    });
}

#[test]
fn a_whole_subtree_is_terminated_restarted_and_deleted_as_one_child() {
    run(async {
        let (probe, lives) = child_with("probe", Hooks::default());
        let addr = probe.addr();
        let inner = SupervisorSpec::new("inner").child(child("a")).child(probe);
        let tree = SupervisorSpec::new("app").child(inner).start().unwrap();
        let mut events = tree.subscribe();
        started(&mut events, "app", 1).await;
        tree.terminate_child("app/inner").await.unwrap();
        assert_eq!(lives.now(), 0);
        assert_eq!(lives_of_all(&tree), "inner#1 Finished, a#1 Finished, probe#1 Finished");
        assert!(addr.send(note(1)).await.is_err());
        assert!(matches!(tree.start_child("app/inner", child("x")).await, Err(AdminError::Ended)));
        tree.restart_child("app/inner").await.unwrap();
        assert_eq!(addr.send(note(1)).await.unwrap(), [1]);
        tree.terminate_child("app/inner").await.unwrap();
        tree.delete_child("app/inner").await.unwrap();
        assert!(matches!(tree.terminate_child("app/inner/probe").await, Err(AdminError::Unknown(_))));
        assert_eq!(tree.snapshot().children.len(), 1);
        tree.stop(SECOND).await;
    });
}

#[test]
fn an_order_to_a_supervisor_that_has_ended_says_so_and_one_about_nobody_says_that() {
    run(async {
        let tree = SupervisorSpec::new("app").child(child("a")).start().unwrap();
        tree.stop(SECOND).await;
        assert!(matches!(tree.start_child("app", child("b")).await, Err(AdminError::Ended)));
        for error in [
            tree.terminate_child("app/a").await,
            tree.restart_child("app/a").await,
            tree.delete_child("app/a").await,
        ] {
            assert!(matches!(error, Err(AdminError::Ended)), "{error:?}");
        }
        assert!(matches!(tree.terminate_child("app/b").await, Err(AdminError::Unknown(_))));
    });
}
