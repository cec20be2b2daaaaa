//! What stands between a child's mailbox and its handlers when somebody has put it there: faults, or a pause. As a rule
//! nothing does, and that costs one look at one atomic for each message.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::armed::Armed;
use crate::fault::{Fault, Injection};
use crate::path::TreePath;

#[derive(Default)]
pub(crate) struct Valve {
    /// Whether there is anything: all that a child pays that nobody meddles with.
    is_throttled: AtomicBool,
    inside: Mutex<Inside>,
}

#[derive(Default)]
struct Inside {
    armed: Vec<Armed>,
    is_paused: bool,
    /// The pump has a message in hand whose time has not come.
    is_held: bool,
    /// When the messages in the mailbox may be taken, the first of them first. Only while some are delayed.
    due: VecDeque<Instant>,
    healed: u64,
}

/// A fault whose time has come.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Strike {
    pub(super) fault: Fault,
    /// For how long a hang hangs.
    pub(super) lasting: Option<Duration>,
    /// It is to be told.
    pub(super) is_news: bool,
    /// It will not strike again.
    pub(super) is_last: bool,
}

/// What becomes of the next message.
#[derive(Debug, PartialEq)]
pub(super) enum Passage {
    /// It stays where it is, until then at least if that is known; or there is none.
    Wait(Option<Instant>),
    Drop(Strike),
    /// It is handled: after a while perhaps, and with a fault.
    Take {
        slow: Option<Strike>,
        strike: Option<Strike>,
    },
}

impl Valve {
    #[inline]
    pub(super) fn is_throttled(&self) -> bool {
        self.is_throttled.load(Ordering::Acquire)
    }

    // ===== from outside =====

    pub(super) fn arm(&self, injection: Injection, path: &TreePath) {
        let armed = Armed::new(injection, path, Instant::now());
        self.change(|inside| inside.armed.push(armed));
    }

    /// Takes back what was put in.
    pub(super) fn heal(&self) {
        self.change(|inside| {
            inside.armed.clear();
            inside.due.clear();
            inside.healed += 1;
        });
    }

    /// What waits to strike, or goes on.
    pub(super) fn armed(&self) -> Vec<Injection> {
        match self.is_throttled() {
            true => self.lock().armed.iter().map(|armed| armed.injection.clone()).collect(),
            false => Vec::new(),
        }
    }

    /// Whether that changed anything.
    pub(super) fn pause(&self, is_paused: bool) -> bool {
        self.change(|inside| std::mem::replace(&mut inside.is_paused, is_paused) != is_paused)
    }

    pub(super) fn is_paused(&self) -> bool {
        self.is_throttled() && self.lock().is_paused
    }

    /// How often it was healed: what goes on ends when this changes.
    pub(super) fn healed(&self) -> u64 {
        self.lock().healed
    }

    // ===== the incarnation's side =====

    /// A fault that strikes now, by itself.
    pub(super) fn due(&self, incarnation: u64) -> Option<Strike> {
        let now = Instant::now();
        self.change(|inside| inside.first(incarnation, |armed| armed.is_due(now)))
    }

    /// A fault that strikes a start.
    pub(super) fn due_at_start(&self, incarnation: u64) -> Option<Strike> {
        if !self.is_throttled() {
            return None;
        }
        let now = Instant::now();
        self.change(|inside| inside.first(incarnation, |armed| armed.is_due_at_start(now)))
    }

    /// What becomes of the next of so many messages; and a delay of some of them, if that is to be told.
    pub(super) fn next(&self, queued: usize, incarnation: u64) -> (Passage, Option<Strike>) {
        let now = Instant::now();
        self.change(|inside| {
            let delay = inside.delay(queued, incarnation, now);
            (inside.next(queued, incarnation, now), delay)
        })
    }

    /// When to look for a fault again, even if nothing happens.
    pub(super) fn alarm(&self) -> Option<Instant> {
        self.lock().armed.iter().filter_map(Armed::next).min()
    }

    /// Whether a message is held up: then nobody may overtake it.
    pub(super) fn holds(&self, is_held: bool) {
        self.change(|inside| inside.is_held = is_held);
    }

    fn change<R>(&self, change: impl FnOnce(&mut Inside) -> R) -> R {
        let mut inside = self.lock();
        let result = change(&mut inside);
        let now = Instant::now();
        inside.armed.retain(|armed| !armed.is_over(now));
        let is_throttled =
            !inside.armed.is_empty() || inside.is_paused || inside.is_held || !inside.due.is_empty();
        self.is_throttled.store(is_throttled, Ordering::Release);
        result
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inside {
    fn first(&mut self, incarnation: u64, is_due: impl Fn(&mut Armed) -> bool) -> Option<Strike> {
        let due = self.armed.iter_mut().find_map(|armed| is_due(armed).then_some(armed));
        due.map(|armed| Strike::of(armed, incarnation))
    }

    fn next(&mut self, queued: usize, incarnation: u64, now: Instant) -> Passage {
        if queued == 0 || self.is_paused {
            return Passage::Wait(None);
        }
        if let Some(due) = self.due.front().copied().filter(|due| *due > now) {
            return Passage::Wait(Some(due));
        }
        self.due.pop_front();
        let (mut slow, mut strike) = (None, None);
        for armed in &mut self.armed {
            match armed.fault() {
                Fault::Delay(_) => {}
                Fault::Slow(_) => {
                    if armed.is_due_at_message(now, true) {
                        slow = Some(Strike::of(armed, incarnation));
                    }
                }
                // Every fault counts the message, also those behind the first that is due.
                _ => {
                    if armed.is_due_at_message(now, strike.is_none()) {
                        strike = Some(Strike::of(armed, incarnation));
                    }
                }
            }
        }
        match strike {
            Some(strike) if matches!(strike.fault, Fault::Drop(_)) => Passage::Drop(strike),
            strike => Passage::Take { slow, strike },
        }
    }

    /// Says of the messages that have come since when they may be taken.
    fn delay(&mut self, queued: usize, incarnation: u64, now: Instant) -> Option<Strike> {
        let is_delayed = self.armed.iter().any(|armed| matches!(armed.fault(), Fault::Delay(_)));
        if !is_delayed && self.due.is_empty() {
            return None;
        }
        let mut struck = None;
        // Some may have been dropped from a full mailbox: the oldest, as a rule.
        let gone = self.due.len().saturating_sub(queued);
        self.due.drain(..gone);
        while self.due.len() < queued {
            let mut delay = Duration::ZERO;
            for armed in &mut self.armed {
                if let Fault::Delay(time) = *armed.fault()
                    && !armed.is_over(now)
                    && armed.is_due_at_message(now, true)
                {
                    delay = delay.max(time);
                    struck = struck.or_else(|| Some(Strike::of(armed, incarnation)).filter(|it| it.is_news));
                }
            }
            self.due.push_back(now + delay);
        }
        struck
    }
}

impl Strike {
    fn of(armed: &mut Armed, incarnation: u64) -> Self {
        let is_news = armed.is_news(incarnation);
        let (lasting, is_last) = (armed.lasting(), armed.is_spent());
        Self { fault: armed.fault().clone(), lasting, is_news, is_last }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn valve(faults: &[&str]) -> Valve {
        let valve = Valve::default();
        let path = TreePath::root("app");
        faults.iter().for_each(|fault| valve.arm(fault.parse().unwrap(), &path));
        valve
    }

    fn strike((passage, _): (Passage, Option<Strike>)) -> String {
        match passage {
            Passage::Wait(_) => "wait".to_owned(),
            Passage::Drop(_) => "drop".to_owned(),
            Passage::Take { slow, strike } => {
                let faults = slow.into_iter().chain(strike).map(|strike| strike.fault.to_string());
                faults.collect::<Vec<_>>().join(" ")
            }
        }
    }

    #[test]
    fn it_is_wide_open_unless_somebody_meddles_and_again_when_all_is_over() {
        let valve = valve(&[]);
        assert!(!valve.is_throttled());
        valve.arm("panic@1".parse().unwrap(), &TreePath::root("app"));
        assert!(valve.is_throttled());
        assert_eq!(strike(valve.next(1, 1)), "panic");
        assert!(!valve.is_throttled());
        assert!(valve.pause(true) && !valve.pause(true) && valve.is_throttled() && valve.is_paused());
        assert_eq!(strike(valve.next(1, 1)), "wait");
        assert!(valve.pause(false) && !valve.is_throttled());
    }

    #[test]
    fn each_fault_strikes_once_at_its_message_and_those_at_the_same_one_after_the_other() {
        let valve = valve(&["panic@2", "fail@2", "slow:1", "drop:1@3"]);
        let struck: Vec<_> = (0..5).map(|_| strike(valve.next(1, 1))).collect();
        assert_eq!(struck, ["slow:1", "slow:1 panic", "slow:1 fail", "drop", "slow:1"]);
        assert_eq!(valve.armed(), ["slow:1".parse().unwrap()]);
        valve.heal();
        assert!(!valve.is_throttled());
    }

    #[test]
    fn a_fault_of_messages_is_told_once_in_a_life() {
        let valve = valve(&["slow:1"]);
        let is_news = |incarnation| match valve.next(1, incarnation).0 {
            Passage::Take { slow: Some(slow), .. } => slow.is_news,
            passage => panic!("{passage:?}"),
        };
        assert!(is_news(1) && !is_news(1) && is_news(2) && !is_news(2));
    }

    #[tokio::test(start_paused = true)]
    async fn delayed_messages_come_later_by_that_and_not_one_after_the_other() {
        let second = Duration::from_secs(1);
        let valve = valve(&["delay:2"]);
        let (passage, told) = valve.next(2, 1);
        let due = Instant::now() + 2 * second;
        assert_eq!((passage, told.unwrap().fault), (Passage::Wait(Some(due)), Fault::Delay(2 * second)));
        tokio::time::advance(second).await;
        assert_eq!(valve.next(3, 1), (Passage::Wait(Some(due)), None), "it was told");
        assert!(valve.pause(true));
        assert_eq!(valve.next(3, 1).0, Passage::Wait(None), "nobody need look before it is resumed");
        assert!(valve.pause(false));
        tokio::time::advance(second).await;
        assert_eq!(strike(valve.next(3, 1)), "");
        assert_eq!(strike(valve.next(2, 1)), "");
        assert_eq!(strike(valve.next(1, 1)), "wait", "it came a second later");
        valve.heal();
        assert!(!valve.is_throttled());
    }
}
