//! What a pool says of its workers, and of jobs that cost too many of them.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use log::Level;

use super::super::command::CommandError;
use super::super::exit::ProcessExit;
use crate::Report;

/// What a [`ProcessPool`](super::ProcessPool) reports on its tree's event stream.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum PoolReport {
    /// A worker runs, and takes jobs.
    WorkerReady {
        /// Which of the pool's, counted from 0.
        worker: usize,
        /// Its process id.
        pid: u32,
    },
    /// A worker has ended, or was made to, and is replaced.
    WorkerLost {
        /// Which of the pool's, counted from 0.
        worker: usize,
        /// How it ended. Nothing is left of it.
        exit: ProcessExit,
        /// What became of the job that it had.
        job: JobInHand,
        /// The wait before the next is started.
        delay: Duration,
    },
    /// A worker could not be started, or never took a job, and is about to be started again.
    StartFailed {
        /// Which of the pool's, counted from 0.
        worker: usize,
        /// Why.
        reason: PoolError,
        /// The wait before the next is started.
        delay: Duration,
    },
    /// A job is not run again.
    Quarantined(Quarantine),
}

/// What a worker had to do when it ended, by the job's name, and what becomes of that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JobInHand {
    /// It had none: this cost nobody an attempt.
    None,
    /// It is run again by another worker.
    RunAgain {
        /// Its name.
        job: &'static str,
        /// Which attempt this was, counted from 1.
        attempt: u32,
        /// How many it has.
        attempts: u32,
    },
    /// It was its last attempt: it is quarantined.
    LastAttempt {
        /// Its name.
        job: &'static str,
    },
    /// It was over its time, so the worker was killed.
    TimedOut {
        /// Its name.
        job: &'static str,
        /// How long it was allowed to run.
        limit: Duration,
    },
}

/// The story of a job that cost one worker after the other, and will not be run again: as an error to its sender and as a
/// report on the event stream.
#[derive(Clone)]
pub struct Quarantine(Arc<Story>);

struct Story {
    job: &'static str,
    bytes: Vec<u8>,
    deaths: Vec<ProcessExit>,
}

/// Why a pool fails.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PoolError {
    /// This program has not said which jobs a worker can do.
    #[error("a process pool needs to know its jobs: begin `main` with `Jobs::new().job::<..>(..).init()`")]
    NoJobs,
    /// A worker could not be started.
    #[error("a worker could not be started: {0}")]
    Start(Arc<CommandError>),
    /// A worker ended before it took a job.
    #[error("a worker never took a job: {0}")]
    NeverReady(ProcessExit),
}

impl Quarantine {
    pub(super) fn new(job: &'static str, bytes: Vec<u8>, deaths: Vec<ProcessExit>) -> Self {
        Self(Arc::new(Story { job, bytes, deaths }))
    }

    /// The job's name.
    pub fn job(&self) -> &'static str {
        self.0.job
    }

    /// The job itself, as MessagePack: to look into, or to try it again where it does no harm.
    pub fn bytes(&self) -> &[u8] {
        &self.0.bytes
    }

    /// How each worker ended that had it, the first one first.
    pub fn deaths(&self) -> &[ProcessExit] {
        &self.0.deaths
    }
}

impl fmt::Display for Quarantine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Story { job, deaths, .. } = &*self.0;
        write!(f, "job {job} is quarantined: it has cost {} workers", deaths.len())?;
        for (n, exit) in (1..).zip(deaths) {
            write!(f, "; attempt {n}: {exit}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Quarantine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Story { job, bytes, deaths } = &*self.0;
        let mut debug = f.debug_struct("Quarantine");
        debug.field("job", job).field("bytes", &bytes.len()).field("deaths", deaths).finish()
    }
}

impl Error for Quarantine {}

impl Report for PoolReport {
    fn level(&self) -> Level {
        match self {
            Self::WorkerReady { .. } => Level::Debug,
            Self::WorkerLost { .. } | Self::StartFailed { .. } => Level::Warn,
            Self::Quarantined(_) => Level::Error,
        }
    }

    #[cfg(feature = "control")]
    fn data(&self) -> serde_json::Value {
        use serde_json::json;
        match self {
            Self::WorkerReady { worker, pid } => {
                json!({ "event": "worker_ready", "worker": worker, "pid": pid })
            }
            Self::WorkerLost { worker, exit, job, delay } => json!({
                "event": "worker_lost", "worker": worker, "exit": exit.data(), "job": job.data(),
                "delay": delay.as_secs_f64(),
            }),
            Self::StartFailed { worker, reason, delay } => json!({
                "event": "start_failed", "worker": worker, "reason": reason.to_string(),
                "delay": delay.as_secs_f64(),
            }),
            Self::Quarantined(quarantine) => json!({
                "event": "quarantined", "job": quarantine.job(),
                "exits": quarantine.deaths().iter().map(ProcessExit::data).collect::<Vec<_>>(),
            }),
        }
    }
}

impl fmt::Display for PoolReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WorkerReady { worker, pid } => write!(f, "worker {worker} runs as process {pid}"),
            Self::WorkerLost { exit, job, delay, .. } => {
                write!(f, "{exit}, {job}")?;
                after(*delay, f)
            }
            Self::StartFailed { worker, reason, delay } => {
                write!(f, "worker {worker}: {reason}")?;
                after(*delay, f)
            }
            Self::Quarantined(quarantine) => quarantine.fmt(f),
        }
    }
}

fn after(delay: Duration, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match delay.is_zero() {
        true => f.write_str("; another is started at once"),
        false => write!(f, "; another is started in {delay:.1?}"),
    }
}

impl JobInHand {
    #[cfg(feature = "control")]
    fn data(self) -> serde_json::Value {
        let (job, fate) = match self {
            Self::None => return serde_json::Value::Null,
            Self::RunAgain { job, .. } => (job, "run_again"),
            Self::LastAttempt { job } => (job, "quarantined"),
            Self::TimedOut { job, .. } => (job, "timed_out"),
        };
        serde_json::json!({ "name": job, "fate": fate })
    }
}

impl fmt::Display for JobInHand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("without a job"),
            Self::RunAgain { job, attempt, attempts } => {
                write!(f, "in job {job}, attempt {attempt} of {attempts}, which is run again")
            }
            Self::LastAttempt { job } => write!(f, "in job {job}, which is not run again"),
            Self::TimedOut { job, limit } => write!(f, "because job {job} was not done within {limit:?}"),
        }
    }
}
