//! What happened to a job, for programs: a line of `latido fetch --json`, and what an event of the door has as its data.

use serde::Serialize;

use super::{JobReport, What};
use crate::fetch::cause::Failure;

/// `docs/json.md` says what each means.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum JobLine<'a> {
    Started {
        id: i64,
        path: String,
        url: &'a str,
        attempt: u32,
    },
    Verified {
        id: i64,
        path: String,
        bytes: u64,
        checksum: String,
        /// Whether one was asked for, and is this.
        asked: bool,
    },
    Done {
        id: i64,
        path: String,
        bytes: u64,
        output: Option<&'a str>,
    },
    Retry {
        id: i64,
        path: String,
        tries: u32,
        wait: f64,
        cause: String,
        error: &'a str,
    },
    Lost {
        id: i64,
        path: String,
        stage: &'static str,
    },
    Failed {
        id: i64,
        path: String,
        tries: u32,
        cause: String,
        error: &'a str,
        output: Option<&'a str>,
    },
}

impl<'a> JobLine<'a> {
    pub(crate) fn of(report: &'a JobReport) -> Self {
        let id = report.id;
        let path = report.request.target.to_string_lossy().into_owned();
        match &report.what {
            What::Started { url, attempt } => Self::Started { id, path, url, attempt: *attempt },
            What::Verified { bytes, checksum } => Self::Verified {
                id,
                path,
                bytes: *bytes,
                checksum: checksum.to_string(),
                asked: report.request.checksum.is_some(),
            },
            What::Done { bytes, output } => Self::Done { id, path, bytes: *bytes, output: output.as_deref() },
            What::Failed { error: Failure { cause, text }, tries, output } => Self::Failed {
                id,
                path,
                tries: *tries,
                cause: cause.to_string(),
                error: text,
                output: output.as_deref(),
            },
            What::Retry { error: Failure { cause, text }, tries, wait } => Self::Retry {
                id,
                path,
                tries: *tries,
                wait: wait.as_secs_f64(),
                cause: cause.to_string(),
                error: text,
            },
            What::Lost { stage } => Self::Lost { id, path, stage: stage.name() },
        }
    }
}
