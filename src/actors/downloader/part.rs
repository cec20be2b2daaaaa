//! The file that a download grows in. One download at a time has it, in this process or another: it is locked
//! as long as it lives, so nobody publishes or removes what somebody else is writing. One that is to be gone on with has a
//! [`Record`] behind its bytes.
//!
//! Between its birth and its lock another download may take a part for a leftover, and remove it. That is asked once,
//! at the end, by the number of its names: whoever removes a leftover has its lock, so a part that had a name when it
//! was locked keeps it.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

#[cfg(target_os = "linux")]
use rustix::fs::{CWD, RenameFlags, renameat_with};
#[cfg(target_os = "linux")]
use rustix::io::Errno;

use super::FetchError;
use super::hold::{Hold, Owners};
use super::range::Known;
use super::record::{Notes, Record};

/// `.NAME.part` beside `target`.
pub(super) fn beside(target: &Path) -> Result<PathBuf, FetchError> {
    let Some(name) = target.file_name() else {
        let nameless = io::Error::new(ErrorKind::InvalidInput, "it does not end in a file name");
        return Err(FetchError::disk(target, nameless));
    };
    let mut part = std::ffi::OsString::from(".");
    part.push(name);
    part.push(".part");
    Ok(target.with_file_name(part))
}

/// A locked part file. Dropped unpublished it is removed, unless it is kept to be gone on with.
#[derive(Debug)]
pub(super) struct Part {
    path: PathBuf,
    file: Arc<File>,
    hold: Arc<Hold>,
    published: bool,
    kept: Option<Notes>,
}

impl Part {
    /// Makes an empty file at `path`, in place of a leftover of that name. Never follows a link nor touches
    /// anything but a regular file.
    pub(super) fn create(path: PathBuf, owners: Owners) -> Result<Self, FetchError> {
        let file = match create_new(&path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                remove_leftover(&path)?;
                create_new(&path)
            }
            created => created,
        };
        Self::born(path, file, owners)
    }

    /// Takes up the part file at `path`, if it was kept by a download of `url`; else makes an empty one as
    /// [`create`](Self::create) does.
    pub(super) fn take_up(
        path: PathBuf,
        url: &str,
        owners: Owners,
    ) -> Result<(Self, Option<Record>), FetchError> {
        match create_new(&path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            created => return Self::born(path, created, owners).map(|part| (part, None)),
        }
        match find_kept(&path, url)? {
            Some((file, record)) => {
                let kept = Some(Notes::new(record.known.clone(), url));
                let mut part = Self::new(path, file, owners);
                part.kept = kept;
                Ok((part, Some(record)))
            }
            None => Self::create(path, owners).map(|part| (part, None)),
        }
    }

    fn born(path: PathBuf, file: io::Result<File>, owners: Owners) -> Result<Self, FetchError> {
        let file = file.map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => FetchError::Busy { path: path.clone() },
            _ => FetchError::disk(&path, error),
        })?;
        lock(&file, &path)?;
        Ok(Self::new(path, file, owners))
    }

    fn new(path: PathBuf, file: File, owners: Owners) -> Self {
        let file = Arc::new(file);
        let hold = Hold::new(&path, file.clone(), owners);
        Self { path, file, hold, published: false, kept: None }
    }

    /// The download is over; whoever made it has no more to do with it.
    pub(super) fn hand_over(&self) {
        self.hold.hand_over();
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The same file, for somebody who reads it while it grows.
    pub(super) fn reader(&self) -> io::Result<File> {
        self.file.try_clone()
    }

    pub(super) fn set_modified(&self, time: SystemTime) -> Result<(), FetchError> {
        let _step = self.hold.step()?;
        self.file.set_modified(time).map_err(|error| FetchError::disk(&self.path, error))
    }

    pub(super) fn write(&self, bytes: &[u8], at: u64) -> Result<(), FetchError> {
        let _step = self.hold.step()?;
        self.file.write_all_at(bytes, at).map_err(|error| FetchError::disk(&self.path, error))
    }

    // ===== going on with it another time =====

    /// From now on it is kept, if that is possible.
    pub(super) fn keep(&mut self, known: Known, url: &str) -> Result<(), FetchError> {
        let everything = 0..known.length;
        let mut notes = Notes::new(known, url);
        let step = self.hold.step()?;
        let written = notes.write(&self.file, &[everything]);
        drop(step);
        match written {
            Ok(()) => self.kept = Some(notes),
            Err(error) => {
                log::info!("{} cannot be gone on with later: {error}", self.path.display());
                self.begin_anew()?;
            }
        }
        Ok(())
    }

    /// Notes that so much is missing. What is not missing has been written.
    pub(super) fn note(&mut self, missing: &[Range<u64>]) {
        if let Some(notes) = &mut self.kept
            && let Ok(_step) = self.hold.step()
            && let Err(error) = notes.write(&self.file, missing)
        {
            // The note before says less, and that is true.
            log::info!("no note could be taken in {}: {error}", self.path.display());
        }
    }

    /// It is not kept any more.
    pub(super) fn forget(&mut self) {
        self.kept = None;
    }

    /// Throws its content away.
    pub(super) fn begin_anew(&mut self) -> Result<(), FetchError> {
        self.cut(0)
    }

    /// So long is the file, and all of it is there.
    pub(super) fn complete(&mut self, length: u64) -> Result<(), FetchError> {
        self.cut(length)
    }

    fn cut(&mut self, length: u64) -> Result<(), FetchError> {
        self.kept = None;
        let _step = self.hold.step()?;
        self.file.set_len(length).map_err(|error| FetchError::disk(&self.path, error))
    }

    // ===== the end =====

    /// Waits, beside everything else on this thread, until the file is on its disk.
    pub(super) async fn sync(&self) -> Result<(), FetchError> {
        let on_disk = |error| FetchError::disk(&self.path, error);
        let file = self.reader().map_err(on_disk)?;
        let synced = actix_rt::task::spawn_blocking(move || file.sync_all()).await;
        synced.unwrap_or_else(|error| Err(io::Error::other(error))).map_err(on_disk)
    }

    /// Makes sure that all of it is on disk, and still under its name; answers when it was last written to.
    pub(super) fn check(&self, bytes: u64) -> Result<SystemTime, FetchError> {
        let _step = self.hold.step()?;
        let on_disk = |error| FetchError::disk(&self.path, error);
        let held = self.file.metadata().map_err(on_disk)?;
        if held.nlink() == 0 {
            return Err(FetchError::Busy { path: self.path.clone() });
        }
        if held.len() != bytes {
            let text = format!("it has {} bytes after {bytes} were written", held.len());
            return Err(on_disk(io::Error::other(text)));
        }
        held.modified().map_err(on_disk)
    }

    pub(super) fn publish(mut self, target: &Path) -> Result<(), FetchError> {
        let hold = self.hold.clone();
        let _step = hold.step()?;
        fs::rename(&self.path, target).map_err(|error| FetchError::disk(target, error))?;
        self.published = true;
        Ok(())
    }

    /// Under a name that nothing has.
    pub(super) fn publish_new(mut self, target: &Path) -> Result<(), FetchError> {
        let hold = self.hold.clone();
        let _step = hold.step()?;
        rename_new(&self.path, target).map_err(|error| FetchError::disk(target, error))?;
        self.published = true;
        Ok(())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.published
            && self.kept.is_none()
            && let Ok(_step) = self.hold.step()
            && names(&self.path, &self.file)
            && let Err(error) = fs::remove_file(&self.path)
        {
            log::warn!("could not remove {}: {error}", self.path.display());
        }
    }
}

fn create_new(path: &Path) -> io::Result<File> {
    File::options().read(true).write(true).create_new(true).open(path)
}

/// The part that was kept at `path`, locked, and what is known of it.
fn find_kept(path: &Path, url: &str) -> Result<Option<(File, Record)>, FetchError> {
    if !path.symlink_metadata().is_ok_and(|found| found.is_file()) {
        return Ok(None);
    }
    let Ok(file) = File::options().read(true).write(true).open(path) else { return Ok(None) };
    lock(&file, path)?;
    // One that has another name as well would be written to under both.
    let is_ours = names(path, &file) && file.metadata().is_ok_and(|held| held.nlink() == 1);
    Ok(Record::read(&file, url).filter(|_| is_ours).map(|record| (file, record)))
}

/// Not by a second name: whoever finds a part would write to what has been published.
fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // Not every file system knows how.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
        renamed => return Ok(renamed?),
    }
    match to.symlink_metadata() {
        Ok(_) => Err(ErrorKind::AlreadyExists.into()),
        Err(_) => fs::rename(from, to),
    }
}

fn remove_leftover(path: &Path) -> Result<(), FetchError> {
    match remove_unlocked(path) {
        // Its owner published or removed it just now.
        Err(FetchError::Disk { source, .. }) if source.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn remove_unlocked(path: &Path) -> Result<(), FetchError> {
    let on_disk = |error| FetchError::disk(path, error);
    if !path.symlink_metadata().map_err(on_disk)?.is_file() {
        let text = "it is in the way and no regular file; remove it or choose another part file";
        return Err(on_disk(io::Error::new(ErrorKind::AlreadyExists, text)));
    }
    let file = File::open(path).map_err(on_disk)?;
    lock(&file, path)?;
    // Another file may have come under this name since it was opened.
    if !names(path, &file) {
        return Err(FetchError::Busy { path: path.to_owned() });
    }
    fs::remove_file(path).map_err(on_disk)
}

fn lock(file: &File, path: &Path) -> Result<(), FetchError> {
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(FetchError::Busy { path: path.to_owned() }),
        // Some network file systems have no locks; there it is one download at a time by agreement.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(()),
    }
}

/// Whether `file` is what `path` names. With its lock in hand, it stays so.
fn names(path: &Path, file: &File) -> bool {
    let id = |file: fs::Metadata| (file.dev(), file.ino());
    path.symlink_metadata().map(id).is_ok_and(|named| file.metadata().map(id).is_ok_and(|held| held == named))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As if another download had taken it for a leftover, between its birth and its lock.
    #[test]
    fn a_part_that_lost_its_name_to_another_is_no_download_and_leaves_the_other_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("part");
        let part = Part::create(path.clone(), Owners::default()).unwrap();
        part.write(b"mine", 0).unwrap();
        assert!(part.check(4).is_ok());
        fs::remove_file(&path).unwrap();
        fs::write(&path, "theirs").unwrap();

        assert!(matches!(part.check(4), Err(FetchError::Busy { path: named }) if named == path));
        drop(part);
        assert_eq!(fs::read(&path).unwrap(), b"theirs");
    }

    #[test]
    fn a_part_that_somebody_cut_short_is_no_download() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("part");
        let part = Part::create(path.clone(), Owners::default()).unwrap();
        part.write(b"1234", 0).unwrap();
        File::options().write(true).open(&path).unwrap().set_len(2).unwrap();
        let failure = part.check(4).unwrap_err();
        assert!(failure.to_string().ends_with("it has 2 bytes after 4 were written"), "{failure}");
        drop(part);
        assert!(!path.exists());
    }
}
