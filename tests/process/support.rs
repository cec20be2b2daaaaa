//! A small runner for actors, a reader for lines, and looks at what the kernel knows.

use std::future::{Future, poll_fn};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use actix::prelude::*;
use latido::actors::process::*;
use latido::exit::{ExitReason, catch, crash};
use latido::prelude::*;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

/// One of the programs in `tests/support/programs`.
pub(crate) fn program(name: &str) -> Command {
    Command::new(PROGRAMS).arg(name)
}

pub(crate) const PROGRAMS: &str = env!("CARGO_BIN_EXE_test-programs");

/// Has what a test starts guarded. To be called before anything is started.
pub(crate) fn guarded() {
    init_with(PROGRAMS);
}

/// Runs an actor and tells how it ended, as a tree would.
pub(crate) fn run<A: Actor<Context = Context<A>>>(actor: A) -> (Addr<A>, JoinHandle<ExitReason>) {
    guarded();
    let context = Context::new();
    let addr = context.address();
    let mut life = context.into_future(actor);
    let end = actix::spawn(poll_fn(move |cx| match catch(|| Pin::new(&mut life).poll(cx)) {
        Ok(poll) => poll.map(|()| ExitReason::Normal),
        Err(reason) => {
            life.ctx().terminate();
            Poll::Ready(reason)
        }
    }));
    (addr, end)
}

pub(crate) fn failed(reason: ExitReason) -> ProcessExit {
    match &reason {
        ExitReason::Failed(failure) => failure.downcast_ref::<ProcessExit>().expect("a ProcessExit").clone(),
        other => panic!("it {other}"),
    }
}

pub(crate) fn runner() -> Addr<CommandRunner> {
    guarded();
    CommandRunner::default().grace(Duration::from_millis(100)).start()
}

pub(crate) async fn run_once(script: &str, time_limit: Option<Duration>) -> Result<CommandOutput, RunError> {
    let command = Command::shell(script);
    within(runner().send(time_limit.into_iter().fold(RunCommand::new(command), RunCommand::time_limit)))
        .await
        .unwrap()
}

/// A test that waits for what never happens is to fail, not to hang.
pub(crate) async fn within<F: Future>(event: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(60), event).await.expect("it never happened")
}

/// Looks at the kernel's state until `reached`.
pub(crate) async fn until(mut reached: impl FnMut() -> bool) {
    within(async {
        while !reached() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// The kernel's letter for the state of a process: S sleeps, T is suspended, Z is a zombie.
pub(crate) fn state_of(pid: &str) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

pub(crate) fn signal(pid: &str, name: &str) {
    let signal: Signal = format!("SIG{name}").parse().unwrap();
    kill(Pid::from_raw(pid.trim().parse().unwrap()), signal).unwrap();
}

pub(crate) fn written_by(pid: &str) -> u64 {
    let io = std::fs::read_to_string(format!("/proc/{}/io", pid.trim())).unwrap();
    let count = io.lines().find_map(|line| line.strip_prefix("wchar: "));
    count.unwrap().parse().unwrap()
}

pub(crate) fn out(text: &str) -> Line {
    Line { stream: StdStream::Out, text: text.into() }
}

pub(crate) fn rest(mut lines: mpsc::UnboundedReceiver<Line>) -> Vec<Line> {
    std::iter::from_fn(|| lines.try_recv().ok()).collect()
}

pub(crate) fn reader() -> (Recipient<Line>, mpsc::UnboundedReceiver<Line>) {
    collector()
}

/// An actor that hands every message to the test.
pub(crate) fn collector<M>() -> (Recipient<M>, mpsc::UnboundedReceiver<M>)
where
    M: Message<Result = ()> + Send + Unpin + 'static,
{
    struct Collector<M>(mpsc::UnboundedSender<M>);
    impl<M: Unpin + 'static> Actor for Collector<M> {
        type Context = Context<Self>;
    }
    impl<M: Message<Result = ()> + Unpin + 'static> Handler<M> for Collector<M> {
        type Result = ();
        fn handle(&mut self, message: M, _: &mut Context<Self>) {
            let _ = self.0.send(message);
        }
    }
    guarded();
    let (to, messages) = mpsc::unbounded_channel();
    (Collector(to).start().recipient(), messages)
}

/// A process as the only child of a tree, so that it can be heard of.
pub(crate) fn supervised(process: impl Fn() -> Process + Send + Sync + 'static) -> (Tree, Events) {
    guarded();
    let spec = ChildSpec::new("program", process).restart(Restart::Temporary);
    let tree = SupervisorSpec::new("app").child(spec).start().unwrap();
    let events = tree.subscribe();
    (tree, events)
}

/// The reports up to the one that is wanted.
pub(crate) async fn reports_until(
    events: &mut Events,
    last: impl Fn(&ProcessReport) -> bool,
) -> Vec<ProcessReport> {
    let mut reports = Vec::new();
    while !reports.last().is_some_and(&last) {
        let report = |event: &Event| event.report::<ProcessReport>().cloned();
        reports.push(within(events.find_map("app/program", report)).await.unwrap());
    }
    reports
}

pub(crate) fn is_exit(report: &ProcessReport) -> bool {
    matches!(report, ProcessReport::Exited(_))
}

/// A pipe that a program and whatever it starts hold open: its end is the end of them all.
pub(crate) struct HeldPipe {
    dir: tempfile::TempDir,
    opened: oneshot::Receiver<()>,
    released: oneshot::Receiver<()>,
}

impl HeldPipe {
    pub(crate) fn new() -> Self {
        guarded();
        let dir = tempfile::tempdir().unwrap();
        let fifo = dir.path().join("fifo");
        mkfifo(&fifo);
        let (is_opened, opened) = oneshot::channel();
        let (is_released, released) = oneshot::channel();
        std::thread::spawn(move || {
            let mut pipe = std::fs::File::open(fifo).unwrap(); // waits for a writer
            let _ = is_opened.send(());
            std::io::copy(&mut pipe, &mut std::io::sink()).unwrap(); // waits for the last writer to close
            let _ = is_released.send(());
        });
        Self { dir, opened, released }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.dir.path().join("fifo")
    }

    /// For a script that calls `"$0" escape ... "$1"`.
    pub(crate) fn script_that_escapes(&self, script: &str) -> Command {
        Command::new("/bin/sh").arg("-c").arg(script).arg(PROGRAMS).arg(self.path())
    }

    pub(crate) fn command(&self, script: &str) -> Command {
        self.command_after(":", script)
    }

    /// Opens the pipe once `before` has run.
    pub(crate) fn command_after(&self, before: &str, script: &str) -> Command {
        Command::shell(format!("{before}; exec 9>\"$1\"; {script}")).arg(self.path())
    }

    pub(crate) async fn opened(&mut self) {
        within(&mut self.opened).await.unwrap();
        assert!(self.released.try_recv().is_err(), "nobody holds it any more");
    }

    pub(crate) async fn released(self) {
        within(self.released).await.unwrap();
    }
}

pub(crate) fn mkfifo(path: &Path) {
    assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
}

macro_rules! on {
    ($actor:ty, $message:ident, $do:expr) => {
        impl Handler<$message> for $actor {
            type Result = ();
            fn handle(&mut self, _: $message, ctx: &mut Context<Self>) {
                let act: fn(&mut Context<Self>) = $do;
                act(ctx)
            }
        }
    };
}

#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Stop;
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Crash;
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Ping;

on!(Process, Stop, |ctx| ctx.stop());
on!(Process, Ping, |_| ());
on!(Process, Crash, |_| crash("on purpose"));
on!(CommandRunner, Stop, |ctx| ctx.stop());
on!(CommandRunner, Crash, |_| crash("on purpose"));
