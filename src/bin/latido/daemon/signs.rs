//! Signs of life of the parts that a daemon is nothing without: the heartbeat asks for them before it tells the init system
//! that all is well.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

#[derive(Debug)]
pub(super) struct Signs {
    born: Instant,
    /// Milliseconds since then.
    main: AtomicU64,
    ledger: AtomicU64,
}

impl Signs {
    pub(super) fn new() -> Self {
        Self { born: Instant::now(), main: AtomicU64::new(0), ledger: AtomicU64::new(0) }
    }

    /// The main thread moves: it has the supervisors and the signals.
    pub(super) fn main_moves(&self) {
        self.main.store(self.now(), Ordering::Relaxed);
    }

    /// The ledger has answered, to the inbox, so both move.
    pub(super) fn ledger_answers(&self) {
        self.ledger.store(self.now(), Ordering::Relaxed);
    }

    /// How long ago the older of the last signs was.
    pub(super) fn age(&self) -> Duration {
        let oldest = self.main.load(Ordering::Relaxed).min(self.ledger.load(Ordering::Relaxed));
        Duration::from_millis(self.now().saturating_sub(oldest))
    }

    pub(super) fn uptime(&self) -> Duration {
        self.born.elapsed()
    }

    fn now(&self) -> u64 {
        self.born.elapsed().as_millis().try_into().unwrap_or(u64::MAX)
    }
}
