//! How often and when a child restarts, in virtual time.

use std::time::Duration;

use actix::prelude::*;
use latido::supervision::*;
use latido::{EventKind, ExitReason};
use tokio::time::Instant;

use crate::support::*;

fn panicking() -> Do<()> {
    job(|_, _| panic!("no"))
}

#[test]
fn a_restart_one_period_after_another_still_counts_and_a_moment_later_does_not() {
    for (wait, survives) in [(5 * SECOND, false), (5 * SECOND + MS, true)] {
        run_in_virtual_time(async move {
            let probe = child("probe");
            let addr = probe.addr();
            let tree = SupervisorSpec::new("app").intensity(1, 5 * SECOND).child(probe).start().unwrap();
            let mut events = tree.subscribe();
            started(&mut events, "app", 1).await;
            assert!(addr.send(panicking()).await.is_err());
            started(&mut events, "app/probe", 2).await;
            tokio::time::advance(wait).await;
            assert!(addr.send(panicking()).await.is_err());
            assert_eq!(addr.send(note(1)).await.is_ok(), survives, "after {wait:?}");
            tree.stop(SECOND).await;
        });
    }
}

#[test]
fn backoff_is_exact_doubles_is_capped_and_starts_over_after_a_long_life() {
    run_in_virtual_time(async {
        let backoff = Backoff::exponential(100 * MS, SECOND).reset_after(30 * SECOND);
        let probe = child("probe").backoff(backoff);
        let addr = probe.addr();
        let tree = patient("app").child(probe).start().unwrap();
        let mut events = tree.subscribe();
        started(&mut events, "app", 1).await;
        let (mut waits, mut failures_in_a_row) = (Vec::new(), Vec::new());
        for round in 0..8 {
            if round == 6 {
                tokio::time::advance(30 * SECOND).await;
            }
            assert!(addr.send(panicking()).await.is_err());
            let failed = Instant::now();
            let is_restart = |e: &latido::Event| matches!(e.kind, EventKind::Restarting { .. });
            let restart = events.until("app/probe", is_restart).await.unwrap();
            let EventKind::Restarting { delay, failures, .. } = restart.kind else { unreachable!() };
            started(&mut events, "app/probe", 1).await;
            assert_eq!(failed.elapsed(), delay);
            waits.push(delay.as_millis());
            failures_in_a_row.push(failures);
        }
        assert_eq!(waits, [100, 200, 400, 800, 1000, 1000, 100, 200]);
        assert_eq!(failures_in_a_row, [1, 2, 3, 4, 5, 6, 1, 2]);
        tree.stop(SECOND).await;
    });
}

#[test]
fn jitter_lengthens_a_wait_but_never_above_the_cap() {
    run_in_virtual_time(async {
        let (min, max) = (100 * MS, 150 * MS);
        let probe = child("probe").backoff(Backoff::exponential(min, max).jitter(1.0));
        let addr = probe.addr();
        let tree = patient("app").child(probe).start().unwrap();
        let mut events = tree.subscribe();
        started(&mut events, "app/probe", 1).await;
        for incarnation in 1..50 {
            tokio::time::advance(SECOND).await; // so that each failure is the first again
            assert!(addr.send(panicking()).await.is_err());
            let failed = Instant::now();
            started(&mut events, "app/probe", incarnation + 1).await;
            let waited = failed.elapsed();
            assert!(waited >= min && waited <= max + MS, "{waited:?}"); // timers tick in milliseconds
        }
        tree.stop(SECOND).await;
    });
}

#[test]
fn children_that_wait_can_be_stopped_at_once() {
    run_in_virtual_time(async {
        let probe = child("probe").backoff(Backoff::exponential(3600 * SECOND, 3600 * SECOND));
        let addr = probe.addr();
        let tree = SupervisorSpec::new("app").child(probe).start().unwrap();
        let mut events = tree.subscribe();
        started(&mut events, "app", 1).await;
        addr.do_send(panicking());
        events.until("app/probe", |e| matches!(e.kind, EventKind::Restarting { .. })).await.unwrap();
        let (asked, queued) = (Instant::now(), addr.send(note(1)));
        assert!(matches!(tree.stop(SECOND).await, ExitReason::Shutdown));
        assert_eq!(asked.elapsed(), Duration::ZERO);
        assert!(matches!(queued.await, Err(MailboxError::Closed)));
    });
}
