//! A process of its own for this test, because it asks the kernel about all children that the process has.
#![cfg(all(feature = "process", target_os = "linux"))]

use std::time::Duration;

use actix::prelude::*;
use futures::future::join_all;
use latido::actors::process::{Command, CommandRunner, RunCommand, init_with};
use nix::errno::Errno;
use nix::sys::wait::{Id, WaitPidFlag, waitid};

#[derive(Message)]
#[rtype(result = "()")]
struct Stop;

impl Handler<Stop> for CommandRunner {
    type Result = ();
    fn handle(&mut self, _: Stop, ctx: &mut Context<Self>) {
        ctx.stop();
    }
}

#[actix::test]
async fn hundreds_of_runs_leave_no_zombie_and_no_orphan() {
    init_with(env!("CARGO_BIN_EXE_test-programs"));
    let run = |script: &str| RunCommand { command: Command::shell(script), time_limit: None };
    for _ in 0..20 {
        let runner = CommandRunner::default().start();
        let ends = join_all((0..10).map(|_| runner.send(run("sleep 1000 & exit 0")))).await;
        assert!(ends.into_iter().all(|end| matches!(end, Ok(Ok(_)))));

        // These are killed in the middle.
        let killed = actix::spawn(join_all((0..10).map(|_| runner.send(run("sleep 1000 & wait")))));
        until(|| children() >= 10).await;
        runner.do_send(Stop);
        assert!(killed.await.unwrap().iter().all(Result::is_err));
    }
    // WNOWAIT: this looks on while others do the reaping.
    let look = || waitid(Id::All, WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT);
    until(|| look() == Err(Errno::ECHILD)).await;
}

/// How many children this process has, zombies included.
fn children() -> usize {
    let threads = std::fs::read_dir("/proc/self/task").unwrap().flatten();
    let lists = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok());
    lists.map(|list| list.split_whitespace().count()).sum()
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
