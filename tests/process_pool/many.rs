//! Many jobs, whose workers are killed all the time.

use std::collections::HashMap;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use latido::actors::cpu_pool::Run;
use latido::actors::process::pool::{JobInHand, PoolReport, ProcessPool};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::jobs::SumOfSquares;
use super::kit::*;
use super::support::within;

const JOBS: u64 = 1_000;
/// So that each takes a while.
const NUMBERS: u64 = 30_000;

#[actix::test]
async fn a_thousand_jobs_are_answered_once_each_and_right_while_their_workers_are_killed_by_chance() {
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let mut pool = pool(|| ProcessPool::new(3).max_attempts(1_000));
    // Some are killed half-way for certain; those who are killed from outside may be between two jobs.
    let dir = tempfile::tempdir().unwrap();
    let half_way = |n: u64| n.is_multiple_of(10).then(|| dir.path().join(n.to_string()));
    let mut answers: FuturesUnordered<_> = (0..JOBS)
        .map(|n| {
            let answer = pool.addr.send(Run(SumOfSquares(NUMBERS + n, half_way(n))));
            async move { (n, answer.await) }
        })
        .collect();
    let (mut workers, mut in_a_job, mut between) = (HashMap::new(), 0, 0);
    let mut answered = vec![0; JOBS as usize];
    let mut left = JOBS;
    while left > 0 {
        tokio::select! {
            Some((n, answer)) = answers.next() => {
                assert_eq!(answer.unwrap().unwrap(), sum_of_squares(NUMBERS + n), "seed {seed}");
                answered[n as usize] += 1;
                left -= 1;
                if random.u8(..8) == 0 && !workers.is_empty() {
                    let pids: Vec<i32> = workers.values().copied().collect();
                    let _ = kill(Pid::from_raw(*random.choice(&pids).unwrap()), Signal::SIGKILL); // it may be dead
                }
            }
            event = within(pool.events.next()) => match event.unwrap().report() {
                Some(PoolReport::WorkerReady { worker, pid }) => drop(workers.insert(*worker, *pid as i32)),
                Some(PoolReport::WorkerLost { worker, job, .. }) => {
                    workers.remove(worker);
                    match job {
                        JobInHand::None => between += 1,
                        _ => in_a_job += 1,
                    }
                }
                _ => {}
            },
        }
    }
    while let Some(event) = pool.events.try_next() {
        match event.report() {
            Some(PoolReport::WorkerLost { job: JobInHand::None, .. }) => between += 1,
            Some(PoolReport::WorkerLost { .. }) => in_a_job += 1,
            _ => {}
        }
    }
    assert!(in_a_job >= JOBS / 10, "seed {seed}: {in_a_job} died in a job, {between} between two");
    assert!(answered.iter().all(|&times| times == 1), "seed {seed}");
    assert!(in_a_job + between > JOBS / 10, "seed {seed}: nobody but those was killed");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count() as u64, JOBS / 10, "seed {seed}");
    pool.ends_well().await;
}

fn sum_of_squares(n: u64) -> u64 {
    n * (n + 1) * (2 * n + 1) / 6
}
