//! How far a download is, for whoever wants to look.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

/// How far a download is. Share it in an `Arc`, give it to [`Fetch::progress`](super::Fetch::progress) and look
/// whenever you like, from any thread: no message is sent for it.
#[derive(Debug, Default)]
pub struct Progress {
    received: AtomicU64,
    total: AtomicU64,
    begun: AtomicUsize,
}

impl Progress {
    /// Bytes so far, those included that were there already. A new attempt with the same counter begins at 0, or with them.
    pub fn received(&self) -> u64 {
        self.received.load(Relaxed)
    }

    /// The file's length, as the server announced it; `None` while it is not known, and of an empty file.
    pub fn total(&self) -> Option<u64> {
        Some(self.total.load(Relaxed)).filter(|total| *total > 0)
    }

    /// How many files have begun to come with this counter; the last of them is the one that is counted.
    pub fn begun(&self) -> usize {
        self.begun.load(Relaxed)
    }

    pub(super) fn start(&self, total: Option<u64>) {
        self.received.store(0, Relaxed);
        self.total.store(total.unwrap_or(0), Relaxed);
        self.begun.fetch_add(1, Relaxed);
    }

    pub(super) fn add(&self, bytes: u64) {
        self.received.fetch_add(bytes, Relaxed);
    }
}
