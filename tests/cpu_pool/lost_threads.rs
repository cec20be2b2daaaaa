//! What a pool leaves behind, and its tree's view of it.

use std::panic::AssertUnwindSafe;
use std::sync::mpsc::{self, Sender};
use std::time::Duration;

use actix::prelude::*;
use futures::FutureExt;
use latido::actors::cpu_pool::{CpuJob, CpuPool, JobError, JobTimedOut, Run, RunWithin};
use latido::prelude::*;
use latido::testing::assert_all_down;

use crate::support::*;

const LIMIT: Duration = Duration::from_millis(20);
/// How many threads a tree may leave behind.
const MAX: usize = 16;

/// Does not return before the sender is dropped; then it does as it is told.
struct Stuck(mpsc::Receiver<()>, Ending);

enum Ending {
    Returns(Last),
    Panics,
}

impl Message for Stuck {
    type Result = Last;
}

impl<W> CpuJob<W> for Stuck {
    fn run(self, _: &mut W) -> Last {
        let _ = self.0.recv();
        match self.1 {
            Ending::Returns(result) => result,
            Ending::Panics => panic!("late"),
        }
    }
}

/// Leaves a job behind; it is stuck until the sender is dropped.
async fn leave_behind<W>(pool: &Addr<CpuPool<W>>, ending: Ending) -> Sender<()> {
    let (release, released) = mpsc::channel();
    let answer = pool.send(RunWithin(LIMIT, Stuck(released, ending))).timeout(PATIENCE).await;
    assert!(matches!(answer, Ok(Err(JobError::TimedOut { .. }))), "it hangs");
    release
}

async fn returned(tree: &Tree) {
    let all_back = async {
        while tree.abandoned_threads() > 0 {
            tokio::task::yield_now().await;
        }
    };
    within_patience(all_back).await;
}

#[actix::test]
async fn a_job_that_is_left_behind_is_on_the_event_stream_before_its_sender_hears_of_it() {
    let (tree, pool) = tree(|| CpuPool::new(1));
    let mut events = tree.subscribe();
    let _release = leave_behind(&pool, Ending::Panics).await;

    let event =
        std::iter::from_fn(|| events.try_next()).find(|event| event.report::<JobTimedOut>().is_some());
    let event = event.expect("a JobTimedOut");
    let JobTimedOut { job, limit } = event.report().unwrap();
    assert_eq!((event.level(), *limit), (latido::event::Level::Error, LIMIT));
    assert!(job.ends_with("Stuck"), "{job}");
    let text = format!(
        "app/cpu #1: job {job} was not done within 20ms and was left behind; its thread is lost until it returns"
    );
    assert_eq!(event.to_string(), text);
    tree.stop(PATIENCE).await;
}

/// A state that says when it is dropped, and panics.
struct Loud {
    _says: Last,
    _panics: Mine,
}

#[actix::test]
async fn a_thread_that_was_left_behind_is_lost_until_its_job_returns_and_then_ends_without_a_word() {
    let (dropped, states) = mpsc::channel();
    let state = move || Loud { _says: Last(dropped.clone()), _panics: Mine };
    let (tree, pool) = tree(move || CpuPool::with_state(1, state.clone()));
    let (result, results) = mpsc::channel();
    let returns = leave_behind(&pool, Ending::Returns(Last(result))).await;
    let panics = leave_behind(&pool, Ending::Panics).await;
    assert_eq!(tree.abandoned_threads(), 2);
    assert!(results.try_recv().is_err() && states.try_recv().is_err());

    let mut events = tree.subscribe();
    drop((returns, panics));
    returned(&tree).await;
    assert!(results.try_recv().is_ok(), "the late result is dropped");
    assert!(states.try_recv().is_ok() && states.try_recv().is_ok(), "and so are the states");
    assert!(events.try_next().is_none());
    assert_eq!(pool.send(Run(Job(|| 8))).await.unwrap().unwrap(), 8);
    assert_eq!(tree.snapshot().get("app/cpu").unwrap().incarnation, 1);
    assert!(matches!(tree.stop(PATIENCE).await, ExitReason::Shutdown));
    assert_all_down(&tree).await;
}

#[actix::test]
async fn a_tree_stops_at_once_although_jobs_are_stuck_and_a_thread_that_was_left_behind_is_a_leak() {
    let (tree, pool) = tree(|| CpuPool::new(2));
    let (job, running, release) = gate();
    let unlimited = pool.send(Run(job));
    assert!(heard(running).await);
    let left = leave_behind(&pool, Ending::Panics).await;
    // By the rule of the pool and in time: nobody was killed.
    assert!(matches!(tree.stop(PATIENCE).await, ExitReason::Shutdown));
    assert_eq!(tree.abandoned_threads(), 1);

    release.send(7).unwrap();
    assert_eq!(unlimited.await.unwrap().unwrap(), 7);
    let leak = AssertUnwindSafe(assert_all_down(&tree)).catch_unwind().await.unwrap_err();
    assert_eq!(leak.downcast_ref::<String>().unwrap(), "left behind: blocked threads, 1 of them");
    drop(left);
    assert_all_down(&tree).await;
}

#[actix::test]
async fn a_pool_of_a_tree_with_too_many_lost_threads_ends_and_names_the_job_and_the_tree_ends() {
    let (tree, pool) = tree(|| CpuPool::new(1));
    let mut gates = Vec::new();
    for lost in 1..=MAX {
        gates.push(leave_behind(&pool, Ending::Panics).await);
        assert_eq!(tree.abandoned_threads(), lost);
    }
    assert_eq!(pool.send(Run(Job(|| 8))).await.unwrap().unwrap(), 8);
    assert_eq!(tree.snapshot().get("app/cpu").unwrap().incarnation, 1, "so many are allowed");

    let (release, released) = mpsc::channel::<()>();
    let last = pool.send(RunWithin(LIMIT, Stuck(released, Ending::Panics)));
    let behind = pool.send(Run(Job(|| 8)));
    assert!(matches!(last.timeout(PATIENCE).await.unwrap(), Err(JobError::TimedOut { .. })));
    let nobody = behind.timeout(PATIENCE).await.unwrap();
    assert!(matches!(nobody, Err(JobError::Lost)), "no thread is left for it");

    let ExitReason::OutOfThreads { child, reason, max: MAX } = within_patience(tree.join()).await else {
        panic!("not that")
    };
    assert_eq!(child.as_str(), "app/cpu");
    let ExitReason::OutOfThreads { child, reason, max: MAX } = *reason else { panic!("{reason}") };
    assert_eq!(child.as_str(), "app/cpu");
    let ExitReason::Failed(failure) = *reason else { panic!("{reason}") };
    let JobTimedOut { job, limit: LIMIT } = failure.downcast_ref().unwrap() else { panic!("{failure}") };
    assert!(job.ends_with("Stuck"), "{job}");
    assert!(matches!(pool.send(Run(Job(|| 8))).await, Err(MailboxError::Closed)));
    drop((gates, release));
    returned(&tree).await;
}

#[actix::test]
async fn threads_whose_jobs_have_returned_are_not_held_against_the_pool() {
    let (tree, pool) = tree(|| CpuPool::new(1));
    for _ in 0..MAX + 2 {
        drop(leave_behind(&pool, Ending::Panics).await);
        returned(&tree).await;
    }
    assert_eq!(pool.send(Run(Job(|| 8))).await.unwrap().unwrap(), 8);
    assert!(matches!(tree.stop(PATIENCE).await, ExitReason::Shutdown));
}

#[actix::test]
async fn a_pool_that_ends_for_want_of_threads_still_runs_what_it_had_taken_on_the_threads_it_has() {
    let (tree, pool) = tree(|| CpuPool::new(2));
    let mut gates = Vec::new();
    for _ in 0..MAX {
        gates.push(leave_behind(&pool, Ending::Panics).await);
    }
    let (job, running, release) = gate();
    let other_thread = pool.send(Run(job));
    assert!(heard(running).await);
    let (last, released) = mpsc::channel::<()>();
    let one_too_many = pool.send(RunWithin(LIMIT, Stuck(released, Ending::Panics)));
    let behind = pool.send(Run(Job(|| 8)));
    assert!(one_too_many.timeout(PATIENCE).await.unwrap().is_err());
    assert!(matches!(within_patience(tree.join()).await, ExitReason::OutOfThreads { .. }));

    release.send(7).unwrap();
    assert_eq!(other_thread.await.unwrap().unwrap(), 7);
    assert_eq!(behind.timeout(PATIENCE).await.unwrap().unwrap(), 8);
    drop((gates, last));
    returned(&tree).await;
}

#[actix::test]
async fn threads_that_an_earlier_life_of_the_pool_loses_do_not_end_its_successor() {
    const LONG: Duration = Duration::from_millis(500);
    let (tree, pool) = tree(|| CpuPool::new(MAX + 1));
    let (mut gates, mut stuck) = (Vec::new(), Vec::new());
    for _ in 0..=MAX {
        let (job, running, word) = gate();
        stuck.push(pool.send(RunWithin(LONG, job)).timeout(PATIENCE));
        assert!(heard(running).await);
        gates.push(word);
    }
    let mut events = tree.subscribe();
    tree.inject("app/cpu", Fault::Panic).unwrap();
    events.until("app/cpu", |event| event.incarnation == 2).await.expect("a new life");
    for answer in stuck {
        assert!(matches!(answer.await.unwrap(), Err(JobError::TimedOut { .. })));
    }
    assert_eq!(tree.abandoned_threads(), MAX + 1);
    assert_eq!(pool.send(Run(Job(|| 8))).await.unwrap().unwrap(), 8);
    assert_eq!(tree.snapshot().get("app/cpu").unwrap().incarnation, 2);
    assert!(matches!(tree.stop(PATIENCE).await, ExitReason::Shutdown));
    drop(gates);
    returned(&tree).await;
}
