//! Jobs with a time limit.

use std::time::Duration;

use latido::actors::cpu_pool::{JobError, RunWithin};
use latido::actors::process::ExitCause;
use latido::actors::process::pool::{JobInHand, ProcessPool};

use super::jobs::*;
use super::kit::*;
use super::support::{HeldPipe, state_of, within};

const LIMIT: Duration = Duration::from_secs(1);

#[actix::test]
async fn a_job_over_its_time_is_killed_and_runs_no_more_when_its_sender_hears_of_it() {
    let mut pool = pool(|| ProcessPool::new(1).job_limit(1000 * LIMIT));
    let worker = pool.ready(1).await[0].to_string();
    let held = HeldPipe::new();
    let answer = within(pool.addr.send(RunWithin(LIMIT, Hold(held.path())))).await.unwrap();
    assert!(matches!(answer, Err(JobError::TimedOut { limit: LIMIT })), "{answer:?}");
    assert_eq!(state_of(&worker), None);
    held.released().await;
    let (exit, job) = pool.lost().await;
    assert_eq!((&exit.cause, exit.signal()), (&ExitCause::Stopped, Some(9)), "{exit}");
    assert_eq!(job, JobInHand::TimedOut { job: "hold", limit: LIMIT });
    pool.ends_well().await;
}

#[actix::test]
async fn every_job_has_the_whole_limit_of_its_pool_and_the_jobs_behind_one_that_is_over_it_are_run() {
    let pool = pool(|| ProcessPool::new(1).job_limit(LIMIT));
    let held = HeldPipe::new();
    let (stuck, behind) = futures::future::join(pool.run(Hold(held.path())), pool.run(Square(5))).await;
    assert!(matches!(stuck, Err(JobError::TimedOut { limit: LIMIT })), "{stuck:?}");
    assert_eq!(behind.unwrap(), 25);
    held.released().await;
    pool.ends_well().await;
}
