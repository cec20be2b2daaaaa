//! Leaving the shell: a session of its own, no directory and no file of somebody else's. And the last word to it: the shell
//! reads on the standard output of a detached daemon how the start went.

use std::fs::{self, File};
use std::io::{self, Write, stdout};
use std::os::fd::AsFd;
use std::path::Path;

use rustix::fs::Mode;
use rustix::process::{setsid, umask};
use rustix::stdio::{dup2_stderr, dup2_stdout};

use super::Failure;

/// What [`Word::ready`] says.
pub(super) const READY: &str = "ready";
/// What [`Word::running`] begins with; the number follows.
pub(super) const RUNNING: &str = "running ";

/// Leaves the terminal's session and what was inherited. To be called before anything is opened: whatever is open then, but
/// for the standard streams, is somebody else's.
pub(super) fn leave() -> io::Result<()> {
    let open: Vec<i32> = fs::read_dir("/proc/self/fd")?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|fd| *fd > 2)
        .collect();
    for fd in open {
        // One of them was that of the list itself, which is closed already.
        let _ = nix::unistd::close(fd);
    }
    setsid()?;
    // The state directory is closed to others by itself; what is fetched is to be read by whom its directory lets in.
    umask(Mode::from_raw_mode(0o022));
    Ok(())
}

/// The way to the shell that waits, if there is one.
#[derive(Debug)]
pub(super) struct Word(Option<File>);

impl Word {
    /// Nobody waits.
    pub(super) fn to_nobody() -> Self {
        Self(None)
    }

    /// Somebody reads at the standard output; what is said there from now on goes to the log.
    pub(super) fn take(log: &Path) -> io::Result<Self> {
        let word = stdout().as_fd().try_clone_to_owned()?;
        point_to(log)?;
        Ok(Self(Some(word.into())))
    }

    /// It is up.
    pub(super) fn ready(&mut self) {
        self.say(READY);
    }

    /// Another is.
    pub(super) fn running(&mut self, pid: u32) {
        self.say(&format!("{RUNNING}{pid}"));
    }

    /// It is not, and will not be.
    pub(super) fn failed(&mut self, Failure { code, text }: &Failure) {
        self.say(&format!("{code}\n{text}"));
    }

    fn say(&mut self, text: &str) {
        if let Some(mut word) = self.0.take() {
            // Whoever has waited may be gone.
            let _ = writeln!(word, "{text}");
        }
    }
}

/// Points the standard output and error streams to a file.
pub(super) fn point_to(log: &Path) -> io::Result<()> {
    let log = File::options().create(true).append(true).open(log)?;
    dup2_stdout(&log)?;
    dup2_stderr(&log)?;
    Ok(())
}
