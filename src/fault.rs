//! Failures on demand. The actor that fails needs no code for it: the fault strikes between its mailbox and its
//! handler, or before its factory.
//!
//! A fault is a word, and may have a [`Rule`] behind an `@` for when it strikes: `panic`, `block:2`, `panic@3`,
//! `drop:5@p=0.1,seed=7`. Both together are an [`Injection`].
//!
//! ```
//! use latido::fault::{Fault, Injection, Rule};
//!
//! let typed: Injection = "panic@3,times=2".parse().unwrap();
//! assert_eq!(typed, Fault::Panic.with(Rule::message(3).times(2)));
//! assert_eq!(typed.to_string(), "panic@3,times=2");
//! ```
//!
//! An actor type may have faults of its own besides, see [`ChildSpec::fault`](crate::supervision::ChildSpec::fault).

mod argument;
mod error;
mod injection;
mod rule;
mod words;

use std::time::Duration;

pub use self::argument::{ArgumentError, DiskError, Seconds};
pub use self::error::FaultError;
pub use self::injection::Injection;
pub use self::rule::Rule;
pub use self::words::FaultInfo;
pub(crate) use self::words::{is_name, listed};
use crate::exit::ExitReason;

/// A failure to put into a child, with [`Tree::inject`](crate::supervision::Tree::inject).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// It panics.
    Panic,
    /// It ends with an error, as by [`crash`](crate::crash).
    Fail,
    /// It stops itself, as by `ctx.stop()`.
    Stop,
    /// It blocks its thread for this long.
    Block(Duration),
    /// It waits for something that does not come, and takes no message meanwhile. Its thread is free. A
    /// [`message_limit`](crate::supervision::ChildSpec::message_limit) finds it.
    Hang,
    /// Each message takes it so much longer. It does nothing else meanwhile, and its thread is free.
    Slow(Duration),
    /// Each message reaches it so much later. They stay in order, and wait in its mailbox.
    Delay(Duration),
    /// So many messages are dropped before it sees them: they become dead letters.
    Drop(u64),
    /// So many of its next starts fail, before its factory is called.
    FailStarts(u64),
    /// So many empty messages are put into its mailbox, as if sent to its plain address. Its handlers do not see them.
    Flood(u64),
    /// What was put into it and waits to strike, or goes on, is taken back.
    Heal,
    /// One of its actor type's own.
    Own {
        /// Its name.
        name: String,
        /// What stands behind the colon.
        argument: Option<String>,
    },
}

/// Where a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seam {
    /// The running actor: between two messages, or at one.
    Life,
    /// Each message on its way to the handler.
    Messages,
    /// A start, before the factory.
    Starts,
}

impl Fault {
    /// This fault, by a rule.
    pub fn with(self, rule: Rule) -> Injection {
        Injection { fault: self, rule }
    }

    /// What it does, in a sentence; of those of an actor type's own nobody knows here.
    pub(crate) fn says(&self) -> Option<&'static str> {
        let text = self.to_string();
        let name = text.split(':').next().unwrap_or_default();
        Self::all().iter().find(|known| known.name == name).map(|known| known.says)
    }

    pub(crate) fn seam(&self) -> Seam {
        match self {
            Self::Slow(_) | Self::Delay(_) | Self::Drop(_) => Seam::Messages,
            Self::FailStarts(_) => Seam::Starts,
            _ => Seam::Life,
        }
    }

    /// Whether it strikes actors only: a supervisor's messages are the news of its children, and without one of them
    /// its tree would hang.
    pub(crate) fn is_for_actors_only(&self) -> bool {
        self.seam() == Seam::Messages || matches!(self, Self::Hang | Self::Flood(_) | Self::Own { .. })
    }

    /// Whether it may be what ended a life so.
    pub(crate) fn explains(&self, reason: &ExitReason) -> bool {
        match self {
            Self::Panic => matches!(reason, ExitReason::Panicked(_)),
            Self::Fail | Self::FailStarts(_) => matches!(reason, ExitReason::Failed(_)),
            Self::Stop => reason.is_normal(),
            Self::Block(_) => matches!(reason, ExitReason::Unresponsive { .. }),
            Self::Hang | Self::Slow(_) => matches!(reason, ExitReason::Deaf { .. }),
            Self::Delay(_) | Self::Drop(_) | Self::Flood(_) | Self::Heal => false,
            Self::Own { .. } => true,
        }
    }

    /// The same by its name.
    pub(crate) fn is_word_for_actors_only(name: &str) -> bool {
        matches!(name, "hang" | "slow" | "delay" | "drop" | "flood")
    }

    /// Carries the fault out, in the actor's own code as far as anybody can tell. What needs more than the thread is the
    /// caller's.
    pub(crate) fn strike(&self) {
        match self {
            Self::Panic => panic!("injected fault"),
            Self::Fail => crate::crash("injected fault"),
            Self::FailStarts(_) => crate::crash("injected fault: this start fails"),
            Self::Block(time) => std::thread::sleep(*time),
            _ => {}
        }
    }
}
