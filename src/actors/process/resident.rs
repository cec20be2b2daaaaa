//! A program that stays, as an actor.

use std::fmt;
use std::pin::pin;
use std::process::Stdio;
use std::time::Duration;

use actix::prelude::*;
use futures::future::{Either, join3, select};
use tokio::io::{AsyncRead, AsyncWriteExt};
use tokio::process::ChildStdin;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use super::child::{Child, GRACE, Pipes};
use super::command::Command;
use super::exit::ProcessExit;
use super::output::Output;
use crate::{Report, Reporter, crash};

// ===== messages =====

/// Writes a line to the program's standard input. Answered once it is in the pipe, so a program that has stopped
/// reading holds its senders back.
#[derive(Message, Clone, Debug, PartialEq, Eq)]
#[rtype(result = "Result<(), ProcessError>")]
pub struct WriteLine(
    /// The line, without its end.
    pub String,
);

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

/// A line that could not be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProcessError {
    /// The program has closed its standard input or is ending.
    #[error("`{command}` takes no more input: send the line again once it has been restarted")]
    InputClosed {
        /// The command line.
        command: String,
    },
}

/// What a [`Process`] reports on its tree's event stream.
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
    /// The program has ended, and its last lines have been taken.
    Exited(ProcessExit),
}

impl Report for ProcessReport {}

// ===== actor =====

/// A program that runs for as long as the actor does.
///
/// - The program exits with 0: the actor stops itself.
/// - It exits with anything else, or a signal kills it: the actor crashes with the [`ProcessExit`].
/// - It cannot be started: the actor crashes with the [`CommandError`](super::CommandError).
/// - The actor is asked to stop: standard input is closed and the group gets SIGTERM, then after
///   [`grace`](Self::grace) SIGKILL; the actor stops once the program is gone. Give its child spec a longer shutdown
///   timeout than this grace.
/// - The actor crashes or is killed: the group gets SIGKILL at once.
///
/// ```no_run
/// # use actix::prelude::*;
/// use latido::actors::process::{Command, Line, Process, WriteLine};
///
/// struct Log;
/// impl Actor for Log { type Context = Context<Self>; }
/// impl Handler<Line> for Log {
///     type Result = ();
///     fn handle(&mut self, line: Line, _: &mut Context<Self>) {
///         println!("{}", line.text);
///     }
/// }
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let log = Log.start();
/// let cat = Process::new(Command::new("cat")).lines_to(log.recipient()).start();
/// cat.send(WriteLine("hello".into())).await??;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Process {
    command: Command,
    grace: Duration,
    lines: Option<Recipient<Line>>,
    runs: bool,
    /// Dropped to close standard input, once what is in the channel is written.
    input: Option<mpsc::UnboundedSender<Write>>,
    /// Used up by the request to stop.
    stop: Option<oneshot::Sender<()>>,
}

type Write = (String, oneshot::Sender<()>);

impl Process {
    /// A process that drops what the program writes and gives it 5 seconds to stop.
    pub fn new(command: Command) -> Self {
        Self { command, grace: GRACE, lines: None, runs: false, input: None, stop: None }
    }

    /// Sends each line that the program writes to `lines`, and reads on when that has handled it. A reader that
    /// stalls lets the pipe fill up, which stops the program: lines are neither lost nor heaped up here. Once the
    /// reader is closed lines are dropped.
    pub fn lines_to(mut self, lines: Recipient<Line>) -> Self {
        self.lines = Some(lines);
        self
    }

    /// Sets the time between SIGTERM and SIGKILL when the actor is asked to stop.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }
}

impl Actor for Process {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        if runtime_is_gone() {
            return ctx.stop();
        }
        let (child, mut pipes) =
            Child::spawn(&self.command, Stdio::piped()).unwrap_or_else(|error| crash(error));
        Reporter::current()
            .report(ProcessReport::Started { command: self.command.to_string(), pid: child.pid() });
        let (input, writes) = mpsc::unbounded_channel();
        let (stop, stopped) = oneshot::channel();
        self.runs = true;
        self.input = Some(input);
        self.stop = Some(stop);

        let stdin = pipes.stdin.take().expect("piped");
        ctx.spawn(write_lines(stdin, writes).into_actor(self));
        let life = live(self.command.clone(), child, pipes, self.lines.clone(), self.grace, stopped);
        ctx.spawn(life.into_actor(self).map(|exit, act, ctx| act.ended(exit, ctx)));
    }

    fn stopping(&mut self, _: &mut Context<Self>) -> Running {
        self.input = None;
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(()); // no receiver: it has ended meanwhile
        }
        if self.runs { Running::Continue } else { Running::Stop }
    }
}

impl Handler<WriteLine> for Process {
    type Result = ResponseActFuture<Self, Result<(), ProcessError>>;

    fn handle(&mut self, WriteLine(line): WriteLine, _: &mut Context<Self>) -> Self::Result {
        let (written, answer) = oneshot::channel();
        if let Some(input) = &self.input {
            // Whoever cannot write drops `written`, and the answer is the error.
            let _ = input.send((line, written));
        }
        Box::pin(answer.into_actor(self).map(|answer, act, _| {
            answer.map_err(|_| ProcessError::InputClosed { command: act.command.to_string() })
        }))
    }
}

impl Process {
    fn ended(&mut self, exit: ProcessExit, ctx: &mut Context<Self>) {
        let asked_to = self.stop.is_none();
        // Before anything else: from here on `stopping` has nothing to wait for, in a crash least of all.
        self.runs = false;
        Reporter::current().report(ProcessReport::Exited(exit.clone()));
        if asked_to || exit.status.success() {
            ctx.stop();
        } else {
            crash(exit)
        }
    }
}

/// An actor whose arbiter has ended is dropped after the runtime, and actix calls `started` and `stopping` even
/// then. Nothing can be waited for there: the program is killed as the context drops its future.
fn runtime_is_gone() -> bool {
    Handle::try_current().is_err()
}

/// The program's life: to its own end, or to the one it is asked for.
async fn live(
    command: Command,
    child: Child,
    mut pipes: Pipes,
    lines: Option<Recipient<Line>>,
    grace: Duration,
    stop: oneshot::Receiver<()>,
) -> ProcessExit {
    {
        let stdout = forward(&mut pipes.stdout, StdStream::Out, lines.as_ref());
        let stderr = forward(&mut pipes.stderr, StdStream::Err, lines.as_ref());
        let run = pin!(join3(child.exited(), stdout, stderr));
        if let Either::Right((_, run)) = select(run, stop).await {
            child.end(grace, run).await;
        }
    }
    ProcessExit::new(&command, child.reap().await, pipes.stderr.last_words())
}

async fn forward<P: AsyncRead + Unpin>(
    output: &mut Output<P>,
    stream: StdStream,
    to: Option<&Recipient<Line>>,
) {
    while let Some(text) = output.next_line().await {
        if let Some(to) = to {
            let _ = to.send(Line { stream, text }).await; // closed: nobody wants it any more
        }
    }
}

/// Writes one line after the other. Ends with the channel or at the first line that the program does not take;
/// the lines left in the channel are dropped with it, which tells their senders.
async fn write_lines(mut stdin: ChildStdin, mut writes: mpsc::UnboundedReceiver<Write>) {
    while let Some((mut line, written)) = writes.recv().await {
        line.push('\n');
        if stdin.write_all(line.as_bytes()).await.is_err() {
            return;
        }
        let _ = written.send(()); // the sender no longer waits
    }
}

impl fmt::Display for ProcessReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started { command, pid } => write!(f, "`{command}` runs as process {pid}"),
            Self::Exited(exit) => exit.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TreePath;
    use crate::bus::EventBus;
    use crate::reporter::Speaker;

    #[actix::test]
    async fn the_start_and_the_exit_are_reported() {
        let bus = EventBus::default();
        let mut events = bus.subscribe();
        let reporter = Reporter::new(Speaker::new(bus, TreePath::root("true")), 1);
        let _current = reporter.clone().enter();
        Process::new(Command::new("true")).start();

        let started = events.next().await.unwrap();
        let Some(ProcessReport::Started { pid, .. }) = started.report() else { panic!("{started}") };
        assert!(started.to_string().ends_with(&format!("`true` runs as process {pid}")), "{started}");
        let exited = events.next().await.unwrap();
        let Some(ProcessReport::Exited(exit)) = exited.report() else { panic!("{exited}") };
        assert_eq!(exit.status.code(), Some(0));
    }
}
