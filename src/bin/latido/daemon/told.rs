//! What a daemon knows of itself: heard from its tree's events, written to the log, and told at its door.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use latido::actors::heartbeat::Beat;
use latido::{Event, EventKind, Events};
use log::Level;
use serde::{Deserialize, Serialize};

use super::inbox::ListReport;
use super::log::Log;
use super::signs::Signs;
use crate::fetch::board::Board;
use crate::fetch::job::Stage;
use crate::fetch::report::{JobReport, What};

const HOUR: Duration = Duration::from_secs(3600);
/// So many restarts are remembered; a tree that has more in an hour has long given up.
const RESTARTS: usize = 10_000;
/// So many of the last beats, files and failures.
const LAST: usize = 5;

/// As JSON; see docs/daemon.md.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Status {
    pub(super) pid: u32,
    /// Seconds, as everything here.
    pub(super) uptime: f64,
    pub(super) dir: PathBuf,
    /// How long ago the last sign of life of the main thread and the ledger was.
    pub(super) sign_age: f64,
    /// The last, with the newest at the end.
    pub(super) beats: Vec<String>,
    pub(super) beat_age: Option<f64>,
    pub(super) jobs: Jobs,
    pub(super) done: Vec<String>,
    pub(super) failed: Vec<String>,
    pub(super) lists: Lists,
    pub(super) restarts_last_hour: usize,
    pub(super) restarts: Vec<Restart>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Jobs {
    pub(super) queued: usize,
    pub(super) under_way: usize,
    pub(super) done: usize,
    pub(super) failed: usize,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Lists {
    pub(super) accepted: usize,
    pub(super) rejected: usize,
    /// Where the last of these is kept, with what is wrong in it.
    #[serde(default)]
    pub(super) last_rejected: Option<PathBuf>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Restart {
    pub(super) ago: f64,
    pub(super) part: String,
    pub(super) why: String,
}

#[derive(Clone)]
pub(super) struct Told {
    pub(super) dir: PathBuf,
    pub(super) signs: Arc<Signs>,
    pub(super) board: Arc<Board>,
    pub(super) heard: Arc<Mutex<Heard>>,
}

#[derive(Default)]
pub(super) struct Heard {
    beats: VecDeque<(Instant, String)>,
    done: VecDeque<String>,
    failed: VecDeque<String>,
    lists: Lists,
    restarts: VecDeque<(Instant, Restart)>,
    last_exit: String,
}

impl Told {
    /// Hears and logs all that happens, until the tree has ended.
    pub(super) async fn hear(self, mut events: Events, log: Log) {
        while let Some(event) = events.next().await {
            if let Some(level) = loudness(&event) {
                log.line(level, &event);
            }
            self.heard.lock().unwrap_or_else(PoisonError::into_inner).hear(&event);
        }
    }

    pub(super) fn status(&self) -> Status {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let recent = heard.restarts.iter().filter(|(at, _)| now - *at < HOUR);
        let restarts = recent.clone().rev().take(LAST).map(|(at, restart)| {
            let ago = (now - *at).as_secs_f64();
            Restart { ago, ..restart.clone() }
        });
        let count = |stages: &[Stage]| stages.iter().map(|stage| self.board.count(*stage)).sum();
        Status {
            pid: std::process::id(),
            uptime: self.signs.uptime().as_secs_f64(),
            dir: self.dir.clone(),
            sign_age: self.signs.age().as_secs_f64(),
            beats: heard.beats.iter().map(|(_, beat)| beat.clone()).collect(),
            beat_age: heard.beats.back().map(|(at, _)| (now - *at).as_secs_f64()),
            jobs: Jobs {
                queued: count(&[Stage::Queued]),
                under_way: count(&[Stage::Fetching, Stage::Verifying, Stage::Processing]),
                done: count(&[Stage::Done]),
                failed: count(&[Stage::Failed]),
            },
            done: heard.done.iter().cloned().collect(),
            failed: heard.failed.iter().cloned().collect(),
            lists: heard.lists.clone(),
            restarts_last_hour: recent.count(),
            restarts: restarts.collect(),
        }
    }
}

impl Heard {
    fn hear(&mut self, event: &Event) {
        if let Some(beat) = event.report::<Beat>() {
            push(&mut self.beats, (Instant::now(), beat.to_string()), LAST);
        }
        match event.report::<JobReport>() {
            Some(report @ JobReport { what: What::Done { .. }, .. }) => {
                push(&mut self.done, report.request.name(), LAST);
            }
            Some(report @ JobReport { what: What::Failed { .. }, .. }) => {
                push(&mut self.failed, report.to_string(), LAST);
            }
            _ => {}
        }
        match event.report::<ListReport>() {
            Some(ListReport::Accepted { .. }) => self.lists.accepted += 1,
            Some(ListReport::Rejected { place, .. }) => {
                self.lists.rejected += 1;
                self.lists.last_rejected = Some(place.clone());
            }
            _ => {}
        }
        match &event.kind {
            EventKind::Exited { reason, .. } => self.last_exit = format!("{} {reason}", event.path),
            EventKind::Restarting { .. } => {
                let part = event.path.to_string();
                let why = self.last_exit.strip_prefix(&format!("{part} ")).unwrap_or("restarted");
                let restart = Restart { ago: 0.0, why: why.to_owned(), part };
                push(&mut self.restarts, (Instant::now(), restart), RESTARTS);
            }
            _ => {}
        }
    }
}

fn push<T>(to: &mut VecDeque<T>, value: T, most: usize) {
    to.push_back(value);
    if to.len() > most {
        to.pop_front();
    }
}

/// How loud an event is in the log. Beats have a file of their own.
fn loudness(event: &Event) -> Option<Level> {
    match event.report::<JobReport>().map(|report| &report.what) {
        Some(What::Done { .. }) => Some(Level::Info),
        Some(What::Failed { .. }) => Some(Level::Error),
        Some(What::Retry { .. } | What::Lost { .. }) => Some(Level::Warn),
        Some(What::Started { .. } | What::Verified { .. }) => None,
        None => Some(event.level()).filter(|level| *level <= Level::Info),
    }
}
