//! What the CPU pool costs, beside a raw `SyncArbiter` and beside bare threads, in one run.
//!
//! Run: `cargo bench --bench cpu_pool --no-default-features --features digest`. The contenders are timed in turn, round
//! by round; a line shows the median time a job, the median of the rounds' ratios to the first, which holds while the
//! machine's speed drifts, and the processor time a job that all threads took together, with its ratio to the first: that
//! tells the two apart from what else the machine does. (Linux counts it in steps of 10 ms.)

use std::fs;
use std::hint::black_box;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use actix::prelude::*;
use futures::channel::oneshot;
use futures::future::LocalBoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use latido::actors::cpu_pool::{CpuJob, CpuPool, Run};
use latido::exit::catch;
use sha2::{Digest, Sha256};

const THREADS: usize = 2;
const ROUNDS: usize = 21;
const HASHES: usize = 2_000;
static BLOCK: [u8; 64 << 10] = [7; 64 << 10];

// ===== the work =====

/// What the n-th job does.
#[derive(Clone, Copy)]
enum Work {
    Hash,
    Nothing,
    /// Every tenth panics.
    HashOrPanic(usize),
}

impl Work {
    fn run(self) -> u8 {
        match self {
            Self::Nothing => 0,
            Self::HashOrPanic(n) if n % 10 == 9 => panic!("bench"),
            Self::Hash | Self::HashOrPanic(_) => Sha256::digest(black_box(&BLOCK))[0],
        }
    }
}

/// Jobs that nobody waits for singly share one: it tells when the last of them is gone.
struct Done(Option<oneshot::Sender<()>>);

impl Done {
    fn new() -> (Arc<Self>, oneshot::Receiver<()>) {
        let (tell, told) = oneshot::channel();
        (Arc::new(Self(Some(tell))), told)
    }
}

impl Drop for Done {
    fn drop(&mut self) {
        let _ = self.0.take().map(|tell| tell.send(()));
    }
}

#[derive(Message)]
#[rtype(result = "u8")]
struct Job(Work, #[expect(dead_code, reason = "it tells when it is dropped")] Option<Arc<Done>>);

impl CpuJob for Job {
    fn run(self, _: &mut ()) -> u8 {
        self.0.run()
    }
}

struct Raw;
impl Actor for Raw {
    type Context = SyncContext<Self>;
}
impl Handler<Job> for Raw {
    type Result = u8;
    fn handle(&mut self, job: Job, _: &mut SyncContext<Self>) -> u8 {
        job.0.run()
    }
}

// ===== the contenders =====

/// Each thread has its half beforehand, and nobody hears of a job.
async fn halves(work: impl Fn(usize) -> Work + Copy + Send + 'static) {
    let (done, told) = Done::new();
    for half in 0..THREADS {
        let done = done.clone();
        thread::spawn(move || {
            for n in (half..HASHES).step_by(THREADS) {
                let _ = black_box(catch(|| work(n).run()));
            }
            drop(done);
        });
    }
    drop(done);
    told.await.unwrap();
}

/// Each thread has its half beforehand, and answers each job.
async fn answered_halves(work: Work) {
    let mut answers = FuturesUnordered::new();
    for _ in 0..THREADS {
        let (tell, told): (Vec<_>, Vec<_>) = (0..HASHES / THREADS).map(|_| oneshot::channel()).unzip();
        answers.extend(told);
        thread::spawn(move || tell.into_iter().for_each(|tell| tell.send(work.run()).unwrap()));
    }
    while let Some(answer) = answers.next().await {
        black_box(answer.unwrap());
    }
}

async fn tell(send: impl Fn(Job), work: impl Fn(usize) -> Work) {
    let (done, told) = Done::new();
    (0..HASHES).for_each(|n| send(Job(work(n), Some(done.clone()))));
    drop(done);
    told.await.unwrap();
}

/// So many jobs, `in_flight` at a time.
async fn ask<F: Future>(send: impl Fn(Job) -> F, work: Work, jobs: usize, in_flight: usize) {
    for _ in 0..jobs / in_flight {
        let mut answers: FuturesUnordered<_> = (0..in_flight).map(|_| send(Job(work, None))).collect();
        while let Some(answer) = answers.next().await {
            black_box(answer);
        }
    }
}

// ===== the table =====

type Contender<'a> = (&'static str, Box<dyn Fn() -> LocalBoxFuture<'a, ()> + 'a>);

fn contender<'a, F: Future<Output = ()> + 'a>(name: &'static str, run: impl Fn() -> F + 'a) -> Contender<'a> {
    (name, Box::new(move || run().boxed_local()))
}

async fn compare(row: &str, jobs: usize, contenders: &[Contender<'_>]) {
    let mut times = vec![Vec::new(); contenders.len()];
    let mut processor = vec![0.0; contenders.len()];
    for round in 0..=ROUNDS {
        for (n, (_, run)) in contenders.iter().enumerate() {
            let (start, before) = (Instant::now(), processor_time());
            run().await;
            if round > 0 {
                times[n].push(start.elapsed().as_nanos() as f64 / jobs as f64);
                processor[n] += (processor_time() - before) / (jobs * ROUNDS) as f64;
            }
        }
    }
    println!("{row}");
    for (n, (name, _)) in contenders.iter().enumerate() {
        let ratio = median(times[n].iter().zip(&times[0]).map(|(it, first)| it / first).collect());
        let (time, own) = (median(times[n].clone()), processor[n]);
        println!("    {name:<44} {time:>7.0} ns {ratio:>6.2} {own:>9.0} ns {:>6.2}", own / processor[0]);
    }
}

/// What this process has had of the processor, in nanoseconds.
fn processor_time() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().into_iter().flat_map(str::split_whitespace);
    let ticks: f64 = fields.skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
    ticks * 1e7
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() {
    latido::quiet_panics();
    System::new().block_on(async {
        let raw = &SyncArbiter::start(THREADS, || Raw);
        let pool = &CpuPool::new(THREADS).start();
        let limited = &CpuPool::new(THREADS).job_limit(Duration::from_secs(1)).start();

        let contenders = [
            contender("bare threads on static halves", || halves(|_| Work::Hash)),
            contender("SyncArbiter", || tell(|job| raw.do_send(job), |_| Work::Hash)),
            contender("CpuPool", || tell(|job| pool.do_send(Run(job)), |_| Work::Hash)),
            contender("CpuPool with a limit", || tell(|job| limited.do_send(Run(job)), |_| Work::Hash)),
        ];
        compare("64 KiB SHA-256, nobody hears of a job", HASHES, &contenders).await;

        let contenders = [
            contender("bare threads on static halves, no answers", || halves(|_| Work::Hash)),
            contender("bare threads on static halves", || answered_halves(Work::Hash)),
            contender("SyncArbiter", || ask(|job| raw.send(job), Work::Hash, HASHES, HASHES)),
            contender("CpuPool", || ask(|job| pool.send(Run(job)), Work::Hash, HASHES, HASHES)),
            contender("CpuPool with a limit", || {
                ask(|job| limited.send(Run(job)), Work::Hash, HASHES, HASHES)
            }),
        ];
        compare("64 KiB SHA-256, each job is answered", HASHES, &contenders).await;

        for (row, jobs, in_flight) in [
            ("an empty job with an answer, one at a time", 5_000, 1),
            ("empty jobs with an answer, 1,000 in flight", 20_000, 1_000),
        ] {
            let contenders = [
                contender("SyncArbiter", || ask(|job| raw.send(job), Work::Nothing, jobs, in_flight)),
                contender("CpuPool", || ask(|job| pool.send(Run(job)), Work::Nothing, jobs, in_flight)),
                contender("CpuPool with a limit", || {
                    ask(|job| limited.send(Run(job)), Work::Nothing, jobs, in_flight)
                }),
            ];
            compare(row, jobs, &contenders).await;
        }

        let contenders = [
            contender("bare threads on static halves that catch", || halves(Work::HashOrPanic)),
            contender("CpuPool", || tell(|job| pool.do_send(Run(job)), Work::HashOrPanic)),
        ];
        compare("64 KiB SHA-256, every tenth panics, nobody hears of a job", HASHES, &contenders).await;
    });
}
