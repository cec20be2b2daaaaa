//! A place for one daemon, and no daemon in it when it is dropped.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::{TempDir, tempdir};

use crate::files::until;
use crate::latido::{BINARY, Ended, latido};

pub struct Place(TempDir);

impl Place {
    pub fn new() -> Self {
        Self(tempdir().unwrap())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn state(&self) -> PathBuf {
        self.path().join("state")
    }

    pub fn files(&self) -> PathBuf {
        self.path().join("files")
    }

    pub fn inbox(&self) -> PathBuf {
        self.state().join("inbox")
    }

    /// `latido daemon WHAT --state .. ARGS`.
    pub fn daemon(&self, what: &str, args: &[&str]) -> Ended {
        let state = self.state();
        let line = ["daemon", what, "--state", state.to_str().unwrap()];
        latido(self.path(), line.iter().chain(args))
    }

    /// Starts one for `files`, with more arguments; its pid.
    #[track_caller]
    pub fn start(&self, args: &[&str]) -> u32 {
        let ended = self.daemon("start", &[&["-d", "files"], args].concat()).with_code(0);
        let pid = ended.stdout.strip_prefix("latido: running, pid ").and_then(|rest| rest.split(';').next());
        pid.unwrap_or_else(|| panic!("{}", ended.stdout)).parse().unwrap()
    }

    pub fn add(&self, args: &[&str]) -> Ended {
        let state = self.state();
        latido(self.path(), ["add", "--state", state.to_str().unwrap()].iter().chain(args))
    }

    /// What the one that runs says of itself.
    #[track_caller]
    pub fn status(&self) -> Value {
        let told = self.daemon("status", &["--json"]);
        assert_eq!(told.code, 0, "{}{}", told.stdout, self.log());
        serde_json::from_str(&told.stdout).unwrap()
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.state().join("daemon.log")).unwrap_or_default()
    }

    /// Waits for a line of the log: nobody tells when another process writes one.
    #[track_caller]
    pub fn wait_for_log(&self, text: &str) {
        until(|| self.log().contains(text));
    }

    /// A `latido daemon run`, to be started by whoever plays the init system.
    pub fn run(&self, args: &[&str]) -> Command {
        let mut run = Command::new(BINARY);
        run.args(["daemon", "run", "--state"]).arg(self.state()).args(["-d", "files"]).args(args);
        run.current_dir(self.path());
        run
    }

    /// Every process that was started for this place and is alive.
    fn processes(&self) -> Vec<Pid> {
        let state = self.state();
        let is_ours = |pid: &i32| {
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            line.split(|byte| *byte == 0).any(|word| OsStr::from_bytes(word) == state)
        };
        let all = fs::read_dir("/proc").unwrap().flatten();
        let all = all.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        all.filter(is_ours).map(Pid::from_raw).collect()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Also after a test that has failed, and of one that is just being started.
        until(|| {
            let left = self.processes();
            for pid in &left {
                let _ = kill(*pid, Signal::SIGKILL); // It may be gone by now.
            }
            left.is_empty()
        });
    }
}

pub fn signal(pid: u32, signal: Signal) {
    kill(Pid::from_raw(pid.cast_signed()), signal).unwrap();
}

/// Waits until a process is gone, or dead and only waiting for its parent.
#[track_caller]
pub fn wait_for_end(pid: u32) {
    until(|| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit(") ").next().is_none_or(|rest| rest.is_empty() || rest.starts_with(['Z', 'X']))
    });
}
