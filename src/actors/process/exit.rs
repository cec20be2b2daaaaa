//! How a program ended.

use std::error::Error;
use std::fmt;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

use nix::sys::signal::Signal;

/// How a program ended, why, and what it said last. A [`Process`](super::Process) whose program fails ends with it as
/// its [`ExitReason::Failed`](crate::ExitReason::Failed).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProcessExit {
    /// The command line.
    pub command: String,
    /// What led to it.
    pub cause: ExitCause,
    /// Its code, or the signal that killed it and whether it dumped core. `None` if its guard was killed, or it could
    /// not be killed itself.
    pub status: Option<ExitStatus>,
    /// What was left of all that it had started.
    pub census: Census,
    /// The last lines that it wrote to standard error, up to ten.
    pub last_words: Vec<String>,
}

/// What led to the end of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExitCause {
    /// It ended by itself, or somebody else killed it.
    Itself,
    /// It was asked to.
    Stopped,
    /// It ended by itself before it was [ready](super::Readiness), so it never started up.
    EndedUnready,
    /// It was not ready within this time, and was made to end.
    NeverReady(Duration),
    /// It had not been heard of for this time, its [watchdog](super::Process::watchdog)'s, and was aborted.
    Watchdog(Duration),
    /// It wrote something that is not a frame of the type that was expected, and was made to end.
    BadFrame(String),
    /// Its guard was killed. What the guard had started was then found by its environment, and killed.
    GuardLost,
}

/// The count after the end of a program: of what it had started, and what that had started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Census {
    /// Processes that had left the program's group, as `setsid` does, and were found and killed.
    pub escaped: usize,
    /// Processes that could not be killed within five seconds: those of another user, or stuck in the kernel.
    pub survivors: Vec<Survivor>,
}

/// A process that could not be killed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Survivor {
    /// Its process id.
    pub pid: u32,
    /// The name of its program.
    pub name: String,
}

impl ProcessExit {
    /// Its exit code, if it exited.
    pub fn code(&self) -> Option<i32> {
        self.status?.code()
    }

    /// The number of the signal that killed it, if one did.
    pub fn signal(&self) -> Option<i32> {
        self.status?.signal()
    }

    /// As a part of what a report [tells programs](crate::Report::data).
    #[cfg(feature = "control")]
    pub(crate) fn data(&self) -> serde_json::Value {
        let survivor = |Survivor { pid, name }: &Survivor| serde_json::json!({ "pid": pid, "name": name });
        let Census { escaped, survivors } = &self.census;
        serde_json::json!({
            "command": self.command, "code": self.code(), "signal": self.signal(), "text": self.to_string(),
            "escaped": escaped, "survivors": survivors.iter().map(survivor).collect::<Vec<_>>(),
        })
    }

    /// Whether it has never been ready.
    pub fn is_failed_start(&self) -> bool {
        matches!(self.cause, ExitCause::EndedUnready | ExitCause::NeverReady(_))
    }
}

impl fmt::Display for ProcessExit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` ", self.command)?;
        match &self.cause {
            ExitCause::Itself | ExitCause::Stopped => {}
            ExitCause::EndedUnready => f.write_str("was never ready: it ")?,
            ExitCause::NeverReady(limit) => write!(f, "was not ready within {limit:?}: it ")?,
            ExitCause::Watchdog(limit) => write!(f, "gave no sign of life for {limit:?}: it ")?,
            ExitCause::BadFrame(error) => write!(f, "wrote a frame that cannot be read ({error}): it ")?,
            ExitCause::GuardLost => f.write_str("lost its guard: it ")?,
        }
        match self.status {
            Some(status) => write_status(status, f)?,
            None if self.census.survivors.is_empty() => f.write_str("was killed")?,
            None => f.write_str("could not be killed")?,
        }
        if !self.census.survivors.is_empty() {
            write!(f, "; {}", self.census)?;
        }
        let words: Vec<_> =
            self.last_words.iter().map(|line| line.trim()).filter(|line| !line.is_empty()).collect();
        if !words.is_empty() {
            write!(f, "; last words: {}", words.join(" | "))?;
        }
        Ok(())
    }
}

fn write_status(status: ExitStatus, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match (status.code(), status.signal()) {
        (Some(code), _) => write!(f, "exited with code {code}")?,
        (None, Some(number)) => match Signal::try_from(number) {
            Ok(signal) => write!(f, "was killed by {signal}")?,
            Err(_) => write!(f, "was killed by signal {number}")?,
        },
        (None, None) => write!(f, "ended with {status}")?,
    }
    if status.core_dumped() {
        f.write_str(" (core dumped)")?;
    }
    Ok(())
}

impl fmt::Display for Census {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} survivors", self.survivors.len())?;
        let mut separator = ": ";
        for Survivor { pid, name } in &self.survivors {
            write!(f, "{separator}{name} ({pid})")?;
            separator = ", ";
        }
        Ok(())
    }
}

impl Error for ProcessExit {}

#[cfg(test)]
mod tests {
    use super::*;

    fn exit(wait_status: i32, last_words: &[&str]) -> ProcessExit {
        ProcessExit {
            command: "tool".into(),
            cause: ExitCause::Itself,
            status: Some(ExitStatus::from_raw(wait_status)),
            census: Census::default(),
            last_words: last_words.iter().map(|&line| line.to_owned()).collect(),
        }
    }

    #[test]
    fn an_exit_reads_as_a_sentence() {
        assert_eq!(exit(3 << 8, &[]).to_string(), "`tool` exited with code 3");
        assert_eq!(
            exit(9, &["one", "two"]).to_string(),
            "`tool` was killed by SIGKILL; last words: one | two"
        );
        assert_eq!(exit(6 | 0x80, &[]).to_string(), "`tool` was killed by SIGABRT (core dumped)");
        assert_eq!(exit(40, &[]).to_string(), "`tool` was killed by signal 40"); // a realtime signal has no name
    }

    #[test]
    fn an_exit_says_what_led_to_it_and_who_survived() {
        let cause = ExitCause::NeverReady(Duration::from_secs(3));
        assert_eq!(
            ProcessExit { cause, ..exit(15, &[]) }.to_string(),
            "`tool` was not ready within 3s: it was killed by SIGTERM"
        );
        let survivors = vec![Survivor { pid: 7, name: "sudo".into() }];
        let census = Census { survivors, ..Census::default() };
        assert_eq!(
            ProcessExit { census, ..exit(0, &[]) }.to_string(),
            "`tool` exited with code 0; 1 survivors: sudo (7)"
        );
    }
}
