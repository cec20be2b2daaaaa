//! One daemon for each state directory. The kernel gives the lock on the pid file to one, and takes it back from whoever is
//! gone, `kill -9` included: so a file that nobody has locked is stale, whatever number is in it.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// How long whoever was killed may take to let go of its files, and whoever has the lock to write its number.
pub(super) const MOMENT: Duration = Duration::from_secs(2);
/// The kernel tells nobody that a lock is free, so it is asked again and again.
const LOOK: Duration = Duration::from_millis(10);

/// What a pid file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    Running(u32),
    /// It is there, and nobody has it.
    Stale,
    Nobody,
}

/// The one daemon, for as long as this lives.
#[derive(Debug)]
pub(super) struct Instance {
    _locked: File,
    path: PathBuf,
    /// The one before, if it has not ended in order.
    pub(super) before: Option<u32>,
}

impl Instance {
    /// Becomes it, or says who is.
    pub(super) fn take(path: &Path) -> io::Result<Result<Self, u32>> {
        let asked = Instant::now();
        loop {
            let options =
                File::options().read(true).write(true).create(true).truncate(false).mode(0o600).clone();
            let mut file = options.open(path)?;
            match file.try_lock() {
                Ok(()) if !is_at(&file, path) => {} // The one before has ended in between, and removed it.
                Ok(()) => {
                    let mut before = String::new();
                    file.read_to_string(&mut before)?;
                    file.set_len(0)?;
                    file.rewind()?;
                    writeln!(file, "{}", process::id())?;
                    let before = before.trim().parse().ok();
                    return Ok(Ok(Self { _locked: file, path: path.to_owned(), before }));
                }
                Err(TryLockError::WouldBlock) if asked.elapsed() < MOMENT => {}
                Err(TryLockError::WouldBlock) => match look(path)? {
                    Found::Running(pid) => return Ok(Err(pid)),
                    Found::Stale | Found::Nobody => {}
                },
                Err(TryLockError::Error(error)) => return Err(error),
            }
            sleep(LOOK);
        }
    }

    /// Ends in order: then not even a stale file is left.
    pub(super) fn end(self) {
        // While it is locked: it is still ours.
        let _ = fs::remove_file(&self.path);
    }
}

/// Whether a file that was opened is the one that has this name now.
fn is_at(file: &File, path: &Path) -> bool {
    let (Ok(open), Ok(named)) = (file.metadata(), fs::metadata(path)) else { return false };
    (open.dev(), open.ino()) == (named.dev(), named.ino())
}

/// Who is it?
pub(super) fn look(path: &Path) -> io::Result<Found> {
    let asked = Instant::now();
    loop {
        let mut file = match File::open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Found::Nobody),
            file => file?,
        };
        // Others who look do not keep each other out, and a daemon that starts tries again.
        match file.try_lock_shared() {
            Ok(()) if is_at(&file, path) => return Ok(Found::Stale),
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                file.read_to_string(&mut text)?;
                if let Ok(pid) = text.trim().parse() {
                    return Ok(Found::Running(pid));
                }
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
        if asked.elapsed() > MOMENT {
            return Err(io::Error::other(format!("{path:?} is locked, and has no process's number in it")));
        }
        sleep(LOOK);
    }
}

/// Sends the daemon a signal: it, and nobody who has got its number since.
pub(super) fn signal(path: &Path, pid: u32, signal: Signal) -> io::Result<()> {
    let number = Pid::from_raw(pid.cast_signed()).ok_or(ErrorKind::InvalidData)?;
    let process = match pidfd_open(number, PidfdFlags::empty()) {
        Err(rustix::io::Errno::SRCH) => return Ok(()),
        process => process?,
    };
    // It had the lock after this handle was made, so the handle is that of whoever has it.
    if look(path)? == Found::Running(pid) {
        match pidfd_send_signal(&process, signal) {
            Ok(()) | Err(rustix::io::Errno::SRCH) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Waits until this daemon is gone. Answers whether it is.
pub(super) fn wait_until_gone(path: &Path, pid: u32, limit: Duration) -> io::Result<bool> {
    let asked = Instant::now();
    while look(path)? == Found::Running(pid) {
        if asked.elapsed() > limit {
            return Ok(false);
        }
        sleep(LOOK);
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_and_whoever_has_no_lock_is_nobody() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pid");
        assert_eq!(look(&path).unwrap(), Found::Nobody);
        fs::write(&path, "1\n").unwrap();
        assert_eq!(look(&path).unwrap(), Found::Stale, "process 1 is alive, and has no lock");
        let first = Instance::take(&path).unwrap().unwrap();
        assert_eq!(look(&path).unwrap(), Found::Running(process::id()));
        assert_eq!(Instance::take(&path).unwrap().unwrap_err(), process::id());
        first.end();
        assert_eq!(look(&path).unwrap(), Found::Nobody);
        drop(Instance::take(&path).unwrap().unwrap());
        assert_eq!(look(&path).unwrap(), Found::Stale);
    }

    /// One that waits for the lock on a file that its owner removes must not take itself for the one.
    #[test]
    fn of_many_that_come_and_go_there_is_never_more_than_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pid");
        let inside = std::sync::atomic::AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..20 {
                        if let Ok(instance) = Instance::take(&path).unwrap() {
                            assert_eq!(inside.fetch_add(1, std::sync::atomic::Ordering::SeqCst), 0);
                            std::thread::yield_now();
                            inside.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                            instance.end();
                        }
                    }
                });
            }
        });
    }
}
