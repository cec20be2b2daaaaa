//! What the ledger says of its jobs on the event stream. The views print it; the demo's verdict counts it.

use std::fmt;
use std::time::Duration;

use indicatif::HumanBytes;
use latido::Report;
use latido::actors::downloader::redacted;
use latido::incident::{Consequence, Trouble};
use log::Level;
use serde_json::Value;

use super::cause::{Cause, Failure};
use super::checksum::Checksum;
use super::job::{Job, Stage};
use super::request::Request;

mod line;

pub(crate) use line::JobLine;

/// Something happened to a job.
#[derive(Clone, Debug)]
pub(crate) struct JobReport {
    pub(crate) id: i64,
    pub(crate) request: Request,
    pub(crate) what: What,
    /// What held it up last.
    trouble: Option<Trouble>,
}

#[derive(Clone, Debug)]
pub(crate) enum What {
    /// It was given to a downloader. Told only where somebody wants to know.
    Started {
        url: Box<str>,
        attempt: u32,
    },
    /// It is complete, under its name, and what was asked for. Told only where somebody wants to know.
    Verified {
        bytes: u64,
        checksum: Checksum,
    },
    /// `output`: what the command said, if it was one for this file alone.
    Done {
        bytes: u64,
        output: Option<Box<str>>,
    },
    Failed {
        error: Failure,
        tries: u32,
        output: Option<Box<str>>,
    },
    /// A try failed; there will be another.
    Retry {
        error: Failure,
        tries: u32,
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
                Stage::Failed => {
                    What::Failed { error: error(job), tries: job.failed_tries(), output: job.output.clone() }
                }
                _ => What::Done { bytes: job.bytes, output: job.output.clone() },
            },
        )
    }

    pub(crate) fn started(job: &Job) -> Self {
        Self::new(job, What::Started { url: redacted(job.url()).into(), attempt: job.attempt })
    }

    pub(crate) fn verified(job: &Job, checksum: &Checksum) -> Self {
        Self::new(job, What::Verified { bytes: job.bytes, checksum: checksum.clone() })
    }

    pub(crate) fn retry(job: &Job, wait: Duration) -> Self {
        Self::new(job, What::Retry { error: error(job), tries: job.failed_tries(), wait })
    }

    pub(crate) fn lost(job: &Job, stage: Stage) -> Self {
        Self::new(job, What::Lost { stage })
    }

    fn new(job: &Job, what: What) -> Self {
        Self { id: job.id, request: job.request.clone(), what, trouble: None }
    }

    /// What came before.
    pub(crate) fn after(self, trouble: Option<Trouble>) -> Self {
        Self { trouble, ..self }
    }
}

fn error(job: &Job) -> Failure {
    job.error.clone().unwrap_or_else(|| Failure::new(Cause::Other, "no reason known"))
}

impl Report for JobReport {
    fn level(&self) -> Level {
        Level::Debug
    }

    fn consequence(&self) -> Option<Consequence> {
        let of = self.trouble.clone()?;
        let is_settled = matches!(self.what, What::Done { .. } | What::Failed { .. });
        Some(Consequence { of, matter: self.request.target.display().to_string(), is_settled })
    }

    /// A line of `--json`, without what the command said, which may be long: the journal has it.
    fn data(&self) -> Value {
        let mut line = serde_json::to_value(JobLine::of(self)).expect("texts and numbers are always json");
        if let Value::Object(fields) = &mut line {
            fields.remove("output");
        }
        line
    }
}

impl fmt::Display for JobReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.request.name();
        match &self.what {
            What::Started { .. } => write!(f, "{name}: on its way"),
            What::Verified { checksum, .. } => write!(f, "{name}: is {checksum}"),
            What::Done { bytes, .. } => write!(f, "{name}: done, {}", HumanBytes(*bytes)),
            What::Failed { error, .. } => write!(f, "{name}: failed: {error}"),
            What::Retry { error, wait, .. } if wait.is_zero() => write!(f, "{name}: again at once: {error}"),
            What::Retry { error, wait, .. } => write!(f, "{name}: again in {wait:.1?}: {error}"),
            What::Lost { stage } => {
                let stage = stage.name();
                write!(f, "{name}: lost while {stage}, which is done again")
            }
        }
    }
}
