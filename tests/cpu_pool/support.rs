//! Jobs that do what a test tells them to.

use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

use actix::prelude::*;
use latido::actors::cpu_pool::{CpuJob, CpuPool};
use latido::prelude::*;

/// Long enough for any machine; only a failing test waits for it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A job from a closure.
pub(crate) struct Job<F>(pub(crate) F);

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
pub(crate) struct Count;

impl CpuJob<u32> for Count {
    fn run(self, seen: &mut u32) -> u32 {
        *seen += 1;
        *seen
    }
}

/// A state that panics when it is dropped.
pub(crate) struct Mine;

impl Drop for Mine {
    fn drop(&mut self) {
        panic!("stepped on a mine")
    }
}

/// A job that says when it runs and waits for a word.
pub(crate) fn gate() -> (Job<impl FnOnce() -> u8 + Send + 'static>, Receiver<()>, Sender<u8>) {
    let (runs, running) = mpsc::channel();
    let (release, word) = mpsc::channel();
    let job = Job(move || {
        runs.send(()).unwrap();
        word.recv().unwrap()
    });
    (job, running, release)
}

/// Waits for the word without blocking the arbiter, which has the jobs to pass on.
pub(crate) async fn heard(word: Receiver<()>) -> bool {
    let waiting = actix_rt::task::spawn_blocking(move || word.recv_timeout(PATIENCE));
    waiting.await.unwrap().is_ok()
}

/// What comes in any time that is not for ever.
pub(crate) async fn within_patience<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.expect("it hangs")
}

/// Tells when it is dropped.
pub(crate) struct Last(pub(crate) Sender<()>);

impl Drop for Last {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

/// That of the thread.
pub(crate) fn name() -> String {
    std::thread::current().name().unwrap_or_default().to_owned()
}

/// A tree of one pool, `app/cpu`.
pub(crate) fn tree<W: 'static>(
    pool: impl Fn() -> CpuPool<W> + Send + Sync + 'static,
) -> (Tree, Addr<CpuPool<W>>) {
    latido::quiet_panics();
    let spec = ChildSpec::new("cpu", pool);
    let addr = spec.addr();
    (SupervisorSpec::new("app").child(spec).start().unwrap(), addr)
}
