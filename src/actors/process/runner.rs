//! One program per message.

use std::fmt;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use actix::prelude::*;
use futures::future::join3;
use tokio::time::timeout;

use super::command::{Command, CommandError};
use super::exit::{ExitCause, ProcessExit};
use super::guard::Guard;
use super::program::{GRACE, Input, Pipes, Program};
use crate::actors::WhileWanted;

/// How many guards are kept between runs.
const IDLE_GUARDS: usize = 16;

// ===== messages =====

/// Runs a program, with an empty standard input, and answers when it has ended.
#[derive(Message, Clone, Debug, PartialEq, Eq)]
#[rtype(result = "Result<CommandOutput, RunError>")]
pub struct RunCommand {
    /// What to run.
    pub command: Command,
    /// How long it may take. Then it is asked to end, and killed if it does not.
    pub time_limit: Option<Duration>,
}

impl RunCommand {
    /// Runs `command`, for as long as it takes.
    pub fn new(command: Command) -> Self {
        Self { command, time_limit: None }
    }

    /// Ends it when it takes longer.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = Some(limit);
        self
    }
}

/// What a program that exited with 0 has said. Bytes that are not UTF-8 are replaced.
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
    #[error(transparent)]
    Exit(ProcessExit),
    /// It was ended because its time was over.
    #[error("no end within {limit:?}, so it was made to: {exit}")]
    TimedOut {
        /// The time it had.
        limit: Duration,
        /// What the end looked like.
        exit: ProcessExit,
    },
}

// ===== actor =====

/// Runs programs: all that it is sent at once, so who sends says how many run at a time.
///
/// A run ends when its sender stops waiting for it, and all of them end with the actor: they are killed with all that
/// they have started, and their senders hear `MailboxError::Closed`.
///
/// Guards are kept for the next run, up to sixteen. What is changed in this program's own environment after a guard was
/// started does not reach the programs that it runs; what a [`Command`] sets does.
///
/// ```no_run
/// # use actix::prelude::*;
/// use latido::actors::process::{Command, CommandRunner, RunCommand};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let runner = CommandRunner::default().start();
/// let command = Command::new("sha256sum").arg("Cargo.toml");
/// let output = runner.send(RunCommand::new(command)).await??;
/// println!("{}", output.stdout);
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct CommandRunner {
    grace: Duration,
    guards: Guards,
}

impl Default for CommandRunner {
    fn default() -> Self {
        Self { grace: GRACE, guards: Guards::default() }
    }
}

impl CommandRunner {
    /// Sets the time between SIGTERM and SIGKILL for a program whose time is over; 5 seconds unless set.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }
}

impl Actor for CommandRunner {
    type Context = Context<Self>;
}

impl Handler<RunCommand> for CommandRunner {
    type Result = WhileWanted<Self, Result<CommandOutput, RunError>>;

    fn handle(&mut self, message: RunCommand, _: &mut Context<Self>) -> Self::Result {
        // A future of the context, not a `ResponseFuture`: it has to end with the actor.
        WhileWanted::new(run(message, self.grace, self.guards.clone()).into_actor(self))
    }
}

async fn run(
    RunCommand { command, time_limit }: RunCommand,
    grace: Duration,
    guards: Guards,
) -> Result<CommandOutput, RunError> {
    let start = Instant::now();
    let (mut program, mut pipes) = guards.start(&command).await?;
    let mut timed_out = None;
    let (orders, mut run) = program.parts();
    {
        let mut all = pin!(join3(run.over(), pipes.stdout.drain(), pipes.stderr.drain()));
        match time_limit {
            None => drop(all.await),
            Some(limit) => {
                if timeout(limit, &mut all).await.is_err() {
                    timed_out = Some(limit);
                    orders.terminate();
                    if timeout(grace, &mut all).await.is_err() {
                        orders.kill();
                        all.await;
                    }
                }
            }
        }
    }
    let cause = if timed_out.is_some() { ExitCause::Stopped } else { ExitCause::Itself };
    let (exit, guard) = program.finish(&command, cause, pipes.stderr.last_words()).await;
    if let Some(guard) = guard {
        guards.keep(guard);
    }
    match timed_out {
        Some(limit) => Err(RunError::TimedOut { limit, exit }),
        None if !command.succeeds_with(exit.status) => Err(RunError::Exit(exit)),
        None => Ok(CommandOutput {
            stdout: pipes.stdout.tail(),
            stderr: pipes.stderr.tail(),
            elapsed: start.elapsed(),
        }),
    }
}

/// Guards between two runs.
#[derive(Clone, Default)]
struct Guards(Arc<Mutex<Vec<Guard>>>);

impl Guards {
    async fn start(&self, command: &Command) -> Result<(Program, Pipes), CommandError> {
        while let Some(guard) = self.take() {
            match Program::start(guard, command.to_string(), command, Input::Nothing).await {
                // It has been killed meanwhile.
                Err(CommandError::Guard(_)) => {}
                started => return started,
            }
        }
        Program::start(Guard::start()?, command.to_string(), command, Input::Nothing).await
    }

    fn take(&self) -> Option<Guard> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn keep(&self, guard: Guard) {
        let mut guards = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if guards.len() < IDLE_GUARDS {
            guards.push(guard);
        }
    }
}

impl fmt::Debug for Guards {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Guards")
    }
}
