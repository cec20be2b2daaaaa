//! The CPU pool without a tree around it: what its senders see when jobs, states and factories fail.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use actix::prelude::*;
use latido::actors::cpu_pool::{CpuJob, CpuPool, JobError, Run};

/// Long enough for any machine; only a failing test waits for it.
const PATIENCE: Duration = Duration::from_secs(20);

/// A job from a closure.
struct Job<F>(F);

impl<F: FnOnce() -> R, R: 'static> Message for Job<F> {
    type Result = R;
}

impl<W, F: FnOnce() -> R + Send + 'static, R: Send + 'static> CpuJob<W> for Job<F> {
    fn run(self, _: &mut W) -> R {
        self.0()
    }
}

/// Counts the jobs that one state has seen.
#[derive(Message)]
#[rtype(result = "u32")]
struct Count;

impl CpuJob<u32> for Count {
    fn run(self, seen: &mut u32) -> u32 {
        *seen += 1;
        *seen
    }
}

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
async fn a_job_that_crashes_is_an_error_with_its_reason() {
    let pool = CpuPool::new(1).start();
    let job = Job(|| -> u8 { latido::crash("no such table") });
    let error = pool.send(Run(job)).await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "the job failed: no such table");
}

/// A state that panics when it is dropped.
struct Mine;

impl Drop for Mine {
    fn drop(&mut self) {
        panic!("stepped on a mine")
    }
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
            std::thread::current().name().map(str::to_owned)
        })))
        .timeout(PATIENCE)
    };
    let (one, other) = futures::join!(meet(), meet());
    let mut names = [one.unwrap().unwrap(), other.unwrap().unwrap()];
    names.sort();
    assert_eq!(names, [Some("cpu-0".to_owned()), Some("cpu-1".to_owned())]);
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

/// A job that says when it runs and waits for a word.
fn gate() -> (Job<impl FnOnce() -> u8 + Send + 'static>, Receiver<()>, Sender<u8>) {
    let (runs, running) = mpsc::channel();
    let (release, word) = mpsc::channel();
    let job = Job(move || {
        runs.send(()).unwrap();
        word.recv().unwrap()
    });
    (job, running, release)
}

/// Waits for the word without blocking the arbiter, which has the jobs to pass on.
async fn heard(word: Receiver<()>) -> bool {
    let waiting = actix_rt::task::spawn_blocking(move || word.recv_timeout(PATIENCE));
    waiting.await.unwrap().is_ok()
}

/// Tells when it is dropped.
struct Last(Sender<()>);

impl Drop for Last {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
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
fn a_job_that_reaches_no_thread_is_lost_and_says_so() {
    let system = System::new();
    let arbiter = system.block_on(async { Arbiter::new() });
    let pool = CpuPool::start_in_arbiter(&arbiter.handle(), |_| CpuPool::new(1));
    assert_eq!(system.block_on(pool.send(Run(Job(|| 7)))).unwrap().unwrap(), 7);

    // actix passes jobs to the threads of a sync arbiter on the system's own arbiter.
    drop(system);
    let answer = System::new().block_on(pool.send(Run(Job(|| 8))));
    assert!(matches!(answer, Ok(Err(JobError::Lost))), "{answer:?}");
    arbiter.stop();
    arbiter.join().unwrap();
}

#[cfg(feature = "digest")]
mod digest {
    use std::io::Write;
    use std::path::PathBuf;

    use super::*;
    use latido::actors::digest::Sha256Of;

    async fn sha256_of(content: &[u8]) -> (String, u64) {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(content).unwrap();
        let pool = CpuPool::with_state(1, || "any state").start();
        let job = Run(Sha256Of(file.path().to_owned()));
        let digest = pool.send(job).await.unwrap().unwrap().unwrap();
        (digest.sha256.to_string(), digest.bytes)
    }

    #[actix::test]
    async fn files_have_the_checksums_of_the_standard() {
        for (content, sha256) in [
            (&b""[..], "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            (b"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
            ),
            (&[b'a'; 1_000_000], "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
        ] {
            assert_eq!(sha256_of(content).await, (sha256.to_owned(), content.len() as u64));
        }
    }

    #[actix::test]
    async fn a_file_longer_than_the_buffer_is_read_to_its_end() {
        let (sha256, bytes) = sha256_of(&vec![0; 8 << 20]).await;
        assert_eq!(bytes, 8 << 20);
        assert_eq!(sha256, "2daeb1f36095b44b318410b3f4e8b5d989dcc7bb023d1426c492dab0a3053e74");
    }

    #[actix::test]
    async fn a_missing_file_is_an_error_that_names_it() {
        let pool = CpuPool::new(1).start();
        let path = PathBuf::from("no/such/file.iso");
        let error = pool.send(Run(Sha256Of(path.clone()))).await.unwrap().unwrap().unwrap_err();
        assert_eq!((&error.path, error.error.kind()), (&path, std::io::ErrorKind::NotFound));
        assert!(error.to_string().starts_with("cannot read no/such/file.iso: No such file"), "{error}");
    }
}
