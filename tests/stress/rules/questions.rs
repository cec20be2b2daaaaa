//! Every question has an answer, or a reason why it has none, and the reason is true.

use std::collections::HashMap;
use std::sync::atomic::Ordering::SeqCst;

use latido::TreePath;
use latido::supervision::{AskError, Overflow, Restart};

use super::Found;
use crate::history::{At, History};
use crate::notes::{Note, Order};
use crate::plan::{Act, Kind, Stage};
use crate::run::Evidence;
use crate::steps::{Answer, Asked};

pub(crate) fn check(history: &History<'_>, evidence: &Evidence, found: &mut Found) {
    let retired = Retired::of(history);
    let refused: HashMap<usize, At> = history
        .notes()
        .filter_map(|(at, note)| if let Note::Refused { id, .. } = note { Some((*id, at)) } else { None })
        .collect();
    for asked in &evidence.outcome.asked {
        let refused = refused.get(&asked.id).copied();
        if let Some(what) = (Judge { history, asked, retired: &retired, refused }).wrong() {
            let what = format!("{:?} {:?} of {}: {what}", asked.how, asked.act, asked.to.path);
            found.add("an answer or a true reason", refused, [&asked.to.path], what);
        }
    }
    for down in &evidence.outcome.downs {
        let end = history.life(&down.path, down.incarnation).and_then(|life| life.end);
        if end.is_none_or(|end| end.reason.to_string() != down.reason.to_string()) {
            let what = format!("a monitor says of {} #{}: {}", down.path, down.incarnation, down.reason);
            found.add("monitors tell the truth", None::<At>, [&down.path], what);
        }
    }
}

struct Judge<'a> {
    history: &'a History<'a>,
    asked: &'a Asked,
    retired: &'a Retired,
    /// When it was said that it is refused; unsaid once the tree had ended.
    refused: Option<At>,
}

impl Judge<'_> {
    fn wrong(&self) -> Option<String> {
        let asked = self.asked;
        let (times, life) = (asked.slip.times_begun.load(SeqCst), asked.slip.life.load(SeqCst));
        let Kind::Worker(worker) = &asked.to.plan.kind else { return None };
        let overflow = worker.bound.map(|(_, overflow)| overflow);
        let untouched =
            |holds: bool| (times > 0 || !holds).then(|| format!("{:?}, begun {times} times", asked.answer));
        match &asked.answer {
            Answer::By(by) if times != 1 || *by != life => {
                Some(format!("answered by #{by}, begun {times} times"))
            }
            Answer::By(_) | Answer::Untold => None,
            Answer::Ask(AskError::Full) => untouched(overflow == Some(Overflow::Reject)),
            Answer::Ask(AskError::Dropped) => {
                let drops =
                    matches!(overflow, Some(Overflow::DropNewest | Overflow::DropOldest | Overflow::Reject));
                untouched(drops)
            }
            Answer::Ask(AskError::Injected) => {
                let drops = self.history.events.iter().any(|event| {
                    event.path == asked.to.path
                        && matches!(event.kind, latido::EventKind::Injected(latido::fault::Fault::Drop(_)))
                });
                untouched(drops)
            }
            Answer::Ask(AskError::Down | AskError::NeverStarted) => {
                untouched(self.retired.may_be_down(&asked.to.path, self.refused))
            }
            Answer::Ask(AskError::TimedOutQueued(_)) => untouched(true),
            Answer::Ask(AskError::TimedOutRunning(_)) => None,
            Answer::Ask(AskError::NoAnswer) => {
                let is_meant = matches!(asked.act, Act::AnswerNever) && times == 1;
                (!is_meant).then(|| format!("no answer, begun {times} times"))
            }
            Answer::Ask(AskError::Crashed { path, incarnation, reason, .. }) => {
                self.crashed(path, *incarnation, &reason.to_string(), times, life)
            }
            Answer::Ask(error) => Some(format!("an unknown reason: {error}")),
            // Closed: somebody had it and went, or nobody ever has it.
            Answer::Closed => {
                let refused = self.retired.may_be_down(&asked.to.path, self.refused) || overflow.is_some();
                let taken_by_fault = self.history.events.iter().any(|event| {
                    event.path == asked.to.path && matches!(event.kind, latido::EventKind::Injected(_))
                });
                (times == 0 && !refused && !taken_by_fault).then(|| "closed, but nobody took it".to_owned())
            }
        }
    }

    fn crashed(
        &self,
        path: &TreePath,
        incarnation: u64,
        reason: &str,
        times: usize,
        life: u64,
    ) -> Option<String> {
        let end = self.history.life(path, incarnation).and_then(|life| life.end);
        let Some(end) = end else {
            return Some(format!("{path} #{incarnation} is said to have ended: {reason}"));
        };
        // A destructor that fails changes the reason after who asked has heard.
        let failed_in_drop = self.history.events.iter().any(|event| {
            event.path == *path
                && event.incarnation == incarnation
                && matches!(event.report(), Some(Note::Befallen(mishap)) if mishap.stage == Stage::Drop)
        });
        if end.reason.to_string() != reason && !failed_in_drop {
            return Some(format!("#{incarnation} is said to have ended: {reason}, and it {}", end.reason));
        }
        let is_its = *path == self.asked.to.path && (times == 0 || life == incarnation);
        (!is_its).then(|| format!("taken by #{life}, and said to be by {path} #{incarnation}"))
    }
}

/// Who may have been down for good, and since when: nobody else refuses messages.
struct Retired {
    since: HashMap<TreePath, At>,
    tree: At,
}

impl Retired {
    fn of(history: &History<'_>) -> Self {
        let mut since: HashMap<TreePath, At> = HashMap::new();
        let mut is_from = |path: &TreePath, at: At| {
            since.entry(path.clone()).and_modify(|known| *known = at.min(*known)).or_insert(at);
        };
        let mut tree = At::MAX;
        for (at, note) in history.notes() {
            match note {
                Note::Ordered {
                    order: Order::Terminate | Order::Delete | Order::Start | Order::Restart,
                    about,
                    ..
                } => is_from(about, at),
                Note::Stops => tree = tree.min(at),
                _ => {}
            }
        }
        for (path, lives) in &history.lives {
            for life in lives.values() {
                let Some(end) = life.end else { continue };
                let is_permanent =
                    history.plan_of(path).is_none_or(|plan| plan.restart == Restart::Permanent);
                if path.depth() == 0 {
                    tree = tree.min(end.at);
                } else if !is_permanent || life.up.is_none() {
                    is_from(path, end.at);
                }
            }
        }
        // What is added at run time may be forgotten with its supervisor.
        for member in history.families.iter().flat_map(|family| &family.members).filter(|member| member.hired)
        {
            is_from(&member.path, 0);
        }
        Self { since, tree }
    }

    /// Whether the child, or one above it, may have been down for good by then.
    fn may_be_down(&self, path: &TreePath, by: Option<At>) -> bool {
        let by = by.unwrap_or(At::MAX);
        let mut above = Some(path.clone());
        while let Some(path) = above {
            if self.since.get(&path).is_some_and(|&since| since <= by) {
                return true;
            }
            above = path.parent();
        }
        self.tree <= by
    }
}
