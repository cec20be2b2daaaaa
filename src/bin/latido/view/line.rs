//! The lines of `latido fetch --json`.

use std::collections::BTreeMap;
use std::path::Path;

use latido::{Event, EventKind, Incident};
use serde::Serialize;

use crate::exit::Exit;
use crate::fetch::board::Board;
use crate::fetch::job::Stage;
use crate::fetch::report::JobLine;
use crate::fetch::summary::Summary;

/// Counted up when a field is removed or gets another meaning. New ones may come at any time.
pub(crate) const SCHEMA: u32 = 1;

/// What every line has.
#[derive(Serialize)]
pub(super) struct Stamped<'a> {
    pub(super) schema: u32,
    #[serde(flatten)]
    pub(super) line: Any<'a>,
    pub(super) t: f64,
}

/// What is told of a job, or of the run.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Any<'a> {
    Job(JobLine<'a>),
    Run(Line),
}

#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(super) enum Line {
    Begin(Begin),
    Progress { id: i64, received: u64, total: Option<u64> },
    Overall { jobs: usize, done: usize, failed: usize, bytes: u64 },
    Restart { part: String, incarnation: u64, wait: f64, used: u32, intensity: u32, incident: Option<Story> },
    GaveUp { part: String, child: String, reason: String },
    Missed { events: u64 },
    End(End),
}

#[derive(Serialize)]
pub(super) struct Begin {
    version: &'static str,
    time: String,
    pid: u32,
    journal: String,
    jobs: usize,
}

/// Why a part is restarted.
#[derive(Serialize)]
pub(super) struct Story {
    id: u64,
    reason: String,
    on_purpose: bool,
    lived: f64,
    lost: u64,
    kept: u64,
}

#[derive(Serialize)]
pub(crate) struct End {
    exit: u8,
    summary: Option<Counts>,
}

#[derive(Serialize)]
struct Counts {
    jobs: usize,
    done: usize,
    found: usize,
    unverified: usize,
    failed: usize,
    left: usize,
    refused: usize,
    bytes: u64,
    seconds: f64,
    causes: BTreeMap<String, usize>,
}

impl Begin {
    pub(super) fn new(journal: &Path, jobs: usize) -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION"),
            time: jiff::Timestamp::now().to_string(),
            pid: std::process::id(),
            journal: journal.to_string_lossy().into_owned(),
            jobs,
        }
    }
}

impl End {
    /// `summary`: if anybody knows what was done.
    pub(crate) fn new(exit: Exit, summary: Option<&Summary>) -> Self {
        let summary = summary.map(|Summary { tally, found, refused, elapsed }| Counts {
            jobs: tally.jobs,
            done: tally.done,
            found: *found,
            unverified: tally.unverified,
            failed: tally.failed,
            left: tally.left(),
            refused: *refused,
            bytes: tally.bytes,
            seconds: elapsed.as_secs_f64(),
            causes: tally.causes.iter().map(|(cause, count)| (cause.to_string(), *count)).collect(),
        });
        Self { exit: exit as u8, summary }
    }
}

impl Line {
    pub(super) fn restart(event: &Event, incident: Option<&Incident>) -> Option<Self> {
        let EventKind::Restarting { delay, budget, .. } = &event.kind else { return None };
        let story = incident.map(|incident| Story {
            id: incident.id,
            reason: incident.reason.as_ref().map(ToString::to_string).unwrap_or_default(),
            on_purpose: incident.injected.is_some(),
            lived: incident.lived.as_secs_f64(),
            lost: incident.lost,
            kept: incident.kept,
        });
        Some(Self::Restart {
            part: event.path.to_string(),
            incarnation: event.incarnation,
            wait: delay.as_secs_f64(),
            used: budget.used,
            intensity: budget.intensity,
            incident: story,
        })
    }

    pub(super) fn overall(board: &Board) -> Self {
        let (done, failed) = (board.count(Stage::Done), board.count(Stage::Failed));
        Self::Overall { jobs: board.total(), done, failed, bytes: board.bytes() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// It takes tens of thousands of events that nobody reads to see one in a run.
    #[test]
    fn what_a_slow_reader_missed_is_told_as_documented() {
        let line = Stamped { schema: SCHEMA, t: 9.7, line: Any::Run(Line::Missed { events: 812 }) };
        let page = include_str!("../../../../docs/json.md");
        assert!(page.contains(&serde_json::to_string(&line).unwrap()));
    }
}
