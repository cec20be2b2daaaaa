//! A place in a pool, and the workers that have it, one after the other.

use std::cell::Cell;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::{Either, select};
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::timeout;

use super::super::command::{Command, CommandError};
use super::super::exit::{ExitCause, ProcessExit};
use super::super::guard::Guard;
use super::super::life::LAST_WORDS;
use super::super::messages::StdStream;
use super::super::program::{Input, Pipes, Program};
use super::super::sink::{Lookout, Sink};
use super::errand::Queue;
use super::report::{JobInHand, PoolError, PoolReport};
use super::work::{End, Work, stopped};
use crate::Reporter;
use crate::actors::cpu_pool::JobError;
use crate::supervision::Backoff;

/// How often in a row workers may fail to start, all places together, before the pool fails.
const START_ATTEMPTS: u32 = 5;

const FIRST_WAIT: Duration = Duration::from_millis(10);
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// What the places of a pool have in common.
pub(super) struct Shared {
    pub(super) command: Command,
    pub(super) max_attempts: u32,
    pub(super) lines: Sink,
    pub(super) queue: Queue,
    pub(super) reporter: Reporter,
    /// Turns true when the pool is to end.
    pub(super) stop: watch::Sender<bool>,
    /// Places that have not had a worker yet.
    pub(super) unready: Cell<usize>,
    pub(super) is_ready: Notify,
    pub(super) failed_starts: Cell<u32>,
}

impl Shared {
    /// A place has a worker that takes jobs.
    fn has_worker(&self, number: usize, pid: u32, had_one: &mut bool) {
        self.reporter.report(PoolReport::WorkerReady { worker: number, pid });
        self.failed_starts.set(0);
        if !std::mem::replace(had_one, true) {
            self.unready.set(self.unready.get() - 1);
            if self.unready.get() == 0 {
                self.is_ready.notify_one();
            }
        }
    }
}

/// One place.
pub(super) struct Slot<'a> {
    number: usize,
    shared: &'a Shared,
    stop: watch::Receiver<bool>,
    /// From the worker before, for the next.
    guard: Option<Guard>,
    had_worker: bool,
    /// Whether the last worker has done a job.
    has_worked: bool,
}

impl<'a> Slot<'a> {
    pub(super) fn new(number: usize, shared: &'a Shared) -> Self {
        Self {
            number,
            shared,
            stop: shared.stop.subscribe(),
            guard: None,
            had_worker: false,
            has_worked: false,
        }
    }

    /// Has a worker at work until the pool is to end. Fails if there is none to be had.
    pub(super) async fn serve(mut self) -> Result<(), PoolError> {
        let backoff = Backoff::exponential(FIRST_WAIT, LONGEST_WAIT).jitter(0.5);
        let mut failures = 0;
        while !*self.stop.borrow() {
            let begun = Instant::now();
            let (exit, end) = match self.one_worker().await {
                Ok(ended) => ended,
                Err(error) => (Err(PoolError::Start(Arc::new(error))), End::Unready),
            };
            let delay = match end {
                End::Stopped => break,
                // Whose job ends a worker pays for it with an attempt, and nobody else by waiting.
                End::InHand(_) | End::TimedOut(..) | End::BadFrame(Some(_), _) => Duration::ZERO,
                End::Unready | End::Idle | End::BadFrame(None, _) => {
                    let in_a_row = if self.has_worked { 0 } else { failures };
                    failures = backoff.failures(in_a_row, begun.elapsed());
                    backoff.delay(failures, fastrand::f64())
                }
            };
            match exit {
                Err(reason) => self.not_started(reason, delay)?,
                Ok(exit) => self.lost(exit, end, delay),
            }
            if !delay.is_zero() && timeout(delay, stopped(&mut self.stop)).await.is_ok() {
                break;
            }
        }
        if let Some(guard) = self.guard {
            guard.dismiss().await;
        }
        Ok(())
    }

    fn not_started(&self, reason: PoolError, delay: Duration) -> Result<(), PoolError> {
        let failed = self.shared.failed_starts.get() + 1;
        self.shared.failed_starts.set(failed);
        let is_hopeless =
            matches!(&reason, PoolError::Start(error) if matches!(**error, CommandError::NoGuard));
        if is_hopeless || failed >= START_ATTEMPTS {
            return Err(reason);
        }
        self.shared.reporter.report(PoolReport::StartFailed { worker: self.number, reason, delay });
        Ok(())
    }

    /// Says so, and does with its job what is to be done.
    fn lost(&self, exit: ProcessExit, end: End, delay: Duration) {
        let Shared { max_attempts, queue, reporter, .. } = self.shared;
        let told = |job, exit| {
            reporter.report(PoolReport::WorkerLost { worker: self.number, exit, job, delay });
        };
        match end {
            End::InHand(mut errand) | End::BadFrame(Some(mut errand), _) => {
                errand.deaths.push(exit.clone());
                let (job, attempt) = (errand.name, errand.deaths.len() as u32);
                if attempt < *max_attempts {
                    told(JobInHand::RunAgain { job, attempt, attempts: *max_attempts }, exit);
                    // Behind the others: it is not for them to wait for what may do it again.
                    queue.put(errand);
                } else {
                    told(JobInHand::LastAttempt { job }, exit);
                    let quarantine = errand.quarantine();
                    reporter.report(PoolReport::Quarantined(quarantine.clone()));
                    errand.fail(JobError::Quarantined(quarantine));
                }
            }
            End::TimedOut(errand, limit) => {
                told(JobInHand::TimedOut { job: errand.name, limit }, exit);
                errand.fail(JobError::TimedOut { limit });
            }
            End::Stopped | End::Unready | End::Idle | End::BadFrame(None, _) => told(JobInHand::None, exit),
        }
    }

    /// A worker's life. Nothing is left of it when this returns.
    async fn one_worker(&mut self) -> Result<(Result<ProcessExit, PoolError>, End), CommandError> {
        self.has_worked = false;
        let command = &self.shared.command;
        let (mut program, mut pipes) = self.start().await?;
        let pid = program.pid();
        let Pipes { stdin, unread, stdout, stderr } = &mut pipes;
        let (seen, _sights) = mpsc::unbounded_channel();
        let lookout = Lookout { ready: None, seen };
        let (orders, mut run) = program.parts();
        let end = {
            let (stdin, unread) = stdin.as_ref().zip(unread.as_ref()).expect("it was started with both");
            let (stop, has_worked) = (&mut self.stop, &mut self.has_worked);
            let mut work = Work { shared: self.shared, stop, has_worked, stdin, unread, stdout };
            let work = pin!(async {
                if let Err(end) = work.until_ready().await {
                    return end;
                }
                self.shared.has_worker(self.number, pid, &mut self.had_worker);
                work.until_the_end().await
            });
            let listen = pin!(self.shared.lines.forward(stderr, StdStream::Err, &lookout));
            match select(work, listen).await {
                Either::Left((end, _)) => end,
                Either::Right((_, work)) => work.await,
            }
        };
        let cause = match &end {
            End::Stopped | End::TimedOut(..) => ExitCause::Stopped,
            End::Unready => ExitCause::EndedUnready,
            End::Idle | End::InHand(_) => ExitCause::Itself,
            End::BadFrame(_, error) => ExitCause::BadFrame(error.clone()),
        };
        // Also of one that has only closed its end: it cannot answer any more.
        orders.kill();
        // Who had sent its job is to hear of it when it runs no more.
        run.over().await;
        let _ = timeout(LAST_WORDS, stderr.drain()).await;
        let (mut exit, guard) = program.finish(command, cause, stderr.last_words()).await;
        exit.command = format!("worker {}", self.number);
        self.guard = guard;
        Ok(match end {
            End::Unready => (Err(PoolError::NeverReady(exit)), end),
            end => (Ok(exit), end),
        })
    }

    async fn start(&mut self) -> Result<(Program, Pipes), CommandError> {
        let Shared { command, reporter, .. } = self.shared;
        let pool = reporter.path().map_or_else(|| command.to_string(), ToString::to_string);
        let name = format!("{pool}, worker {}", self.number);
        if let Some(guard) = self.guard.take() {
            match Program::start(guard, name.clone(), command, Input::WatchedPipe).await {
                Err(CommandError::Guard(_)) => {} // it has been killed meanwhile
                started => return started,
            }
        }
        Program::start(Guard::start(None)?, name, command, Input::WatchedPipe).await
    }
}
