//! Jobs with a time limit: one that is over it costs its sender an answer, and the pool nothing.

use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use actix::prelude::*;
use latido::actors::cpu_pool::{CpuPool, JobError, Run, RunWithin};

use crate::support::*;

const LIMIT: Duration = Duration::from_millis(50);

/// Sends a job that does not return before what is given back is dropped, and waits for its error.
async fn time_out<W>(pool: &Addr<CpuPool<W>>) -> Sender<u8> {
    let (job, _running, release) = gate();
    let answer = pool.send(RunWithin(LIMIT, job)).timeout(PATIENCE).await.unwrap();
    assert!(matches!(answer, Err(JobError::TimedOut { limit: LIMIT })), "{answer:?}");
    release
}

#[actix::test]
async fn a_stuck_job_costs_its_sender_an_error_and_the_jobs_behind_it_run_on_a_pool_of_one_thread() {
    let pool = CpuPool::new(1).job_limit(LIMIT).start();
    let (job, _running, release) = gate();
    let begin = Instant::now();
    let stuck = pool.send(Run(job)).timeout(PATIENCE);
    let behind: Vec<_> = (0..10).map(|n| pool.send(RunWithin(PATIENCE, Job(move || n)))).collect();

    let error = stuck.await.unwrap().unwrap_err();
    assert!(begin.elapsed() >= LIMIT, "{:?}", begin.elapsed());
    assert!(matches!(error, JobError::TimedOut { limit: LIMIT }), "{error:?}");
    assert_eq!(error.to_string(), "the job was not done within its limit of 50ms");
    for (n, answer) in behind.into_iter().enumerate() {
        assert_eq!(answer.timeout(PATIENCE).await.unwrap().unwrap(), n);
    }
    drop(release);
}

#[actix::test]
async fn the_size_is_kept_after_several_stuck_jobs_also_those_that_nobody_waits_for() {
    let pool = CpuPool::new(2).start();
    let mut gates = vec![time_out(&pool).await, time_out(&pool).await];
    for _ in 0..2 {
        let (job, running, release) = gate();
        pool.do_send(RunWithin(LIMIT, job));
        assert!(heard(running).await);
        gates.push(release);
    }
    // All four hold their threads. So these two, who wait for each other, are on threads that came after.
    let barrier = Arc::new(Barrier::new(2));
    let meet = || {
        let barrier = barrier.clone();
        pool.send(Run(Job(move || {
            barrier.wait();
            name()
        })))
        .timeout(PATIENCE)
    };
    let (one, other) = futures::join!(meet(), meet());
    let mut names = [one.unwrap().unwrap(), other.unwrap().unwrap()];
    names.sort();
    assert_eq!(names, ["cpu-4", "cpu-5"]);
    drop(gates);
}

#[actix::test]
async fn the_thread_in_the_place_of_a_stuck_one_has_a_state_of_its_own() {
    let pool = CpuPool::with_state(1, || 0).start();
    assert_eq!(pool.send(Run(Count)).await.unwrap().unwrap(), 1);
    assert_eq!(pool.send(RunWithin(PATIENCE, Count)).await.unwrap().unwrap(), 2);
    let release = time_out(&pool).await;
    assert_eq!(pool.send(Run(Count)).await.unwrap().unwrap(), 1);
    drop(release);
}

#[actix::test]
async fn a_factory_that_does_not_return_is_stuck_like_a_job() {
    let (release, released) = mpsc::channel::<()>();
    let released = std::sync::Mutex::new(Some(released));
    let factory = move || {
        let first = released.lock().unwrap().take();
        first.map_or(0, |released| u32::from(released.recv().is_ok()))
    };
    let pool = CpuPool::with_state(1, factory).start();
    let answer = pool.send(RunWithin(LIMIT, Count)).timeout(PATIENCE).await.unwrap();
    assert!(matches!(answer, Err(JobError::TimedOut { .. })), "{answer:?}");
    assert_eq!(pool.send(Run(Count)).await.unwrap().unwrap(), 1);
    drop(release);
}

/// Returns when the watchdog has held so much time against a job of another pool.
async fn watchdog_counts(limit: Duration) {
    let pool = CpuPool::new(1).start();
    let (job, _running, _release) = gate();
    let answer = pool.send(RunWithin(limit, job)).timeout(PATIENCE).await.unwrap();
    assert!(matches!(answer, Err(JobError::TimedOut { .. })), "{answer:?}");
}

#[actix::test]
async fn neither_the_wait_for_its_turn_nor_the_pools_limit_is_held_against_a_job_with_a_longer_one() {
    const LONG: Duration = Duration::from_millis(300);
    let pool = CpuPool::new(1).job_limit(LIMIT).start();
    let (job, running, release) = gate();
    let first = pool.send(RunWithin(PATIENCE, job));
    let queued = pool.send(RunWithin(LONG, Job(|| 8)));
    assert!(heard(running).await);
    watchdog_counts(2 * LONG).await;

    release.send(7).unwrap();
    assert_eq!(first.await.unwrap().unwrap(), 7);
    assert_eq!(queued.timeout(PATIENCE).await.unwrap().unwrap(), 8);
}

#[actix::test]
async fn jobs_that_are_in_time_each_may_take_longer_than_the_limit_together() {
    const LONG: Duration = Duration::from_millis(400);
    let pool = CpuPool::new(1).job_limit(LONG).start();
    let begin = Instant::now();
    while begin.elapsed() < LONG * 3 / 2 {
        let spin = || {
            let begin = Instant::now();
            while begin.elapsed() < LONG / 100 {}
        };
        let jobs: Vec<_> = (0..10).map(|_| pool.send(Run(Job(spin)))).collect();
        for answer in futures::future::join_all(jobs).await {
            answer.unwrap().expect("in time");
        }
    }
    assert_eq!(pool.send(Run(Job(name))).await.unwrap().unwrap(), "cpu-0");
}

#[actix::test]
async fn a_stuck_job_of_a_pool_that_has_ended_holds_up_nobody() {
    let (dropped, drops) = mpsc::channel();
    let arbiter = Arbiter::new();
    let pool = CpuPool::start_in_arbiter(&arbiter.handle(), move |_| {
        CpuPool::with_state(1, move || Last(dropped.clone()))
    });
    let (job, running, release) = gate();
    let stuck = pool.send(RunWithin(LIMIT, job));
    let queued = pool.send(Run(Job(|| 8)));
    assert!(heard(running).await);
    arbiter.stop();
    arbiter.join().unwrap();

    let answer = stuck.timeout(PATIENCE).await.unwrap();
    assert!(matches!(answer, Err(JobError::TimedOut { .. })), "{answer:?}");
    assert_eq!(queued.timeout(PATIENCE).await.unwrap().unwrap(), 8);
    let drops = Arc::new(std::sync::Mutex::new(drops));
    let drop_heard = |drops: Arc<std::sync::Mutex<mpsc::Receiver<()>>>| {
        actix_rt::task::spawn_blocking(move || drops.lock().unwrap().recv_timeout(PATIENCE).is_ok())
    };
    assert!(drop_heard(drops.clone()).await.unwrap(), "the thread that came after still holds its state");
    drop(release);
    assert!(drop_heard(drops).await.unwrap(), "the stuck thread still holds its state");
}

#[actix::test]
async fn a_thread_is_replaced_also_while_the_pools_arbiter_is_blocked() {
    let pool = CpuPool::new(1).start();
    let (job, running, release) = gate();
    let (ran, runs) = mpsc::channel();
    pool.do_send(RunWithin(LIMIT, job));
    pool.do_send(Run(Job(move || ran.send(()))));
    assert!(heard(running).await);
    // This is the pool's arbiter, and the system's.
    runs.recv_timeout(PATIENCE).expect("the next job runs");
    drop(release);
}
