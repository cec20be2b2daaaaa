//! How a program ended.

use std::error::Error;
use std::fmt;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use nix::sys::signal::Signal;

use super::command::Command;

/// How a program ended, and what it said last. A [`Process`](super::Process) whose program fails ends with it as
/// its [`ExitReason::Failed`](crate::ExitReason::Failed).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProcessExit {
    /// The command line.
    pub command: String,
    /// Its code, or the signal that killed it and whether it dumped core.
    pub status: ExitStatus,
    /// The last lines that it wrote to standard error, up to ten.
    pub last_words: Vec<String>,
}

impl ProcessExit {
    pub(super) fn new(command: &Command, status: ExitStatus, last_words: Vec<String>) -> Self {
        Self { command: command.to_string(), status, last_words }
    }
}

impl fmt::Display for ProcessExit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` ", self.command)?;
        match (self.status.code(), self.status.signal()) {
            (Some(code), _) => write!(f, "exited with code {code}")?,
            (None, Some(number)) => match Signal::try_from(number) {
                Ok(signal) => write!(f, "was killed by {signal}")?,
                Err(_) => write!(f, "was killed by signal {number}")?,
            },
            (None, None) => write!(f, "ended with {}", self.status)?,
        }
        if self.status.core_dumped() {
            f.write_str(" (core dumped)")?;
        }
        let words: Vec<_> =
            self.last_words.iter().map(|line| line.trim()).filter(|line| !line.is_empty()).collect();
        if !words.is_empty() {
            write!(f, "; last words: {}", words.join(" | "))?;
        }
        Ok(())
    }
}

impl Error for ProcessExit {}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(wait_status: i32, last_words: &[&str]) -> String {
        let last_words = last_words.iter().map(|&line| line.to_owned()).collect();
        ProcessExit::new(&Command::new("tool"), ExitStatus::from_raw(wait_status), last_words).to_string()
    }

    #[test]
    fn an_exit_reads_as_a_sentence() {
        assert_eq!(text(3 << 8, &[]), "`tool` exited with code 3");
        assert_eq!(text(9, &["one", "two"]), "`tool` was killed by SIGKILL; last words: one | two");
        assert_eq!(text(6 | 0x80, &[]), "`tool` was killed by SIGABRT (core dumped)");
        assert_eq!(text(40, &[]), "`tool` was killed by signal 40"); // a realtime signal has no name
    }
}
