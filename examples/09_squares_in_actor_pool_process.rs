//! Five named threads, and then one job in an actor, on a pool of threads and in a process, with the same answers. The
//! process is killed in the middle of the job, and the job is run again.
//!
//! Run: cargo run --example 09_squares_in_actor_pool_process
//!
//! Expect:
//! ```text
//! threads: one two three four five, each its own
//! threads: the tree was stopped, and all five with it
//! in an actor: 55
//! in a process: killed, in job sum of squares, attempt 1 of 3, which is run again
//! in a process: 55
//! on a pool, for 1 to 5: 1 5 14 30 55
//! in processes, for 1 to 5: 1 5 14 30 55
//! ```
//!
//! Change this:
//! - Add `.max_attempts(1)` to the processes: the job is not run again, and main ends with its story.
//! - Set `N` to another number: the assertions know the answers, by the formula.

use std::collections::HashSet;
use std::error::Error;
use std::io::Read;
use std::net::{Ipv4Addr, TcpStream};
use std::process::Command;
use std::thread;
use std::time::Duration;

use actix::prelude::*;
use futures::future::try_join_all;
use latido::actors::cpu_pool::{CpuJob, CpuPool, JobError, Run};
use latido::actors::process::pool::{JobInHand, Jobs, PoolReport, ProcessPool};
use latido::prelude::*;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

const N: u64 = 5;
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Message, Serialize, Deserialize)]
#[rtype(result = "u64")]
struct SumOfSquares {
    up_to: u64,
    /// Where to knock and wait, half-way: a port of this machine.
    gate: Option<u16>,
}

impl CpuJob for SumOfSquares {
    fn run(self, _: &mut ()) -> u64 {
        let half = self.up_to / 2;
        let first: u64 = (1..=half).map(|n| n * n).sum();
        if let Some(mut gate) =
            self.gate.and_then(|port| TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok())
        {
            let _ = gate.read(&mut [0]); // until it is closed
        }
        first + (half + 1..=self.up_to).map(|n| n * n).sum::<u64>()
    }
}

/// Does any job where it is.
struct Clerk;

impl Actor for Clerk {
    type Context = Context<Self>;
}

impl<J: CpuJob> Handler<Run<J>> for Clerk {
    type Result = Result<J::Result, JobError>;

    fn handle(&mut self, Run(job): Run<J>, _: &mut Context<Self>) -> Self::Result {
        Ok(job.run(&mut ()))
    }
}

#[derive(Message)]
#[rtype(result = "String")]
struct Thread;

impl Handler<Thread> for Clerk {
    type Result = String;

    fn handle(&mut self, _: Thread, _: &mut Context<Self>) -> String {
        format!("{:?}", thread::current().id())
    }
}

#[actix::main]
async fn main() -> Result<(), Box<dyn Error>> {
    Jobs::new().job::<SumOfSquares>("sum of squares").init();

    let names = ["one", "two", "three", "four", "five"];
    let clerks = names.map(|name| ChildSpec::new(name, || Clerk).on(Placement::OwnThread));
    let asked: Vec<_> = clerks.iter().map(|clerk| clerk.addr().send(Thread)).collect();
    let threads = SupervisorSpec::new("threads").children(clerks).start()?;
    let own: HashSet<_> = try_join_all(asked).await?.into_iter().collect();
    assert_eq!(own.len(), names.len());
    println!("threads: {}, each its own", names.join(" "));
    // A thread that is joined has ended.
    println!("threads: the tree {}, and all five with it", threads.stop(PATIENCE).await);

    let clerk = ChildSpec::new("clerk", || Clerk);
    let pool = ChildSpec::new("pool", || CpuPool::new(2));
    let processes = ChildSpec::new("processes", || ProcessPool::new(2));
    let (in_actor, on_pool, in_process) = (clerk.addr(), pool.addr(), processes.addr());
    let tree = SupervisorSpec::new("app").child(clerk).child(pool).child(processes).start()?;
    let mut events = tree.subscribe();

    let job = |up_to| Run(SumOfSquares { up_to, gate: None });
    let sum = in_actor.send(job(N)).await??;
    assert_eq!(sum, N * (N + 1) * (2 * N + 1) / 6);
    println!("in an actor: {sum}");

    let gate = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let port = Some(gate.local_addr()?.port());
    let answer = actix::spawn(in_process.send(Run(SumOfSquares { up_to: N, gate: port })));
    let _half_done = gate.accept().await?;
    for pid in workers(&mut events, 2).await.ok_or("the tree has ended")? {
        // Which of the two has it is not known here; the other has nothing to lose.
        Command::new("kill").args(["-KILL", &pid.to_string()]).status()?;
    }
    println!("in a process: killed, {}", job_lost(&mut events).await.ok_or("the tree has ended")?);
    drop(gate.accept().await?); // it knocks again, and may go on
    assert_eq!(answer.await???, sum);
    println!("in a process: {sum}");

    let of_all = try_join_all((1..=N).map(|n| on_pool.send(job(n)))).await?;
    let of_all = of_all.into_iter().collect::<Result<Vec<_>, _>>()?;
    println!("on a pool, for 1 to {N}: {}", text(&of_all));
    let again = try_join_all((1..=N).map(|n| in_process.send(job(n)))).await?;
    assert_eq!(again.into_iter().collect::<Result<Vec<_>, _>>()?, of_all);
    println!("in processes, for 1 to {N}: {}", text(&of_all));
    tree.stop(PATIENCE).await;
    Ok(())
}

fn text(sums: &[u64]) -> String {
    sums.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// The process ids of so many workers.
async fn workers(events: &mut Events, count: usize) -> Option<Vec<u32>> {
    let mut pids = Vec::new();
    let pid = |event: &Event| match event.report()? {
        PoolReport::WorkerReady { pid, .. } => Some(*pid),
        _ => None,
    };
    while pids.len() < count {
        pids.push(events.find_map("app/processes", pid).await?);
    }
    Some(pids)
}

/// What becomes of the next job whose worker ends.
async fn job_lost(events: &mut Events) -> Option<JobInHand> {
    let lost = |event: &Event| match event.report()? {
        PoolReport::WorkerLost { job, .. } => (*job != JobInHand::None).then_some(*job),
        _ => None,
    };
    events.find_map("app/processes", lost).await
}
