//! A step that went differently, and what is known of the scenario before it.

use std::collections::{HashMap, HashSet};

use latido::supervision::Restart;

use super::scenario::{Child, Conduct, Outcome, Scenario, Step};

/// The names of the children that `app/s` has, or may be given.
pub(crate) const INNER: [&str; 6] = ["x", "y", "z", "u", "v", "w"];

/// What is known before a step.
pub(crate) struct Known {
    children: HashMap<String, Child>,
    deleted: HashSet<String>,
    /// The states after the step before.
    theirs: Vec<String>,
    ours: Vec<String>,
}

/// A step that went differently.
pub(crate) struct Case<'a> {
    pub(crate) known: &'a Known,
    pub(crate) step: &'a Step,
    pub(crate) theirs: &'a Outcome,
    pub(crate) ours: &'a Outcome,
}

/// What explains a case: it holds to the end of the scenario, or the two part here.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Explained {
    AndGoesOn,
    AndParts,
}

impl Known {
    pub(crate) fn of(scenario: &Scenario) -> Self {
        let children = scenario.children.iter().map(|(path, child)| (short(path).to_owned(), child.clone()));
        let (deleted, theirs, ours) = Default::default();
        Self { children: children.collect(), deleted, theirs, ours }
    }

    pub(crate) fn learn(&mut self, step: &Step, ours: &Outcome) {
        if let Some((verb, path, rules)) = step.order() {
            match (verb, &*ours.answer) {
                ("start", "ok" | "declined" | "failed") => {
                    self.children.insert(short(path).to_owned(), Child::read(rules));
                }
                ("delete", "ok") => drop(self.deleted.insert(short(path).to_owned())),
                _ => {}
            }
        }
        self.theirs.clone_from(&step.outcome.state);
        self.ours.clone_from(&ours.state);
    }

    /// Of `-a`: whether `a` is a temporary child.
    pub(crate) fn is_temporary(&self, down: &str) -> bool {
        let child = down.strip_prefix('-').and_then(|path| self.children.get(path));
        child.is_some_and(|child| child.restart == Restart::Temporary)
    }

    pub(crate) fn is_dynamic(&self, supervisor: &str) -> bool {
        self.conduct(supervisor).is_some_and(|conduct| conduct.dynamic)
    }

    pub(crate) fn conduct(&self, supervisor: &str) -> Option<&Conduct> {
        self.children.get(supervisor)?.conduct.as_ref()
    }
}

impl<'a> Case<'a> {
    /// What is ordered, about whom, between a failed start and the next or not.
    pub(crate) fn order(&self) -> Option<(&'a str, &'a str, bool)> {
        let (verb, path, _) = self.step.order()?;
        Some((verb, short(path), self.is_between()))
    }

    pub(crate) fn is_between(&self) -> bool {
        self.step.text.contains(" between ")
    }

    /// Whether the child is a temporary one that ended before, so that ours has it still.
    pub(crate) fn is_kept(&self, path: &str) -> bool {
        let down = format!("-{path}");
        self.known.is_temporary(&down) && (self.known.ours.contains(&down) || self.is_between())
    }

    pub(crate) fn is_dynamic(&self, path: &str) -> bool {
        self.known.is_dynamic(path.rsplit_once('/').map_or("app", |(parent, _)| parent))
    }

    pub(crate) fn is_deleted(&self, path: &str) -> bool {
        self.known.deleted.contains(path)
    }

    pub(crate) fn restart(&self, path: &str) -> Restart {
        self.known.children[path].restart
    }

    /// Who was there, and down, on OTP's side.
    pub(crate) fn were_down(&self) -> HashSet<&'a str> {
        self.known.theirs.iter().filter_map(|child| child.strip_prefix('-')).collect()
    }

    /// Where the child stood in starting order, if it was up.
    pub(crate) fn place(&self, path: &str) -> Option<usize> {
        self.known.theirs.iter().position(|child| child == path)
    }

    /// Whether ours is what OTP's would be with these changes.
    pub(crate) fn is(&self, change: impl FnOnce(&mut Outcome)) -> bool {
        let mut expected = self.theirs.clone();
        change(&mut expected);
        let (same_answer, same_state) =
            (expected.answer == self.ours.answer, expected.state == self.ours.state);
        same_answer && same_state && self.are_alike(&expected.trace, &self.ours.trace)
    }

    /// Whether the same happened.
    pub(crate) fn are_alike(&self, one: &[String], other: &[String]) -> bool {
        // After two crashes at the same time, whoever comes up and goes again came up for nothing.
        if self.step.text.contains(" and ") {
            return sorted(without_detours(one)) == sorted(without_detours(other));
        }
        one == other || self.has_no_order() && sorted(one.iter().collect()) == sorted(other.iter().collect())
    }

    /// Of ends by a link, and where OTP's supervisor falls over what is left of a child that declined to start again.
    pub(crate) fn has_no_order(&self) -> bool {
        self.step.text.starts_with("kill") || self.known.theirs.iter().any(|child| child == "-?")
    }

    pub(crate) fn used_before(&self) -> u32 {
        self.known.theirs[0].strip_prefix("app#").map_or(0, |used| used.parse().unwrap())
    }
}

/// `app/s/x` as the states say it.
pub(crate) fn short(path: &str) -> &str {
    path.strip_prefix("app/").unwrap_or(path)
}

/// `app/s/x` as the traces say it.
pub(crate) fn name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

fn without_detours(trace: &[String]) -> Vec<&String> {
    let mut left: Vec<&String> = Vec::new();
    for sign in trace {
        let start = format!("+{}", &sign[1..]);
        let came_up = left.iter().position(|other| **other == start).filter(|_| sign.starts_with('-'));
        match came_up {
            Some(place) => drop(left.remove(place)),
            None => left.push(sign),
        }
    }
    left
}

fn sorted(mut trace: Vec<&String>) -> Vec<&String> {
    trace.sort();
    trace
}
