//! The journal of a run, for one ledger after the other.
//!
//! A ledger that blocks its thread is left behind, and its successor needs the journal. Nobody can open it a second time,
//! so the two share one connection: whoever is at it has it locked, and who has ended and does not know it yet finds that
//! out at its next step. A step that is being taken, on a disk that does not answer, is not cut short: it is whole or not
//! at all, and the successor waits for it.

use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use latido::Reporter;
use tokio::time::sleep;

use super::{Journal, JournalError};

/// From look to look whether the one before is done with its step.
const LOOK: Duration = Duration::from_millis(20);

pub(crate) struct Shared {
    path: PathBuf,
    journal: Mutex<Option<Journal>>,
}

impl Shared {
    /// A journal that is open already, or will be for the first who needs it.
    pub(crate) fn new(path: PathBuf, opened: Option<Journal>) -> Arc<Self> {
        Arc::new(Self { path, journal: Mutex::new(opened) })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Opens it if nobody has. `None` while somebody is at it.
    pub(crate) fn open(&self) -> Option<Result<(), JournalError>> {
        let mut journal = match self.journal.try_lock() {
            Ok(journal) => journal,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        if journal.is_none() {
            match Journal::reopen(&self.path) {
                Ok(opened) => *journal = Some(opened),
                Err(error) => return Some(Err(error)),
            }
        }
        Some(Ok(()))
    }

    /// Opens it as soon as nobody is at it.
    pub(crate) async fn opened(&self) -> Result<(), JournalError> {
        loop {
            match self.open() {
                Some(opened) => return opened,
                None => sleep(LOOK).await,
            }
        }
    }

    /// For the life that `of` speaks for.
    pub(crate) fn lease(self: &Arc<Self>, of: Reporter) -> Lease {
        Lease { shared: self.clone(), of }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Journal>> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The journal in somebody's hands, until that life ends. Dropped by then, it closes it.
pub(crate) struct Lease {
    shared: Arc<Shared>,
    of: Reporter,
}

impl Lease {
    /// The journal, once it is open.
    pub(crate) fn get(&self) -> Result<Held<'_>, JournalError> {
        let journal = self.shared.lock();
        // Under the lock: whoever comes next finds it locked, or this one finds that it has ended.
        match journal.is_some() && !self.of.has_ended() {
            true => Ok(Held(journal)),
            false => Err(JournalError::Taken),
        }
    }

    /// Whether it is still this one's.
    pub(crate) fn check(&self) -> Result<(), JournalError> {
        if self.of.has_ended() { Err(JournalError::Taken) } else { Ok(()) }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // Else somebody else has it.
        if !self.of.has_ended() {
            self.shared.lock().take();
        }
    }
}

pub(crate) struct Held<'a>(MutexGuard<'a, Option<Journal>>);

impl Deref for Held<'_> {
    type Target = Journal;

    fn deref(&self) -> &Journal {
        self.0.as_ref().expect("it was looked at")
    }
}

impl DerefMut for Held<'_> {
    fn deref_mut(&mut self) -> &mut Journal {
        self.0.as_mut().expect("it was looked at")
    }
}

#[cfg(test)]
mod tests {
    use actix::prelude::*;
    use futures::FutureExt;
    use latido::supervision::{ChildSpec, SupervisorSpec, Tree};
    use tokio::sync::mpsc;

    use super::*;

    struct Idle;

    impl Actor for Idle {
        type Context = Context<Self>;
    }

    /// A life, as the only one of its tree.
    async fn life() -> (Reporter, Tree) {
        let (tell, mut told) = mpsc::unbounded_channel();
        let idle = move || {
            tell.send(Reporter::current()).unwrap();
            Idle
        };
        let tree = SupervisorSpec::new("app").child(ChildSpec::new("ledger", idle)).start().unwrap();
        (told.recv().await.unwrap(), tree)
    }

    #[actix::test]
    async fn who_has_ended_gets_at_the_journal_no_more_and_leaves_it_open_for_the_next() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("jobs.db");
        let shared = Shared::new(path.clone(), None);
        let (of, tree) = life().await;
        let old = shared.lease(of);
        assert!(matches!(old.get(), Err(JournalError::Taken)), "it is not open");
        shared.open().unwrap().unwrap();
        assert_eq!(old.get().unwrap().all_stages().unwrap(), []);
        assert!(matches!(Journal::open(&path), Err(JournalError::Busy(..))));

        tree.stop(Duration::from_secs(10)).await;
        assert!(old.check().is_err());
        assert!(matches!(old.get(), Err(JournalError::Taken)));
        shared.open().unwrap().unwrap();
        let new = shared.lease(Reporter::default());
        drop(old);
        assert_eq!(new.get().unwrap().all_stages().unwrap(), []);
        drop(new);
        Journal::open(&path).unwrap();
    }

    #[actix::test]
    async fn a_step_that_has_begun_is_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let shared = Shared::new(dir.path().join("jobs.db"), None);
        shared.open().unwrap().unwrap();
        let (of, tree) = life().await;
        let old = shared.lease(of);
        let step = old.get().unwrap();
        tree.stop(Duration::from_secs(10)).await;
        assert!(shared.open().is_none());
        let mut opened = std::pin::pin!(shared.opened());
        assert!(opened.as_mut().now_or_never().is_none());
        drop(step);
        opened.await.unwrap();
    }
}
