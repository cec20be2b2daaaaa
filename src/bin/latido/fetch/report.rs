//! What the ledger says of its jobs on the event stream. The views print it; the demo's verdict counts it.

use std::fmt;
use std::time::Duration;

use indicatif::HumanBytes;
use latido::Report;
use log::Level;

use super::job::{Job, Stage};

/// Something happened to a job.
#[derive(Clone, Debug)]
pub(crate) struct JobReport {
    pub(crate) name: String,
    pub(crate) what: What,
}

#[derive(Clone, Debug)]
pub(crate) enum What {
    Done {
        bytes: u64,
    },
    Failed {
        error: String,
    },
    /// A try failed; there will be another.
    Retry {
        error: String,
        wait: Duration,
    },
    /// The actor that worked on it crashed; the stage is done again.
    Lost {
        stage: Stage,
    },
}

impl JobReport {
    pub(crate) fn finished(job: &Job) -> Self {
        Self::new(
            job,
            match job.stage {
                Stage::Failed => What::Failed { error: error(job) },
                _ => What::Done { bytes: job.bytes },
            },
        )
    }

    pub(crate) fn retry(job: &Job, wait: Duration) -> Self {
        Self::new(job, What::Retry { error: error(job), wait })
    }

    pub(crate) fn lost(job: &Job, stage: Stage) -> Self {
        Self::new(job, What::Lost { stage })
    }

    fn new(job: &Job, what: What) -> Self {
        Self { name: job.request.name(), what }
    }
}

fn error(job: &Job) -> String {
    job.error.as_ref().map(ToString::to_string).unwrap_or_default()
}

impl Report for JobReport {
    fn level(&self) -> Level {
        Level::Debug
    }
}

impl fmt::Display for JobReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        match &self.what {
            What::Done { bytes } => write!(f, "{name}: done, {}", HumanBytes(*bytes)),
            What::Failed { error } => write!(f, "{name}: failed: {error}"),
            What::Retry { error, wait } => write!(f, "{name}: {error}; again in {wait:.1?}"),
            What::Lost { stage } => {
                let stage = format!("{stage:?}").to_lowercase();
                write!(f, "{name}: lost while {stage}, which is done again")
            }
        }
    }
}
