//! Jobs that no thread survives, and what they cost.

use latido::actors::process::pool::{JobInHand, ProcessPool};
use latido::actors::process::{Command, ExitCause};
use nix::sys::signal::Signal;

use super::jobs::*;
use super::kit::*;
use super::support::{HeldPipe, signal, state_of, until};

const MIB: usize = 1 << 20;

/// Runs a job that ends every worker that gets it, and gives what each said last.
async fn poison(mut pool: Pool, way: Way, ended: (Option<Signal>, Option<i32>)) -> Vec<String> {
    let quarantine = quarantine(pool.run(Die(way)).await);
    assert_eq!((quarantine.job(), quarantine.deaths().len()), ("die", 3), "{quarantine}");
    for exit in quarantine.deaths() {
        assert_eq!((exit.signal(), exit.code()), (ended.0.map(|signal| signal as i32), ended.1), "{exit}");
        assert!(exit.census.survivors.is_empty(), "{exit}");
    }
    for attempt in 1..=2 {
        let (_, job) = pool.lost().await;
        assert_eq!(job, JobInHand::RunAgain { job: "die", attempt, attempts: 3 });
    }
    assert_eq!(pool.lost().await.1, JobInHand::LastAttempt { job: "die" });
    assert_eq!(pool.quarantined().await.to_string(), quarantine.to_string());
    let words = quarantine.deaths().iter().flat_map(|exit| exit.last_words.clone()).collect();
    pool.ends_well().await;
    words
}

#[actix::test]
async fn a_job_that_aborts() {
    poison(pool(|| ProcessPool::new(1)), Way::Abort, (Some(Signal::SIGABRT), None)).await;
}

#[actix::test]
async fn a_job_that_overflows_its_stack() {
    let words =
        poison(pool(|| ProcessPool::new(1)), Way::OverflowTheStack, (Some(Signal::SIGABRT), None)).await;
    assert!(words.iter().any(|line| line.contains("overflowed its stack")), "{words:?}");
}

#[actix::test]
async fn a_job_that_segfaults() {
    poison(pool(|| ProcessPool::new(2)), Way::Segfault, (Some(Signal::SIGSEGV), None)).await;
}

#[actix::test]
async fn a_job_that_exits() {
    poison(pool(|| ProcessPool::new(2)), Way::Exit(0), (None, Some(0))).await;
}

#[actix::test]
async fn a_job_that_closes_the_way_to_its_pool_and_stays() {
    poison(pool(|| ProcessPool::new(1)), Way::CloseEverything, (Some(Signal::SIGKILL), None)).await;
}

#[actix::test]
async fn a_job_that_takes_more_memory_than_its_worker_may_have() {
    let terms = |worker: Command| worker.memory_limit(512 * MIB as u64).env("RUST_BACKTRACE", "0");
    let limited = move || ProcessPool::new(1).workers(terms);
    let pool = pool(limited);
    assert_eq!(pool.run(Allocate(10 * MIB)).await.unwrap(), 10 * MIB);
    let quarantine = quarantine(pool.run(Allocate(1024 * MIB)).await);
    let exit = &quarantine.deaths()[0];
    assert_eq!(exit.signal(), Some(Signal::SIGABRT as i32), "{exit}");
    assert!(exit.to_string().contains("memory allocation of 1073741824 bytes failed"), "{exit}");
    pool.ends_well().await;
}

#[actix::test]
async fn a_job_whose_worker_is_killed_is_run_again_by_another() {
    let dir = tempfile::tempdir().unwrap();
    let mut pool = pool(|| ProcessPool::new(1));
    let first = pool.ready(1).await[0];
    let second = pool.run(DieOnce(dir.path().join("dead"))).await.unwrap();
    assert_ne!(first, second);
    assert_eq!(pool.lost().await.1, JobInHand::RunAgain { job: "die-once", attempt: 1, attempts: 3 });
    pool.ends_well().await;
}

#[actix::test]
async fn a_worker_that_is_killed_in_the_middle_of_a_job_takes_along_what_the_job_has_started() {
    let mut held = HeldPipe::new();
    let mut pool = pool(|| ProcessPool::new(1).max_attempts(1));
    let pid = pool.ready(1).await[0];
    let answer = pool.addr.send(latido::actors::cpu_pool::Run(Hold(held.path())));
    let answer = actix::spawn(answer);
    held.opened().await;
    signal(&pid.to_string(), "KILL");
    let quarantine = quarantine(answer.await.unwrap().unwrap());
    let exit = &quarantine.deaths()[0];
    assert_eq!((quarantine.deaths().len(), exit.signal(), &exit.cause), (1, Some(9), &ExitCause::Itself));
    held.released().await;
    pool.ends_well().await;
}

#[actix::test]
async fn a_worker_that_dies_between_two_jobs_is_replaced_and_costs_no_job_an_attempt() {
    let mut pool = pool(|| ProcessPool::new(1).max_attempts(1));
    for round in 0..5 {
        let pid = pool.ready(1).await[0].to_string();
        assert_eq!(pool.run(Square(round)).await.unwrap(), round * round);
        signal(&pid, "KILL");
        until(|| state_of(&pid).is_none_or(|state| state == 'Z')).await;
        // Perhaps before the pool has noticed.
        assert_eq!(pool.run(Square(7)).await.unwrap(), 49);
        let (exit, job) = pool.lost().await;
        assert_eq!((exit.signal(), job), (Some(9), JobInHand::None));
    }
    pool.ends_well().await;
}

#[actix::test]
async fn a_quarantined_job_can_be_looked_into() {
    let pool = pool(|| ProcessPool::new(1).max_attempts(2));
    let quarantine = quarantine(pool.run(Die(Way::Exit(7))).await);
    let job: Die = rmp_serde::from_slice(quarantine.bytes()).unwrap();
    assert!(matches!(job, Die(Way::Exit(7))), "{job:?}");
    assert_eq!(
        quarantine.to_string(),
        "job die is quarantined: it has cost 2 workers; attempt 1: `worker 0` exited with code 7; \
         attempt 2: `worker 0` exited with code 7"
    );
    pool.ends_well().await;
}
