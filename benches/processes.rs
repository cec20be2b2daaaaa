//! What it costs to guard programs, beside bare `tokio::process`, in one run.
//!
//! Run: `cargo bench --bench processes --no-default-features --features process`. Each runs `/bin/true` and takes its
//! (empty) output. The contenders are timed in turn, round by round; a line shows the median time a program and the
//! median of the rounds' ratios to the first, which holds while the machine's speed drifts.

use std::process::Stdio;
use std::time::Instant;

use actix::prelude::*;
use futures::future::{LocalBoxFuture, join_all};
use latido::actors::process::{Command, CommandRunner, Process, RunCommand, init};

const ROUNDS: usize = 15;
const PROGRAMS: usize = 100;
const IN_FLIGHT: usize = 10;

type Contender<'a> = (&'a str, Box<dyn Fn() -> LocalBoxFuture<'a, ()> + 'a>);

async fn bare() {
    let mut command = tokio::process::Command::new("/bin/true");
    let output = command.process_group(0).stdin(Stdio::null()).output().await.unwrap();
    assert!(output.status.success());
}

async fn run(runner: &Addr<CommandRunner>, command: Command) {
    runner.send(RunCommand::new(command)).await.unwrap().unwrap();
}

/// A whole life, with a guard of its own.
async fn process() {
    Context::new().into_future(Process::new(Command::new("/bin/true"))).await;
}

async fn one_by_one<F: Future<Output = ()>>(program: impl Fn() -> F) {
    for _ in 0..PROGRAMS {
        program().await;
    }
}

async fn in_flight<F: Future<Output = ()>>(program: impl Fn() -> F) {
    for _ in 0..PROGRAMS / IN_FLIGHT {
        join_all((0..IN_FLIGHT).map(|_| program())).await;
    }
}

async fn compare(title: &str, contenders: &[Contender<'_>]) {
    println!("{title}");
    let mut times = vec![Vec::new(); contenders.len()];
    for _ in 0..ROUNDS {
        for ((_, contender), times) in contenders.iter().zip(&mut times) {
            let start = Instant::now();
            contender().await;
            times.push(start.elapsed() / PROGRAMS as u32);
        }
    }
    for ((name, _), own) in contenders.iter().zip(&times) {
        let ratios = times[0].iter().zip(own).map(|(first, own)| own.as_secs_f64() / first.as_secs_f64());
        println!("  {name:<40} {:>9.1?}  {:.2}", median(own.clone()), median(ratios.collect()));
    }
}

fn median<T: PartialOrd + Copy>(mut values: Vec<T>) -> T {
    values.sort_by(|a, b| a.partial_cmp(b).expect("no NaN"));
    values[values.len() / 2]
}

#[actix::main]
async fn main() {
    init();
    let runner = &CommandRunner::default().start();
    let plain = || run(runner, Command::new("/bin/true"));
    let on_terms = || run(runner, Command::new("/bin/true").nice(0));
    compare(
        "one at a time",
        &[
            ("tokio::process", Box::new(|| Box::pin(one_by_one(bare)))),
            ("CommandRunner", Box::new(|| Box::pin(one_by_one(plain)))),
            ("CommandRunner, on terms", Box::new(|| Box::pin(one_by_one(on_terms)))),
            ("Process", Box::new(|| Box::pin(one_by_one(process)))),
        ],
    )
    .await;
    compare(
        "ten at a time",
        &[
            ("tokio::process", Box::new(|| Box::pin(in_flight(bare)))),
            ("CommandRunner", Box::new(|| Box::pin(in_flight(plain)))),
        ],
    )
    .await;
}
