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

mod children;
mod words;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

pub(crate) use self::children::Activity;
use self::children::{Child, Children, Exit, State};
pub(crate) use self::words::{Action, Ending, Input};
use super::policy::{AutoShutdown, Shutdown, Strategy};
use super::spec::{Conduct, Rules};
use super::window::RestartWindow;
use crate::exit::{ExitReason, Kill};

/// How long a killed child may take to be gone before its supervisor goes on without it. Dropping an incarnation
/// takes microseconds; one that takes longer is inside a handler that blocks its thread.
pub(crate) const KILL_PATIENCE: Duration = Duration::from_secs(1);

pub(crate) struct Machine {
    conduct: Conduct,
    window: Arc<Mutex<RestartWindow>>,
    children: Children,
    mode: Mode,
    random: fastrand::Rng,
}

enum Mode {
    /// The first start: children come up one after the other, and one that cannot ends them all.
    Starting,
    Running,
    Ending(Ending),
    Ended,
}

impl Machine {
    pub(crate) fn new(conduct: Conduct, window: Arc<Mutex<RestartWindow>>) -> Self {
        Self {
            conduct,
            window,
            children: Children::default(),
            mode: Mode::Starting,
            random: fastrand::Rng::new(),
        }
    }

    /// Adds a child, to be started with the others.
    pub(crate) fn add(&mut self, place: usize, rules: Arc<Rules>, now: Instant) {
        self.children.insert(place, Child::new(rules, now));
    }

    /// Forgets a child that is down for good.
    pub(crate) fn remove(&mut self, place: usize) {
        self.children.remove(place);
    }

    /// What a child is doing, for those who want to give orders.
    pub(crate) fn activity(&self, place: usize) -> Option<Activity> {
        self.children.get(place).map(Child::activity)
    }

    pub(crate) fn is_full(&self) -> bool {
        self.conduct.max_children.is_some_and(|max| self.children.len() >= max)
    }

    pub(crate) fn has_ended(&self) -> bool {
        matches!(self.mode, Mode::Ended)
    }

    /// Takes in what happened at `now` and says what to do, in order.
    pub(crate) fn handle(&mut self, input: Input, now: Instant) -> Vec<Action> {
        let mut actions = Vec::new();
        match input {
            Input::Begin => {}
            Input::Started(child) => drop(self.children.change(child, |child| child.started(now))),
            Input::Exited(child, reason) => self.exited(child, reason, now, &mut actions),
            Input::OutOfThreads(child, reason) => {
                self.out_of_threads(child, reason, &mut actions);
            }
            Input::Tick => self.tick(now, &mut actions),
            Input::Start(child) => drop(self.children.change(child, Child::start_by_hand)),
            Input::Terminate(child) => self.terminate(child, &mut actions),
            Input::Stop => self.end(Ending::AsAsked),
        }
        self.advance(now, &mut actions);
        actions
    }

    /// When `Input::Tick` is due.
    pub(crate) fn next_tick(&self) -> Option<Instant> {
        self.children.next_timer()
    }

    // ===== what happened =====

    fn exited(&mut self, place: usize, reason: ExitReason, now: Instant, actions: &mut Vec<Action>) {
        let first_start = matches!(self.mode, Mode::Starting);
        let verdict = self.children.change(place, |child| child.exited(&reason, first_start));
        match verdict {
            None | Some(Exit::Nothing) => {}
            Some(Exit::Retire) => actions.push(Action::Retire(place)),
            Some(Exit::RetireByItself) => {
                actions.push(Action::Retire(place));
                self.shut_down_after(place);
            }
            Some(Exit::StartFailed) => self.end(Ending::StartFailed { child: place, reason }),
            Some(Exit::Failed) => self.failed(place, reason, now, actions),
        }
    }

    /// Whatever its restart type: the next life may cost a thread too.
    fn out_of_threads(&mut self, place: usize, reason: ExitReason, actions: &mut Vec<Action>) {
        let exit = self.children.change(place, |child| match child.state {
            State::Down => None,
            _ => Some(child.exited(&reason, false)),
        });
        let Some(exit) = exit.flatten() else { return };
        if matches!(exit, Exit::Retire | Exit::RetireByItself) {
            actions.push(Action::Retire(place));
        }
        self.end(Ending::OutOfThreads { child: place, reason });
    }

    fn tick(&mut self, now: Instant, actions: &mut Vec<Action>) {
        for place in self.children.expired(now) {
            self.children.change(place, |child| match child.state {
                State::Stopping { .. } => {
                    child.state = State::Killing { until: now + KILL_PATIENCE };
                    let limit = child.rules.shutdown.limit();
                    actions.push(Action::Kill(place, Kill::Late(limit)));
                }
                State::Killing { .. } => {
                    child.state = State::Down;
                    child.must_stop = false;
                    actions.push(Action::Abandon(place));
                    if !child.wanted {
                        actions.push(Action::Retire(place));
                    }
                }
                _ => child.due = None,
            });
        }
    }

    /// The decision: one restart for the child and all that its strategy takes with it, or none any more.
    fn failed(&mut self, place: usize, reason: ExitReason, now: Instant, actions: &mut Vec<Action>) {
        let decision = self.window.lock().unwrap_or_else(PoisonError::into_inner).restart(now);
        let budget = match decision {
            Ok(budget) => budget,
            Err(budget) => {
                actions.push(Action::GaveUp { child: place, reason: reason.clone(), budget });
                return self.end(Ending::GaveUp { child: place, reason, budget });
            }
        };
        let random = self.random.f64();
        let backed_off = self.children.change(place, |child| {
            child.failures = child.rules.backoff.failures(child.failures, now - child.since);
            let (failures, backoff) = (child.failures, child.rules.backoff);
            (failures, backoff.delay(failures, random), backoff.wait(failures, random))
        });
        let Some((failures, delay, wait)) = backed_off else {
            return;
        };
        let due = (!delay.is_zero()).then(|| now + delay);
        let mut siblings = Vec::new();
        for affected in self.children.places(self.conduct.strategy.affected(place)) {
            let is_back = self.children.change(affected, |child| child.goes_along(due)).unwrap_or_default();
            if is_back && affected != place {
                siblings.push(affected);
            }
        }
        actions.push(Action::Restarting { child: place, delay, wait, failures, budget, siblings });
    }

    fn terminate(&mut self, place: usize, actions: &mut Vec<Action>) {
        if self.children.change(place, Child::terminate) == Some(State::Down) {
            actions.push(Action::Retire(place));
        }
    }

    /// A significant child may take its supervisor along.
    fn shut_down_after(&mut self, place: usize) {
        let significant = self.children.get(place).is_some_and(|child| child.rules.significant);
        let ends = match self.conduct.auto_shutdown {
            AutoShutdown::Never => false,
            AutoShutdown::AnySignificant => significant,
            AutoShutdown::AllSignificant => significant && !self.children.is_any_significant_left(),
        };
        if ends {
            self.end(Ending::AsAsked);
        }
    }

    fn end(&mut self, ending: Ending) {
        if matches!(self.mode, Mode::Ending(_) | Mode::Ended) {
            return;
        }
        self.mode = Mode::Ending(ending);
        for place in self.children.places(..) {
            self.children.change(place, |child| {
                child.must_stop = child.state != State::Down;
                child.due = None;
            });
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
            Mode::Starting | Mode::Running if !stopping || self.conduct.strategy == Strategy::OneForOne => {
                self.start_next(now, actions);
            }
            _ => {}
        }
        if matches!(self.mode, Mode::Starting) && self.children.are_settled() {
            self.mode = Mode::Running;
            actions.push(Action::Ready);
        }
    }

    /// Stops what must go: one at a time and the last one first where the order matters. It does not where children
    /// come and go as they like, nor for the children of a one-for-one supervisor that were terminated by hand. Says
    /// whether one is still to go.
    fn stop_next(&mut self, now: Instant, actions: &mut Vec<Action>) -> bool {
        let Some(last) = self.children.last_to_stop() else {
            return false;
        };
        let by_hand = self.conduct.strategy == Strategy::OneForOne && !matches!(self.mode, Mode::Ending(_));
        match self.conduct.dynamic || by_hand {
            true => self.children.untold().into_iter().for_each(|place| self.stop(place, now, actions)),
            false => self.stop(last, now, actions),
        }
        true
    }

    fn stop(&mut self, place: usize, now: Instant, actions: &mut Vec<Action>) {
        self.children.change(place, |child| {
            if !matches!(child.state, State::Up | State::Starting) {
                return; // It has been told.
            }
            let killing = State::Killing { until: now + KILL_PATIENCE };
            let (state, action) = match child.rules.shutdown {
                Shutdown::Timeout(limit) => {
                    (State::Stopping { until: Some(now + limit) }, Action::Stop(place))
                }
                Shutdown::Infinity => (State::Stopping { until: None }, Action::Stop(place)),
                Shutdown::BrutalKill => (killing, Action::Kill(place, Kill::Brutal)),
            };
            child.state = state;
            actions.push(action);
        });
    }

    /// Starts what should be up: in order and one at a time where the order matters, which is everywhere but in the
    /// restarts of a one-for-one supervisor.
    fn start_next(&mut self, now: Instant, actions: &mut Vec<Action>) {
        let in_order = matches!(self.mode, Mode::Starting) || self.conduct.strategy != Strategy::OneForOne;
        let places = match in_order {
            true if self.children.is_any_starting() => return,
            true => Vec::from_iter(self.children.first_missing()),
            false => self.children.ready(),
        };
        for place in places {
            self.children.change(place, |child| {
                child.state = State::Starting;
                child.since = now;
            });
            actions.push(Action::Start(place));
        }
    }
}

#[cfg(test)]
mod invariants;
#[cfg(test)]
mod orders;
#[cfg(test)]
mod restarts;
#[cfg(test)]
mod tests;
