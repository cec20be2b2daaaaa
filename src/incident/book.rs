//! Puts incidents together, event by event.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use super::{Decision, Incident};
use crate::event::{Event, EventKind};
use crate::exit::ExitReason;
use crate::fault::Fault;
use crate::path::TreePath;

/// How many incidents a tree remembers.
const REMEMBERED: usize = 256;

#[derive(Default)]
pub(crate) struct Book {
    incidents: VecDeque<Incident>,
    /// Those of children that are down with siblings.
    of_groups: Vec<u64>,
    /// The last fault of a child that has not ended since.
    faults: HashMap<TreePath, (u64, Fault)>,
}

/// The incident from which a child has not recovered: the number with which it began, or 0. Kept by the child, so that
/// nobody has to look for it.
#[derive(Debug, Default)]
pub(crate) struct Open(AtomicU64);

impl Book {
    pub(crate) fn note(&mut self, event: &Event, open: &Open) {
        let Event { path, incarnation, .. } = event;
        match &event.kind {
            // These end no life.
            EventKind::Injected(Fault::Delay(_) | Fault::Drop(_) | Fault::Flood(_) | Fault::Heal) => {}
            EventKind::Injected(fault) => {
                self.faults.insert(path.clone(), (*incarnation, fault.clone()));
            }
            EventKind::Exited { reason, .. } if !reason.is_normal() => self.begin(event, open),
            EventKind::Restarting { delay, wait, budget, siblings, .. } => {
                let (delay, wait, budget, siblings) = (*delay, *wait, *budget, siblings.clone());
                let Some(incident) = self.find(open.get()) else { return };
                let (id, is_group) = (incident.id, !siblings.is_empty());
                incident.decision = Decision::Restart { delay, wait, budget, siblings };
                if is_group {
                    let too_many = (self.of_groups.len() + 1).saturating_sub(REMEMBERED);
                    self.of_groups.drain(..too_many);
                    self.of_groups.push(id);
                }
            }
            EventKind::GaveUp { child, budget, .. } => {
                self.decide(child, Decision::GiveUp(*budget));
            }
            EventKind::Stopped { took, .. } => self.stopped(path, *took),
            EventKind::Started => self.is_up(event, open),
            _ => {}
        }
    }

    /// A child has handled its first message.
    pub(crate) fn answered(&mut self, open: &Open) {
        if let Some(incident) = self.find(open.close()) {
            incident.answered = Some(since(incident.at, SystemTime::now()));
        }
    }

    /// Those that are remembered, the oldest first.
    pub(crate) fn incidents(&self) -> Vec<Incident> {
        self.incidents.iter().cloned().collect()
    }

    fn begin(&mut self, event: &Event, open: &Open) {
        let EventKind::Exited { reason, lived, lost, message, kept } = &event.kind else {
            return;
        };
        let fault = self
            .fault_of(&event.path)
            .filter(|(of, fault)| *of == event.incarnation && fault.explains(reason));
        if self.incidents.len() == REMEMBERED {
            self.incidents.pop_front();
        }
        if let Some(before) = self.find(open.get()).filter(|before| before.down.is_none()) {
            before.again = Some(event.seq);
        }
        open.begin(event.seq);
        self.incidents.push_back(Incident {
            id: event.seq,
            at: event.at,
            path: event.path.clone(),
            incarnation: event.incarnation,
            reason: reason.clone(),
            lived: *lived,
            injected: fault.map(|(_, fault)| fault),
            lost: *lost,
            message: *message,
            kept: *kept,
            decision: Decision::StaysDown,
            stopped: Vec::new(),
            down: None,
            answered: None,
            again: None,
        });
        match reason {
            ExitReason::StartFailed { child, .. } => self.decide(child, Decision::RollBack),
            ExitReason::OutOfThreads { child, .. } => self.decide(child, Decision::OutOfThreads),
            _ => {}
        }
    }

    fn decide(&mut self, child: &TreePath, decision: Decision) {
        if let Some(incident) = self.incidents.iter_mut().rev().find(|incident| incident.path == *child) {
            incident.decision = decision;
        }
    }

    /// A child was stopped: with a sibling that failed, perhaps.
    fn stopped(&mut self, path: &TreePath, took: Duration) {
        let mut of_groups = std::mem::take(&mut self.of_groups);
        of_groups.retain(|&id| {
            let Some(incident) = self.find(id).filter(|incident| incident.down.is_none()) else {
                return false;
            };
            if matches!(&incident.decision, Decision::Restart { siblings, .. } if siblings.contains(path)) {
                incident.stopped.push((path.clone(), took));
            }
            true
        });
        self.of_groups = of_groups;
    }

    fn is_up(&mut self, event: &Event, open: &Open) {
        self.fault_of(&event.path);
        if let Some(incident) = self.find(open.get()) {
            incident.down.get_or_insert(since(incident.at, event.at));
        }
    }

    fn fault_of(&mut self, path: &TreePath) -> Option<(u64, Fault)> {
        if self.faults.is_empty() {
            return None;
        }
        self.faults.remove(path)
    }

    fn find(&mut self, id: u64) -> Option<&mut Incident> {
        if let Some(last) = self.incidents.back()
            && last.id == id
        {
            return self.incidents.back_mut();
        }
        let place = self.incidents.binary_search_by_key(&id, |incident| incident.id).ok()?;
        self.incidents.get_mut(place)
    }
}

/// Under the lock of the book, so nothing comes between.
impl Open {
    fn begin(&self, id: u64) {
        self.0.store(id, Ordering::Relaxed);
    }

    #[inline]
    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    #[inline]
    pub(crate) fn is_open(&self) -> bool {
        self.get() != 0
    }

    fn close(&self) -> u64 {
        self.0.swap(0, Ordering::Relaxed)
    }
}

fn since(then: SystemTime, now: SystemTime) -> Duration {
    now.duration_since(then).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Budget, Wait};

    fn event(seq: u64, path: &str, kind: EventKind) -> Event {
        Event { seq, at: SystemTime::now(), path: TreePath::root(path), incarnation: 1, kind }
    }

    fn failed(seq: u64, path: &str) -> Event {
        let lived = Duration::ZERO;
        event(
            seq,
            path,
            EventKind::Exited { reason: ExitReason::failed("x"), lived, lost: 0, message: None, kept: 0 },
        )
    }

    fn restarting(seq: u64, path: &str, siblings: &[&str]) -> Event {
        let wait = Wait { first: Duration::ZERO, doublings: 0, stretch: 1.0, cap: Duration::ZERO };
        let period = Duration::from_secs(5);
        let budget = Budget { used: 1, intensity: 3, period, frees_in: period };
        let siblings = siblings.iter().map(|path| TreePath::root(path)).collect();
        event(seq, path, EventKind::Restarting { delay: Duration::ZERO, wait, failures: 1, budget, siblings })
    }

    #[test]
    fn failures_are_forgotten_in_time_whatever_comes_of_them() {
        let mut book = Book::default();
        (1..10_000).for_each(|seq| {
            let (path, open) = (format!("job-{seq}"), Open::default());
            book.note(&failed(seq * 2, &path), &open);
            book.note(&restarting(seq * 2 + 1, &path, &["sibling"]), &open);
        });
        assert_eq!((book.incidents.len(), book.of_groups.len()), (REMEMBERED, REMEMBERED));
    }

    #[test]
    fn a_failure_of_long_ago_is_closed_without_harm() {
        let (mut book, early) = (Book::default(), Open::default());
        book.note(&failed(1, "early"), &early);
        (2..1_000).for_each(|seq| book.note(&failed(seq, "other"), &Open::default()));
        book.note(&event(1_000, "early", EventKind::Started), &early);
        book.answered(&early);
        assert!(
            book.incidents().iter().all(|incident| incident.down.is_none() && incident.answered.is_none())
        );
    }

    #[test]
    fn who_was_stopped_is_told_by_its_own_incident_whatever_failed_since() {
        let (mut book, a, other) = (Book::default(), Open::default(), Open::default());
        book.note(&failed(1, "a"), &a);
        book.note(&restarting(2, "a", &["b"]), &a);
        for seq in 3..9 {
            book.note(&failed(seq * 2, "other"), &other);
            book.note(&event(seq * 2 + 1, "other", EventKind::Started), &other);
        }
        let stopped = EventKind::Stopped { reason: ExitReason::Shutdown, took: Duration::ZERO };
        book.note(&event(30, "b", stopped), &Open::default());
        assert_eq!(book.incidents()[0].stopped[0].0, "b");
        assert!(book.incidents()[1..].iter().all(|incident| incident.stopped.is_empty()));
    }
}
