//! Work for many cores: jobs run on a fixed set of threads, and a job that panics costs its sender an error,
//! never the pool a thread.
//!
//! A job is an actix message with one function. Its result type is that of the message, because [`Run`] must
//! be able to name the result without naming the worker state `W`: so a job that needs no state fits every pool.
//!
//! ```
//! use actix::prelude::*;
//! use latido::actors::cpu_pool::{CpuJob, CpuPool, Run};
//!
//! #[derive(Message)]
//! #[rtype(result = "u64")]
//! struct SumTo(u64);
//!
//! impl CpuJob for SumTo {
//!     fn run(self, _: &mut ()) -> u64 {
//!         (1..=self.0).sum()
//!     }
//! }
//!
//! # #[actix::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let cpu = CpuPool::new(2).start(); // in a tree: ChildSpec::new("cpu", || CpuPool::new(2))
//! assert_eq!(cpu.send(Run(SumTo(100))).await??, 5050);
//! # Ok(())
//! # }
//! ```

mod worker;

use std::fmt;
use std::sync::Arc;
use std::thread;

use actix::dev::{MessageResponse, OneshotSender};
use actix::prelude::*;
use log::Level;

use self::worker::{Answer, Factory, Task, Worker};
use crate::{ExitReason, Report, Reporter};

// ===== messages =====

/// A piece of work for one thread of a pool. `W` is what the threads keep from job to job, see
/// [`CpuPool::with_state`].
pub trait CpuJob<W = ()>: Message<Result: Send> + Send + 'static {
    /// Does the work. It may block; it may panic.
    fn run(self, worker: &mut W) -> Self::Result;
}

/// Runs a job on the pool's next free thread, in the order of sending. A job whose sender stopped waiting
/// before its turn came is not run.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "Result<J::Result, JobError>")]
pub struct Run<J: Message>(pub J);

/// Why there is no result. The pool is as good as before in every case.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JobError {
    /// The job panicked, or called [`crash`](crate::crash). The thread's state is built anew.
    #[error("the job {0}")]
    Panicked(ExitReason),
    /// The state of the thread could not be built, so the job did not run. The next job tries again.
    #[error("the worker could not be built: its factory {0}")]
    WorkerInit(ExitReason),
    /// The pool's threads went away before the job ran: sending it again repeats nothing.
    #[error("the pool ended before the job ran; send it again")]
    Lost,
}

/// The pool's word on its tree's event stream when a job, or the building of the state for it, panicked.
#[derive(Clone, Debug)]
pub struct JobPanicked {
    /// The type of the job.
    pub job: &'static str,
    /// What it ended with.
    pub reason: ExitReason,
}

impl Report for JobPanicked {
    fn level(&self) -> Level {
        Level::Warn
    }
}

impl fmt::Display for JobPanicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "job {} {}", self.job, self.reason)
    }
}

// ===== the pool =====

/// Runs jobs on threads of its own, named `cpu-0`, `cpu-1` and so on.
///
/// Each incarnation starts its own threads. Jobs that an earlier one handed to its threads are still run and
/// answered; then those threads end.
pub struct CpuPool<W: 'static = ()> {
    threads: usize,
    factory: Factory<W>,
    workers: Option<Addr<Worker<W>>>,
}

impl CpuPool {
    /// A pool of so many threads, for jobs that need nothing but their own fields; 0 means one per core.
    pub fn new(threads: usize) -> Self {
        Self::with_state(threads, || ())
    }
}

impl<W: 'static> CpuPool<W> {
    /// A pool whose threads keep a value from job to job: a connection, a buffer, a loaded model. `factory`
    /// runs on the thread, before its first job and again after each job that panicked, for who knows what
    /// such a job left behind.
    pub fn with_state(threads: usize, factory: impl Fn() -> W + Send + Sync + 'static) -> Self {
        Self {
            threads: match threads {
                0 => thread::available_parallelism().map_or(1, usize::from),
                threads => threads,
            },
            factory: Arc::new(factory),
            workers: None,
        }
    }
}

impl<W: 'static> Actor for CpuPool<W> {
    type Context = Context<Self>;

    fn started(&mut self, _: &mut Context<Self>) {
        let factory = self.factory.clone();
        let reporter = Reporter::current();
        let worker = move || Worker::new(factory.clone(), reporter.clone());
        let mut names = (0..).map(|n| format!("cpu-{n}"));
        let thread = move || thread::Builder::new().name(names.next().unwrap_or_default());
        self.workers = Some(SyncArbiter::start_with_thread_builder(self.threads, thread, worker));
    }
}

impl<W: 'static, J: CpuJob<W>> Handler<Run<J>> for CpuPool<W> {
    type Result = HandOver<W, J>;

    fn handle(&mut self, Run(job): Run<J>, _: &mut Context<Self>) -> HandOver<W, J> {
        HandOver { job, workers: self.workers.clone() }
    }
}

/// Gives the job to the threads together with the line to its sender: the answer does not come back through
/// the pool, so neither the pool's end nor a block of its arbiter can hold it up.
#[doc(hidden)]
#[expect(missing_debug_implementations, reason = "nobody gets to hold one")]
pub struct HandOver<W: 'static, J> {
    job: J,
    workers: Option<Addr<Worker<W>>>,
}

impl<W: 'static, J: CpuJob<W>> MessageResponse<CpuPool<W>, Run<J>> for HandOver<W, J> {
    fn handle(self, _: &mut Context<CpuPool<W>>, sender: Option<OneshotSender<Result<J::Result, JobError>>>) {
        let answer = Answer(sender);
        if let Some(workers) = self.workers {
            workers.do_send(Task { job: self.job, answer });
        }
    }
}

impl<W> fmt::Debug for CpuPool<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CpuPool").field("threads", &self.threads).finish_non_exhaustive()
    }
}
