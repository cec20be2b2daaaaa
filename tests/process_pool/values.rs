//! What goes in and comes out of a worker.

use actix::prelude::*;
use latido::actors::cpu_pool::{CpuPool, JobError, JobPanicked, Run};
use latido::actors::process::Line;
use latido::actors::process::pool::ProcessPool;
use latido::prelude::*;

use super::jobs::*;
use super::kit::*;
use super::support::{collector, within};

const MIB: usize = 1 << 20;

#[actix::test]
async fn the_same_message_has_the_same_answer_on_threads_and_in_processes() {
    let processes = pool(|| ProcessPool::new(1));
    let threads = CpuPool::new(1).start();
    for n in 0..10 {
        let on_thread = threads.send(Run(Square(n))).await.unwrap().unwrap();
        assert_eq!((processes.run(Square(n)).await.unwrap(), on_thread), (n * n, n * n));
    }
    assert_ne!(processes.run(WorkerId()).await.unwrap(), std::process::id());
    processes.ends_well().await;
}

#[actix::test]
async fn a_worker_is_kept_from_job_to_job_and_a_panic_does_not_end_it() {
    let mut pool = pool(|| ProcessPool::new(1));
    let pid = pool.ready(1).await[0];
    for (how, words) in
        [(How::Panic, "panicked: no such table at tests/support/"), (How::Crash, "failed: no such row")]
    {
        let error = pool.run(Fail(how)).await.unwrap_err();
        assert!(matches!(&error, JobError::Panicked(_)) && error.to_string().contains(words), "{error}");
        let report = |event: &Event| Some(event.report::<JobPanicked>()?.to_string());
        let report = within(pool.events.find_map("app/pool", report)).await.unwrap();
        assert!(report.starts_with("job fail ") && report.contains(words), "{report}");
        assert_eq!(pool.run(WorkerId()).await.unwrap(), pid);
    }
    pool.ends_well().await;
}

#[actix::test]
async fn what_a_job_prints_is_no_answer_and_it_reads_nothing() {
    let (to, mut lines) = collector::<Line>();
    let pool = pool(move || ProcessPool::new(1).lines_to(to.clone()));
    // As if it were a result.
    let frame = b"\0\0\0\x02\0\x07".to_vec();
    assert_eq!(pool.run(Print(frame)).await.unwrap(), 0);
    assert_eq!(pool.run(Square(3)).await.unwrap(), 9);
    assert!(within(lines.recv()).await.unwrap().text.ends_with("printed"));
    pool.ends_well().await;
}

#[actix::test]
async fn what_is_too_large_is_an_error_with_its_size_and_what_just_fits_arrives() {
    let pool = pool(|| ProcessPool::new(1));
    let error = pool.run(Large(17 * MIB)).await.unwrap_err();
    assert!(
        matches!(error, JobError::TooLarge { bytes, max } if bytes > 17 * MIB && max == 16 * MIB),
        "{error}"
    );
    let error = pool.run(Print(vec![1; 17 * MIB])).await.unwrap_err();
    assert!(matches!(error, JobError::TooLarge { .. }), "{error}");
    let large = pool.run(Large(5 * MIB)).await.unwrap();
    assert!(large.len() == 5 * MIB && large.iter().all(|&byte| byte == 200));
    pool.ends_well().await;
}

#[actix::test]
async fn a_job_that_is_in_no_list_is_refused_at_once_by_its_name() {
    let pool = pool(|| ProcessPool::new(1));
    let error = pool.run(Unregistered()).await.unwrap_err().to_string();
    assert!(error.contains("jobs::Unregistered") && error.contains("Jobs::new()"), "{error}");
    let error = pool.run(Elsewhere()).await.unwrap_err();
    assert!(matches!(error, JobError::NotRegistered { job: "elsewhere" }), "{error}");
    pool.ends_well().await;
}
