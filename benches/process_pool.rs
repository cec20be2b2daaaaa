//! What a job costs in a process, beside a thread and beside Python's `multiprocessing.Pool`, in one run.
//!
//! Run: `cargo bench --bench process_pool --no-default-features --features digest,process`. Two workers each. The
//! contenders are timed in turn, round by round; a line shows the median time a job and the median of the rounds' ratios to
//! the first, which holds while the machine's speed drifts. Without `python3` its lines are left out.

use std::hint::black_box;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use actix::prelude::*;
use futures::StreamExt;
use futures::future::LocalBoxFuture;
use futures::stream;
use latido::actors::cpu_pool::{CpuJob, CpuPool, JobError, Run};
use latido::actors::process::pool::{Jobs, ProcessPool};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

const WORKERS: usize = 2;
const ROUNDS: usize = 15;
static BLOCK: [u8; 64 << 10] = [7; 64 << 10];

// ===== the work =====

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum Work {
    Nothing,
    /// Of 64 KiB, sixteen times: about a millisecond.
    Hash,
    Exit,
}

#[derive(Message, Serialize, Deserialize)]
#[rtype(result = "u8")]
struct Job(Work);

impl CpuJob for Job {
    fn run(self, _: &mut ()) -> u8 {
        match self.0 {
            Work::Nothing => 0,
            Work::Hash => (0..16).map(|_| Sha256::digest(black_box(&BLOCK))[0]).fold(0, u8::wrapping_add),
            Work::Exit => std::process::exit(1),
        }
    }
}

/// Text of 64 KiB there and back.
#[derive(Message, Serialize, Deserialize)]
#[rtype(result = "String")]
struct Echo(String);

impl CpuJob for Echo {
    fn run(self, _: &mut ()) -> String {
        self.0
    }
}

const PYTHON: &str = r#"
import hashlib, multiprocessing, sys, time
BLOCK = b"\7" * (64 << 10)
def nothing(_): return 0
def hash16(_): return sum(hashlib.sha256(BLOCK).digest()[0] for _ in range(16)) % 256
def echo(text): return text
if __name__ == "__main__":
    with multiprocessing.Pool(2) as pool:
        for line in sys.stdin:
            work, jobs, in_flight = line.split()
            job = {"nothing": nothing, "hash": hash16, "echo": echo}[work]
            argument = "x" * (64 << 10) if work == "echo" else None
            start = time.perf_counter()
            if in_flight == "1":
                for _ in range(int(jobs)): pool.apply(job, (argument,))
            else:
                for _ in pool.imap_unordered(job, (argument for _ in range(int(jobs)))): pass
            print((time.perf_counter() - start) / int(jobs), flush=True)
"#;

// ===== the contenders =====

type Contender<'a> = (&'a str, Box<dyn Fn() -> LocalBoxFuture<'a, Duration> + 'a>);

/// Sends jobs, so many at a time, and takes the time of one.
async fn time<F, T>(jobs: usize, in_flight: usize, send: impl Fn() -> F) -> Duration
where
    F: Future<Output = Result<Result<T, JobError>, MailboxError>>,
{
    let start = Instant::now();
    let all = stream::iter(0..jobs).map(|_| send()).buffer_unordered(in_flight);
    all.for_each(|answer| async { drop(black_box(answer.unwrap().unwrap())) }).await;
    start.elapsed() / jobs as u32
}

struct Python(Child);

impl Python {
    fn start() -> Option<Self> {
        let mut python = Command::new("python3");
        let python = python.args(["-c", PYTHON]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        python.map(Self).inspect_err(|error| eprintln!("without python3: {error}")).ok()
    }

    fn time(&mut self, work: &str, jobs: usize, in_flight: usize) -> Duration {
        writeln!(self.0.stdin.as_mut().unwrap(), "{work} {jobs} {in_flight}").unwrap();
        let mut seconds = String::new();
        BufReader::new(self.0.stdout.as_mut().unwrap()).read_line(&mut seconds).unwrap();
        Duration::from_secs_f64(seconds.trim().parse().unwrap())
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        self.0.wait().unwrap();
    }
}

async fn compare(title: &str, contenders: &[Contender<'_>]) {
    println!("{title}");
    let mut times = vec![Vec::new(); contenders.len()];
    for _ in 0..ROUNDS {
        for ((_, contender), times) in contenders.iter().zip(&mut times) {
            times.push(contender().await);
        }
    }
    for ((name, _), own) in contenders.iter().zip(&times) {
        let ratios = times[0].iter().zip(own).map(|(first, own)| own.as_secs_f64() / first.as_secs_f64());
        println!("  {name:<24} {:>9.1?}  {:.2}", median(own.clone()), median(ratios.collect()));
    }
}

fn median<T: PartialOrd + Copy>(mut values: Vec<T>) -> T {
    values.sort_by(|a, b| a.partial_cmp(b).expect("no NaN"));
    values[values.len() / 2]
}

#[actix::main]
async fn main() {
    Jobs::new().job::<Job>("job").job::<Echo>("echo").init();
    // It forks, so it comes before the threads.
    let python = Python::start().map(std::cell::RefCell::new);
    let processes = &ProcessPool::new(WORKERS).max_attempts(1).start();
    let threads = &CpuPool::new(WORKERS).start();
    let text = &"x".repeat(64 << 10);

    for (title, work, jobs, in_flight) in [
        ("an empty job, one at a time", Work::Nothing, 2_000, 1),
        ("empty jobs, 1,000 in flight", Work::Nothing, 10_000, 1_000),
        ("jobs of a millisecond, 100 in flight", Work::Hash, 200, 100),
    ] {
        let mut contenders: Vec<Contender<'_>> = vec![
            (
                "CpuPool",
                Box::new(move || Box::pin(time(jobs, in_flight, move || threads.send(Run(Job(work)))))),
            ),
            (
                "ProcessPool",
                Box::new(move || Box::pin(time(jobs, in_flight, move || processes.send(Run(Job(work)))))),
            ),
        ];
        if let Some(python) = &python {
            let work = if matches!(work, Work::Hash) { "hash" } else { "nothing" };
            let time = move || python.borrow_mut().time(work, jobs, in_flight);
            contenders.push(("multiprocessing.Pool", Box::new(move || Box::pin(std::future::ready(time())))));
        }
        compare(title, &contenders).await;
    }

    let mut contenders: Vec<Contender<'_>> = vec![
        ("CpuPool", Box::new(|| Box::pin(time(500, 1, || threads.send(Run(Echo(text.clone()))))))),
        ("ProcessPool", Box::new(|| Box::pin(time(500, 1, || processes.send(Run(Echo(text.clone()))))))),
    ];
    if let Some(python) = &python {
        let time = || python.borrow_mut().time("echo", 500, 1);
        contenders.push(("multiprocessing.Pool", Box::new(move || Box::pin(std::future::ready(time())))));
    }
    compare("64 KiB of text there and back, one at a time", &contenders).await;

    let one = &ProcessPool::new(1).max_attempts(1).start();
    let replaced = || async {
        let start = Instant::now();
        for _ in 0..20 {
            assert!(one.send(Run(Job(Work::Exit))).await.unwrap().is_err());
            one.send(Run(Job(Work::Nothing))).await.unwrap().unwrap();
        }
        start.elapsed() / 20
    };
    let contenders: Vec<Contender<'_>> = vec![("ProcessPool", Box::new(|| Box::pin(replaced())))];
    compare("a job that ends the only worker, to the answer of the next job", &contenders).await;
}
