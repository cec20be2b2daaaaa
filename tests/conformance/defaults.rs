//! What holds where a spec says nothing: OTP's defaults, but for the intensity.

use latido::ExitReason;
use latido::supervision::*;
use tokio::time::Instant;

use crate::kit::*;

#[test]
fn a_child_is_permanent_unless_said_otherwise() {
    run_in_virtual_time(async {
        let spec = child("a");
        let addr = spec.addr();
        let tree = SupervisorSpec::new("app").child(spec).start().unwrap();
        finish(&addr).await;
        addr.send(note(1)).await.unwrap();
        assert_eq!((lives_of_all(&tree), used(&tree, "app")), ("a#2".to_owned(), 1));
        tree.stop(SECOND).await;
    });
}

#[test]
fn a_child_has_five_seconds_to_stop_unless_said_otherwise() {
    run_in_virtual_time(async {
        let tree = SupervisorSpec::new("app").child(stubborn("a")).start().unwrap();
        let mut events = tree.subscribe();
        started(&mut events, "app", 1).await;
        let begin = Instant::now();
        tree.terminate_child("app/a").await.unwrap();
        assert_eq!(begin.elapsed(), 5 * SECOND);
        assert_eq!(ended(&mut events, "app/a").await.to_string(), "was killed: did not stop within 5s");
        tree.stop(SECOND).await;
    });
}

#[test]
fn a_supervisor_is_waited_for_unless_said_otherwise() {
    run_in_virtual_time(async {
        let slow = slow_to_stop("slow", 3600 * SECOND).shutdown(Shutdown::Infinity);
        let tree =
            SupervisorSpec::new("app").child(SupervisorSpec::new("inner").child(slow)).start().unwrap();
        let mut events = tree.subscribe();
        started(&mut events, "app", 1).await;
        let begin = Instant::now();
        tree.terminate_child("app/inner").await.unwrap();
        assert_eq!(begin.elapsed().as_secs(), 3600);
        assert!(matches!(ended(&mut events, "app/inner/slow").await, ExitReason::Shutdown));
        assert!(matches!(ended(&mut events, "app/inner").await, ExitReason::Shutdown));
        tree.stop(SECOND).await;
    });
}

/// One in five seconds in OTP.
#[test]
fn three_restarts_in_five_seconds_are_allowed_unless_said_otherwise() {
    run_in_virtual_time(async {
        let spec = child("a");
        let addr = spec.addr();
        let tree = SupervisorSpec::new("app").child(spec).start().unwrap();
        for _ in 0..3 {
            crash(&addr).await;
        }
        addr.send(note(1)).await.unwrap();
        crash(&addr).await;
        let reason = tree.join().await;
        let ExitReason::GaveUp { intensity, period, .. } = reason else { panic!("{reason}") };
        assert_eq!((intensity, period), (3, 5 * SECOND));
    });
}
