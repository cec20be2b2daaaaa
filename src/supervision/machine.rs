//! The rules of supervision as a state machine without clocks, threads or actors: what happened goes in, what to do
//! comes out. The supervisor actor carries it out and reports back; every rule can be read, and tested, here.
//!
//! ```text
//!            Begin                  Started
//!   Down ───────────> Starting ───────────────> Up
//!    ^ ^                  │                      │
//!    │ └──────────────────┴── Exited ────────────┤
//!    │                                           │ its turn to stop
//!    └────── Exited ─── Stopping ── late ──> Killing ── still there ──> abandoned, Down
//! ```
//!
//! Two marks on each child say what is meant to be: `wanted` (it should be up) and `must_stop` (it should go down
//! first). One function, `advance`, moves the children towards that, in order.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::backoff::Backoff;
use super::policy::{Restart, Shutdown, Strategy};
use super::spec::Rules;
use super::window::RestartWindow;
use crate::event::Budget;
use crate::exit::{ExitReason, Kill};

/// How long a killed child may take to be gone before its supervisor goes on without it. Dropping an incarnation
/// takes microseconds; one that takes longer is inside a handler that blocks its thread.
pub(crate) const KILL_PATIENCE: Duration = Duration::from_secs(1);

pub(crate) struct Machine {
    strategy: Strategy,
    window: Arc<Mutex<RestartWindow>>,
    children: Vec<Child>,
    mode: Mode,
    random: fastrand::Rng,
}

struct Child {
    restart: Restart,
    shutdown: Shutdown,
    backoff: Backoff,
    state: State,
    wanted: bool,
    must_stop: bool,
    /// Not to be started before.
    due: Option<Instant>,
    /// When the running incarnation was started.
    since: Instant,
    /// Failures in a row.
    failures: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Down,
    Starting,
    Up,
    Stopping { until: Option<Instant> },
    Killing { until: Instant },
}

enum Mode {
    /// The first start: children come up one after the other, and one that cannot ends them all.
    Starting,
    Running,
    Ending(Ending),
    Ended,
}

/// What happened. A child is named by its place in starting order.
pub(crate) enum Input {
    Begin,
    Started(usize),
    Exited(usize, ExitReason),
    /// Time has passed.
    Tick,
    /// The supervisor itself is to stop.
    Stop,
}

/// What to do.
#[derive(Debug, Clone)]
pub(crate) enum Action {
    Start(usize),
    Stop(usize),
    Kill(usize, Kill),
    /// It was killed and is still there: go on without it.
    Abandon(usize),
    /// It is down for good.
    Retire(usize),
    Restarting {
        child: usize,
        delay: Duration,
        failures: u32,
        budget: Budget,
        siblings: Vec<usize>,
    },
    GaveUp {
        child: usize,
        reason: ExitReason,
        budget: Budget,
    },
    /// Every child has come up for the first time.
    Ready,
    /// Every child is down; the supervisor ends with this.
    End(Ending),
}

/// How a supervisor ends.
#[derive(Debug, Clone)]
pub(crate) enum Ending {
    AsAsked,
    StartFailed {
        child: usize,
        reason: ExitReason,
    },
    GaveUp {
        child: usize,
        reason: ExitReason,
        budget: Budget,
    },
}

impl Machine {
    pub(crate) fn new(strategy: Strategy, window: Arc<Mutex<RestartWindow>>) -> Self {
        Self {
            strategy,
            window,
            children: Vec::new(),
            mode: Mode::Starting,
            random: fastrand::Rng::new(),
        }
    }

    /// Adds a child after the others.
    pub(crate) fn add(&mut self, rules: &Rules, now: Instant) {
        self.children.push(Child {
            restart: rules.restart,
            shutdown: rules.shutdown,
            backoff: rules.backoff,
            state: State::Down,
            wanted: true,
            must_stop: false,
            due: None,
            since: now,
            failures: 0,
        });
    }

    pub(crate) fn has_ended(&self) -> bool {
        matches!(self.mode, Mode::Ended)
    }

    /// Takes in what happened at `now` and says what to do, in order.
    pub(crate) fn handle(&mut self, input: Input, now: Instant) -> Vec<Action> {
        let mut actions = Vec::new();
        match input {
            Input::Begin => {}
            Input::Started(child) => self.started(child, now),
            Input::Exited(child, reason) => self.exited(child, reason, now, &mut actions),
            Input::Tick => self.tick(now, &mut actions),
            Input::Stop => self.end(Ending::AsAsked),
        }
        self.advance(now, &mut actions);
        actions
    }

    /// When `Input::Tick` is due.
    pub(crate) fn next_tick(&self) -> Option<Instant> {
        let starts_allowed = matches!(self.mode, Mode::Starting | Mode::Running);
        let tick = |child: &Child| match child.state {
            State::Down if child.wanted && starts_allowed => child.due,
            State::Stopping { until } => until,
            State::Killing { until } => Some(until),
            _ => None,
        };
        self.children.iter().filter_map(tick).min()
    }

    // ===== what happened =====

    fn started(&mut self, index: usize, now: Instant) {
        let child = &mut self.children[index];
        if child.state == State::Starting {
            child.state = State::Up;
            child.since = now;
        }
    }

    fn exited(&mut self, index: usize, reason: ExitReason, now: Instant, actions: &mut Vec<Action>) {
        let child = &mut self.children[index];
        let before = std::mem::replace(&mut child.state, State::Down);
        // It was left behind, or is a life that a supervisor started which has crashed since: too late to matter.
        if before == State::Down {
            return;
        }
        // It went down while it was to go down anyway: with its group, or with its supervisor.
        if std::mem::take(&mut child.must_stop) {
            child.wanted &= child.restart == Restart::Permanent || !matches!(reason, ExitReason::Normal);
            if !child.wanted {
                self.retire(index, actions);
            }
            return;
        }
        match before {
            // It declined: it stopped itself before it was up.
            State::Starting if matches!(reason, ExitReason::Normal) => self.retire(index, actions),
            State::Starting if matches!(self.mode, Mode::Starting) && child.failures == 0 => {
                self.end(Ending::StartFailed { child: index, reason });
            }
            State::Starting if child.restart != Restart::Temporary => {
                self.failed(index, reason, now, actions)
            }
            State::Up if child.restart.after(&reason) => self.failed(index, reason, now, actions),
            _ => self.retire(index, actions),
        }
    }

    fn tick(&mut self, now: Instant, actions: &mut Vec<Action>) {
        for (index, child) in self.children.iter_mut().enumerate() {
            match child.state {
                State::Stopping { until: Some(until) } if until <= now => {
                    let Shutdown::Timeout(limit) = child.shutdown else {
                        continue;
                    };
                    child.state = State::Killing {
                        until: now + KILL_PATIENCE,
                    };
                    actions.push(Action::Kill(index, Kill::Late(limit)));
                }
                State::Killing { until } if until <= now => {
                    child.state = State::Down;
                    child.must_stop = false;
                    actions.push(Action::Abandon(index));
                    if !child.wanted {
                        actions.push(Action::Retire(index));
                    }
                }
                _ => {}
            }
            child.due = child.due.filter(|&due| due > now);
        }
    }

    /// The decision: one restart for the child and all that its strategy takes with it, or none any more.
    fn failed(&mut self, index: usize, reason: ExitReason, now: Instant, actions: &mut Vec<Action>) {
        let decision = self
            .window
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .restart(now);
        let budget = match decision {
            Ok(budget) => budget,
            Err(budget) => {
                actions.push(Action::GaveUp {
                    child: index,
                    reason: reason.clone(),
                    budget,
                });
                return self.end(Ending::GaveUp {
                    child: index,
                    reason,
                    budget,
                });
            }
        };
        let child = &mut self.children[index];
        child.failures = child.backoff.failures(child.failures, now - child.since);
        let (failures, delay) = (
            child.failures,
            child.backoff.delay(child.failures, self.random.f64()),
        );
        let mut siblings = Vec::new();
        for affected in self.strategy.affected(index, self.children.len()) {
            let child = &mut self.children[affected];
            child.must_stop = child.state != State::Down;
            // A child that is down for good stays down when a sibling fails, and a temporary one goes down for good.
            child.wanted &= !child.must_stop || child.restart != Restart::Temporary;
            if child.wanted {
                // Its own backoff is not cut short by a sibling's.
                child.due = child.due.max((!delay.is_zero()).then(|| now + delay));
                if affected != index {
                    siblings.push(affected);
                }
            }
        }
        actions.push(Action::Restarting {
            child: index,
            delay,
            failures,
            budget,
            siblings,
        });
    }

    fn retire(&mut self, index: usize, actions: &mut Vec<Action>) {
        self.children[index].wanted = false;
        actions.push(Action::Retire(index));
    }

    fn end(&mut self, ending: Ending) {
        if matches!(self.mode, Mode::Ending(_) | Mode::Ended) {
            return;
        }
        self.mode = Mode::Ending(ending);
        for child in &mut self.children {
            child.must_stop = child.state != State::Down;
        }
    }

    // ===== what to do =====

    fn advance(&mut self, now: Instant, actions: &mut Vec<Action>) {
        let stopping = self.stop_next(now, actions);
        match &self.mode {
            Mode::Ending(_) if !stopping => {
                if let Mode::Ending(ending) = std::mem::replace(&mut self.mode, Mode::Ended) {
                    actions.push(Action::End(ending));
                }
            }
            Mode::Starting | Mode::Running if !stopping || self.strategy == Strategy::OneForOne => {
                self.start_next(now, actions);
            }
            _ => {}
        }
        if matches!(self.mode, Mode::Starting)
            && self
                .children
                .iter()
                .all(|child| child.state == State::Up || !child.wanted)
        {
            self.mode = Mode::Running;
            actions.push(Action::Ready);
        }
    }

    /// Stops the last child that must go, one at a time. Says whether one is still to go.
    fn stop_next(&mut self, now: Instant, actions: &mut Vec<Action>) -> bool {
        let Some(index) = self.children.iter().rposition(|child| child.must_stop) else {
            return false;
        };
        let child = &mut self.children[index];
        if matches!(child.state, State::Up | State::Starting) {
            (child.state, _) = match child.shutdown {
                Shutdown::Timeout(limit) => (
                    State::Stopping {
                        until: Some(now + limit),
                    },
                    actions.push(Action::Stop(index)),
                ),
                Shutdown::Infinity => (State::Stopping { until: None }, actions.push(Action::Stop(index))),
                Shutdown::BrutalKill => (
                    State::Killing {
                        until: now + KILL_PATIENCE,
                    },
                    actions.push(Action::Kill(index, Kill::Brutal)),
                ),
            };
        }
        true
    }

    /// Starts what should be up: in order and one at a time where the order matters, which is everywhere but in the
    /// restarts of a one-for-one supervisor.
    fn start_next(&mut self, now: Instant, actions: &mut Vec<Action>) {
        let in_order = matches!(self.mode, Mode::Starting) || self.strategy != Strategy::OneForOne;
        if in_order && self.children.iter().any(|child| child.state == State::Starting) {
            return;
        }
        let missing = |child: &Child| child.state == State::Down && child.wanted;
        for (index, child) in self
            .children
            .iter_mut()
            .enumerate()
            .filter(|(_, child)| missing(child))
        {
            if child.due.is_none_or(|due| due <= now) {
                child.state = State::Starting;
                child.since = now;
                child.due = None;
                actions.push(Action::Start(index));
            }
            if in_order {
                return;
            }
        }
    }
}

#[cfg(test)]
mod invariants;
#[cfg(test)]
mod tests;
