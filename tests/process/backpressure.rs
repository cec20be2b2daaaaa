//! A reader that stops reading stops the program, not our memory.

use std::time::Duration;

use actix::fut::wrap_future;
use actix::prelude::*;
use latido::actors::process::*;
use latido::exit::ExitReason;
use serde_json::Value;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::support::*;

/// What a pipe holds, the buffer behind it, and what a program has in hand between two writes.
const BOUND: u64 = (64 + 8 + 8) * 1024;

/// Takes one message and is done with it when it may be.
struct Stalled<M> {
    may_go_on: watch::Receiver<bool>,
    seen: mpsc::UnboundedSender<M>,
}

impl<M: 'static> Actor for Stalled<M> {
    type Context = Context<Self>;
}

impl<M: Message<Result = ()> + 'static> Handler<M> for Stalled<M> {
    type Result = ResponseActFuture<Self, ()>;
    fn handle(&mut self, message: M, _: &mut Context<Self>) -> Self::Result {
        let _ = self.seen.send(message);
        let mut may_go_on = self.may_go_on.clone();
        Box::pin(wrap_future(async move {
            let _ = may_go_on.wait_for(|go_on| *go_on).await;
        }))
    }
}

struct Reading<M> {
    seen: mpsc::UnboundedReceiver<M>,
    go_on: watch::Sender<bool>,
}

fn stalled<M: Message<Result = ()> + Send + 'static>() -> (Recipient<M>, Reading<M>) {
    let (go_on, may_go_on) = watch::channel(false);
    let (to, seen) = mpsc::unbounded_channel();
    (Stalled { may_go_on, seen: to }.start().recipient(), Reading { seen, go_on })
}

/// A program that runs against a reader that has stalled.
struct Run<M> {
    process: Addr<Process>,
    end: JoinHandle<ExitReason>,
    reading: Reading<M>,
    pid: String,
}

/// Starts the script with `"$0"` as our programs, and waits for its first message.
async fn run_stalled<M: Message<Result = ()> + Send + 'static>(
    script: &str,
    read_by: impl FnOnce(Process, Recipient<M>) -> Process,
) -> Run<M> {
    let dir = tempfile::tempdir().unwrap();
    let pid = dir.path().join("pid");
    let command = Command::new("/bin/sh").arg("-c").arg(format!("echo $$ >\"$1\"; exec {script}"));
    let (to, mut reading) = stalled();
    let process = Process::new(command.arg(PROGRAMS).arg(&pid)).grace(Duration::from_millis(50));
    let (process, end) = run(read_by(process, to));
    within(reading.seen.recv()).await.unwrap();
    let pid = std::fs::read_to_string(pid).unwrap();
    Run { process, end, reading, pid }
}

impl<M> Run<M> {
    /// Gives the actor every chance to read on, and looks how far the program gets.
    async fn stands_still(&mut self) {
        until(|| written_by(&self.pid) >= 40 * 1024).await;
        for _ in 0..2_000 {
            within(self.process.send(Ping)).await.unwrap();
        }
        let written = written_by(&self.pid);
        assert!(written <= BOUND, "pipe and buffers hold less than the {written} bytes written");
        assert!(self.reading.seen.try_recv().is_err(), "a second message came before the first was handled");
    }

    /// A reader that never comes back does not keep the program from being stopped.
    async fn can_be_stopped(self) {
        self.process.do_send(Stop);
        assert!(matches!(within(self.end).await.unwrap(), ExitReason::Normal));
    }
}

#[actix::test]
async fn a_program_whose_lines_nobody_takes_comes_to_a_halt() {
    let mut run = run_stalled("\"$0\" print-lines", Process::lines_to).await;
    run.stands_still().await;
    run.can_be_stopped().await;
}

#[actix::test]
async fn a_program_whose_errors_nobody_takes_comes_to_a_halt() {
    let mut run = run_stalled("\"$0\" print-lines >&2", Process::errors_to).await;
    run.stands_still().await;
    run.can_be_stopped().await;
}

#[actix::test]
async fn a_program_whose_values_nobody_takes_comes_to_a_halt() {
    let mut run = run_stalled::<Frame<Value>>("\"$0\" print-frames", Process::frames_to).await;
    run.stands_still().await;
    run.can_be_stopped().await;
}

#[actix::test]
async fn a_hundred_megabytes_wait_for_a_reader_that_stalls_and_all_of_them_arrive() {
    let mut run = run_stalled("head -c 104857600 /dev/zero", Process::bytes_to).await;
    run.stands_still().await;

    run.reading.go_on.send_replace(true);
    let mut received = 8 * 1024; // the first, which was taken before
    while received < 104_857_600 {
        let Chunk(bytes) = within(run.reading.seen.recv()).await.unwrap();
        received += bytes.len();
    }
    assert_eq!(received, 104_857_600);
    assert!(matches!(within(run.end).await.unwrap(), ExitReason::Normal));
    assert!(run.reading.seen.recv().await.is_none());
}
