//! A process of its own for this test, because it asks the kernel about all children that the process has.
#![cfg(all(feature = "process", target_os = "linux"))]

use std::time::Duration;

use actix::prelude::*;
use futures::future::join_all;
use latido::actors::process::{Command, CommandRunner, Line, Process, RunCommand, init_with};
use latido::crash;
use nix::errno::Errno;
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

#[derive(Message)]
#[rtype(result = "()")]
struct Stop;

impl Handler<Stop> for Process {
    type Result = ();
    fn handle(&mut self, _: Stop, ctx: &mut Context<Self>) {
        ctx.stop();
    }
}

#[derive(Message)]
#[rtype(result = "()")]
struct Crash;

impl Handler<Crash> for CommandRunner {
    type Result = ();
    fn handle(&mut self, _: Crash, _: &mut Context<Self>) {
        crash("on purpose");
    }
}

struct Reader(UnboundedSender<Line>);

impl Actor for Reader {
    type Context = Context<Self>;
}

impl Handler<Line> for Reader {
    type Result = ();
    fn handle(&mut self, line: Line, _: &mut Context<Self>) {
        let _ = self.0.send(line);
    }
}

#[actix::test]
async fn a_thousand_spawns_and_kills_leave_no_zombie_and_no_orphan() {
    init_with(env!("CARGO_BIN_EXE_test-programs"));
    let run = |script: &str| RunCommand::new(Command::shell(script));
    for _ in 0..50 {
        let runner = CommandRunner::default().start();
        let ends = join_all((0..10).map(|_| runner.send(run("sleep 1000 & exit 0")))).await;
        assert!(ends.into_iter().all(|end| matches!(end, Ok(Ok(_)))));

        // These are killed in the middle: by a crash of their actor, and by its stop.
        let killed = actix::spawn(join_all((0..5).map(|_| runner.send(run("sleep 1000 & wait")))));
        let (to, mut lines) = unbounded_channel();
        let reader = Reader(to).start();
        let script = Command::shell("sleep 1000 & echo up; wait");
        let processes: Vec<_> = (0..5)
            .map(|_| Process::new(script.clone()).lines_to(reader.clone().recipient()).start())
            .collect();
        for _ in 0..5 {
            lines.recv().await.unwrap();
        }
        runner.do_send(Crash);
        processes.iter().for_each(|process| process.do_send(Stop));
        assert!(killed.await.unwrap().iter().all(Result::is_err));
        until(|| processes.iter().all(|process| !process.connected())).await;
    }
    // WNOWAIT: this looks on while others do the reaping.
    let look = || waitid(Id::All, WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT);
    // No guard is left either, and a guard goes last.
    until(|| look() == Err(Errno::ECHILD)).await;
}

/// Looks at the kernel's state until `reached`.
async fn until(mut reached: impl FnMut() -> bool) {
    let looking = async {
        while !reached() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), looking).await.expect("it never happened");
}
