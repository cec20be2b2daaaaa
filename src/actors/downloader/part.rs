//! The file that a download grows in. One download at a time has it, in this process or another: it is locked
//! as long as it lives, so nobody publishes or removes what somebody else is writing.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::FetchError;

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

/// A locked part file, removed when dropped unpublished.
#[derive(Debug)]
pub(super) struct Part {
    path: PathBuf,
    file: File,
    published: bool,
}

impl Part {
    /// Makes an empty file at `path`, in place of a leftover of that name. Never follows a link nor touches
    /// anything but a regular file.
    pub(super) fn create(path: PathBuf) -> Result<Self, FetchError> {
        let file = match File::create_new(&path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                remove_leftover(&path)?;
                File::create_new(&path)
            }
            created => created,
        };
        let file = file.map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => FetchError::Busy { path: path.clone() },
            _ => FetchError::disk(&path, error),
        })?;
        // Between its birth and its lock another download may have taken it for a leftover.
        lock(&file, &path)?;
        Ok(Self { path, file, published: false })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), FetchError> {
        self.file.write_all(bytes).map_err(|error| FetchError::disk(&self.path, error))
    }

    pub(super) fn check_length(&self, bytes: u64) -> Result<(), FetchError> {
        let on_disk = self.file.metadata().map_err(|error| FetchError::disk(&self.path, error))?.len();
        if on_disk == bytes {
            return Ok(());
        }
        let text = format!("it has {on_disk} bytes after {bytes} were written");
        Err(FetchError::disk(&self.path, io::Error::other(text)))
    }

    pub(super) fn publish(mut self, target: &Path) -> Result<(), FetchError> {
        fs::rename(&self.path, target).map_err(|error| FetchError::disk(target, error))?;
        self.published = true;
        Ok(())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.published
            && let Err(error) = fs::remove_file(&self.path)
        {
            log::warn!("could not remove {}: {error}", self.path.display());
        }
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
    fs::remove_file(path).map_err(on_disk)
}

/// Locks `file`, and makes sure that it still is what `path` names: only then will it stay so.
fn lock(file: &File, path: &Path) -> Result<(), FetchError> {
    let busy = || FetchError::Busy { path: path.to_owned() };
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => return Err(busy()),
        // Some network file systems have no locks; there it is one download at a time by agreement.
        Ok(()) | Err(TryLockError::Error(_)) => {}
    }
    let on_disk = |error| FetchError::disk(path, error);
    let held = file.metadata().map_err(on_disk)?;
    match path.symlink_metadata() {
        Ok(named) if (named.dev(), named.ino()) == (held.dev(), held.ino()) => Ok(()),
        _ => Err(busy()),
    }
}
