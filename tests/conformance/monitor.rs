//! Monitors: OTP's `monitor/2`.

use latido::ExitReason;
use latido::exit::Kill;
use latido::fault::Fault;
use latido::supervision::*;

use crate::kit::*;

#[test]
fn a_monitor_tells_once_how_the_incarnation_ended_that_ran_when_it_was_made() {
    run(async {
        let spec = child("a");
        let addr = spec.addr();
        let tree = patient("app").child(spec).start().unwrap();
        for life in 1..4 {
            addr.send(note(1)).await.unwrap();
            let monitors = [tree.monitor("app/a").unwrap(), tree.monitor("app/a").unwrap()];
            crash(&addr).await;
            for monitor in monitors {
                let down = monitor.await;
                assert_eq!((down.path.as_str(), down.incarnation), ("app/a", life));
                assert!(matches!(down.reason, ExitReason::Panicked(_)));
            }
        }
        tree.stop(SECOND).await;
    });
}

#[test]
fn every_way_to_end_is_told() {
    run_in_virtual_time(async {
        let tree = patient("app").start().unwrap();
        for (fault, text) in
            [(Some(Fault::Stop), "stopped itself"), (None, "was killed: did not stop within 1s")]
        {
            let spec = stubborn("a").restart(Restart::Temporary).shutdown(Shutdown::Timeout(SECOND));
            let finishing = child("a").restart(Restart::Temporary);
            let spec = if fault.is_some() { finishing } else { spec };
            tree.start_child("app", spec).await.unwrap();
            let monitor = tree.monitor("app/a").unwrap();
            match fault {
                Some(fault) => drop(tree.inject("app/a", fault).unwrap()),
                None => tree.terminate_child("app/a").await.unwrap(),
            }
            assert_eq!(monitor.await.reason.to_string(), text);
            tree.terminate_child("app/a").await.unwrap();
            tree.delete_child("app/a").await.unwrap();
        }
        let (root, mut events) = (tree.monitor("app").unwrap(), tree.subscribe());
        tree.stop(SECOND).await;
        assert!(matches!(root.await.reason, ExitReason::Shutdown));
        assert!(matches!(ended(&mut events, "app").await, ExitReason::Shutdown));
    });
}

#[test]
fn the_last_exit_is_told_at_once_if_none_runs_also_when_the_tree_has_ended() {
    run(async {
        let spec = child("a").restart(Restart::Temporary);
        let addr = spec.addr();
        let tree = SupervisorSpec::new("app").child(spec).start().unwrap();
        crash(&addr).await;
        let down = tree.monitor("app/a").unwrap().await;
        assert!(matches!(down.reason, ExitReason::Panicked(_)));
        tree.stop(SECOND).await;
        let down = tree.monitor("app/a").unwrap().await;
        assert_eq!(down.incarnation, 1);
        assert!(matches!(down.reason, ExitReason::Panicked(_)));
        let root = tree.monitor("app").unwrap().await;
        assert!(matches!(root.reason, ExitReason::Shutdown));
    });
}

#[test]
fn a_child_that_has_not_run_cannot_be_monitored() {
    run_in_virtual_time(async {
        let app = patient("app").child(slow_to_start("a", SECOND)).child(child("b"));
        let tree = app.start().unwrap();
        all_is_done().await;
        assert!(tree.monitor("app/a").is_ok(), "one that is being started can");
        let error = tree.monitor("app/b").unwrap_err();
        assert_eq!(error.to_string(), "app/b has not run yet: wait until it has started");
        tree.stop(SECOND).await;
    });
}

#[test]
fn a_child_that_hangs_is_down_when_it_is_left_behind() {
    run(async {
        let spec = child("a").on(Placement::OwnThread).shutdown(Shutdown::BrutalKill);
        let addr = spec.addr();
        let tree = patient("app").child(spec).start().unwrap();
        let (release, released) = std::sync::mpsc::channel::<()>();
        let (tell, told) = tokio::sync::oneshot::channel();
        addr.do_send(job(move |_, _| {
            let _ = tell.send(());
            let _ = released.recv();
        }));
        told.await.unwrap();
        let monitor = tree.monitor("app/a").unwrap();
        tree.terminate_child("app/a").await.unwrap();
        assert!(matches!(monitor.await.reason, ExitReason::Killed(Kill::Brutal)));
        drop(release);
        tree.stop(SECOND).await;
    });
}

/// A crash and a monitor at the same time: the answer is an end, whichever comes first.
#[test]
fn a_monitor_made_while_the_child_ends_is_never_forgotten() {
    run(async {
        let spec = child("a").on(Placement::OwnThread);
        let addr = spec.addr();
        let tree = patient("app").child(spec).start().unwrap();
        addr.send(note(1)).await.unwrap();
        let mut last = 0;
        for _ in 0..500 {
            addr.do_send(job(|_, _| latido::crash("again")));
            let down = tree.monitor("app/a").unwrap().await;
            assert!(down.incarnation >= last);
            last = down.incarnation;
        }
        tree.stop(SECOND).await;
    });
}

#[test]
fn monitors_that_nobody_awaits_any_more_change_nothing() {
    run(async {
        let spec = child("a");
        let addr = spec.addr();
        let tree = patient("app").child(spec).start().unwrap();
        addr.send(note(1)).await.unwrap();
        let kept = tree.monitor("app/a").unwrap();
        for _ in 0..10_000 {
            drop(tree.monitor("app/a").unwrap());
        }
        crash(&addr).await;
        assert_eq!(kept.await.incarnation, 1);
        tree.stop(SECOND).await;
    });
}
