//! A run of the program: started, talked to, and ended before it can hang a test.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// What is not over by then hangs.
const LIMIT: Duration = Duration::from_secs(120);

pub const BINARY: &str = env!("CARGO_BIN_EXE_latido");

/// How a run ended, and all that it said.
#[derive(Debug)]
pub struct Ended {
    /// The exit code, or the negated number of the signal that killed it.
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    #[track_caller]
    pub fn with_code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\n--- stdout\n{}--- stderr\n{}", self.stdout, self.stderr);
        self
    }

    pub fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: code(output.status), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

fn code(status: std::process::ExitStatus) -> i32 {
    status.code().or(status.signal().map(|n| -n)).unwrap()
}

/// Runs `latido ARGS` in `dir` to its end.
pub fn latido(dir: &Path, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Ended {
    with_input(dir, args, "")
}

/// The same, with something on standard input.
pub fn with_input(dir: &Path, args: impl IntoIterator<Item = impl AsRef<OsStr>>, input: &str) -> Ended {
    let mut command = assert_cmd::Command::new(BINARY);
    command.args(args).current_dir(dir).write_stdin(input).timeout(LIMIT);
    Ended::of(command.output().unwrap())
}

/// A run that is under way. Dropped, it is killed.
pub struct Running {
    child: Child,
    stderr: Arc<Lines>,
    readers: Option<(JoinHandle<String>, JoinHandle<()>)>,
}

#[derive(Default)]
struct Lines {
    read: Mutex<(Vec<String>, bool)>,
    more: Condvar,
}

impl Running {
    pub fn start(dir: &Path, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        let mut command = Command::new(BINARY);
        command.args(args).current_dir(dir);
        Self::of(command)
    }

    pub fn of(mut command: Command) -> Self {
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (mut stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let stdout = thread::spawn(move || {
            let mut text = String::new();
            stdout.read_to_string(&mut text).unwrap();
            text
        });
        let lines = Arc::<Lines>::default();
        let sink = lines.clone();
        let reader = thread::spawn(move || {
            for line in BufReader::new(stderr).lines() {
                sink.read.lock().unwrap().0.push(line.unwrap());
                sink.more.notify_all();
            }
            sink.read.lock().unwrap().1 = true;
            sink.more.notify_all();
        });
        Self { child, stderr: lines, readers: Some((stdout, reader)) }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid().cast_signed()), signal).unwrap();
    }

    /// Waits for a line on standard error that has `text` in it.
    #[track_caller]
    pub fn wait_for_line(&self, text: &str) {
        let without =
            |(lines, over): &mut (Vec<String>, bool)| !*over && !lines.iter().any(|line| line.contains(text));
        let read = self.stderr.read.lock().unwrap();
        let (read, _) = self.stderr.more.wait_timeout_while(read, LIMIT, without).unwrap();
        let said = read.0.join("\n");
        assert!(said.contains(text), "`{text}` was never said:\n{said}");
    }

    /// The lines on standard error until now.
    pub fn said(&self) -> Vec<String> {
        self.stderr.read.lock().unwrap().0.clone()
    }

    /// Waits for its end. Whoever still holds its standard error open, as a child that outlived it, is not waited for.
    #[track_caller]
    pub fn end(mut self) -> Ended {
        let (has_ended, ended) = std::sync::mpsc::channel::<()>();
        let pid = Pid::from_raw(self.pid().cast_signed());
        let guard = thread::spawn(move || {
            let hangs = ended.recv_timeout(LIMIT) == Err(std::sync::mpsc::RecvTimeoutError::Timeout);
            if hangs {
                let _ = kill(pid, Signal::SIGKILL);
            }
            hangs
        });
        let status = self.child.wait().unwrap();
        drop(has_ended);
        let (stdout, stderr) = self.readers.take().unwrap();
        let (stdout, _) = (stdout.join().unwrap(), stderr.join().unwrap());
        let stderr = self.stderr.read.lock().unwrap().0.join("\n") + "\n";
        assert!(!guard.join().unwrap(), "it hung:\n{stderr}");
        Ended { code: code(status), stdout, stderr }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
