//! Is it still moving? Read from outside, by a thread that does nothing else: whoever hangs cannot say so.
//!
//! Whoever is watched counts what it does, which costs it two stores to memory of its own. The watchdog looks at the
//! counts four times within each limit. It counts only the time in which it was itself given the processor as it had
//! asked: in a process that was suspended, or is starved, nobody could move.

mod watch;
mod watchdog;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

pub(crate) use self::watch::SHORTEST;
pub(crate) use self::watchdog::{keep_time, watch};

/// How long an actor may go without a sign of life.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Limits {
    /// For how long it may block its thread.
    pub(crate) block: Option<Duration>,
    /// For how long it may take no message.
    pub(crate) deaf: Option<Duration>,
    /// Whether that counts also when none waits.
    pub(crate) deaf_uncalled: bool,
}

/// What somebody does, counted.
#[derive(Default)]
pub(crate) struct Pulse {
    /// Begins and ends of polls: odd while it is polled.
    polls: AtomicU64,
    /// How often it looked into its mailbox.
    looks: AtomicU64,
}

/// For how long there was no sign of life.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Hang {
    /// It is being polled.
    Blocked(Duration),
    /// It is polled now and then, but does not look into its mailbox, where there is something for it.
    Deaf(Duration),
}

/// Who is watched.
pub(crate) trait Watched: Send + Sync {
    /// Whether it should look into its mailbox, where messages are or `may be`.
    fn is_called(&self, may_be: bool) -> bool;
    /// Has it polled even if nothing else does.
    fn wake(&self);
    fn hangs(self: Arc<Self>, hang: Hang);
}

/// Whoever keeps the time of others, told by the watchdog how it passes: each job of a pool has a limit of its own.
pub(crate) trait Timekeeper: Send + Sync {
    fn round(&self, round: Round);
}

/// The time from one look of the watchdog to the next.
#[derive(Clone, Copy)]
pub(crate) struct Round {
    pub(crate) gap: Duration,
    /// As much of it as the watchdog had wanted to sleep.
    pub(crate) awake: Duration,
}

impl Round {
    /// What of it may be held against somebody who has `limit`. `None`: the process was suspended or starved for so long
    /// that what was counted before says nothing any more.
    pub(crate) fn counts(self, limit: Duration) -> Option<Duration> {
        (self.gap <= limit / 2).then_some(self.awake)
    }
}

impl Pulse {
    /// A poll begins, or ends.
    pub(crate) fn beat(&self) {
        step(&self.polls);
    }

    /// It looks into its mailbox.
    pub(crate) fn looks(&self) {
        step(&self.looks);
    }
}

/// One thread writes, so nothing can come between the load and the store.
fn step(counter: &AtomicU64) {
    counter.store(counter.load(Ordering::Relaxed) + 1, Ordering::Release);
}

impl Limits {
    pub(crate) fn are_set(&self) -> bool {
        self.block.is_some() || self.deaf.is_some()
    }

    fn shortest(&self) -> Duration {
        let limits = [self.block, self.deaf];
        limits.into_iter().flatten().min().unwrap_or(Duration::MAX)
    }
}
