//! CPU jobs in processes: what no thread survives, an abort, a stack overflow, memory that has run out, a segmentation
//! fault in C, costs one worker process, and its job an attempt.
//!
//! A job is a [`CpuJob`] that is serialisable, as is its result. It is sent with the same [`Run`] as to a
//! [`CpuPool`](crate::actors::cpu_pool::CpuPool), and answered with the same [`JobError`]. The workers are this program's
//! own executable, started again; [`Jobs::init`], with which `main` has to begin, is where they go their own way.
//!
//! ```
//! use actix::prelude::*;
//! use latido::actors::cpu_pool::{CpuJob, Run};
//! use latido::actors::process::pool::{Jobs, ProcessPool};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Message, Serialize, Deserialize)]
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
//! Jobs::new().job::<SumTo>("sum-to").init(); // the first statement of `main`
//! let pool = ProcessPool::new(2).start(); // in a tree: ChildSpec::new("pool", || ProcessPool::new(2))
//! assert_eq!(pool.send(Run(SumTo(100))).await??, 5050);
//! # Ok(())
//! # }
//! ```
//!
//! # When a worker ends
//!
//! - In the middle of a job: that costs the job an attempt. It is run again by another worker, behind the jobs that wait,
//!   when nothing is left of the worker that had it. After [`max_attempts`](ProcessPool::max_attempts) it is
//!   [quarantined](Quarantine): not run again, told on the event stream with how each worker ended, and so is its
//!   sender. So **a job may have been run in part before it is run**: what it does to the world has to bear that.
//! - Between two jobs: it is replaced, and costs no job anything.
//! - Because of its job's [limit](ProcessPool::job_limit): it was killed, and the job runs no more when its sender hears of
//!   that. It is not run again.
//!
//! A panic ends no worker. It is the sender's error, as on a thread.
//!
//! # Who restarts workers
//!
//! The pool, and not its supervisor: a job that kills its worker is not the pool's failure, and must not use up the
//! restarts that a supervisor allows. The worker is replaced at once, because the job pays, with an attempt of which it
//! has few. Where there is no job to pay the pool waits: 10 ms, doubled with each worker in a row that has done no job, up to a
//! second. If five
//! workers in a row, of all places together, end before they take a job, then there is something wrong that a pool cannot
//! cure: it fails with the [`PoolError`], and its supervisor decides.

mod errand;
mod jobs;
mod report;
mod slot;
mod wire;
mod work;
mod worker;

use std::any::type_name;
use std::cell::Cell;
use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::thread;
use std::time::Duration;

use actix::dev::{MessageResponse, OneshotSender};
use actix::prelude::*;
use futures::future::{Either, select};
use futures::stream::{FuturesUnordered, TryStreamExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};

use self::errand::{Errand, Queue};
pub use self::jobs::Jobs;
use self::jobs::WORKER;
pub use self::report::{JobInHand, PoolError, PoolReport, Quarantine};
use self::slot::{Shared, Slot};
use super::command::Command;
use super::guard::GUARDS_PROGRAM;
use super::messages::Line;
use super::sink::Sink;
use crate::actors::cpu_pool::{Answer, CpuJob, JobError, Run, RunWithin};
use crate::{Reporter, crash};

/// Runs jobs in worker processes of its own, each of which is kept from job to job. See the [module](self).
///
/// The actor is up when all of its workers are ready. When it is asked to stop, or fails, its workers are killed, with all
/// that the jobs have started; senders hear [`JobError::Interrupted`] of a job that ran and [`JobError::Lost`] of one that
/// did not. If this program is killed, by SIGKILL even, they end with it.
pub struct ProcessPool {
    workers: usize,
    command: Command,
    max_attempts: u32,
    limit: Option<Duration>,
    lines: Sink,
    /// While it has workers.
    shared: Option<Rc<Shared>>,
}

type Crew = Pin<Box<dyn Future<Output = Result<(), PoolError>>>>;

impl ProcessPool {
    /// A pool of so many worker processes; 0 means one per core.
    pub fn new(workers: usize) -> Self {
        Self {
            workers: match workers {
                0 => thread::available_parallelism().map_or(1, usize::from),
                workers => workers,
            },
            command: Command::new(GUARDS_PROGRAM).arg(WORKER),
            max_attempts: 3,
            limit: None,
            lines: Sink::Nobody,
            shared: None,
        }
    }

    /// How many workers a job may cost before it is quarantined; 3 unless set. With 1 no job is ever run again.
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts.max(1);
        self
    }

    /// How long a job may run that is sent with [`Run`]; without this, for ever. [`RunWithin`] sets it for one job. The time
    /// counts from when a worker is given the job. Then the worker is killed, and the sender hears
    /// [`JobError::TimedOut`].
    pub fn job_limit(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Sets on which terms the workers run: how much memory they may have, how nice they are, their environment.
    ///
    /// ```
    /// use latido::actors::process::pool::ProcessPool;
    ///
    /// let pool = ProcessPool::new(0).workers(|worker| worker.memory_limit(1 << 30).nice(5));
    /// ```
    pub fn workers(mut self, terms: impl FnOnce(Command) -> Command) -> Self {
        self.command = terms(self.command);
        self
    }

    /// Sends each line that a job prints, to either output, to `lines`, at the reader's pace; all of them are of
    /// [`StdStream::Err`](super::StdStream::Err). Without this they are dropped, but for a worker's last words, which are
    /// in its exit.
    pub fn lines_to(mut self, lines: Recipient<Line>) -> Self {
        self.lines = Sink::Lines(lines);
        self
    }

    fn hire(&self) -> Rc<Shared> {
        Rc::new(Shared {
            command: self.command.clone(),
            max_attempts: self.max_attempts,
            lines: self.lines.clone(),
            queue: Queue::default(),
            reporter: Reporter::current(),
            stop: watch::Sender::new(false),
            unready: Cell::new(self.workers),
            is_ready: Notify::new(),
            failed_starts: Cell::new(0),
        })
    }

    fn ended(&mut self, ended: Result<(), PoolError>, ctx: &mut Context<Self>) {
        // From here on `stopping` has nothing to wait for.
        self.shared = None;
        match ended {
            Ok(()) => ctx.stop(),
            Err(error) => crash(error),
        }
    }

    fn hand_over<J>(&self, job: J, limit: Option<Duration>) -> HandOver
    where
        J: CpuJob + Serialize,
    {
        let order = match jobs::name_of::<J>() {
            Some(name) => wire::order(name, job).map(|frame| (name, frame)),
            None => Err(JobError::NotRegistered { job: type_name::<J>() }),
        };
        HandOver { order, limit, shared: self.shared.clone() }
    }
}

impl Actor for ProcessPool {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        // An actor whose arbiter has ended is started after the runtime.
        if Handle::try_current().is_err() {
            return ctx.stop();
        }
        if !jobs::are_known() {
            crash(PoolError::NoJobs);
        }
        let shared = self.hire();
        let crew: Crew = Box::pin(crew(shared.clone(), self.workers));
        let ready = shared.clone();
        let ready = Box::pin(async move { ready.is_ready.notified().await });
        self.shared = Some(shared);
        ctx.wait(select(crew, ready).into_actor(self).map(|first, act, ctx| match first {
            Either::Left((ended, _)) => act.ended(ended, ctx),
            Either::Right(((), crew)) => {
                ctx.spawn(crew.into_actor(act).map(|ended, act, ctx| act.ended(ended, ctx)));
            }
        }));
    }

    fn stopping(&mut self, _: &mut Context<Self>) -> Running {
        match &self.shared {
            Some(shared) if Handle::try_current().is_ok() => {
                shared.stop.send_replace(true);
                shared.queue.clear();
                Running::Continue
            }
            _ => Running::Stop,
        }
    }
}

/// All places, until the pool is to end or one of them cannot go on.
async fn crew(shared: Rc<Shared>, workers: usize) -> Result<(), PoolError> {
    let slots = (0..workers).map(|number| Slot::new(number, &shared).serve());
    let mut slots = slots.collect::<FuturesUnordered<_>>();
    while slots.try_next().await?.is_some() {}
    Ok(())
}

impl<J> Handler<Run<J>> for ProcessPool
where
    J: CpuJob + Serialize,
    J::Result: DeserializeOwned,
{
    type Result = HandOver;

    fn handle(&mut self, Run(job): Run<J>, _: &mut Context<Self>) -> HandOver {
        self.hand_over(job, self.limit)
    }
}

impl<J> Handler<RunWithin<J>> for ProcessPool
where
    J: CpuJob + Serialize,
    J::Result: DeserializeOwned,
{
    type Result = HandOver;

    fn handle(&mut self, RunWithin(limit, job): RunWithin<J>, _: &mut Context<Self>) -> HandOver {
        self.hand_over(job, Some(limit))
    }
}

/// Gives the job to the workers together with the line to its sender.
#[doc(hidden)]
#[expect(missing_debug_implementations, reason = "nobody gets to hold one")]
pub struct HandOver {
    order: Result<(&'static str, Vec<u8>), JobError>,
    limit: Option<Duration>,
    shared: Option<Rc<Shared>>,
}

impl<M, R> MessageResponse<ProcessPool, M> for HandOver
where
    M: Message<Result = Result<R, JobError>>,
    R: DeserializeOwned + Send + 'static,
{
    fn handle(self, _: &mut Context<ProcessPool>, sender: Option<OneshotSender<M::Result>>) {
        let answer = Answer(sender);
        match (self.order, self.shared) {
            (Err(error), _) => answer.send(Err(error)),
            (Ok((name, frame)), Some(shared)) => {
                shared.queue.put(Errand::new(name, frame, self.limit, answer));
            }
            (Ok(_), None) => drop(answer), // it is lost, and says so
        }
    }
}

impl fmt::Debug for ProcessPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessPool")
            .field("workers", &self.workers)
            .field("max_attempts", &self.max_attempts)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}
