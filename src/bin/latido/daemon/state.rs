//! The directory that a daemon is known by. Everything that it keeps is in there, and nobody else may enter.

use std::env;
use std::fs::{self, DirBuilder, Permissions};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf, absolute};

use super::{Failure, NO_PERMISSION};
use crate::cli::StateArgs;

#[derive(Clone, Debug)]
pub(super) struct State(PathBuf);

impl State {
    /// Where it is, whether or not it is there.
    pub(super) fn of(args: &StateArgs) -> Result<Self, Failure> {
        let dir = match &args.state {
            Some(dir) => dir.clone(),
            None => usual()
                .ok_or_else(|| Failure::usage("there is no $HOME to keep anything in; give --state DIR"))?,
        };
        absolute(&dir).map(Self).map_err(|error| Failure::usage(format_args!("--state {dir:?}: {error}")))
    }

    /// Makes it if need be. One that others may enter is closed to them, or refused if it is not this user's.
    pub(super) fn make(&self) -> Result<(), Failure> {
        for dir in [self.0.clone(), self.inbox()] {
            let failed = || {
                Failure::io(format!(
                    "the state directory {dir:?} cannot be made; choose another with --state"
                ))
            };
            DirBuilder::new().recursive(true).mode(0o700).create(&dir).map_err(failed())?;
            let found = fs::metadata(&dir).map_err(failed())?;
            if found.uid() != nix::unistd::geteuid().as_raw() {
                let text =
                    format!("the state directory {dir:?} is another user's; choose another with --state");
                return Err(Failure { code: NO_PERMISSION, text });
            }
            if found.mode() & 0o077 != 0 {
                fs::set_permissions(&dir, Permissions::from_mode(0o700)).map_err(failed())?;
            }
        }
        // What cannot be written to shows here and not half-way through.
        tempfile::tempfile_in(&self.0)
            .map(drop)
            .map_err(Failure::io(format_args!("the state directory {:?} cannot be written to", self.0)))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn pid(&self) -> PathBuf {
        self.0.join("daemon.pid")
    }

    pub(super) fn log(&self) -> PathBuf {
        self.0.join("daemon.log")
    }

    pub(super) fn options(&self) -> PathBuf {
        self.0.join("options.json")
    }

    pub(super) fn journal(&self) -> PathBuf {
        self.0.join("jobs.db")
    }

    pub(super) fn door(&self) -> PathBuf {
        self.0.join("door")
    }

    pub(super) fn inbox(&self) -> PathBuf {
        self.0.join("inbox")
    }
}

/// As the XDG Base Directory Specification has it; a path that is not absolute is to be ignored.
fn usual() -> Option<PathBuf> {
    let set = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = set("XDG_STATE_HOME").or_else(|| Some(set("HOME")?.join(".local/state")))?;
    Some(base.join("latido"))
}
