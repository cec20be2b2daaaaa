//! Puts incidents together, event by event.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use super::bystanders::{Bystanders, is_above};
use super::{Consequence, Decision, Incident, Told, Trouble};
use crate::event::{Event, EventKind, Unhandled};
use crate::exit::{ExitReason, Kill};
use crate::fault::Fault;
use crate::path::TreePath;

/// How many incidents a tree remembers.
const REMEMBERED: usize = 256;
/// How much of what came of one.
const TOLD: usize = 12;
/// How many faults of a child may be to blame.
const SUSPECTS: usize = 8;

#[derive(Default)]
pub(crate) struct Book {
    incidents: VecDeque<Incident>,
    /// Those of children that are down with siblings.
    of_groups: Vec<u64>,
    /// The faults that have struck a child in its present life, and have not ended it: the numbers of their stories.
    faults: HashMap<TreePath, Vec<u64>>,
    bystanders: Bystanders,
}

/// The incident from which a child has not recovered: the number with which it began, or 0. Kept by the child, so that
/// nobody has to look for it.
#[derive(Debug, Default)]
pub(crate) struct Open(AtomicU64);

impl Book {
    /// Gives the number of the incident that the event belongs to.
    pub(crate) fn note(&mut self, event: &Event, open: &Open) -> Option<u64> {
        let path = &event.path;
        match &event.kind {
            EventKind::Injected(Fault::Heal) => self.healed(event),
            EventKind::Injected(fault) => Some(self.struck(event, fault)),
            EventKind::Exited { reason, .. } => self.ended(event, reason, open),
            EventKind::Restarting { delay, wait, budget, siblings, .. } => {
                let (delay, wait, budget, siblings) = (*delay, *wait, *budget, siblings.clone());
                let incident = self.find(open.get())?;
                let (id, is_group) = (incident.id, !siblings.is_empty());
                incident.decision = Decision::Restart { delay, wait, budget, siblings };
                if is_group {
                    let too_many = (self.of_groups.len() + 1).saturating_sub(REMEMBERED);
                    self.of_groups.drain(..too_many);
                    self.of_groups.push(id);
                }
                Some(id)
            }
            EventKind::GaveUp { child, budget, .. } => self.decide(child, Decision::GiveUp(*budget)),
            EventKind::Stopped { reason, took } => self.stopped(event, reason, *took),
            EventKind::Started => self.is_up(event, open),
            EventKind::DeadLetter { why: Unhandled::Injected, .. } => {
                let id = *self.faults.get(path)?.last()?;
                let told = Consequence { of: Trouble::Incident(id), matter: String::new(), is_settled: true };
                self.tell(id, event, event.kind.to_string(), told)
            }
            EventKind::Report(report) => {
                let told = report.consequence()?;
                let id = match &told.of {
                    Trouble::Incident(id) => *id,
                    Trouble::Life { path, incarnation } => self.bystanders.incident(path, *incarnation)?,
                    Trouble::Child(path) => self.trouble(path, &told.matter)?,
                };
                self.tell(id, event, report.to_string(), told)
            }
            _ => None,
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

    // ===== how one begins =====

    fn begin(&mut self, event: &Event) -> &mut Incident {
        if self.incidents.len() == REMEMBERED {
            self.incidents.pop_front();
        }
        let Event { seq, at, path, incarnation, .. } = event;
        self.incidents.push_back(Incident {
            id: *seq,
            at: *at,
            path: path.clone(),
            incarnation: *incarnation,
            reason: None,
            lived: Duration::ZERO,
            injected: None,
            healed: None,
            lost: 0,
            message: None,
            kept: 0,
            decision: Decision::NotAsked,
            stopped: Vec::new(),
            moved: Vec::new(),
            down: None,
            answered: None,
            again: None,
            before: None,
            consequences: Vec::new(),
            untold: 0,
        });
        self.incidents.back_mut().expect("one was just added")
    }

    /// It may go on, or end of it: that is told next.
    fn struck(&mut self, event: &Event, fault: &Fault) -> u64 {
        let is_same = |it: &&Incident| it.path == event.path && it.injected.as_ref() == Some(fault);
        let before = self.incidents.iter().rev().find(is_same).filter(|it| it.reason.is_some());
        let before = before.map(|before| before.id);
        let story = self.begin(event);
        (story.injected, story.before) = (Some(fault.clone()), before);
        let suspects = self.faults.entry(event.path.clone()).or_default();
        suspects.drain(..(suspects.len() + 1).saturating_sub(SUSPECTS));
        suspects.push(event.seq);
        event.seq
    }

    fn ended(&mut self, event: &Event, reason: &ExitReason, open: &Open) -> Option<u64> {
        let explains = |story: &Incident| story.incarnation == event.incarnation && story.explains(reason);
        let struck = self.faults.remove(&event.path).unwrap_or_default();
        let struck = struck.into_iter().rev().find(|id| self.find(*id).is_some_and(|story| explains(story)));
        if struck.is_none() && reason.is_normal() {
            // Whatever is told next has to do with this end, and with no failure before it.
            open.close();
            return None;
        }
        let id = struck.unwrap_or_else(|| self.begin(event).id);
        if let Some(before) = self.find(open.get()).filter(|before| before.down.is_none()) {
            before.again = Some(id);
        }
        open.begin(id);
        let below = self.bystanders.claim(&event.path, id);
        let incident = self.find(id)?;
        incident.fails(event);
        incident.stopped = below;
        match reason {
            ExitReason::StartFailed { child, .. } => self.decide(child, Decision::RollBack),
            ExitReason::OutOfThreads { child, .. } => self.decide(child, Decision::OutOfThreads),
            _ => None,
        };
        Some(id)
    }

    // ===== and goes on =====

    fn healed(&mut self, event: &Event) -> Option<u64> {
        let mut last = None;
        for id in self.faults.remove(&event.path)? {
            if let Some(story) = self.find(id) {
                story.healed = Some(since(story.at, event.at));
                last = Some(id);
            }
        }
        last
    }

    fn decide(&mut self, child: &TreePath, decision: Decision) -> Option<u64> {
        let is_it = |incident: &&mut Incident| incident.path == *child && incident.reason.is_some();
        let incident = self.incidents.iter_mut().rev().find(is_it)?;
        incident.decision = decision;
        Some(incident.id)
    }

    /// A child was stopped: because of somebody else, perhaps.
    fn stopped(&mut self, event: &Event, reason: &ExitReason, took: Duration) -> Option<u64> {
        let path = &event.path;
        self.faults.remove(path);
        let with = match reason {
            ExitReason::Killed(Kill::Displaced) => self.moved(path),
            ExitReason::Killed(Kill::Orphaned) => self.orphaned(path, took),
            _ => self.stopped_with(path, took),
        };
        if with.is_some() || matches!(reason, ExitReason::Killed(Kill::Orphaned)) {
            self.bystanders.add(path, event.incarnation, took, with);
        }
        with
    }

    /// With a sibling that failed.
    fn stopped_with(&mut self, path: &TreePath, took: Duration) -> Option<u64> {
        let mut of_groups = std::mem::take(&mut self.of_groups);
        let mut with = None;
        of_groups.retain(|&id| {
            let Some(incident) = self.find(id).filter(|incident| incident.down.is_none()) else {
                return false;
            };
            if matches!(&incident.decision, Decision::Restart { siblings, .. } if siblings.contains(path)) {
                incident.stopped.push((path.clone(), took));
                with = Some(id);
            }
            true
        });
        self.of_groups = of_groups;
        with
    }

    /// A child loses its thread to one that blocks it, and that has just been said to have ended.
    fn moved(&mut self, path: &TreePath) -> Option<u64> {
        let blocks = |incident: &&mut Incident| {
            matches!(incident.reason, Some(ExitReason::Unresponsive { .. })) && incident.down.is_none()
        };
        let incident = self.incidents.iter_mut().rev().find(blocks)?;
        incident.moved.push(path.clone());
        Some(incident.id)
    }

    /// A child's supervisor has failed. It may not have been said yet.
    fn orphaned(&mut self, path: &TreePath, took: Duration) -> Option<u64> {
        let failed = |incident: &&mut Incident| {
            incident.reason.is_some() && incident.down.is_none() && is_above(&incident.path, path)
        };
        let incident = self.incidents.iter_mut().rev().find(failed)?;
        incident.stopped.push((path.clone(), took));
        Some(incident.id)
    }

    fn is_up(&mut self, event: &Event, open: &Open) -> Option<u64> {
        self.forget_before(event);
        self.bystanders.forget_unclaimed(&event.path);
        let incident = self.find(open.get()).filter(|incident| incident.down.is_none())?;
        incident.down = Some(since(incident.at, event.at));
        Some(incident.id)
    }

    /// What struck a life before this one is over.
    fn forget_before(&mut self, event: &Event) {
        let Some(mut struck) = self.faults.remove(&event.path) else { return };
        struck.retain(|id| self.find(*id).is_some_and(|story| story.incarnation == event.incarnation));
        if !struck.is_empty() {
            self.faults.insert(event.path.clone(), struck);
        }
    }

    // ===== what comes of it =====

    /// What a child has to do with a matter: it was told of before, or a fault has struck the child that has shown no effect
    /// yet: the oldest of those. What befalls one matter after another has other causes, unless the fault goes on.
    fn trouble(&self, path: &TreePath, matter: &str) -> Option<u64> {
        let is_known = |incident: &&Incident| {
            let mut told = incident.consequences.iter().rev();
            let last = told.find(|told| told.matter == matter).filter(|_| incident.path == *path);
            last.is_some_and(|told| !told.is_settled)
        };
        if let Some(known) = self.incidents.iter().rev().find(is_known) {
            return Some(known.id);
        }
        let struck = self.faults.get(path)?;
        let may_be = |incident: &&Incident| struck.contains(&incident.id) && incident.may_do_more();
        self.incidents.iter().find(may_be).map(|incident| incident.id)
    }

    fn tell(&mut self, id: u64, event: &Event, text: String, told: Consequence) -> Option<u64> {
        let Consequence { matter, is_settled, .. } = told;
        let incident = self.find(id)?;
        let (after, path) = (since(incident.at, event.at), event.path.clone());
        match incident.consequences.len() < TOLD {
            true => incident.consequences.push(Told { after, path, matter, text, is_settled }),
            false => incident.untold += 1,
        }
        Some(id)
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

impl Incident {
    /// Its life has ended.
    fn fails(&mut self, event: &Event) {
        let EventKind::Exited { reason, lived, lost, message, kept } = &event.kind else { return };
        self.at = event.at;
        self.reason = Some(reason.clone());
        self.decision = Decision::StaysDown;
        (self.lived, self.lost, self.message, self.kept) = (*lived, *lost, *message, *kept);
    }

    /// Whether it is the story of a fault that may be what ended a life so.
    fn explains(&self, reason: &ExitReason) -> bool {
        let is_it = self.injected.as_ref().is_some_and(|fault| fault.explains(reason));
        is_it && self.reason.is_none() && self.may_do_more()
    }

    /// A fault of an actor's own that has shown what it does is over.
    fn may_do_more(&self) -> bool {
        self.consequences.is_empty() || !matches!(self.injected, Some(Fault::Own { .. }))
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
mod tests;
