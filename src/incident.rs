//! What failed, what was decided about it, and what came of that: the events of one failure, put together into a story.

mod book;

use std::fmt;
use std::time::{Duration, SystemTime};

pub(crate) use self::book::{Book, Open};
use crate::event::{Budget, Wait};
use crate::exit::ExitReason;
use crate::fault::Fault;
use crate::path::TreePath;

/// One failure of one child, from its end to its return. As text it is a story of a few lines:
///
/// ```text
/// incident 17: app/fetch #3 panicked: no such table at src/fetch.rs:20:9
///   it had run for 1.2s
///   it was put there on purpose: panic
///   lost 1 message that was being handled, a shop::Order; 12 that were waiting are kept
///   decision: restart 3 of 5 in 10s; wait 420ms = min(5s, 100ms x 2^2 x 1.05)
///   the oldest of these restarts is forgotten in 4.2s
///   stopped with it: app/writer (3ms), app/sorter (12ms)
///   up again as #4, 431ms after it failed; its first message was handled after 432ms
/// ```
///
/// With `RUST_BACKTRACE=1` a panic's way through the actor's code is told too.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Incident {
    /// The number of the event with which it began, see [`Event::seq`](crate::Event::seq).
    pub id: u64,
    /// When it began, by the wall clock.
    pub at: SystemTime,
    /// Who failed.
    pub path: TreePath,
    /// In which of its lives.
    pub incarnation: u64,
    /// How that ended.
    pub reason: ExitReason,
    /// How long it had run.
    pub lived: Duration,
    /// What was put into it on purpose, if that is what ended it.
    pub injected: Option<Fault>,
    /// Messages that were being handled.
    pub lost: u64,
    /// The type of the message that was being handled, if it came through an
    /// [`ActorRef`](crate::supervision::ActorRef): what is sent to a plain address does not tell.
    pub message: Option<&'static str>,
    /// Messages that were waiting, and are kept.
    pub kept: u64,
    /// What the supervisor decided.
    pub decision: Decision,
    /// Who was stopped with it, in this order, and how long each took.
    pub stopped: Vec<(TreePath, Duration)>,
    /// How long it was down. `None` while it is.
    pub down: Option<Duration>,
    /// How long it took until a message was handled again. `None` until one is.
    pub answered: Option<Duration>,
    /// The next incident of the same child, if it failed again before it was up.
    pub again: Option<u64>,
}

/// What a supervisor decides about a failure.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Decision {
    /// It stays down: that is its restart type, or its supervisor is stopping.
    StaysDown,
    /// It is started again.
    Restart {
        /// The wait before it.
        delay: Duration,
        /// How that was found.
        wait: Wait,
        /// The supervisor's restarts, this one included.
        budget: Budget,
        /// Who restarts with it.
        siblings: Vec<TreePath>,
    },
    /// The supervisor is out of restarts, and fails in its turn.
    GiveUp(Budget),
    /// It was its supervisor's first start: those started before it are stopped, and the supervisor fails.
    RollBack,
    /// The tree has left too many blocked threads behind, and the supervisor fails.
    OutOfThreads,
}

impl fmt::Display for Incident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, path, incarnation, reason, lived, .. } = self;
        write!(f, "incident {id}: {path} #{incarnation} {reason}")?;
        if let ExitReason::Panicked(panic) = reason
            && self.injected.is_none()
            && let Some(trace) = panic.trace()
        {
            for line in trace.lines() {
                write!(f, "\n    {}", line.strip_prefix("   ").unwrap_or(line))?;
            }
        }
        write!(f, "\n  it had run for {lived:.1?}")?;
        if let Some(fault) = &self.injected {
            write!(f, "\n  it was put there on purpose: {fault}")?;
        }
        if self.lost > 0 || self.kept > 0 {
            match self.lost {
                0 => write!(f, "\n  lost no message; ")?,
                lost => write!(f, "\n  lost {lost} message that was being handled")?,
            }
            match self.message.filter(|_| self.lost > 0) {
                Some(kind) => write!(f, ", a {kind}; ")?,
                None if self.lost > 0 => write!(f, "; ")?,
                None => {}
            }
            match self.kept {
                0 => write!(f, "none was waiting")?,
                1 => write!(f, "1 that was waiting is kept")?,
                kept => write!(f, "{kept} that were waiting are kept")?,
            }
        }
        match &self.decision {
            Decision::StaysDown if path.parent().is_none() => {
                write!(f, "\n  decision: nobody is above it, so the tree ends")?;
            }
            Decision::StaysDown => write!(f, "\n  decision: it stays down")?,
            Decision::RollBack => write!(
                f,
                "\n  decision: no restart at a first start; what was started before it is stopped, and its supervisor fails"
            )?,
            Decision::OutOfThreads => {
                write!(
                    f,
                    "\n  decision: no restart: too many threads were left behind; its supervisor fails"
                )?;
            }
            Decision::GiveUp(budget) => write!(
                f,
                "\n  decision: no restart: it would be number {} of {} in {:?}; its supervisor gives up",
                budget.used, budget.intensity, budget.period
            )?,
            Decision::Restart { delay, wait, budget, .. } => {
                match delay.is_zero() {
                    true => write!(f, "\n  decision: {budget}, at once")?,
                    false => write!(f, "\n  decision: {budget}; wait {delay:.1?} = {wait}")?,
                }
                write!(f, "\n  the oldest of these restarts is forgotten in {:.1?}", budget.frees_in)?;
            }
        }
        if !self.stopped.is_empty() {
            let stopped: Vec<_> =
                self.stopped.iter().map(|(path, took)| format!("{path} ({took:.1?})")).collect();
            write!(f, "\n  stopped with it: {}", stopped.join(", "))?;
        }
        match (&self.decision, self.down, self.again) {
            (_, Some(down), _) => {
                write!(f, "\n  up again as #{}, {down:.1?} after it failed", self.incarnation + 1)?;
                match self.answered {
                    Some(answered) => write!(f, "; its first message was handled after {answered:.1?}"),
                    None => Ok(()),
                }
            }
            (_, None, Some(again)) => write!(f, "\n  it failed again before it was up: incident {again}"),
            (Decision::Restart { .. }, None, None) => f.write_str("\n  not up again yet"),
            _ => Ok(()),
        }
    }
}
