//! The worker's side: a process that does one job after the other, until there are no more.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::{process, thread};

use nix::sys::prctl::set_name;
use rustix::stdio::{dup2_stdin, dup2_stdout};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::wire::{self, Told};
use crate::actors::cpu_pool::{CpuJob, JobError};
use crate::exit::catch;

/// Does one job, from its bytes to the frame with its result.
pub(super) type Runner = fn(&[u8]) -> Vec<u8>;

/// A worker's whole life.
pub(super) fn main(jobs: &BTreeMap<&'static str, Runner>) -> ! {
    let _ = set_name(c"pool-worker");
    let served = thread::scope(|scope| {
        // `main` may run on a runtime already; a job is to find what it finds on a thread of a `CpuPool`.
        let worker = thread::Builder::new().name("job".to_owned());
        worker.spawn_scoped(scope, || serve(jobs)).map(|worker| worker.join())
    });
    process::exit(i32::from(!matches!(served, Ok(Ok(Ok(()))))))
}

fn serve(jobs: &BTreeMap<&'static str, Runner>) -> io::Result<()> {
    let (mut orders, mut answers) = private_streams()?;
    answers.write_all(&wire::told(&Told::Ready))?;
    while let Some(frame) = wire::read_frame(&mut orders)? {
        let order = wire::read_order(&frame).ok_or(io::ErrorKind::InvalidData)?;
        let answer = match jobs.get(order.0) {
            Some(run) => run(order.1),
            None => wire::told(&Told::NotRegistered),
        };
        answers.write_all(&answer)?;
    }
    Ok(())
}

/// Takes standard input and output away from the jobs: what one of them prints must not be taken for a frame, nor a frame
/// be read by it. It reads nothing, and prints to standard error.
fn private_streams() -> io::Result<(File, File)> {
    // These are closed in whatever a job starts.
    let orders = io::stdin().as_fd().try_clone_to_owned()?;
    let answers = io::stdout().as_fd().try_clone_to_owned()?;
    dup2_stdin(File::open("/dev/null")?)?;
    dup2_stdout(io::stderr())?;
    Ok((orders.into(), answers.into()))
}

pub(super) fn run<J>(job: &[u8]) -> Vec<u8>
where
    J: CpuJob + DeserializeOwned,
    J::Result: Serialize,
{
    match wire::value::<J>(job).and_then(|job| catch(|| job.run(&mut ())).map_err(JobError::Panicked)) {
        Ok(result) => wire::result(result),
        Err(JobError::Panicked(reason)) => wire::told(&Told::ended_with(&reason)),
        Err(JobError::NotSerializable(text)) => wire::told(&Told::NotSerializable(text)),
        Err(other) => wire::told(&Told::Failed(other.to_string())),
    }
}
