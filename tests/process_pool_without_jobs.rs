//! A program that has pools and never said what for.
#![cfg(all(feature = "process", target_os = "linux"))]

use latido::actors::process::pool::{PoolError, ProcessPool};
use latido::prelude::*;

#[actix::test]
async fn a_pool_in_a_program_that_has_named_no_jobs_fails_at_once_and_says_what_to_do() {
    let tree =
        SupervisorSpec::new("app").child(ChildSpec::new("pool", || ProcessPool::new(1))).start().unwrap();
    let ExitReason::StartFailed { reason, .. } = tree.join().await else { panic!("it cannot start") };
    let ExitReason::Failed(failure) = *reason else { panic!("it {reason}") };
    assert!(matches!(failure.downcast_ref(), Some(PoolError::NoJobs)));
    assert!(failure.to_string().contains("begin `main` with `Jobs::new()"), "{failure}");
}
