//! What a run has reached, for whoever watches: written by the ledger, read by the views, the heartbeat and `main`,
//! each on a thread of its own. It outlives the ledger's incarnations; the truth is in the journal.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use latido::actors::downloader::Progress;
use tokio::sync::watch;

use super::job::Stage;

pub(crate) struct Board {
    /// Whether the run stays when its jobs are finished: then what was there before it is of no interest.
    stays: bool,
    stages: [AtomicUsize; STAGES],
    /// Bytes of the files that are under their names.
    bytes: AtomicU64,
    /// Those of them that came in this run, whatever became of the ledgers.
    fetched: AtomicU64,
    /// How many jobs were done before this run.
    found: AtomicUsize,
    /// What each downloader is getting, by its place.
    transfers: Vec<Mutex<Option<Transfer>>>,
    finished: watch::Sender<bool>,
}

const STAGES: usize = Stage::Failed as usize + 1;

/// What a downloader has in hand: one file after the other.
#[derive(Clone)]
pub(crate) struct Transfer {
    pub(crate) files: Arc<[Coming]>,
    pub(crate) progress: Arc<Progress>,
}

/// A file that a downloader has in hand.
pub(crate) struct Coming {
    pub(crate) id: i64,
    pub(crate) name: String,
}

impl Transfer {
    /// The bytes that are still to come, if that is known of all its files.
    pub(crate) fn rest(&self) -> Option<u64> {
        let all_begun = self.progress.begun() >= self.files.len();
        let total = self.progress.total().filter(|_| all_begun)?;
        Some(total.saturating_sub(self.progress.received()))
    }

    /// The file that comes in now.
    pub(crate) fn current(&self) -> Option<&Coming> {
        let current = self.progress.begun().saturating_sub(1);
        self.files.get(current).or(self.files.last())
    }
}

impl Board {
    pub(crate) fn new(downloaders: usize, stays: bool) -> Self {
        Self {
            stays,
            stages: Default::default(),
            bytes: AtomicU64::new(0),
            fetched: AtomicU64::new(0),
            found: AtomicUsize::new(0),
            transfers: (0..downloaders).map(|_| Mutex::default()).collect(),
            finished: watch::Sender::new(false),
        }
    }

    // ===== the ledger's side =====

    /// Begins anew: a new ledger enters what the journal says.
    pub(crate) fn reset(&self) {
        self.stages.iter().for_each(|count| count.store(0, Ordering::Relaxed));
        self.bytes.store(0, Ordering::Relaxed);
        self.transfers.iter().for_each(|transfer| *lock(transfer) = None);
    }

    /// A job of so many bytes has left the stage `from`.
    pub(crate) fn moved(&self, from: Stage, to: Stage, bytes: u64) {
        if from != to {
            self.stages[from as usize].fetch_sub(1, Ordering::Relaxed);
            self.stages[to as usize].fetch_add(1, Ordering::Relaxed);
            match (is_there(from), is_there(to)) {
                (false, true) => {
                    self.bytes.fetch_add(bytes, Ordering::Relaxed);
                    self.fetched.fetch_add(bytes, Ordering::Relaxed);
                }
                (true, false) => drop(self.bytes.fetch_sub(bytes, Ordering::Relaxed)),
                _ => {}
            }
        }
    }

    /// A job is in `stage`.
    pub(crate) fn enter(&self, stage: Stage, bytes: u64) {
        self.stages[stage as usize].fetch_add(1, Ordering::Relaxed);
        if is_there(stage) {
            self.bytes.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    /// A job was done before this run.
    pub(crate) fn find(&self) {
        self.found.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn set_transfer(&self, downloader: usize, transfer: Option<Transfer>) {
        *lock(&self.transfers[downloader]) = transfer;
    }

    pub(crate) fn finish(&self) {
        self.finished.send_replace(true);
    }

    // ===== the watchers' side =====

    pub(crate) fn count(&self, stage: Stage) -> usize {
        self.stages[stage as usize].load(Ordering::Relaxed)
    }

    pub(crate) fn total(&self) -> usize {
        self.stages.iter().map(|count| count.load(Ordering::Relaxed)).sum()
    }

    pub(crate) fn downloaders(&self) -> usize {
        self.transfers.len()
    }

    /// Bytes of finished files and of those on their way; in a run that stays, those that have come.
    pub(crate) fn bytes(&self) -> u64 {
        if self.stays {
            return self.fetched();
        }
        let under_way = self.transfers().map(|transfer| transfer.progress.received()).sum::<u64>();
        self.bytes.load(Ordering::Relaxed) + under_way
    }

    /// Bytes that have come in this run, for whoever wants to know how fast.
    pub(crate) fn fetched(&self) -> u64 {
        let under_way = self.transfers().map(|transfer| transfer.progress.received()).sum::<u64>();
        self.fetched.load(Ordering::Relaxed) + under_way
    }

    pub(crate) fn found(&self) -> usize {
        self.found.load(Ordering::Relaxed)
    }

    pub(crate) fn transfers(&self) -> impl Iterator<Item = Transfer> {
        self.transfers.iter().filter_map(|transfer| lock(transfer).clone())
    }

    /// Waits until no job is left to do.
    pub(crate) async fn finished(&self) {
        let mut finished = self.finished.subscribe();
        // The sender is this board's own, so the wait cannot fail.
        let _ = finished.wait_for(|finished| *finished).await;
    }
}

/// Whether a job in this stage has its file.
fn is_there(stage: Stage) -> bool {
    matches!(stage, Stage::Processing | Stage::Done)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
