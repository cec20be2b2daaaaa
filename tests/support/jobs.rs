//! Jobs that behave badly, or in an unusual way, for the tests of process pools. The tests and the program that is their
//! worker have them in common.

use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::process::{self, Command};
use std::thread::park;

use actix::prelude::*;
use latido::actors::cpu_pool::CpuJob;
use latido::actors::process::pool::Jobs;
use nix::sys::signal::{Signal, raise};
use serde::{Deserialize, Serialize};

/// What a worker knows: neither [`Unregistered`] nor [`Elsewhere`].
pub(crate) fn jobs() -> Jobs {
    let jobs = Jobs::new().job::<Square>("square").job::<Die>("die").job::<DieOnce>("die-once");
    let jobs = jobs.job::<Hold>("hold").job::<Allocate>("allocate").job::<Print>("print");
    jobs.job::<Large>("large")
        .job::<Fail>("fail")
        .job::<WorkerId>("worker-id")
        .job::<SumOfSquares>("sum-of-squares")
}

macro_rules! jobs {
    ($($(#[$doc:meta])* $job:ident($($field:ty),*) -> $result:ty;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Serialize, Deserialize)]
        pub(crate) struct $job($(pub(crate) $field),*);
        impl Message for $job {
            type Result = $result;
        }
    )*};
}

jobs! {
    Square(u64) -> u64;
    /// Of the numbers up to this. Its worker is killed half-way if there is no such file, which it then makes.
    SumOfSquares(u64, Option<PathBuf>) -> u64;
    /// In one of the ways that no thread survives.
    Die(Way) -> ();
    /// Aborts if there is no such file, which it then makes, and answers otherwise.
    DieOnce(PathBuf) -> u32;
    /// Has a process of its own, and this one, hold a fifo, and does not return.
    Hold(PathBuf) -> ();
    Allocate(usize) -> usize;
    /// Writes to standard output, and reads its input: how much there is.
    Print(Vec<u8>) -> usize;
    Large(usize) -> Vec<u8>;
    Fail(How) -> ();
    WorkerId() -> u32;
    /// In no list.
    #[allow(dead_code, reason = "its worker does not know it")]
    Unregistered() -> ();
    /// In that of the tests alone.
    #[allow(dead_code, reason = "its worker does not know it")]
    Elsewhere() -> ();
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) enum Way {
    Abort,
    OverflowTheStack,
    Segfault,
    Kill,
    Exit(i32),
    CloseEverything,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) enum How {
    Panic,
    Crash,
}

impl CpuJob for Square {
    fn run(self, _: &mut ()) -> u64 {
        self.0 * self.0
    }
}

impl CpuJob for SumOfSquares {
    fn run(self, _: &mut ()) -> u64 {
        let sum = |numbers: std::ops::RangeInclusive<u64>| {
            numbers.map(|n| std::hint::black_box(n * n)).sum::<u64>()
        };
        let half = sum(1..=self.0 / 2);
        if self.1.is_some_and(|file| OpenOptions::new().write(true).create_new(true).open(file).is_ok()) {
            raise(Signal::SIGKILL).unwrap();
        }
        half + sum(self.0 / 2 + 1..=self.0)
    }
}

impl CpuJob for Die {
    fn run(self, _: &mut ()) {
        match self.0 {
            Way::Abort => process::abort(),
            Way::OverflowTheStack => {
                let depth = overflow(0);
                unreachable!("{depth} frames found room");
            }
            // The standard library's handler lets the first one pass, for the instruction to fail again.
            Way::Segfault => loop {
                raise(Signal::SIGSEGV).unwrap();
            },
            Way::Kill => raise(Signal::SIGKILL).unwrap(),
            Way::Exit(code) => process::exit(code),
            Way::CloseEverything => {
                for fd in 0..1024 {
                    let _ = nix::unistd::close(fd);
                }
                park_for_ever();
            }
        }
    }
}

fn overflow(depth: u64) -> u64 {
    let frame = std::hint::black_box([depth; 64]);
    if depth == u64::MAX { 0 } else { overflow(frame[1] + 1) + frame[2] }
}

impl CpuJob for DieOnce {
    fn run(self, _: &mut ()) -> u32 {
        if OpenOptions::new().write(true).create_new(true).open(&self.0).is_ok() {
            process::abort();
        }
        process::id()
    }
}

impl CpuJob for Hold {
    fn run(self, _: &mut ()) {
        let _held = OpenOptions::new().write(true).open(&self.0).unwrap();
        let script = "exec 9>\"$1\"; exec sleep 1000";
        let mut other = Command::new("setsid").args(["sh", "-c", script, "sh"]).arg(&self.0).spawn().unwrap();
        let _ = other.wait();
        park_for_ever();
    }
}

fn park_for_ever() -> ! {
    loop {
        park();
    }
}

impl CpuJob for Allocate {
    fn run(self, _: &mut ()) -> usize {
        std::hint::black_box(vec![1u8; self.0]).len()
    }
}

impl CpuJob for Print {
    fn run(self, _: &mut ()) -> usize {
        io::stdout().write_all(&self.0).unwrap();
        println!("printed");
        let mut input = Vec::new();
        io::stdin().read_to_end(&mut input).unwrap()
    }
}

impl CpuJob for Large {
    fn run(self, _: &mut ()) -> Vec<u8> {
        vec![200; self.0]
    }
}

impl CpuJob for Fail {
    fn run(self, _: &mut ()) {
        match self.0 {
            How::Panic => panic!("no such table"),
            How::Crash => latido::crash("no such row"),
        }
    }
}

impl CpuJob for WorkerId {
    fn run(self, _: &mut ()) -> u32 {
        process::id()
    }
}

impl CpuJob for Unregistered {
    fn run(self, _: &mut ()) {}
}

impl CpuJob for Elsewhere {
    fn run(self, _: &mut ()) {}
}

/// A pool as a program has it, with a worker for each fifo, which is held. To be killed.
pub(crate) fn host(fifos: &[&str]) {
    use latido::actors::cpu_pool::Run;
    use latido::actors::process::pool::ProcessPool;
    use latido::prelude::*;

    System::new().block_on(async {
        let workers = fifos.len();
        let spec = ChildSpec::new("pool", move || ProcessPool::new(workers));
        let pool = spec.addr();
        let _tree = SupervisorSpec::new("host").child(spec).start().unwrap();
        let holds = fifos.iter().map(|fifo| pool.send(Run(Hold(fs::canonicalize(fifo).unwrap()))));
        let ends = futures::future::join_all(holds).await;
        panic!("it was to be killed before: {ends:?}");
    });
}
