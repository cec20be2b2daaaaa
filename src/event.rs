//! What happened in a tree, as one ordered stream of typed events. The log, the views and the tests read the
//! same stream; nothing about a tree is told anywhere else.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

pub use log::Level;

pub use crate::bus::Events;
use crate::exit::ExitReason;
use crate::fault::Fault;
use crate::incident::Consequence;
use crate::path::TreePath;
use crate::type_name::bare;

/// One thing that happened to one child.
#[derive(Clone, Debug)]
pub struct Event {
    /// Counts the tree's events from 1, in the order in which they happened.
    pub seq: u64,
    /// When, by the wall clock.
    pub at: SystemTime,
    /// To whom.
    pub path: TreePath,
    /// To which of its lives, counted from 1; 0 before the first.
    pub incarnation: u64,
    /// The [`Incident`](crate::Incident) that it belongs to, by its number, if it belongs to one.
    pub incident: Option<u64>,
    /// What.
    pub kind: EventKind,
}

/// What happened.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum EventKind {
    /// The incarnation runs: `started()` has returned, and what it put into `ctx.wait()` is done.
    Started,
    /// The incarnation ended without being asked to.
    Exited {
        /// Why.
        reason: ExitReason,
        /// How long it ran.
        lived: Duration,
        /// Messages that were being handled, and are lost to their senders.
        lost: u64,
        /// The type of the message that was being handled, if it came through an
        /// [`ActorRef`](crate::supervision::ActorRef): what is sent to a plain address does not tell.
        message: Option<&'static str>,
        /// Messages that were waiting, and are kept for the next.
        kept: u64,
    },
    /// The incarnation ended because its supervisor asked for it.
    Stopped {
        /// How: [`ExitReason::Shutdown`] when it did as asked.
        reason: ExitReason,
        /// How long that took.
        took: Duration,
    },
    /// The supervisor decided to restart it, and with it those that the strategy names.
    Restarting {
        /// The wait before the start.
        delay: Duration,
        /// How that was found.
        wait: Wait,
        /// Failures in a row, this one included, as the backoff counts them.
        failures: u32,
        /// The supervisor's restarts, this one included.
        budget: Budget,
        /// The siblings that restart with it.
        siblings: Vec<TreePath>,
    },
    /// The supervisor is out of restarts. It stops its children and fails; its parent decides.
    GaveUp {
        /// The child whose failure was one too many.
        child: TreePath,
        /// How that child ended.
        reason: ExitReason,
        /// The restarts that were used up.
        budget: Budget,
    },
    /// Somebody put a failure into the child on purpose.
    Injected(Fault),
    /// Its mailbox waits from here on, see [`Tree::pause`](crate::supervision::Tree::pause).
    Paused,
    /// It takes messages again, old and new.
    Resumed,
    /// It handles what is queued, takes nothing new and then stops, see [`Tree::drain`](crate::supervision::Tree::drain).
    Draining,
    /// Nobody will handle a message that was sent to the child. Said of its first dead letter, its second, fourth, eighth
    /// and so on, and of the first and the last of each [`Fault::Drop`], so that a flood of them is no flood of events; [`MessageCounts`](crate::supervision::MessageCounts) has
    /// them all.
    DeadLetter {
        /// The type of the message, if it came through an [`ActorRef`](crate::supervision::ActorRef).
        message: Option<&'static str>,
        /// Why.
        why: Unhandled,
        /// How many the child has had, this one included.
        total: u64,
    },
    /// The child has something to say; see [`Reporter`](crate::Reporter).
    Report(Arc<dyn Report>),
    /// This subscriber did not read for so long that as many events as this were not kept for it.
    Missed(u64),
}

/// Why nobody handles a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unhandled {
    /// The mailbox was full, and its rule is to drop.
    Overflow,
    /// The child is down, and nobody is about to restart it.
    Down,
    /// The child is being drained, and takes nothing new.
    Draining,
    /// It was dropped on purpose, see [`Fault::Drop`].
    Injected,
}

/// How much of a supervisor's restart intensity is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Restarts within the period, the one being decided included.
    pub used: u32,
    /// Restarts allowed within the period.
    pub intensity: u32,
    /// The period.
    pub period: Duration,
    /// When the oldest restart is forgotten, and makes room for another; zero if there is none.
    pub frees_in: Duration,
}

/// The arithmetic behind a wait: `min(cap, first x 2^doublings x stretch)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wait {
    /// The wait after a first failure.
    pub first: Duration,
    /// Its doublings since.
    pub doublings: u32,
    /// What jitter made of it.
    pub stretch: f64,
    /// What it never exceeds.
    pub cap: Duration,
}

/// What an actor type tells the world in its own words: a beat, a finished job. Any `Debug + Display` type
/// can be one; readers get the type back with [`Event::report`].
pub trait Report: Any + fmt::Debug + fmt::Display + Send + Sync {
    /// How loud it is in the log.
    fn level(&self) -> Level {
        Level::Debug
    }

    /// What it came of, if that is something that went wrong elsewhere: then it is told in the [story](crate::Incident) of
    /// that, too.
    ///
    /// ```
    /// # use latido::Report;
    /// use latido::incident::Consequence;
    /// use latido::supervision::AskError;
    ///
    /// #[derive(Debug)]
    /// struct Lost { order: u64, error: AskError }
    /// # impl std::fmt::Display for Lost {
    /// #     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
    /// #         write!(f, "order {} is lost, and placed again", self.order)
    /// #     }
    /// # }
    /// impl Report for Lost {
    ///     fn consequence(&self) -> Option<Consequence> {
    ///         let of = self.error.trouble()?;
    ///         Some(Consequence { of, matter: format!("order {}", self.order), is_settled: false })
    ///     }
    /// }
    /// ```
    fn consequence(&self) -> Option<Consequence> {
        None
    }

    /// What it tells, for programs: whoever hears of it by a [door](crate::control) need not take its words apart. Null,
    /// as it is unless said otherwise, if its words are all there is. The reports of this crate are objects, whose `event` says
    /// which they are.
    ///
    /// ```
    /// # use latido::Report;
    /// # #[derive(Debug)]
    /// struct Indexed(u64);
    /// # impl std::fmt::Display for Indexed {
    /// #     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
    /// #         write!(f, "indexed {} pages", self.0)
    /// #     }
    /// # }
    /// impl Report for Indexed {
    ///     fn data(&self) -> serde_json::Value {
    ///         serde_json::json!({ "event": "indexed", "pages": self.0 })
    ///     }
    /// }
    /// ```
    #[cfg(feature = "control")]
    fn data(&self) -> serde_json::Value {
        serde_json::Value::Null
    }
}

impl Event {
    /// The report as the type it was made of, if that is what this event is.
    pub fn report<R: Report>(&self) -> Option<&R> {
        let EventKind::Report(report) = &self.kind else {
            return None;
        };
        (&**report as &dyn Any).downcast_ref()
    }

    /// How loud it is in the log.
    pub fn level(&self) -> Level {
        match &self.kind {
            EventKind::Exited { reason, .. } if !reason.is_normal() => Level::Warn,
            EventKind::Stopped { reason, .. } if !reason.is_normal() => Level::Warn,
            EventKind::Restarting { .. } | EventKind::Injected(_) | EventKind::Missed(_) => Level::Warn,
            EventKind::Paused | EventKind::Draining => Level::Warn,
            EventKind::DeadLetter { why: Unhandled::Overflow | Unhandled::Injected, .. } => Level::Warn,
            EventKind::GaveUp { .. } => Level::Error,
            EventKind::Report(report) => report.level(),
            _ => Level::Info,
        }
    }
}

// ===== as text =====

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, incarnation, kind, .. } = self;
        match kind {
            EventKind::Exited { lived, .. } => write!(f, "{path} #{incarnation} {kind} (lived {lived:.1?})"),
            EventKind::Stopped { took, .. } => write!(f, "{path} #{incarnation} {kind} (took {took:.1?})"),
            EventKind::Restarting { .. } | EventKind::GaveUp { .. } => write!(f, "{path} {kind}"),
            EventKind::Report(report) => write!(f, "{path} #{incarnation}: {report}"),
            EventKind::Missed(_) => kind.fmt(f),
            // Between two lives.
            _ if *incarnation == 0 => write!(f, "{path} {kind}"),
            _ => write!(f, "{path} #{incarnation} {kind}"),
        }
    }
}

/// What happened, without to whom, when or for how long: the same text in every run.
impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started => f.write_str("started"),
            Self::Exited { reason, .. } => reason.fmt(f),
            Self::Stopped { reason: ExitReason::Shutdown, .. } => f.write_str("stopped"),
            Self::Stopped { reason, .. } => write!(f, "stopped, but {reason}"),
            Self::Restarting { delay, failures, budget, siblings, .. } => {
                let wait = if delay.is_zero() { "at once".to_owned() } else { format!("in {delay:.1?}") };
                write!(f, "restarts {wait} (failure {failures} in a row, {budget})")?;
                if !siblings.is_empty() {
                    let names: Vec<_> = siblings.iter().map(TreePath::name).collect();
                    write!(f, " together with {}", names.join(", "))?;
                }
                Ok(())
            }
            Self::GaveUp { child, reason, budget } => write!(
                f,
                "gives up: {} {reason}, and {} restarts in {:?} are all that it allows",
                child.name(),
                budget.intensity,
                budget.period
            ),
            Self::Injected(Fault::Heal) => f.write_str("is healed of what was put into it"),
            Self::Paused => f.write_str("is paused: its messages wait"),
            Self::Resumed => f.write_str("is resumed"),
            Self::Draining => f.write_str("is being drained: it takes nothing new"),
            Self::Injected(fault) => write!(f, "gets a fault on purpose: {fault}"),
            Self::DeadLetter { message, why, total } => {
                let kind = message.map_or_else(String::new, |kind| format!(" ({})", bare(kind)));
                write!(f, "a message{kind} was not handled: {why} (dead letter {total})")
            }
            Self::Report(report) => report.fmt(f),
            Self::Missed(count) => {
                write!(f, "{count} events were missed here: this subscriber reads too slowly")
            }
        }
    }
}

impl fmt::Display for Unhandled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Overflow => "the mailbox is full",
            Self::Down => "the child is down",
            Self::Draining => "the child is being drained",
            Self::Injected => "it was dropped on purpose",
        })
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { used, intensity, period, .. } = self;
        write!(f, "restart {used} of {intensity} in {period:?}")
    }
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { first, doublings, stretch, cap } = self;
        if first.is_zero() {
            return f.write_str("no wait");
        }
        write!(f, "min({cap:?}, {first:?} x 2^{doublings}")?;
        if *stretch != 1.0 {
            write!(f, " x {stretch:.2}")?;
        }
        f.write_str(")")
    }
}
