//! What goes into a program, what comes out of it, and what is told about it.

use std::fmt;
use std::time::Duration;

use actix::prelude::*;
use log::Level;

use super::exit::ProcessExit;
use crate::Report;

/// Writes a line to the program's standard input. Answered once it is in the pipe, so a program that has stopped
/// reading holds its senders back.
#[derive(Message, Clone, Debug, PartialEq, Eq)]
#[rtype(result = "Result<(), ProcessError>")]
pub struct WriteLine(
    /// The line, without its end.
    pub String,
);

/// Writes bytes to the program's standard input, as they are. Answered as a [`WriteLine`] is.
#[derive(Message, Clone, Debug, PartialEq, Eq)]
#[rtype(result = "Result<(), ProcessError>")]
pub struct WriteBytes(
    /// The bytes.
    pub Vec<u8>,
);

/// Writes a value to the program's standard input: as JSON, behind its length in four bytes, the most significant one
/// first. Answered as a [`WriteLine`] is.
#[derive(Message, Clone, Debug, PartialEq, Eq)]
#[rtype(result = "Result<(), ProcessError>")]
pub struct WriteFrame<T: 'static>(
    /// The value.
    pub T,
);

/// Closes the program's standard input, behind all that was written before. A program that reads to the end of its
/// input, as `sort` does, begins to answer then.
#[derive(Message, Clone, Copy, Debug, PartialEq, Eq)]
#[rtype(result = "()")]
pub struct CloseInput;

/// A line that the program wrote, without its end. Bytes that are not UTF-8 are replaced; a line over 1 MiB comes
/// in pieces.
#[derive(Message, Clone, Debug, PartialEq, Eq)]
#[rtype(result = "()")]
pub struct Line {
    /// Where it wrote it.
    pub stream: StdStream,
    /// What it wrote.
    pub text: String,
}

/// Which of its two outputs a program wrote to. Lines of one arrive in order; between the two there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StdStream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// Bytes that the program wrote to its standard output: as many as were there, up to 8 KiB.
#[derive(Message, Clone, Debug, PartialEq, Eq)]
#[rtype(result = "()")]
pub struct Chunk(
    /// The bytes.
    pub Vec<u8>,
);

/// A value that the program wrote to its standard output, in the same way as [`WriteFrame`] does.
#[derive(Message, Clone, Debug, PartialEq, Eq)]
#[rtype(result = "()")]
pub struct Frame<T: 'static>(
    /// The value.
    pub T,
);

/// Something that could not be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProcessError {
    /// The program's standard input is closed, or it is ending.
    #[error("`{command}` takes no more input: send it again once it has been restarted")]
    InputClosed {
        /// The command line.
        command: String,
    },
    /// The value of a [`WriteFrame`] has no form in JSON.
    #[error("it cannot be written as JSON: {0}")]
    NotJson(String),
}

/// What a [`Process`](super::Process) reports on its tree's event stream.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProcessReport {
    /// The program runs.
    Started {
        /// The command line.
        command: String,
        /// Its process id, which is its group's too.
        pid: u32,
    },
    /// The program is [ready](super::Readiness). Not told of one that is ready by being started.
    Ready {
        /// How long after its start.
        after: Duration,
    },
    /// The program could not be started, or ended before it was ready, and is about to be started again.
    StartFailed {
        /// Which attempt this was, counted from 1.
        attempt: u32,
        /// How many there may be.
        attempts: u32,
        /// Why it failed.
        reason: String,
        /// The wait before the next.
        delay: Duration,
    },
    /// The program said what it is doing: `STATUS=` over its notify socket.
    Status(String),
    /// The program has closed its standard input and runs on.
    InputClosed {
        /// How many messages were not or not wholly written because of that.
        unwritten: usize,
    },
    /// The program has ended, and its last lines have been taken.
    Exited(ProcessExit),
}

impl Report for ProcessReport {
    fn level(&self) -> Level {
        match self {
            Self::StartFailed { .. } => Level::Warn,
            Self::InputClosed { unwritten: 1.. } => Level::Warn,
            Self::Exited(exit) if !exit.census.survivors.is_empty() => Level::Error,
            _ => Level::Debug,
        }
    }

    #[cfg(feature = "control")]
    fn data(&self) -> serde_json::Value {
        use serde_json::json;
        match self {
            Self::Started { command, pid } => json!({ "event": "started", "command": command, "pid": pid }),
            Self::Ready { after } => json!({ "event": "ready", "after": after.as_secs_f64() }),
            Self::StartFailed { attempt, attempts, reason, delay } => json!({
                "event": "start_failed", "attempt": attempt, "attempts": attempts, "reason": reason,
                "delay": delay.as_secs_f64(),
            }),
            Self::Status(status) => json!({ "event": "status", "status": status }),
            Self::InputClosed { unwritten } => json!({ "event": "input_closed", "unwritten": unwritten }),
            Self::Exited(exit) => json!({ "event": "exited", "exit": exit.data() }),
        }
    }
}

impl fmt::Display for ProcessReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started { command, pid } => write!(f, "`{command}` runs as process {pid}"),
            Self::Ready { after } => write!(f, "is ready after {after:.1?}"),
            Self::StartFailed { attempt, attempts, reason, delay } => {
                write!(f, "attempt {attempt} of {attempts} to start: {reason}; the next in {delay:.1?}")
            }
            Self::Status(status) => write!(f, "says: {status}"),
            Self::InputClosed { unwritten: 0 } => f.write_str("has closed its standard input"),
            Self::InputClosed { unwritten } => {
                write!(f, "has closed its standard input (EPIPE); {unwritten} messages were not written")
            }
            Self::Exited(exit) if exit.census.survivors.is_empty() => write!(f, "{exit}; {}", exit.census),
            Self::Exited(exit) => exit.fmt(f),
        }
    }
}
