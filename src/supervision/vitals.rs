//! What one child is doing, as everybody may see it.

use std::sync::Arc;

use super::seat::Seat;
use crate::exit::ExitReason;

/// What a child is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChildState {
    /// Not started yet, or between two lives.
    #[default]
    Down,
    /// Being built: its factory, `started()` and what that put into `ctx.wait()`.
    Starting,
    /// Up.
    Running,
    /// Asked to stop.
    Stopping,
    /// Down until its backoff is over.
    Waiting,
    /// Down for good: it finished, or nobody restarts it.
    Finished,
}

#[derive(Clone, Default)]
pub(crate) struct Vitals {
    pub(crate) state: ChildState,
    pub(crate) incarnation: u64,
    pub(crate) last_exit: Option<ExitReason>,
    /// Which incarnation that was.
    ended: u64,
    /// Nobody starts it again: once its last incarnation has left, it is down for good.
    pub(super) is_retired: bool,
    pub(super) seat: Option<Arc<Seat>>,
    /// Earlier ones that had not left when the next was launched: one that was killed before it was born may leave
    /// before the one whose end it waited for.
    pub(super) outlived: Vec<Arc<Seat>>,
}

impl Vitals {
    /// The incarnation has come to `state`, if it still is the child's and has not ended.
    pub(super) fn enter(&mut self, incarnation: u64, state: ChildState) {
        use ChildState::{Running, Starting, Stopping};
        if matches!(self.state, Starting | Running | Stopping) && self.incarnation == incarnation {
            self.state = state;
        }
    }

    /// The incarnation has ended.
    pub(super) fn left(&mut self, incarnation: u64, reason: ExitReason) {
        if self.incarnation == incarnation {
            self.rest(ChildState::Down);
        }
        // The next one may have been launched already, and wait for this end.
        if self.ended < incarnation {
            self.ended = incarnation;
            self.last_exit = Some(reason);
        }
    }

    /// It is to be started after a while. Whoever decided that may not know yet that nobody will.
    pub(super) fn wait(&mut self) {
        self.rest(ChildState::Waiting);
    }

    /// Nobody starts it again.
    pub(super) fn retire(&mut self) {
        self.is_retired = true;
        if let ChildState::Down | ChildState::Waiting = self.state {
            self.state = ChildState::Finished;
        }
    }

    fn rest(&mut self, state: ChildState) {
        self.state = if self.is_retired { ChildState::Finished } else { state };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_nobody_starts_again_is_finished_whatever_is_said_of_it_later() {
        let running = || Vitals { state: ChildState::Running, incarnation: 3, ..Vitals::default() };
        let ended = |mut vitals: Vitals| {
            vitals.left(3, ExitReason::Normal);
            vitals.wait();
            vitals.state
        };
        assert_eq!(ended(running()), ChildState::Waiting);
        let mut retired = running();
        retired.retire();
        assert_eq!(retired.state, ChildState::Running, "until it has left");
        assert_eq!(ended(retired), ChildState::Finished);
        let mut waiting = running();
        waiting.wait();
        waiting.retire();
        assert_eq!(waiting.state, ChildState::Finished);
    }

    #[test]
    fn a_life_that_is_over_changes_no_state() {
        let mut vitals = Vitals { state: ChildState::Running, incarnation: 3, ..Vitals::default() };
        vitals.enter(2, ChildState::Stopping);
        vitals.left(2, ExitReason::Shutdown);
        assert_eq!(vitals.state, ChildState::Running);
        assert!(matches!(vitals.last_exit, Some(ExitReason::Shutdown)), "but this is how it ended");
        vitals.left(3, ExitReason::Normal);
        vitals.enter(3, ChildState::Running);
        vitals.left(1, ExitReason::Shutdown);
        assert_eq!(vitals.state, ChildState::Down);
        assert!(matches!(vitals.last_exit, Some(ExitReason::Normal)));
    }
}
