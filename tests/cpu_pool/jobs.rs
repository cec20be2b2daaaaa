//! What the senders of jobs see when jobs, states and factories fail.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Barrier};

use actix::prelude::*;
use latido::actors::cpu_pool::{CpuJob, CpuPool, JobError, JobPanicked, Run};

use crate::support::*;

fn broken() {
    let empty: Vec<u8> = Vec::new();
    let _ = empty[std::hint::black_box(3)];
}

#[actix::test]
async fn a_panic_is_an_error_with_its_text_and_place() {
    let pool = CpuPool::new(1).start();
    let error = pool.send(Run(Job(broken))).await.unwrap().unwrap_err();
    assert!(matches!(error, JobError::Panicked(_)));
    let place = concat!(" at ", file!(), ":");
    let text = "the job panicked: index out of bounds: the len is 0 but the index is 3";
    assert!(error.to_string().starts_with(&format!("{text}{place}")), "{error}");
}

#[actix::test]
async fn a_panic_is_on_the_event_stream_before_its_sender_hears_of_it() {
    let (tree, pool) = tree(|| CpuPool::new(1));
    let mut events = tree.subscribe();
    assert!(pool.send(Run(Job(broken))).await.unwrap().is_err());

    let event =
        std::iter::from_fn(|| events.try_next()).find(|event| event.report::<JobPanicked>().is_some());
    let event = event.expect("a JobPanicked");
    assert_eq!((event.path.as_str(), event.incarnation), ("app/cpu", 1));
    let text = event.to_string();
    assert!(text.contains("Job<") && text.contains("> panicked: index out of bounds"), "{text}");
    assert!(text.contains(" at tests/cpu_pool/jobs.rs:"), "{text}");
    tree.stop(PATIENCE).await;
}

#[actix::test]
async fn a_job_that_crashes_is_an_error_with_its_reason() {
    let pool = CpuPool::new(1).start();
    let job = Job(|| -> u8 { latido::crash("no such table") });
    let error = pool.send(Run(job)).await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "the job failed: no such table");
}

#[actix::test]
async fn after_a_hundred_panics_two_threads_still_work_at_the_same_time() {
    latido::quiet_panics();
    let pool = CpuPool::with_state(2, || Mine).start();
    for _ in 0..100 {
        let error = pool.send(Run(Job(broken))).await.unwrap().unwrap_err();
        assert!(error.to_string().contains("index out of bounds"), "{error}");
    }
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
    assert_eq!(names, ["cpu-0", "cpu-1"]);
}

#[actix::test]
async fn the_state_is_kept_from_job_to_job_and_built_anew_after_a_panic() {
    let pool = CpuPool::with_state(1, || 0).start();
    assert_eq!(pool.send(Run(Count)).await.unwrap().unwrap(), 1);
    assert_eq!(pool.send(Run(Count)).await.unwrap().unwrap(), 2);
    assert!(pool.send(Run(Job(broken))).await.unwrap().is_err());
    assert_eq!(pool.send(Run(Count)).await.unwrap().unwrap(), 1);
}

#[actix::test]
async fn a_factory_that_panics_is_tried_again_at_the_next_job() {
    let tries = AtomicU32::new(0);
    let factory = move || match tries.fetch_add(1, Ordering::Relaxed) {
        0 | 1 => panic!("no licence"),
        _ => 40,
    };
    let pool = CpuPool::with_state(1, factory).start();
    for _ in 0..2 {
        let error = pool.send(Run(Count)).await.unwrap().unwrap_err();
        assert!(matches!(error, JobError::WorkerInit(_)));
        let text = "the worker could not be built: its factory panicked: no licence at ";
        assert!(error.to_string().starts_with(text), "{error}");
    }
    assert_eq!(pool.send(Run(Count)).await.unwrap().unwrap(), 41);
}

#[actix::test]
async fn jobs_handed_over_before_the_pool_ended_are_answered_and_then_the_threads_end() {
    let (dropped, drops) = mpsc::channel();
    let arbiter = Arbiter::new();
    let pool = CpuPool::start_in_arbiter(&arbiter.handle(), move |_| {
        CpuPool::with_state(1, move || Last(dropped.clone()))
    });
    let (job, running, release) = gate();
    let first = pool.send(Run(job));
    let queued = pool.send(Run(Job(|| 8)));

    // The arbiter takes the pool with it, and every task that the pool may have left on it.
    assert!(heard(running).await);
    arbiter.stop();
    arbiter.join().unwrap();
    assert!(pool.send(Run(Job(|| 9))).await.is_err());

    release.send(7).unwrap();
    assert_eq!(first.timeout(PATIENCE).await.unwrap().unwrap(), 7);
    assert_eq!(queued.timeout(PATIENCE).await.unwrap().unwrap(), 8);
    assert!(heard(drops).await, "the thread still holds its state");
}

#[actix::test]
async fn a_job_that_nobody_waits_for_any_more_is_not_run() {
    struct Unwanted(Sender<&'static str>, Mine);
    impl Message for Unwanted {
        type Result = ();
    }
    impl CpuJob for Unwanted {
        fn run(self, _: &mut ()) {
            self.0.send("it ran").unwrap();
            std::mem::forget(self.1);
        }
    }
    let pool = CpuPool::new(1).start();
    let (job, running, release) = gate();
    let first = pool.send(Run(job));
    let (runs, ran) = mpsc::channel();
    let unwanted = pool.send(Run(Unwanted(runs, Mine)));
    assert!(heard(running).await);
    drop(unwanted);
    release.send(7).unwrap();
    assert_eq!(first.await.unwrap().unwrap(), 7);

    // Its destructor panicked on the thread, and the thread goes on.
    assert_eq!(pool.send(Run(Job(|| 8))).timeout(PATIENCE).await.unwrap().unwrap(), 8);
    assert!(ran.try_recv().is_err());
}

#[test]
fn jobs_run_also_while_the_systems_arbiter_is_blocked_and_when_the_system_is_gone() {
    let system = System::new();
    let arbiter = system.block_on(async { Arbiter::new() });
    let pool = CpuPool::start_in_arbiter(&arbiter.handle(), |_| CpuPool::new(1));
    let (ran, runs) = mpsc::channel();
    system.block_on(async {
        pool.do_send(Run(Job(move || ran.send(()))));
        runs.recv_timeout(PATIENCE).expect("the job runs");
    });
    drop(system);
    let answer = System::new().block_on(async { pool.send(Run(Job(|| 8))).timeout(PATIENCE).await });
    assert_eq!(answer.unwrap().unwrap(), 8);
    arbiter.stop();
    arbiter.join().unwrap();
}
