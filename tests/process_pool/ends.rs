//! How a pool ends, and what is left then.

use std::time::Instant;

use actix::prelude::*;
use latido::actors::cpu_pool::{JobError, Run};
use latido::actors::process::pool::{PoolError, PoolReport, ProcessPool};
use latido::prelude::*;

use super::jobs::*;
use super::kit::*;
use super::support::{HeldPipe, PROGRAMS, signal, state_of, within};

#[actix::test]
async fn a_pool_that_is_stopped_answers_all_and_leaves_no_process() {
    let mut pool = pool(|| ProcessPool::new(2));
    let pids = pool.ready(2).await;
    let mut held = [HeldPipe::new(), HeldPipe::new()];
    let in_hand = held.each_ref().map(|held| actix::spawn(pool.addr.send(Run(Hold(held.path())))));
    for held in &mut held {
        held.opened().await;
    }
    let waiting: Vec<_> = (0..10).map(|n| actix::spawn(pool.addr.send(Run(Square(n))))).collect();
    // Behind them all, so they have been taken.
    let last = pool.addr.send(Run(Unregistered()));
    assert!(within(last).await.unwrap().is_err());

    let reason = within(pool.tree.stop(20 * SECOND)).await;
    assert!(matches!(reason, ExitReason::Shutdown), "{reason}");
    for pid in pids {
        assert_eq!(state_of(&pid.to_string()), None);
    }
    for answer in in_hand {
        assert!(matches!(within(answer).await.unwrap(), Ok(Err(JobError::Interrupted))));
    }
    for answer in waiting {
        assert!(matches!(within(answer).await.unwrap(), Ok(Err(JobError::Lost))));
    }
    for held in held {
        held.released().await;
    }
}

#[actix::test]
async fn a_pool_that_crashes_answers_all_and_its_successor_has_workers_of_its_own() {
    registered();
    let spec = ChildSpec::new("pool", || ProcessPool::new(1));
    let pool = spec.addr();
    let tree = SupervisorSpec::new("app").child(spec).start().unwrap();
    let mut held = HeldPipe::new();
    let in_hand = actix::spawn(pool.send(Run(Hold(held.path()))));
    held.opened().await;
    let waiting = actix::spawn(pool.send(Run(Square(3))));
    assert!(within(pool.send(Run(Unregistered()))).await.unwrap().is_err());
    tree.inject("app/pool", Fault::Panic).unwrap();
    assert!(matches!(within(in_hand).await.unwrap(), Ok(Err(JobError::Interrupted))));
    assert!(matches!(within(waiting).await.unwrap(), Ok(Err(JobError::Lost))));
    assert_eq!(within(pool.send(Run(Square(4)))).await.unwrap().unwrap(), 16);
    held.released().await;
    within(tree.stop(20 * SECOND)).await;
}

#[actix::test]
async fn a_job_whose_sender_has_gone_is_not_begun() {
    let pool = pool(|| ProcessPool::new(1));
    let mut held = HeldPipe::new();
    let in_hand = actix::spawn(pool.addr.send(Run(Hold(held.path()))));
    held.opened().await;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("begun");
    let unwanted = actix::spawn(pool.addr.send(Run(DieOnce(file.clone()))));
    assert!(within(pool.addr.send(Run(Unregistered()))).await.unwrap().is_err());
    unwanted.abort();
    assert!(unwanted.await.unwrap_err().is_cancelled());
    // Now there is a worker for it.
    in_hand.abort();
    signal(&worker_of(&held), "KILL");
    held.released().await;
    assert_eq!(pool.run(Square(6)).await.unwrap(), 36);
    assert!(!file.exists());
    pool.ends_well().await;
}

/// Who has it open and is a worker.
fn worker_of(held: &HeldPipe) -> String {
    let names = std::fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
    let holds = |process: &std::path::Path| {
        let files = std::fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
        files.into_iter().any(|fd| std::fs::read_link(fd.path()).is_ok_and(|file| file == held.path()))
    };
    let is_worker = |process: &std::path::Path| {
        std::fs::read_to_string(process.join("comm")).is_ok_and(|name| name == "pool-worker\n")
    };
    let worker = names.into_iter().find(|process| is_worker(process) && holds(process)).unwrap();
    worker.file_name().unwrap().to_str().unwrap().to_owned()
}

#[test]
fn no_worker_is_left_when_the_program_is_killed() {
    let mut held: Vec<_> = (0..3).map(|_| HeldPipe::new()).collect();
    let mut host = std::process::Command::new(PROGRAMS);
    let mut host = host.arg("pool-host").args(held.iter().map(HeldPipe::path)).spawn().unwrap();
    System::new().block_on(async move {
        for held in &mut held {
            held.opened().await;
        }
        host.kill().unwrap();
        let killed = Instant::now();
        for held in held {
            held.released().await;
        }
        let took = killed.elapsed();
        assert!(took < SECOND, "it took {took:?}");
        host.wait().unwrap();
    });
}

#[actix::test]
async fn a_pool_that_can_have_no_worker_fails_with_what_is_wrong_after_five_attempts() {
    type Case = (fn() -> ProcessPool, fn(&PoolError) -> bool);
    let never_ready: Case = (
        || ProcessPool::new(1).workers(|worker| worker.memory_limit(3 << 20)),
        |error| matches!(error, PoolError::NeverReady(_)),
    );
    let not_started: Case = (
        || ProcessPool::new(2).workers(|worker| worker.current_dir("/no/such/directory")),
        |error| matches!(error, PoolError::Start(_)),
    );
    for (new, is_right) in [never_ready, not_started] {
        let mut pool = pool(new);
        let mut failed = 0;
        let error = loop {
            let event = within(pool.events.next()).await.unwrap();
            match event.kind {
                EventKind::Exited { reason: ExitReason::Failed(failure), .. } if event.path == "app/pool" => {
                    break failure.downcast_ref::<PoolError>().unwrap().clone();
                }
                _ => failed += usize::from(matches!(event.report(), Some(PoolReport::StartFailed { .. }))),
            }
        };
        assert!(is_right(&error), "{error}");
        assert_eq!(failed, 4, "and the fifth is the end");
        within(pool.tree.join()).await;
    }
}
