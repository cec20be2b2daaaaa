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

mod crew;
mod desk;
mod outcome;
mod worker;

use std::fmt;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use actix::dev::{MessageResponse, OneshotSender};
use actix::prelude::*;

use self::crew::{Entrance, OutOfThreads};
pub use self::outcome::{JobError, JobPanicked, JobTimedOut};
#[cfg(all(feature = "process", target_os = "linux"))]
pub(super) use self::worker::Answer;
#[cfg(not(all(feature = "process", target_os = "linux")))]
use self::worker::Answer;
use self::worker::Task;
use crate::{exit, pulse};

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

/// As [`Run`], and the job may run for so long, whatever the pool's [`job_limit`](CpuPool::job_limit) is.
///
/// The time counts from when the job begins on its thread, not while it waits its turn, and the building of the thread's
/// state for it counts too. See [`JobError::TimedOut`] for what happens then. A limit below 10 ms counts as 10 ms.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "Result<J::Result, JobError>")]
pub struct RunWithin<J: Message>(pub Duration, pub J);

// ===== the pool =====

type Factory<W> = Arc<dyn Fn() -> W + Send + Sync>;

/// Runs jobs on threads of its own, named `cpu-0`, `cpu-1` and so on.
///
/// Each incarnation starts its own threads. Jobs that an earlier one handed to its threads are still run and
/// answered; then those threads end.
///
/// A thread cannot be stopped from outside. So a job that does not return in its time ([`job_limit`](Self::job_limit),
/// [`RunWithin`]) is left behind with its thread, and a new thread takes the place of that one; the old one ends when the
/// job returns. A tree may have 16 threads that were left behind
/// ([`abandoned_threads`](crate::supervision::Tree::abandoned_threads)); when there are more, the pool ends with
/// [`ExitReason::OutOfThreads`](crate::ExitReason::OutOfThreads), and so do the supervisors above it.
pub struct CpuPool<W: 'static = ()> {
    threads: usize,
    factory: Factory<W>,
    limit: Option<Duration>,
    /// The shortest limit that a job has had.
    shortest_limit: Duration,
    entrance: Option<Arc<Entrance<W>>>,
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
            limit: None,
            shortest_limit: Duration::MAX,
            entrance: None,
        }
    }

    /// How long a job may run that is sent with [`Run`]; without this, for ever. [`RunWithin`] says how it is counted.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use actix::prelude::*;
    /// use latido::actors::cpu_pool::{CpuJob, CpuPool, JobError, Run, RunWithin};
    ///
    /// struct Spin(Duration);
    /// # impl Message for Spin { type Result = (); }
    /// impl CpuJob for Spin {
    ///     fn run(self, _: &mut ()) {
    ///         let begin = std::time::Instant::now();
    ///         while begin.elapsed() < self.0 {}
    ///     }
    /// }
    ///
    /// # #[actix::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let cpu = CpuPool::new(1).job_limit(Duration::from_secs(60)).start();
    /// let limit = Duration::from_millis(20);
    /// let late = cpu.send(RunWithin(limit, Spin(Duration::from_secs(1)))).await?;
    /// assert!(matches!(late, Err(JobError::TimedOut { .. })));
    ///
    /// cpu.send(Run(Spin(limit))).await??; // the pool has one thread, as before
    /// # Ok(())
    /// # }
    /// ```
    pub fn job_limit(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }

    fn hand_over<J>(&mut self, job: J, limit: Option<Duration>) -> HandOver<W, J> {
        let limit = limit.map(|limit| limit.max(pulse::SHORTEST));
        if let Some((limit, entrance)) = limit.zip(self.entrance.as_ref())
            && limit < self.shortest_limit
        {
            self.shortest_limit = limit;
            entrance.keep_time(limit);
        }
        HandOver { job, limit, entrance: self.entrance.clone() }
    }
}

impl<W: 'static> Actor for CpuPool<W> {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        let entrance = Entrance::open(self.threads, self.factory.clone(), ctx.address().downgrade());
        self.entrance = Some(Arc::new(entrance));
        self.shortest_limit = Duration::MAX;
    }
}

impl<W: 'static, J: CpuJob<W>> Handler<Run<J>> for CpuPool<W> {
    type Result = HandOver<W, J>;

    fn handle(&mut self, Run(job): Run<J>, _: &mut Context<Self>) -> HandOver<W, J> {
        self.hand_over(job, self.limit)
    }
}

impl<W: 'static, J: CpuJob<W>> Handler<RunWithin<J>> for CpuPool<W> {
    type Result = HandOver<W, J>;

    fn handle(&mut self, RunWithin(limit, job): RunWithin<J>, _: &mut Context<Self>) -> HandOver<W, J> {
        self.hand_over(job, Some(limit))
    }
}

impl<W: 'static> Handler<OutOfThreads> for CpuPool<W> {
    type Result = ();

    fn handle(&mut self, notice: OutOfThreads, _: &mut Context<Self>) {
        // An earlier life's threads are no business of this one.
        if self.entrance.as_ref().is_some_and(|entrance| entrance.has_sent(&notice)) {
            exit::exit(notice.reason)
        }
    }
}

/// Gives the job to the threads together with the line to its sender: the answer does not come back through
/// the pool, so neither the pool's end nor a block of its arbiter can hold it up.
#[doc(hidden)]
#[expect(missing_debug_implementations, reason = "nobody gets to hold one")]
pub struct HandOver<W: 'static, J> {
    job: J,
    limit: Option<Duration>,
    entrance: Option<Arc<Entrance<W>>>,
}

impl<W, M, J> MessageResponse<CpuPool<W>, M> for HandOver<W, J>
where
    W: 'static,
    M: Message<Result = Result<J::Result, JobError>>,
    J: CpuJob<W>,
{
    fn handle(self, _: &mut Context<CpuPool<W>>, sender: Option<OneshotSender<M::Result>>) {
        let task = Task { job: self.job, limit: self.limit, answer: Answer(sender) };
        if let Some(entrance) = self.entrance {
            entrance.put(task);
        }
    }
}

impl<W> fmt::Debug for CpuPool<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CpuPool")
            .field("threads", &self.threads)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}
