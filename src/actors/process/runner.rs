//! One program per message.

use std::fmt;
use std::fs::File;
use std::future::pending;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use actix::prelude::*;
use futures::future::join3;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::command::{Command, CommandError};
use super::exit::ExitCause;
use super::guard::Guard;
use super::leaving::end_the_orphaned;
use super::mishap::Meddling;
use super::program::{GRACE, Input, Pipes, Program};
use super::resident::runtime_is_gone;
use super::run::{CommandOutput, RunCommand, RunError};
use crate::actors::WhileWanted;

/// How many guards are kept between runs.
const IDLE_GUARDS: usize = 16;

/// Runs programs: all that it is sent at once, so who sends says how many run at a time.
///
/// A run ends when its sender stops waiting for it, and all of them end with the actor; their senders hear
/// `MailboxError::Closed`. When the actor is stopped in order its programs are asked to end, and killed with all that
/// they have started when the [`grace`](Self::grace) is over, so it must be shorter than the time that the actor's
/// supervisor gives it. Otherwise they are killed at once.
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
    /// Whether the programs are to end. Each run listens to it for as long as it has a program.
    stop: watch::Sender<bool>,
    pub(super) meddling: Meddling,
}

impl Default for CommandRunner {
    fn default() -> Self {
        Self {
            grace: GRACE,
            guards: Guards::default(),
            stop: watch::Sender::new(false),
            meddling: Meddling::default(),
        }
    }
}

impl CommandRunner {
    /// Sets the time between SIGTERM and SIGKILL for a program whose time is over, or whose actor is stopped; 5 seconds
    /// unless set.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Has `file` open in whatever guards a run, and nowhere in the programs. So a lock on it (as of
    /// [`File::lock`]) lasts until nothing is left of any run, also when this program is killed with SIGKILL: who
    /// waits for the lock then meets nothing that still works on the same files.
    pub fn hold(mut self, file: Arc<File>) -> Self {
        self.guards.held = Some(file);
        self
    }
}

impl Actor for CommandRunner {
    type Context = Context<Self>;

    fn started(&mut self, _: &mut Context<Self>) {
        end_the_orphaned();
    }

    fn stopping(&mut self, ctx: &mut Context<Self>) -> Running {
        if runtime_is_gone() || self.stop.receiver_count() == 0 {
            return Running::Stop;
        }
        if !self.stop.send_replace(true) {
            let stop = self.stop.clone();
            let all_over = async move { stop.closed().await };
            ctx.spawn(all_over.into_actor(self).map(|(), _, ctx| ctx.stop()));
        }
        Running::Continue
    }
}

impl Handler<RunCommand> for CommandRunner {
    type Result = WhileWanted<Self, Result<CommandOutput, RunError>>;

    fn handle(&mut self, message: RunCommand, _: &mut Context<Self>) -> Self::Result {
        let terms = Terms {
            grace: self.grace,
            guards: self.guards.clone(),
            stop: self.stop.subscribe(),
            meddling: self.meddling.clone(),
        };
        let asker = message.asker.clone();
        let run = async move {
            match run(message, terms).await {
                Some(result) => result,
                // It was not left to finish, so there is nothing to say; the sender hears that the actor has gone.
                None => pending().await,
            }
        };
        // A future of the context, not a `ResponseFuture`: it has to end with the actor.
        WhileWanted::new(run.into_actor(self)).asked_by(asker)
    }
}

/// What a run has of its runner.
struct Terms {
    grace: Duration,
    guards: Guards,
    stop: watch::Receiver<bool>,
    meddling: Meddling,
}

/// `None` if it was stopped.
async fn run(
    RunCommand { command, time_limit, name, .. }: RunCommand,
    Terms { grace, guards, mut stop, meddling }: Terms,
) -> Option<Result<CommandOutput, RunError>> {
    if *stop.borrow() {
        return None;
    }
    let start = Instant::now();
    let name = name.unwrap_or_else(|| command.to_string());
    let (mut program, mut pipes) = match guards.start(&command, &name).await {
        Ok(started) => started,
        Err(error) => return Some(Err(error.into())),
    };
    let (orders, mut run) = program.parts();
    let end = {
        let mut all = pin!(join3(run.over(), pipes.stdout.drain(), pipes.stderr.drain()));
        let end = tokio::select! {
            biased;
            _ = &mut all => End::ByItself,
            // The actor drops this with itself, so it is never closed before.
            _ = stop.wait_for(|stop| *stop) => End::Stopped,
            limit = over(time_limit) => End::TimedOut(limit),
            never = meddling.pass_on(orders) => match never {},
        };
        if !matches!(end, End::ByItself) {
            orders.terminate();
            if timeout(grace, &mut all).await.is_err() {
                orders.kill();
                all.await;
            }
        }
        end
    };
    let cause = if matches!(end, End::ByItself) { ExitCause::Itself } else { ExitCause::Stopped };
    let (exit, guard) = program.finish(&command, cause, pipes.stderr.last_words()).await;
    if let Some(guard) = guard {
        guards.keep(guard);
    }
    let (stdout, stderr) = (pipes.stdout.tail(), pipes.stderr.tail());
    let output = CommandOutput { stdout, stderr, elapsed: start.elapsed() };
    match end {
        End::Stopped => None,
        End::TimedOut(limit) => Some(Err(RunError::TimedOut { limit, exit, output: output.into() })),
        End::ByItself if command.succeeds_with(exit.status) => Some(Ok(output)),
        End::ByItself => Some(Err(RunError::Exit { exit, output: output.into() })),
    }
}

/// Why a program ended.
enum End {
    ByItself,
    Stopped,
    TimedOut(Duration),
}

/// The limit, when it is over.
async fn over(limit: Option<Duration>) -> Duration {
    match limit {
        None => pending().await,
        Some(limit) => {
            sleep(limit).await;
            limit
        }
    }
}

/// Guards between two runs.
#[derive(Clone, Default)]
struct Guards {
    idle: Arc<Mutex<Vec<Guard>>>,
    /// What they have open.
    held: Option<Arc<File>>,
}

impl Guards {
    async fn start(&self, command: &Command, name: &str) -> Result<(Program, Pipes), CommandError> {
        while let Some(guard) = self.take() {
            match Program::start(guard, name.to_owned(), command, Input::Nothing).await {
                // It has been killed meanwhile.
                Err(CommandError::Guard(_)) => {}
                started => return started,
            }
        }
        Program::start(Guard::start(self.held.as_deref())?, name.to_owned(), command, Input::Nothing).await
    }

    fn take(&self) -> Option<Guard> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn keep(&self, guard: Guard) {
        let mut guards = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
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
