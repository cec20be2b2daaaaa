//! What failed, what was decided about it, and what came of that: the events of one failure, put together into a story.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::time::{Duration, SystemTime};

use crate::event::{Budget, Event, EventKind, Wait};
use crate::exit::ExitReason;
use crate::fault::Fault;
use crate::path::TreePath;

/// One failure of one child, from its end to its return. As text it is a story of a few lines:
///
/// ```text
/// incident 17: app/fetch #3 panicked: no such table at src/fetch.rs:20:9, after 1.2s
///   it was put there on purpose: panic
///   lost 1 message that was being handled; 12 that were waiting are kept
///   decision: restart 3 of 5 in 10s; wait 420ms = min(5s, 100ms x 2^2 x 1.05)
///   the oldest of these restarts is forgotten in 4.2s
///   stopped with it: app/writer (3ms), app/sorter (12ms)
///   up again as #4, 431ms after it failed
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Incident {
    /// The number of the event with which it began, see [`Event::seq`].
    pub id: u64,
    /// When it began, by the wall clock.
    pub at: SystemTime,
    /// Who failed.
    pub path: TreePath,
    /// In which of its lives.
    pub incarnation: u64,
    /// How that ended.
    pub reason: ExitReason,
    /// How long it had run.
    pub lived: Duration,
    /// What was put into it on purpose, if that is what ended it.
    pub injected: Option<Fault>,
    /// Messages that were being handled.
    pub lost: u64,
    /// Messages that were waiting, and are kept.
    pub kept: u64,
    /// What the supervisor decided.
    pub decision: Decision,
    /// Who was stopped with it, in this order, and how long each took.
    pub stopped: Vec<(TreePath, Duration)>,
    /// How long it was down. `None` while it is.
    pub down: Option<Duration>,
}

/// What a supervisor decides about a failure.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Decision {
    /// It stays down: that is its restart type, or its supervisor is stopping.
    StaysDown,
    /// It is started again.
    Restart {
        /// The wait before it.
        delay: Duration,
        /// How that was found.
        wait: Wait,
        /// The supervisor's restarts, this one included.
        budget: Budget,
        /// Who restarts with it.
        siblings: Vec<TreePath>,
    },
    /// The supervisor is out of restarts, and fails in its turn.
    GiveUp(Budget),
}

/// How many incidents a tree remembers.
const REMEMBERED: usize = 256;

/// Puts incidents together, event by event.
#[derive(Default)]
pub(crate) struct Book {
    incidents: VecDeque<Incident>,
    /// The incident of each child that is down, by its id.
    open: HashMap<TreePath, u64>,
    /// The last fault of a child that has not ended since.
    faults: HashMap<TreePath, (u64, Fault)>,
}

impl Book {
    pub(crate) fn note(&mut self, event: &Event) {
        let Event { path, incarnation, .. } = event;
        match &event.kind {
            EventKind::Injected(fault) => {
                self.faults.insert(path.clone(), (*incarnation, fault.clone()));
            }
            EventKind::Exited { reason, .. } if !reason.is_normal() => self.begin(event),
            EventKind::Restarting { delay, wait, budget, siblings, .. } => {
                let (delay, wait, budget, siblings) = (*delay, *wait, *budget, siblings.clone());
                self.decide(path, Decision::Restart { delay, wait, budget, siblings });
            }
            EventKind::GaveUp { child, budget, .. } => {
                self.decide(child, Decision::GiveUp(*budget));
                self.open.remove(child);
            }
            EventKind::Stopped { took, .. } => self.stopped(path, *took),
            EventKind::Started => self.end(event),
            _ => {}
        }
    }

    /// Those that are remembered, the oldest first.
    pub(crate) fn incidents(&self) -> Vec<Incident> {
        self.incidents.iter().cloned().collect()
    }

    fn begin(&mut self, event: &Event) {
        let EventKind::Exited { reason, lived, lost, kept } = &event.kind else {
            return;
        };
        let fault = self.faults.remove(&event.path).filter(|(of, _)| *of == event.incarnation);
        if self.incidents.len() == REMEMBERED
            && let Some(oldest) = self.incidents.pop_front()
            && self.open.get(&oldest.path) == Some(&oldest.id)
        {
            // A child that stays down never comes up to be taken off the list.
            self.open.remove(&oldest.path);
        }
        self.open.insert(event.path.clone(), event.seq);
        self.incidents.push_back(Incident {
            id: event.seq,
            at: event.at,
            path: event.path.clone(),
            incarnation: event.incarnation,
            reason: reason.clone(),
            lived: *lived,
            injected: fault.map(|(_, fault)| fault),
            lost: *lost,
            kept: *kept,
            decision: Decision::StaysDown,
            stopped: Vec::new(),
            down: None,
        });
    }

    fn decide(&mut self, path: &TreePath, decision: Decision) {
        if let Some(incident) = self.open.get(path).copied().and_then(|id| self.find(id)) {
            incident.decision = decision;
        }
    }

    /// A child was stopped: with a sibling that failed, perhaps.
    fn stopped(&mut self, path: &TreePath, took: Duration) {
        let takes_along = |incident: &Incident| match &incident.decision {
            Decision::Restart { siblings, .. } => siblings.contains(path),
            _ => false,
        };
        let open: Vec<u64> = self.open.values().copied().collect();
        for id in open {
            if let Some(incident) = self.find(id).filter(|incident| takes_along(incident)) {
                incident.stopped.push((path.clone(), took));
            }
        }
    }

    fn end(&mut self, event: &Event) {
        self.faults.remove(&event.path);
        if let Some(incident) = self.open.remove(&event.path).and_then(|id| self.find(id)) {
            incident.down = Some(event.at.duration_since(incident.at).unwrap_or_default());
        }
    }

    fn find(&mut self, id: u64) -> Option<&mut Incident> {
        let place = self.incidents.binary_search_by_key(&id, |incident| incident.id).ok()?;
        self.incidents.get_mut(place)
    }
}

impl fmt::Display for Incident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, path, incarnation, reason, lived, .. } = self;
        write!(f, "incident {id}: {path} #{incarnation} {reason}, after {lived:.1?}")?;
        if let Some(fault) = &self.injected {
            write!(f, "\n  it was put there on purpose: {fault}")?;
        }
        match (self.lost, self.kept) {
            (0, 0) => {}
            (0, kept) => write!(f, "\n  lost no message; {kept} that were waiting are kept")?,
            (lost, 0) => write!(f, "\n  lost {lost} message that was being handled; none was waiting")?,
            (lost, kept) => write!(
                f,
                "\n  lost {lost} message that was being handled; {kept} that were waiting are kept"
            )?,
        }
        match &self.decision {
            Decision::StaysDown => write!(f, "\n  decision: it stays down")?,
            Decision::GiveUp(budget) => write!(
                f,
                "\n  decision: no restart: it would be number {} of {} in {:?}; its supervisor gives up",
                budget.used, budget.intensity, budget.period
            )?,
            Decision::Restart { delay, wait, budget, .. } => {
                match delay.is_zero() {
                    true => write!(f, "\n  decision: {budget}, at once")?,
                    false => write!(f, "\n  decision: {budget}; wait {delay:.1?} = {wait}")?,
                }
                write!(f, "\n  the oldest of these restarts is forgotten in {:.1?}", budget.frees_in)?;
            }
        }
        if !self.stopped.is_empty() {
            let stopped: Vec<_> =
                self.stopped.iter().map(|(path, took)| format!("{path} ({took:.1?})")).collect();
            write!(f, "\n  stopped with it: {}", stopped.join(", "))?;
        }
        match (&self.decision, self.down) {
            (_, Some(down)) => {
                write!(f, "\n  up again as #{}, {down:.1?} after it failed", self.incarnation + 1)
            }
            (Decision::Restart { .. }, None) => f.write_str("\n  not up again yet"),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(seq: u64, path: &str, kind: EventKind) -> Event {
        Event { seq, at: SystemTime::now(), path: TreePath::root(path), incarnation: 1, kind }
    }

    fn failed(seq: u64, path: &str) -> Event {
        let lived = Duration::ZERO;
        event(seq, path, EventKind::Exited { reason: ExitReason::failed("x"), lived, lost: 0, kept: 0 })
    }

    fn restarting(seq: u64, path: &str, siblings: &[&str]) -> Event {
        let wait = Wait { first: Duration::ZERO, doublings: 0, stretch: 1.0, cap: Duration::ZERO };
        let period = Duration::from_secs(5);
        let budget = Budget { used: 1, intensity: 3, period, frees_in: period };
        let siblings = siblings.iter().map(|path| TreePath::root(path)).collect();
        event(seq, path, EventKind::Restarting { delay: Duration::ZERO, wait, failures: 1, budget, siblings })
    }

    #[test]
    fn children_that_come_fail_and_stay_down_are_forgotten_in_time() {
        let mut book = Book::default();
        (1..10_000).for_each(|seq| book.note(&failed(seq, &format!("job-{seq}"))));
        assert_eq!((book.incidents.len(), book.open.len()), (REMEMBERED, REMEMBERED));
    }

    #[test]
    fn who_was_stopped_is_told_by_its_own_incident_whatever_failed_since() {
        let mut book = Book::default();
        book.note(&failed(1, "a"));
        book.note(&restarting(2, "a", &["b"]));
        for seq in 3..9 {
            book.note(&failed(seq * 2, "other"));
            book.note(&event(seq * 2 + 1, "other", EventKind::Started));
        }
        book.note(&event(30, "b", EventKind::Stopped { reason: ExitReason::Shutdown, took: Duration::ZERO }));
        assert_eq!(book.incidents()[0].stopped[0].0, "b");
        assert!(book.incidents()[1..].iter().all(|incident| incident.stopped.is_empty()));
    }
}
