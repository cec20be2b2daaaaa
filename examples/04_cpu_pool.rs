//! Work for many cores: results as they complete, and a job that panics costs the pool no thread.
//!
//! Run: cargo run --example 04_cpu_pool
//!
//! Expect:
//! ```text
//! squares up to 2: 5
//! squares up to 3: 14
//! squares up to 0: the job panicked: there is nothing to sum up at examples/04_cpu_pool.rs:42:9
//! squares up to 4: 30
//! squares up to 5: 55
//! the rest is done, the gate opens
//! squares up to 1: 1
//! ```
//!
//! Change this:
//! - Set `THREADS` to 4: the first five lines come in any order, another in each run.
//! - Add another 0 to the numbers: one error more, and the pool does not mind that either.

use std::error::Error;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use actix::prelude::*;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use latido::actors::cpu_pool::{CpuJob, CpuPool, Run};
use latido::prelude::*;

const THREADS: usize = 2;

/// The sum of the squares from 1 to `n`. With a gate it takes as long as that is shut.
#[derive(Message)]
#[rtype(result = "u64")]
struct SumOfSquares {
    n: u64,
    gate: Option<Receiver<()>>,
}

impl CpuJob for SumOfSquares {
    fn run(self, _: &mut ()) -> u64 {
        assert!(self.n > 0, "there is nothing to sum up");
        if let Some(gate) = self.gate {
            let _ = gate.recv();
        }
        (1..=self.n).map(|n| n * n).sum()
    }
}

#[actix::main]
async fn main() -> Result<(), Box<dyn Error>> {
    latido::quiet_panics();
    let child = ChildSpec::new("cpu", || CpuPool::new(THREADS));
    let cpu = child.addr();
    let tree = SupervisorSpec::new("app").child(child).start()?;

    let (open, gate) = channel();
    let mut gate = Some(gate);
    let mut answers = FuturesUnordered::new();
    for n in [1, 2, 3, 0, 4, 5] {
        let answer = cpu.send(Run(SumOfSquares { n, gate: gate.take() }));
        answers.push(answer.map(move |answer| (n, answer)));
    }

    // The first job holds one thread all the time, so the other does the rest. Had the panic cost it, 4 and 5 would
    // never be done.
    while let Some((n, answer)) = answers.next().await {
        match answer? {
            Ok(sum) => println!("squares up to {n}: {sum}"),
            Err(error) => println!("squares up to {n}: {error}"),
        }
        if answers.len() == 1 {
            println!("the rest is done, the gate opens");
            open.send(())?;
        }
    }

    tree.stop(Duration::from_secs(1)).await;
    Ok(())
}
