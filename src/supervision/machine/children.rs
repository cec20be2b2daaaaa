//! The children as the machine keeps them: in starting order, with an index for each question it asks, so that a
//! decision takes the same time whether there are ten children or a hundred thousand.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeBounds;
use std::sync::Arc;

use tokio::time::Instant;

use crate::exit::{ExitReason, Kill};
use crate::supervision::policy::Restart;
use crate::supervision::spec::Rules;

/// What the machine knows of one child. Two marks say what is meant to be: `wanted` and `must_stop`.
pub(super) struct Child {
    pub(super) rules: Arc<Rules>,
    pub(super) state: State,
    /// It should be up.
    pub(super) wanted: bool,
    /// It should go down first.
    pub(super) must_stop: bool,
    /// Not to be started before.
    pub(super) due: Option<Instant>,
    /// When the running incarnation was started.
    pub(super) since: Instant,
    /// Failures in a row.
    pub(super) failures: u32,
    /// It is being started by hand, and has not come up: if that fails, nobody tries again, and it costs no restart.
    by_hand: bool,
}

/// What a child is doing, for those who want to give orders.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Activity {
    /// It is up, or on its way up or down.
    Running,
    /// It is down, and its supervisor is about to start it.
    Restarting,
    /// It is down for good.
    Down,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    Down,
    Starting,
    Up,
    Stopping { until: Option<Instant> },
    Killing { until: Instant },
}

/// What the exit of a child asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Exit {
    /// It is as was wanted, or too late to matter.
    Nothing,
    /// It is down for good.
    Retire,
    /// It is down for good, and nobody asked for that.
    RetireByItself,
    /// It could not start when its supervisor did.
    StartFailed,
    /// It is to be restarted, if that is still allowed.
    Failed,
}

/// Children by their places.
#[derive(Default)]
pub(super) struct Children {
    by_place: BTreeMap<usize, Child>,
    must_stop: BTreeSet<usize>,
    untold: BTreeSet<usize>,
    missing: BTreeSet<usize>,
    ready: BTreeSet<usize>,
    timers: BTreeSet<(Instant, usize)>,
    // Of these it is enough to know how many there are.
    significant: usize,
    starting: usize,
    unsettled: usize,
}

impl Child {
    pub(super) fn new(rules: Arc<Rules>, now: Instant) -> Self {
        Self {
            rules,
            state: State::Down,
            wanted: true,
            must_stop: false,
            due: None,
            since: now,
            failures: 0,
            by_hand: false,
        }
    }

    pub(super) fn activity(&self) -> Activity {
        match (self.state, self.wanted) {
            (State::Down, true) => Activity::Restarting,
            (State::Down, false) => Activity::Down,
            _ => Activity::Running,
        }
    }

    pub(super) fn start_by_hand(&mut self) {
        (self.wanted, self.by_hand) = (true, true);
        (self.due, self.failures) = (None, 0);
    }

    pub(super) fn started(&mut self, now: Instant) {
        self.by_hand = false;
        if self.state == State::Starting {
            self.state = State::Up;
            self.since = now;
        }
    }

    /// It is to go down and stay there. Says what it is doing now.
    pub(super) fn terminate(&mut self) -> State {
        self.wanted = false;
        self.must_stop = self.state != State::Down;
        self.state
    }

    /// It is down. Says what that means for it and its supervisor.
    pub(super) fn exited(&mut self, reason: &ExitReason, first_start: bool) -> Exit {
        let before = std::mem::replace(&mut self.state, State::Down);
        // It was left behind, or is a life that a supervisor started which has crashed since: too late to matter.
        if before == State::Down {
            return Exit::Nothing;
        }
        let finished = matches!(reason, ExitReason::Normal);
        // It went down while it was to go down anyway: with its group, or with its supervisor.
        if std::mem::take(&mut self.must_stop) {
            self.wanted &= self.rules.restart == Restart::Permanent || !finished;
            return if self.wanted { Exit::Nothing } else { Exit::Retire };
        }
        // It did not fail. It goes on elsewhere.
        if matches!(reason, ExitReason::Killed(Kill::Displaced)) {
            return Exit::Nothing;
        }
        let by_hand = std::mem::take(&mut self.by_hand) && before == State::Starting;
        let exit = match before {
            _ if by_hand => Exit::Retire,
            // It declined: it stopped itself before it was up.
            State::Starting if finished => Exit::Retire,
            State::Starting if first_start && self.failures == 0 => Exit::StartFailed,
            State::Starting if self.rules.restart != Restart::Temporary => Exit::Failed,
            State::Up if self.rules.restart.after(reason) => Exit::Failed,
            _ => Exit::RetireByItself,
        };
        self.wanted &= !matches!(exit, Exit::Retire | Exit::RetireByItself);
        exit
    }

    /// It restarts because a child of its group failed. Says whether it comes back.
    pub(super) fn goes_along(&mut self, due: Option<Instant>) -> bool {
        self.must_stop = self.state != State::Down;
        // A child that is down for good stays down when a sibling fails, and a temporary one goes down for good.
        self.wanted &= !self.must_stop || self.rules.restart != Restart::Temporary;
        if self.wanted {
            // Its own backoff is not cut short by a sibling's.
            self.due = self.due.max(due);
        }
        self.wanted
    }

    fn marks(&self) -> Marks {
        let missing = self.state == State::Down && self.wanted;
        Marks {
            must_stop: self.must_stop,
            untold: self.must_stop && matches!(self.state, State::Starting | State::Up),
            significant: self.rules.significant && self.wanted,
            missing,
            ready: missing && self.due.is_none(),
            starting: self.state == State::Starting,
            unsettled: self.wanted && self.state != State::Up,
            timer: match self.state {
                State::Stopping { until } => until,
                State::Killing { until } => Some(until),
                _ => self.due.filter(|_| missing),
            },
        }
    }
}

/// Which indexes a child is in.
#[derive(Clone, Copy, Default)]
struct Marks {
    must_stop: bool,
    /// It must stop and has not been told.
    untold: bool,
    /// It is significant, and not down for good, nor on its way there.
    significant: bool,
    /// Down, and meant to be up.
    missing: bool,
    /// Missing, and its backoff is over.
    ready: bool,
    starting: bool,
    /// Not what it is meant to be yet.
    unsettled: bool,
    /// When something has to happen about it, if nothing happens before.
    timer: Option<Instant>,
}

impl Children {
    pub(super) fn insert(&mut self, place: usize, child: Child) {
        self.index(place, Marks::default(), child.marks());
        self.by_place.insert(place, child);
    }

    pub(super) fn remove(&mut self, place: usize) {
        if let Some(child) = self.by_place.remove(&place) {
            self.index(place, child.marks(), Marks::default());
        }
    }

    pub(super) fn get(&self, place: usize) -> Option<&Child> {
        self.by_place.get(&place)
    }

    pub(super) fn len(&self) -> usize {
        self.by_place.len()
    }

    /// Changes a child and keeps the indexes true. The only way to change one.
    pub(super) fn change<R>(&mut self, place: usize, change: impl FnOnce(&mut Child) -> R) -> Option<R> {
        let child = self.by_place.get_mut(&place)?;
        let before = child.marks();
        let result = change(child);
        let after = child.marks();
        self.index(place, before, after);
        Some(result)
    }

    /// The places of a range, in starting order.
    pub(super) fn places(&self, range: impl RangeBounds<usize>) -> Vec<usize> {
        self.by_place.range(range).map(|(&place, _)| place).collect()
    }

    pub(super) fn last_to_stop(&self) -> Option<usize> {
        self.must_stop.last().copied()
    }

    pub(super) fn untold(&self) -> Vec<usize> {
        self.untold.iter().copied().collect()
    }

    pub(super) fn is_any_significant_left(&self) -> bool {
        self.significant > 0
    }

    /// The first that is missing, if it may be started.
    pub(super) fn first_missing(&self) -> Option<usize> {
        let first = self.missing.first()?;
        self.ready.contains(first).then_some(*first)
    }

    pub(super) fn ready(&self) -> Vec<usize> {
        self.ready.iter().copied().collect()
    }

    pub(super) fn is_any_starting(&self) -> bool {
        self.starting > 0
    }

    /// Whether each is up or is not meant to be.
    pub(super) fn are_settled(&self) -> bool {
        self.unsettled == 0
    }

    pub(super) fn next_timer(&self) -> Option<Instant> {
        self.timers.first().map(|&(at, _)| at)
    }

    /// Those whose time has come.
    pub(super) fn expired(&self, now: Instant) -> Vec<usize> {
        let mut places: Vec<_> =
            self.timers.iter().take_while(|&&(at, _)| at <= now).map(|&(_, place)| place).collect();
        places.sort_unstable();
        places
    }

    /// Whether the indexes say what looking at every child says.
    #[cfg(test)]
    pub(super) fn are_indexed(&self) -> bool {
        let mut anew = Self::default();
        self.by_place.iter().for_each(|(&place, child)| anew.index(place, Marks::default(), child.marks()));
        let indexes = |children: &Self| {
            let Self { must_stop, untold, significant, missing, ready, starting, unsettled, timers, .. } =
                children;
            format!(
                "{must_stop:?} {untold:?} {significant:?} {missing:?} {ready:?} {starting:?} {unsettled:?} {timers:?}"
            )
        };
        indexes(&anew) == indexes(self)
    }

    #[inline]
    fn index(&mut self, place: usize, before: Marks, after: Marks) {
        let mark = |index: &mut BTreeSet<usize>, before: bool, after: bool| match (before, after) {
            (false, true) => drop(index.insert(place)),
            (true, false) => drop(index.remove(&place)),
            _ => {}
        };
        let count = |count: &mut usize, before: bool, after: bool| {
            *count = *count - usize::from(before) + usize::from(after);
        };
        mark(&mut self.must_stop, before.must_stop, after.must_stop);
        mark(&mut self.untold, before.untold, after.untold);
        mark(&mut self.missing, before.missing, after.missing);
        mark(&mut self.ready, before.ready, after.ready);
        count(&mut self.significant, before.significant, after.significant);
        count(&mut self.starting, before.starting, after.starting);
        count(&mut self.unsettled, before.unsettled, after.unsettled);
        if before.timer != after.timer {
            before.timer.map(|at| self.timers.remove(&(at, place)));
            after.timer.map(|at| self.timers.insert((at, place)));
        }
    }
}
