//! How the children of a dynamic supervisor end, and how they end it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use latido::ExitReason;
use latido::fault::Fault;
use latido::supervision::*;

use crate::kit::*;

const RESTARTS: [Restart; 3] = [Restart::Permanent, Restart::Transient, Restart::Temporary];

#[test]
fn a_child_that_declines_is_not_kept_whatever_its_restart_type() {
    run(async {
        for restart in RESTARTS {
            let tree = SupervisorSpec::dynamic("pool").intensity(0, SECOND).start().unwrap();
            let error = tree.start_child("pool", declining("a").restart(restart)).await.unwrap_err();
            assert!(matches!(error, AdminError::StartFailed { reason: ExitReason::Normal, .. }), "{error}");
            tree.start_child("pool", child("a").restart(restart)).await.unwrap();
            let counts = tree.count_children("pool").unwrap();
            assert_eq!((counts.specs, counts.active, counts.workers), (1, 1, 1));
            assert!(matches!(tree.stop(SECOND).await, ExitReason::Shutdown));
        }
    });
}

/// OTP 25 keeps an `undefined` in its place, counts it as active, and falls over it when it stops.
#[test]
fn a_child_that_declines_to_come_back_is_forgotten() {
    run_in_virtual_time(async {
        let declines_then = Hooks::default().started(|probe, ctx| {
            if probe.life == 2 {
                actix::ActorContext::stop(ctx)
            }
        });
        let (spec, lives) = child_with("a", declines_then);
        let addr = spec.addr();
        let tree = SupervisorSpec::dynamic("pool").start().unwrap();
        tree.start_child("pool", spec).await.unwrap();
        crash(&addr).await;
        all_is_done().await;
        assert_eq!((tree.count_children("pool").unwrap(), lives.ever()), (Counts::default(), 2));
        assert!(matches!(tree.stop(SECOND).await, ExitReason::Shutdown));
    });
}

#[test]
fn a_child_that_cannot_come_back_uses_up_the_restarts_of_all() {
    run_in_virtual_time(async {
        let (a, lives, broken) = breakable("a");
        let (b, others) = child_with("b", Hooks::default());
        let addr = a.addr();
        let tree = SupervisorSpec::dynamic("pool").intensity(4, 60 * SECOND).start().unwrap();
        tree.start_child("pool", a).await.unwrap();
        tree.start_child("pool", b).await.unwrap();
        broken.store(true, Ordering::SeqCst);
        crash(&addr).await;
        let reason = tree.join().await;
        assert!(matches!(reason, ExitReason::GaveUp { ref child, .. } if child == "pool/a"), "{reason}");
        assert_eq!((lives.ever(), others.now()), (1 + 4, 0));
    });
}

/// OTP refuses both with `simple_one_for_one`, and answers `ok` for one that has ended.
#[test]
fn only_who_is_there_can_be_terminated_and_nobody_restarted_or_deleted() {
    run_in_virtual_time(async {
        let spec = child("a").backoff(Backoff::exponential(60 * SECOND, 60 * SECOND));
        let addr = spec.addr();
        let tree = SupervisorSpec::dynamic("pool").start().unwrap();
        tree.start_child("pool", spec).await.unwrap();
        for error in [tree.restart_child("pool/a").await, tree.delete_child("pool/a").await] {
            assert!(matches!(error, Err(AdminError::Running(_))));
        }
        crash(&addr).await;
        all_is_done().await;
        for error in [tree.restart_child("pool/a").await, tree.delete_child("pool/a").await] {
            assert!(matches!(error, Err(AdminError::Restarting(_))));
        }
        tree.terminate_child("pool/a").await.unwrap();
        for error in [
            tree.terminate_child("pool/a").await,
            tree.restart_child("pool/a").await,
            tree.delete_child("pool/a").await,
        ] {
            assert!(matches!(error, Err(AdminError::Unknown(_))));
        }
        tree.stop(SECOND).await;
    });
}

#[test]
fn supervisors_may_be_dynamic_children_and_are_counted_as_such() {
    run_in_virtual_time(async {
        let tree = SupervisorSpec::dynamic("pool").start().unwrap();
        for n in 0..300 {
            let spec = SupervisorSpec::new(format!("s{n}")).restart(Restart::Temporary).child(child("x"));
            tree.start_child("pool", spec).await.unwrap();
        }
        tree.start_child("pool", child("a")).await.unwrap();
        let counts = tree.count_children("pool").unwrap();
        assert_eq!((counts.specs, counts.active, counts.supervisors, counts.workers), (301, 301, 300, 1));
        tree.inject("pool/s*", Fault::Panic).unwrap();
        all_is_done().await;
        let counts = tree.count_children("pool").unwrap();
        assert_eq!((counts.specs, counts.supervisors, counts.workers), (1, 0, 1));
        tree.stop(SECOND).await;
    });
}

#[test]
fn what_the_factory_of_a_forgotten_child_holds_is_dropped() {
    run_in_virtual_time(async {
        let tree = SupervisorSpec::dynamic("pool").start().unwrap();
        for restart in RESTARTS {
            let held = Arc::new(());
            let holds = held.clone();
            let (spec, _) = child_with("a", Hooks::default().built(move |_| drop(holds.clone())));
            tree.start_child("pool", spec.restart(restart)).await.unwrap();
            tree.terminate_child("pool/a").await.unwrap();
            all_is_done().await;
            assert_eq!(Arc::strong_count(&held), 1, "{restart:?}");
        }
        tree.stop(SECOND).await;
    });
}
