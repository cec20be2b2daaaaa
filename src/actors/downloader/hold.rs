//! Who has a part file, among the downloads of this process, and what becomes of it when that one is left behind.
//!
//! An actor that blocks its thread is replaced and keeps what it had, part files and their locks included, until its thread
//! is free. Its successor has to get at the same files, and must not share them: so it takes the part away from who has
//! ended and does not know it yet. That one's next step, be it a write or the rename to the final name, fails. A step
//! that is being taken is waited for.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, TryLockError, Weak};
use std::time::Duration;

use tokio::time::sleep;

use super::FetchError;
use crate::Reporter;

/// From look to look whether a step is over that has been begun by who was left behind.
const LOOK: Duration = Duration::from_millis(20);

type Holds = HashMap<OsString, Weak<Hold>>;

/// By the bytes of their paths: to take paths apart for each of ten thousand small files would be felt.
static HOLDS: LazyLock<Mutex<Holds>> = LazyLock::new(Mutex::default);

/// For whom a file is fetched, and by whom: nobody, if those are in no tree.
#[derive(Clone, Debug, Default)]
pub(super) struct Owners {
    pub(super) asker: Reporter,
    pub(super) downloader: Reporter,
}

/// A part file in somebody's hands.
#[derive(Debug)]
pub(super) struct Hold {
    path: PathBuf,
    file: Arc<File>,
    owners: Owners,
    /// It is the asker's alone.
    is_handed_over: AtomicBool,
    /// Locked while a step is taken.
    is_taken_away: Mutex<bool>,
}

impl Hold {
    pub(super) fn new(path: &Path, file: Arc<File>, owners: Owners) -> Arc<Self> {
        let (is_handed_over, is_taken_away) = Default::default();
        let hold = Arc::new(Self { path: path.to_owned(), file, owners, is_handed_over, is_taken_away });
        all().insert(path.into(), Arc::downgrade(&hold));
        hold
    }

    /// From now on the file is its asker's.
    pub(super) fn hand_over(&self) {
        self.is_handed_over.store(true, Ordering::Release);
    }

    /// Leave to do something to the file, for as long as the answer lives.
    pub(super) fn step(&self) -> Result<MutexGuard<'_, bool>, FetchError> {
        let is_taken_away = self.is_taken_away.lock().unwrap_or_else(PoisonError::into_inner);
        match *is_taken_away {
            false => Ok(is_taken_away),
            true => Err(FetchError::Busy { path: self.path.clone() }),
        }
    }

    fn is_orphaned(&self) -> bool {
        let Owners { asker, downloader } = &self.owners;
        asker.has_ended() || downloader.has_ended() && !self.is_handed_over.load(Ordering::Acquire)
    }

    /// Whether it is out of those hands now.
    fn take_away(&self) -> bool {
        let mut is_taken_away = match self.is_taken_away.try_lock() {
            Ok(is_taken_away) => is_taken_away,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return false,
        };
        if !std::mem::replace(&mut *is_taken_away, true) {
            // Of all descriptors of this opening; where there are no locks there is none to be undone.
            let _ = self.file.unlock();
        }
        true
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let path = std::mem::take(&mut self.path);
        if let Entry::Occupied(known) = all().entry(path.into())
            // Somebody else may have it by now.
            && std::ptr::eq(known.get().as_ptr(), self)
        {
            known.remove();
        }
    }
}

/// Takes the part file at `path` away from whoever was left behind with it.
pub(super) async fn take_from_the_gone(path: &Path) {
    loop {
        let held = all().get(path.as_os_str()).and_then(Weak::upgrade);
        match held.filter(|held| held.is_orphaned()) {
            Some(held) if !held.take_away() => sleep(LOOK).await,
            _ => return,
        }
    }
}

fn all() -> MutexGuard<'static, Holds> {
    HOLDS.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use futures::FutureExt;

    use super::super::part::Part;
    use super::*;
    use crate::TreePath;
    use crate::bus::EventBus;
    use crate::reporter::Speaker;

    /// A life, and what ends it.
    fn life() -> (Reporter, Arc<Speaker>) {
        let speaker = Speaker::new(EventBus::default(), TreePath::root("app"));
        (Reporter::new(speaker.clone(), 1), speaker)
    }

    fn part(path: &Path, asker: &Reporter, downloader: &Reporter) -> Result<Part, FetchError> {
        Part::create(path.to_owned(), Owners { asker: asker.clone(), downloader: downloader.clone() })
    }

    #[actix::test]
    async fn a_part_is_taken_from_who_was_left_behind_and_nothing_that_one_does_reaches_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let (path, target) = (dir.path().join("part"), dir.path().join("file"));
        let ((asker, _), (downloader, end), next) = (life(), life(), life().0);
        let old = part(&path, &asker, &downloader).unwrap();
        old.write(b"old", 0).unwrap();
        take_from_the_gone(&path).await;
        assert!(matches!(part(&path, &asker, &next), Err(FetchError::Busy { .. })), "it lives");

        end.ended(1);
        take_from_the_gone(&path).await;
        let new = part(&path, &asker, &next).unwrap();
        new.write(b"new", 0).unwrap();
        assert!(matches!(old.write(b"late", 0), Err(FetchError::Busy { .. })));
        assert!(matches!(old.publish(&target), Err(FetchError::Busy { .. })));
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert!(part(&path, &asker, &next).is_err(), "it is still locked");
        new.publish(&target).unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"new");
    }

    #[actix::test]
    async fn a_file_that_was_handed_over_is_its_askers_whatever_becomes_of_its_downloader() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("part");
        let ((asker, ends), (downloader, end), next) = (life(), life(), life().0);
        let old = part(&path, &asker, &downloader).unwrap();
        old.hand_over();
        end.ended(1);
        take_from_the_gone(&path).await;
        assert!(matches!(part(&path, &next, &next), Err(FetchError::Busy { .. })));

        ends.ended(1);
        take_from_the_gone(&path).await;
        let new = part(&path, &next, &next).unwrap();
        drop(old);
        assert!(path.exists() && new.check(0).is_ok());
    }

    #[actix::test]
    async fn a_write_that_has_begun_is_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("part");
        let ((asker, ends), next) = (life(), life().0);
        let old = part(&path, &asker, &asker).unwrap();
        ends.ended(1);
        let hold = all().get(path.as_os_str()).and_then(Weak::upgrade).unwrap();
        let step = hold.step().unwrap();
        let mut taken = std::pin::pin!(take_from_the_gone(&path));
        assert!(taken.as_mut().now_or_never().is_none());
        assert!(matches!(part(&path, &next, &next), Err(FetchError::Busy { .. })));
        drop(step);
        taken.await;
        assert!(part(&path, &next, &next).is_ok());
        drop(old);
    }
}
