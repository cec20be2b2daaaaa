//! A program's life: from its start to its own end, or to the one that it is made to have.

use std::convert::Infallible;
use std::pin::pin;
use std::time::Duration;

use futures::future::join3;
use tokio::net::unix::pipe;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::command::{Command, CommandError};
use super::exit::{ExitCause, ProcessExit};
use super::guard::wire::Order;
use super::guard::{Guard, Orders};
use super::messages::{ProcessReport, StdStream};
use super::notify::Notify;
use super::program::{Input, Pipes, Program};
use super::sink::{Lookout, Sink};
use super::watch::{Readiness, Watch};
use crate::Reporter;
use crate::supervision::Backoff;

/// How long what is left in a pipe may take to be read after a program's end.
pub(super) const LAST_WORDS: Duration = Duration::from_secs(1);

/// What a life is to be like.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) command: Command,
    pub(super) grace: Duration,
    pub(super) stdout: Sink,
    pub(super) stderr: Sink,
    pub(super) readiness: Readiness,
    /// How long it may take to be ready.
    pub(super) ready_within: Duration,
    pub(super) attempts: u32,
    pub(super) backoff: Backoff,
    pub(super) watchdog: Option<Duration>,
}

/// What the program's actor needs once it is ready.
pub(super) struct Up {
    pub(super) stdin: pipe::Sender,
    pub(super) pid: u32,
}

/// What reaches a life from its actor, and the other way round.
pub(super) struct Lines {
    /// Used up when the program is ready.
    pub(super) ready: Option<oneshot::Sender<Up>>,
    /// The order to end. It comes once at most, and is the end of all waiting for it.
    pub(super) stop: oneshot::Receiver<()>,
    /// What is done to the program on purpose.
    pub(super) orders: mpsc::UnboundedReceiver<Order>,
    pub(super) reporter: Reporter,
}

/// Lives, with as many attempts to start as there may be. If the program never ran, the error says why.
pub(super) async fn live(plan: Plan, mut lines: Lines) -> Result<ProcessExit, CommandError> {
    let attempts = plan.attempts;
    let mut attempt = 1;
    loop {
        let ended = plan.attempt(&mut lines).await;
        let reason = match &ended {
            Ok(exit) if exit.is_failed_start() => exit.to_string(),
            Err(error) if !matches!(error, CommandError::NoGuard) => error.to_string(),
            _ => return ended,
        };
        if attempt >= attempts {
            return ended;
        }
        let delay = plan.backoff.delay(attempt, fastrand::f64());
        lines.reporter.report(ProcessReport::StartFailed { attempt, attempts, reason, delay });
        if timeout(delay, &mut lines.stop).await.is_ok() {
            return ended;
        }
        attempt += 1;
    }
}

impl Plan {
    async fn attempt(&self, lines: &mut Lines) -> Result<ProcessExit, CommandError> {
        let notify = self.notify()?;
        let command = self.command_with(notify.as_ref());
        let name = lines.reporter.path().map_or_else(|| command.to_string(), ToString::to_string);
        let (mut program, mut pipes) =
            Program::start(Guard::start(None)?, name, &command, Input::Pipe).await?;
        let pid = program.pid();
        lines.reporter.report(ProcessReport::Started { command: command.to_string(), pid });

        let Pipes { stdin, stdout, stderr, .. } = &mut pipes;
        let (seen, sights) = mpsc::unbounded_channel();
        let lookout = Lookout { ready: self.readiness.line(), seen };
        let (orders, mut run) = program.parts();
        let cause = {
            let from_stdout = self.stdout.forward(stdout, StdStream::Out, &lookout);
            let from_stderr = self.stderr.forward(stderr, StdStream::Err, &lookout);
            let mut all = pin!(join3(run.over(), from_stdout, from_stderr));
            let is_ready = || {
                if let (Some(ready), Some(stdin)) = (lines.ready.take(), stdin.take()) {
                    let _ = ready.send(Up { stdin, pid }); // the actor has crashed
                }
            };
            let watch = Watch::new(self, pid, notify, sights);
            let end = watch.until_the_end(all.as_mut(), &mut lines.stop, &lines.reporter, is_ready);
            let cause = tokio::select! {
                cause = end => cause,
                never = pass_on(&mut lines.orders, orders) => match never {},
            };
            if !matches!(cause, ExitCause::Itself | ExitCause::EndedUnready) {
                drop(stdin.take());
                match cause {
                    ExitCause::Watchdog(_) => orders.abort(),
                    _ => orders.terminate(),
                }
                if timeout(self.grace, all).await.is_err() {
                    orders.kill();
                }
            }
            cause
        };
        run.over().await;
        // What it wrote while nobody took its lines any more.
        let _ = timeout(LAST_WORDS, stderr.drain()).await;
        let (exit, guard) = program.finish(&command, cause, stderr.last_words()).await;
        lines.reporter.report(ProcessReport::Exited(exit.clone()));
        if let Some(guard) = guard {
            guard.dismiss().await;
        }
        Ok(exit)
    }

    fn notify(&self) -> Result<Option<Notify>, CommandError> {
        let is_needed = self.readiness == Readiness::Notify || self.watchdog.is_some();
        is_needed.then(Notify::open).transpose().map_err(CommandError::Guard)
    }

    fn command_with(&self, notify: Option<&Notify>) -> Command {
        let mut command = self.command.clone();
        if let Some(notify) = notify {
            command = command.env("NOTIFY_SOCKET", notify.address());
        }
        if let Some(limit) = self.watchdog {
            command = command.env("WATCHDOG_USEC", limit.as_micros().to_string());
        }
        command
    }
}

async fn pass_on(from: &mut mpsc::UnboundedReceiver<Order>, to: Orders<'_>) -> Infallible {
    while let Some(order) = from.recv().await {
        to.meddle(&order);
    }
    std::future::pending().await
}
