//! Those who had to end because somebody else did: their lives are part of that one's story.

use std::collections::VecDeque;
use std::time::Duration;

use crate::path::TreePath;

/// How many of them are remembered.
const REMEMBERED: usize = 256;

#[derive(Default)]
pub(super) struct Bystanders(VecDeque<Bystander>);

struct Bystander {
    path: TreePath,
    incarnation: u64,
    took: Duration,
    /// The incident, if that has been told: of a supervisor, its children may end before it.
    incident: Option<u64>,
}

impl Bystanders {
    pub(super) fn add(&mut self, path: &TreePath, incarnation: u64, took: Duration, incident: Option<u64>) {
        self.0.truncate(REMEMBERED - 1);
        self.0.push_front(Bystander { path: path.clone(), incarnation, took, incident });
    }

    /// The incident that a life was ended with.
    pub(super) fn incident(&self, path: &TreePath, incarnation: u64) -> Option<u64> {
        self.0.iter().find(|it| it.incarnation == incarnation && it.path == *path)?.incident
    }

    /// Those below a supervisor that ended before it was said to have failed, in the order of their ends.
    pub(super) fn claim(&mut self, supervisor: &TreePath, incident: u64) -> Vec<(TreePath, Duration)> {
        let unclaimed = |it: &&mut Bystander| it.incident.is_none() && is_above(supervisor, &it.path);
        let claimed = self.0.iter_mut().rev().filter_map(|mut it| unclaimed(&mut it).then_some(it));
        let claim = |it: &mut Bystander| {
            it.incident = Some(incident);
            (it.path.clone(), it.took)
        };
        claimed.map(claim).collect()
    }

    /// Those below a supervisor that nobody has asked for are no part of what happens to it from now on.
    pub(super) fn forget_unclaimed(&mut self, supervisor: &TreePath) {
        self.0.retain(|it| it.incident.is_some() || !is_above(supervisor, &it.path));
    }
}

pub(super) fn is_above(supervisor: &TreePath, path: &TreePath) -> bool {
    path.as_str().strip_prefix(supervisor.as_str()).is_some_and(|rest| rest.starts_with('/'))
}
