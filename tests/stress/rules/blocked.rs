//! Which threads were blocked. Whoever lives on one is left behind, and may still be there when its successor begins.

use std::thread::ThreadId;
use std::time::Duration;

use latido::exit::Kill;
use latido::{EventKind, ExitReason};

use crate::history::{At, History, Life};
use crate::notes::Note;
use crate::plan::Kind;

/// How long a supervisor waits for a child that it has killed, and that may hang.
const KILL_PATIENCE: Duration = Duration::from_secs(1);

/// Those who are left behind together are told of one after the other, with few events in between.
const TOGETHER: At = 200;

/// Each thread, where it is known, and since when it is.
pub(super) struct Blocked(Vec<(Option<ThreadId>, At)>);

impl Blocked {
    pub(super) fn of(history: &History<'_>) -> Self {
        let events = history.events.iter().enumerate();
        let blocked = events.filter_map(|(at, event)| {
            let life = history.life(&event.path, event.incarnation)?;
            let is_gone = || life.dropped.is_some_and(|dropped| dropped < at);
            let is_watched = || {
                let plan = history.plan_of(&event.path);
                plan.is_some_and(|plan| matches!(&plan.kind, Kind::Worker(worker) if worker.watched))
            };
            let blocks = match (&event.kind, event.report()) {
                (_, Some(Note::Hangs)) => true,
                // Not planned, but the processor was taken from it, or from its whole thread. It may be back by the time
                // at which that is told, and its neighbours have been left behind all the same.
                (EventKind::Exited { reason: ExitReason::Unresponsive { .. }, .. }, _) => true,
                (EventKind::Stopped { reason: ExitReason::Unresponsive { .. }, .. }, _) => true,
                (EventKind::Stopped { reason: ExitReason::Killed(Kill::Displaced), .. }, _) => false,
                (EventKind::Stopped { reason: ExitReason::Killed(_), took }, _) => {
                    *took >= KILL_PATIENCE || life.thread.is_some() && is_watched() && !is_gone()
                }
                _ => false,
            };
            blocks.then_some((life.thread, at))
        });
        Self(blocked.collect())
    }

    /// Whether a life that ended at `end` may have been left behind.
    pub(super) fn explains(&self, life: &Life<'_>, end: At) -> bool {
        self.0.iter().any(|&(thread, since)| match thread {
            Some(_) => thread == life.thread && since <= end,
            None => since <= end && end < since + TOGETHER,
        })
    }
}
