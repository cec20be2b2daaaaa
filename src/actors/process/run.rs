//! One run of a program, for those who ask for it.

use std::time::Duration;

use actix::Message;

use super::command::{Command, CommandError};
use super::exit::ProcessExit;
use crate::Reporter;

/// Runs a program, with an empty standard input, and answers when it has ended.
#[derive(Message, Clone, Debug, PartialEq, Eq)]
#[rtype(result = "Result<CommandOutput, RunError>")]
pub struct RunCommand {
    /// What to run.
    pub command: Command,
    /// How long it may take. Then it is asked to end, and killed if it does not.
    pub time_limit: Option<Duration>,
    pub(super) asker: Reporter,
    pub(super) name: Option<String>,
}

impl RunCommand {
    /// Runs `command`, for as long as it takes.
    pub fn new(command: Command) -> Self {
        Self { command, time_limit: None, asker: Reporter::default(), name: None }
    }

    /// Says whose life it is run for ([`Reporter::current`] of an actor's code). When that has ended, so has the run,
    /// although an actor that blocks its thread, and was left behind, still waits for it.
    pub fn asked_by(mut self, asker: Reporter) -> Self {
        self.asker = asker;
        self
    }

    /// Runs it under this name, and not that of its command line. It begins when nothing is left of whatever ran under the same
    /// name before and was cut off, because nobody waited for it any more or its actor had failed: for commands that differ, and
    /// may be about the same things.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Ends it when it takes longer.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = Some(limit);
        self
    }
}

/// What a program has said. Bytes that are not UTF-8 are replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CommandOutput {
    /// The last 64 KiB of its standard output.
    pub stdout: String,
    /// The last 64 KiB of its standard error.
    pub stderr: String,
    /// How long it ran.
    pub elapsed: Duration,
}

/// A program that did not do what it was run for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// It could not be started.
    #[error(transparent)]
    Start(#[from] CommandError),
    /// It exited with something else than 0, or a signal killed it.
    #[error("{exit}")]
    Exit {
        /// How it ended.
        exit: ProcessExit,
        /// What it said until then.
        output: Box<CommandOutput>,
    },
    /// It was ended because its time was over.
    #[error("no end within {limit:?}, so it was made to: {exit}")]
    TimedOut {
        /// The time it had.
        limit: Duration,
        /// What the end looked like.
        exit: ProcessExit,
        /// What it said until then.
        output: Box<CommandOutput>,
    },
}

impl RunError {
    /// What the program said, if it was started.
    pub fn output(&self) -> Option<&CommandOutput> {
        match self {
            Self::Start(_) => None,
            Self::Exit { output, .. } | Self::TimedOut { output, .. } => Some(output),
        }
    }
}
