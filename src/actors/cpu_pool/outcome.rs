//! What becomes of jobs that have no result: what their senders hear, and what the event stream says.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use log::Level;

#[cfg(all(feature = "process", target_os = "linux"))]
use crate::actors::process::pool::Quarantine;
use crate::{ExitReason, Report};

/// Why there is no result. The pool is as good as before, unless it says that it ended.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JobError {
    /// The job panicked, or called [`crash`](crate::crash). The thread's state is built anew.
    #[error("the job {0}")]
    Panicked(ExitReason),
    /// The state of the thread could not be built, so the job did not run. The next job tries again.
    #[error("the worker could not be built: its factory {0}")]
    WorkerInit(ExitReason),
    /// The job ran for longer than it may. In a process it was killed. On a thread it may still be running, one that is no
    /// longer the pool's; what it returns is dropped.
    #[error("the job was not done within its limit of {limit:?}")]
    TimedOut {
        /// How long it was allowed to run.
        limit: Duration,
    },
    /// The pool had no thread left for the job, so it did not run: sending it again repeats nothing.
    #[error("the pool ended before the job ran; send it again")]
    Lost,
    /// The process pool ended while the job ran: it was killed, and what it had done by then is done.
    #[error("the pool ended while the job ran")]
    Interrupted,
    /// The job is not among the [`Jobs`](super::super::process::pool::Jobs) that a worker process can do, so it did not
    /// run.
    #[cfg(all(feature = "process", target_os = "linux"))]
    #[error("there is no job {job} in a worker: name it where `main` begins, in `Jobs::new().job::<..>(..)`")]
    NotRegistered {
        /// Its type, or its name if the pool knows it and the worker does not.
        job: &'static str,
    },
    /// The job, which then did not run, or its result is too large to be sent between processes.
    #[error(
        "{bytes} bytes are too many: a job and its result may have {max}; send the name of a file instead"
    )]
    TooLarge {
        /// What it has.
        bytes: usize,
        /// What it may have.
        max: usize,
    },
    /// The job, which then did not run, or its result cannot be sent between processes: serde says why.
    #[error("it cannot be sent between processes: {0}")]
    NotSerializable(String),
    /// The job has cost one worker process after the other, as often as it may, and is not run again.
    #[cfg(all(feature = "process", target_os = "linux"))]
    #[error(transparent)]
    Quarantined(Quarantine),
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

    #[cfg(feature = "control")]
    fn data(&self) -> serde_json::Value {
        serde_json::json!({ "event": "job_panicked", "job": self.job, "reason": self.reason.to_string() })
    }
}

impl fmt::Display for JobPanicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "job {} {}", self.job, self.reason)
    }
}

/// The pool's word on its tree's event stream when a job ran for longer than it may. Also the failure by which a pool
/// ends that has left too many threads behind.
#[derive(Clone, Debug)]
pub struct JobTimedOut {
    /// The type of the job.
    pub job: &'static str,
    /// How long it was allowed to run.
    pub limit: Duration,
}

impl Report for JobTimedOut {
    fn level(&self) -> Level {
        Level::Error
    }

    #[cfg(feature = "control")]
    fn data(&self) -> serde_json::Value {
        serde_json::json!({ "event": "job_timed_out", "job": self.job, "limit": self.limit.as_secs_f64() })
    }
}

impl fmt::Display for JobTimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { job, limit } = self;
        write!(
            f,
            "job {job} was not done within {limit:?} and was left behind; its thread is lost until it returns"
        )
    }
}

impl Error for JobTimedOut {}
