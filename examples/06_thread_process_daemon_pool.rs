//! A thread, a process, a daemon and a pool of three tasks. One task panics, and the daemon is killed.
//!
//! Run: cargo run --example 06_thread_process_daemon_pool
//!
//! Expect:
//! ```text
//! thread: has one of its own
//! process: has one of its own
//! daemon: beats
//! pool: 12 / 3 is 4
//! pool: 12 / 0: the job panicked: attempt to divide by zero at examples/06_thread_process_daemon_pool.rs:93:69
//! pool: 12 / 1 is 12
//! pool: three tasks have met, so it still has three threads
//! daemon: failed: injected fault
//! daemon: beats again, and has not lost count
//! the tree was stopped
//! ```
//!
//! Change this:
//! - Open the gates in another order, `[0, 1, 2]` say: the results come in that order.
//! - Give the pool two threads: the task whose gate is open waits for one, and main for ever. Press Ctrl-C.

use std::error::Error;
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use actix::prelude::*;
use futures::future::{FutureExt, join_all};
use futures::stream::{FuturesUnordered, StreamExt};
use latido::actors::cpu_pool::{CpuJob, CpuPool, Run};
use latido::actors::heartbeat::{Beat, Heartbeat};
use latido::actors::process::{Command, CommandRunner, RunCommand};
use latido::prelude::*;

/// Work for whoever takes it.
#[derive(Message)]
#[rtype(result = "u64")]
struct Task(Box<dyn FnOnce() -> u64 + Send>);

/// Takes it where it is.
struct Clerk;

impl Actor for Clerk {
    type Context = Context<Self>;
}

impl Handler<Task> for Clerk {
    type Result = u64;

    fn handle(&mut self, task: Task, _: &mut Context<Self>) -> u64 {
        task.0()
    }
}

/// The pool takes it to the next free thread.
impl CpuJob for Task {
    fn run(self, _: &mut ()) -> u64 {
        self.0()
    }
}

#[actix::main]
async fn main() -> Result<(), Box<dyn Error>> {
    latido::actors::process::init(); // programs are guarded by this one, started again
    latido::quiet_panics();
    let clerk = ChildSpec::new("clerk", || Clerk).on(Placement::OwnThread);
    let programs = ChildSpec::new("programs", CommandRunner::default);
    let cpu = ChildSpec::new("cpu", || CpuPool::new(3));
    let heartbeat = Heartbeat::every(Duration::from_millis(10)).spec("heartbeat");
    let (on_thread, run, pool) = (clerk.addr(), programs.addr(), cpu.addr());
    let app = SupervisorSpec::new("app").child(clerk).child(programs);
    let tree = app.child(cpu).child(heartbeat).start()?;
    let mut events = tree.subscribe();

    let main = thread::current().id();
    let elsewhere = Task(Box::new(move || u64::from(thread::current().id() != main)));
    assert_eq!(on_thread.send(elsewhere).await?, 1);
    println!("thread: has one of its own");
    let program = RunCommand::new(Command::shell("echo $$"));
    let pid: u32 = run.send(program).await??.stdout.trim().parse()?;
    assert_ne!(pid, std::process::id());
    println!("process: has one of its own");
    let beat = |event: &Event| Some(event.report::<Beat>()?.seq);
    let beats = events.find_map("app/heartbeat", beat).await.ok_or("no beat")?;
    println!("daemon: beats");

    let (mut gates, mut results) = (Vec::new(), FuturesUnordered::new());
    for n in [1, 0, 3] {
        let (open, gate) = channel::<()>();
        gates.push(open);
        let task = Task(Box::new(move || gate.recv().map_or(0, |()| 12 / n)));
        results.push(pool.send(Run(task)).map(move |result| (n, result)));
    }
    for open in [2, 1, 0] {
        gates[open].send(())?;
        match results.next().await.ok_or("no result")? {
            (n, Ok(Ok(quotient))) => println!("pool: 12 / {n} is {quotient}"),
            (n, Ok(Err(error))) => println!("pool: 12 / {n}: {error}"),
            (_, Err(pool_is_down)) => return Err(pool_is_down.into()),
        }
    }
    let place = Arc::new(Barrier::new(3)); // where nobody gets through before all three are there
    let meet = |place: Arc<Barrier>| Task(Box::new(move || place.wait().is_leader().into()));
    for met in join_all((0..3).map(|_| pool.send(Run(meet(place.clone()))))).await {
        met??;
    }
    println!("pool: three tasks have met, so it still has three threads");

    tree.inject("app/heartbeat", Fault::Fail)?;
    let is_exit = |event: &Event| matches!(event.kind, EventKind::Exited { .. });
    let exit = events.until("app/heartbeat", is_exit).await.ok_or("no exit")?;
    println!("daemon: {}", exit.kind);
    assert!(events.find_map("app/heartbeat", beat).await.ok_or("no beat")? > beats);
    println!("daemon: beats again, and has not lost count");
    println!("the tree {}", tree.stop(Duration::from_secs(1)).await);
    Ok(())
}
