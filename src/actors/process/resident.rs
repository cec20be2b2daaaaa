//! A program that stays, as an actor.

use std::time::Duration;

use actix::prelude::*;
use futures::future::{Either, select};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use super::command::{Command, CommandError};
use super::exit::{ExitCause, ProcessExit};
use super::guard::wire::Order;
use super::input::{Write, is_exiting, write_all};
use super::life::{Lines, Plan, Up, live};
use super::messages::{
    Chunk, CloseInput, Frame, Line, ProcessError, ProcessReport, WriteBytes, WriteFrame, WriteLine,
};
use super::program::GRACE;
use super::sink::Sink;
use super::watch::Readiness;
use crate::supervision::Backoff;
use crate::{Reporter, crash};

/// How long a program may take to be ready.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// A program that runs for as long as the actor does.
///
/// - The program exits with 0, or another code that [counts as success](Command::success_codes): the actor stops itself.
/// - It exits with anything else, or a signal kills it: the actor crashes with the [`ProcessExit`].
/// - It cannot be started: the actor crashes with the [`CommandError`](super::CommandError).
/// - It ends before it is [ready](Self::ready_when), or is not ready in time: it is started again as often as
///   [`start_attempts`](Self::start_attempts) says, and then the actor crashes with the [`ProcessExit`]. For its
///   supervisor that is a failed start; the actor was never up.
/// - The actor is asked to stop: standard input is closed and the group gets SIGTERM, then after
///   [`grace`](Self::grace) SIGKILL; the actor stops once the program is gone. Give its child spec a longer shutdown
///   timeout than this grace.
/// - The actor crashes or is killed, its arbiter ends, or this program does, be it by SIGKILL: the program is killed at
///   once.
///
/// Whichever it is, all that the program has started is killed as well, wherever it has moved itself, and the exit has
/// the [census](super::Census).
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
    plan: Plan,
    runs: bool,
    /// Dropped to close standard input, once what is in the channel is written.
    input: Option<mpsc::UnboundedSender<Write>>,
    /// Used up by the request to stop.
    stop: Option<oneshot::Sender<()>>,
    /// While its program is up.
    pub(super) running: Option<UpProgram>,
}

/// A program that is up, for who breaks it on purpose.
#[derive(Debug)]
pub(super) struct UpProgram {
    pub(super) pid: u32,
    pub(super) meddle: mpsc::UnboundedSender<Order>,
}

impl Process {
    /// A process that drops what the program writes and gives it 5 seconds to stop.
    pub fn new(command: Command) -> Self {
        let plan = Plan {
            command,
            grace: GRACE,
            stdout: Sink::Nobody,
            stderr: Sink::Nobody,
            readiness: Readiness::Started,
            ready_within: READY_WITHIN,
            attempts: 1,
            backoff: Backoff::NONE,
            watchdog: None,
        };
        Self { plan, runs: false, input: None, stop: None, running: None }
    }

    /// Sends each line that the program writes, to either output, to `lines`, and reads on when that has handled it. A
    /// reader that stalls lets the pipe fill up, which stops the program: nothing is lost, and nothing heaped up here.
    /// Once the reader is closed lines are dropped.
    pub fn lines_to(mut self, lines: Recipient<Line>) -> Self {
        self.plan.stdout = Sink::Lines(lines.clone());
        self.plan.stderr = Sink::Lines(lines);
        self
    }

    /// Sends the lines of standard error to `lines`, whatever is done with standard output.
    pub fn errors_to(mut self, lines: Recipient<Line>) -> Self {
        self.plan.stderr = Sink::Lines(lines);
        self
    }

    /// Sends standard output as bytes, as they come, at the reader's pace.
    pub fn bytes_to(mut self, chunks: Recipient<Chunk>) -> Self {
        self.plan.stdout = Sink::Chunks(chunks);
        self
    }

    /// Sends standard output as values, at the reader's pace: each is JSON behind its length in four bytes, the most
    /// significant one first, and at most 16 MiB long. A program that writes anything else is made to end, and has
    /// failed with [`ExitCause::BadFrame`].
    pub fn frames_to<T: DeserializeOwned + Send + 'static>(mut self, frames: Recipient<Frame<T>>) -> Self {
        self.plan.stdout = Sink::frames(frames);
        self
    }

    /// Sets the time between SIGTERM and SIGKILL when the actor is asked to stop.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.plan.grace = grace;
        self
    }

    /// Sets what makes the program count as started up; that it runs, unless set.
    pub fn ready_when(mut self, readiness: Readiness) -> Self {
        self.plan.readiness = readiness;
        self
    }

    /// Sets how long it may take to be ready, after which it is made to end; 30 seconds unless set.
    pub fn ready_within(mut self, limit: Duration) -> Self {
        self.plan.ready_within = limit;
        self
    }

    /// Sets how often it is started in a row before the actor fails because it never was ready; once unless set. The
    /// waits in between are `backoff`'s. A program that was ready and ended is not started again here: that is for the
    /// supervisor to decide.
    pub fn start_attempts(mut self, attempts: u32, backoff: Backoff) -> Self {
        self.plan.attempts = attempts;
        self.plan.backoff = backoff;
        self
    }

    /// Expects a sign of life, `WATCHDOG=1` over the socket that `NOTIFY_SOCKET` names, at least once within `limit`
    /// from when the program is ready. The program finds the limit in `WATCHDOG_USEC`, as with systemd. If there is none
    /// it gets SIGABRT, for a core dump or a stack trace, and after [`grace`](Self::grace) SIGKILL.
    pub fn watchdog(mut self, limit: Duration) -> Self {
        self.plan.watchdog = Some(limit);
        self
    }
}

impl Actor for Process {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        if runtime_is_gone() {
            return ctx.stop();
        }
        let (ready, is_ready) = oneshot::channel();
        let (stop, stopped) = oneshot::channel();
        let (meddle, orders) = mpsc::unbounded_channel();
        self.runs = true;
        self.stop = Some(stop);
        let lines = Lines { ready: Some(ready), stop: stopped, orders, reporter: Reporter::current() };
        let life = Box::pin(live(self.plan.clone(), lines));
        // The actor is up when the program is.
        ctx.wait(select(life, is_ready).into_actor(self).map(move |first, act, ctx| match first {
            Either::Left((ended, _)) => act.ended(ended, ctx),
            Either::Right((up, life)) => {
                if let Ok(up) = up {
                    act.running = Some(UpProgram { pid: up.pid, meddle });
                    act.write_to(up, ctx);
                }
                ctx.spawn(life.into_actor(act).map(|ended, act, ctx| act.ended(ended, ctx)));
            }
        }));
    }

    fn stopping(&mut self, _: &mut Context<Self>) -> Running {
        if runtime_is_gone() {
            return Running::Stop;
        }
        self.input = None;
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(()); // no receiver: it has ended meanwhile
        }
        if self.runs { Running::Continue } else { Running::Stop }
    }
}

impl Handler<WriteLine> for Process {
    type Result = ResponseActFuture<Self, Result<(), ProcessError>>;

    fn handle(&mut self, WriteLine(mut line): WriteLine, _: &mut Context<Self>) -> Self::Result {
        line.push('\n');
        self.write(line.into_bytes())
    }
}

impl Handler<WriteBytes> for Process {
    type Result = ResponseActFuture<Self, Result<(), ProcessError>>;

    fn handle(&mut self, WriteBytes(bytes): WriteBytes, _: &mut Context<Self>) -> Self::Result {
        self.write(bytes)
    }
}

impl<T: Serialize + 'static> Handler<WriteFrame<T>> for Process {
    type Result = ResponseActFuture<Self, Result<(), ProcessError>>;

    fn handle(&mut self, WriteFrame(value): WriteFrame<T>, _: &mut Context<Self>) -> Self::Result {
        match frame(&value) {
            Ok(bytes) => self.write(bytes),
            Err(error) => Box::pin(actix::fut::ready(Err(error))),
        }
    }
}

impl Handler<CloseInput> for Process {
    type Result = ();

    fn handle(&mut self, _: CloseInput, _: &mut Context<Self>) {
        self.input = None;
    }
}

impl Process {
    fn write(&mut self, bytes: Vec<u8>) -> ResponseActFuture<Self, Result<(), ProcessError>> {
        let (written, answer) = oneshot::channel();
        if let Some(input) = &self.input {
            // Whoever cannot write drops `written`, and the answer is the error.
            let _ = input.send(Write { bytes, written });
        }
        Box::pin(answer.into_actor(self).map(|answer, act, _| {
            answer.map_err(|_| ProcessError::InputClosed { command: act.plan.command.to_string() })
        }))
    }

    fn write_to(&mut self, Up { stdin, pid }: Up, ctx: &mut Context<Self>) {
        if self.stop.is_none() {
            return; // asked to stop meanwhile: it sees the end of its input
        }
        let (input, writes) = mpsc::unbounded_channel();
        self.input = Some(input);
        ctx.spawn(write_all(stdin, writes).into_actor(self).map(move |closed, act, _| {
            act.input = None;
            if let Some(closed) = closed
                && !is_exiting(pid)
            {
                Reporter::current().report(ProcessReport::InputClosed { unwritten: closed.unwritten });
            }
        }));
    }

    fn ended(&mut self, ended: Result<ProcessExit, CommandError>, ctx: &mut Context<Self>) {
        let asked_to = self.stop.is_none();
        // Before anything else: from here on `stopping` has nothing to wait for, in a crash least of all.
        self.runs = false;
        self.running = None;
        match ended {
            _ if asked_to => ctx.stop(),
            Ok(exit) if exit.cause == ExitCause::Itself && self.plan.command.succeeds_with(exit.status) => {
                ctx.stop()
            }
            Ok(exit) => crash(exit),
            Err(error) => crash(error),
        }
    }
}

/// JSON behind its length.
fn frame(value: &impl Serialize) -> Result<Vec<u8>, ProcessError> {
    let json = serde_json::to_vec(value).map_err(|error| ProcessError::NotJson(error.to_string()))?;
    let length =
        u32::try_from(json.len()).map_err(|_| ProcessError::NotJson("it is over 4 GiB".to_owned()))?;
    Ok([&length.to_be_bytes()[..], &json].concat())
}

/// An actor whose arbiter has ended is dropped after the runtime, and actix calls `started` and `stopping` even
/// then. Nothing can be waited for there: the program is killed as the context drops its future.
pub(super) fn runtime_is_gone() -> bool {
    Handle::try_current().is_err()
}
