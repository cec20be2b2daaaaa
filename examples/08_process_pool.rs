//! Jobs in processes: one of them aborts, which no thread survives. It is tried again, then set aside; nobody else notices.
//!
//! Run: cargo run --example 08_process_pool
//!
//! Expect:
//! ```text
//! the root of 9 is 3
//! a worker was killed by signal 6, in job root, attempt 1 of 2, which is run again
//! a worker was killed by signal 6, in job root, which is not run again
//! the root of -1: job root is quarantined
//! the root of 16 is 4
//! incidents: 0, for the pool has not failed
//! ```
//!
//! Change this:
//! - Replace `abort` by `panic!("no root")`: the worker lives on, and the sender hears at once what the job said.
//! - Send it to a `CpuPool::new(2)` instead: this program ends at -1.
//! - Leave out `.job::<Root>("root")`: the answer says what is missing.

use std::error::Error;
use std::process::abort;
use std::time::Duration;

use actix::prelude::*;
use latido::actors::cpu_pool::{CpuJob, JobError, Run};
use latido::actors::process::pool::{Jobs, PoolReport, ProcessPool};
use latido::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Message, Serialize, Deserialize)]
#[rtype(result = "i32")]
struct Root(i32);

impl CpuJob for Root {
    fn run(self, _: &mut ()) -> i32 {
        // As a library in C might do.
        if self.0 < 0 { abort() } else { self.0.isqrt() }
    }
}

#[actix::main]
async fn main() -> Result<(), Box<dyn Error>> {
    Jobs::new().job::<Root>("root").init(); // a worker is this program, started again: here it turns to its jobs
    let pool = ChildSpec::new("pool", || ProcessPool::new(2).max_attempts(2));
    let roots = pool.addr();
    let tree = SupervisorSpec::new("app").child(pool).start()?;
    let mut events = tree.subscribe();

    for number in [9, -1, 16] {
        match roots.send(Run(Root(number))).await? {
            Ok(root) => println!("the root of {number} is {root}"),
            Err(JobError::Quarantined(quarantine)) => {
                for _ in quarantine.deaths() {
                    println!("{}", death(&mut events).await.ok_or("the tree has ended")?);
                }
                println!("the root of {number}: job {} is quarantined", quarantine.job());
            }
            Err(error) => println!("the root of {number}: {error}"),
        }
    }
    println!("incidents: {}, for the pool has not failed", tree.incidents().len());
    tree.stop(Duration::from_secs(5)).await;
    Ok(())
}

async fn death(events: &mut Events) -> Option<String> {
    let lost = |event: &Event| match event.report()? {
        PoolReport::WorkerLost { exit, job, .. } => {
            Some(format!("a worker was killed by signal {}, {job}", exit.signal()?))
        }
        _ => None,
    };
    events.find_map("app/pool", lost).await
}
