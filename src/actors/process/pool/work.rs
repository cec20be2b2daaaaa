//! What a worker is given to do, and what comes back.

use std::cell::Cell;
use std::io;
use std::os::fd::OwnedFd;
use std::pin::pin;
use std::time::Duration;

use rustix::io::ioctl_fionread;
use tokio::net::unix::pipe;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::super::output::Output;
use super::errand::Errand;
use super::slot::Shared;
use super::wire::{self, Told};
use crate::actors::cpu_pool::{JobError, JobPanicked};

/// How long a worker may take to be ready.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// The work of one worker.
pub(super) struct Work<'w> {
    pub(super) shared: &'w Shared,
    pub(super) stop: &'w mut watch::Receiver<bool>,
    /// Whether the worker has done a job.
    pub(super) has_worked: &'w mut bool,
    pub(super) stdin: &'w pipe::Sender,
    /// The worker's end of that.
    pub(super) unread: &'w OwnedFd,
    pub(super) stdout: &'w mut Output,
}

/// What ended it.
pub(super) enum End {
    /// The pool is to end.
    Stopped,
    /// It was never ready.
    Unready,
    /// It ended with no job in hand.
    Idle,
    /// It ended in the middle of a job.
    InHand(Errand),
    TimedOut(Errand, Duration),
    /// It said what makes no sense, in the middle of a job or not.
    BadFrame(Option<Errand>, String),
}

/// What became of a job in a worker's hand.
enum Answer {
    Frame(Vec<u8>),
    /// The worker is gone, and had seen nothing of the job.
    NotBegun,
    Nothing,
    TooLong(usize),
    TimedOut(Duration),
    Stopped,
}

impl Work<'_> {
    /// Waits for the worker's first word. Until then it is not there.
    pub(super) async fn until_ready(&mut self) -> Result<(), End> {
        let Self { stop, stdout, .. } = self;
        tokio::select! {
            biased;
            () = stopped(stop) => Err(End::Stopped),
            first = timeout(READY_WITHIN, stdout.next_frame()) => match first {
                Ok(Some(Ok(frame))) if matches!(wire::read_told(&frame), Some(Err(Told::Ready))) => Ok(()),
                _ => Err(End::Unready),
            },
        }
    }

    /// Gives it one job after the other.
    pub(super) async fn until_the_end(mut self) -> End {
        loop {
            let mut errand = {
                let Self { shared, stop, stdout, .. } = &mut self;
                tokio::select! {
                    biased;
                    () = stopped(stop) => return End::Stopped,
                    // Nobody has asked it anything.
                    said = stdout.next_frame() => return match said {
                        None => End::Idle,
                        Some(_) => End::BadFrame(None, "it was not asked".to_owned()),
                    },
                    errand = shared.queue.next() => errand,
                }
            };
            errand.begin();
            match self.answer(&errand).await {
                Answer::Frame(frame) => {
                    if let Some(end) = self.pass_on(errand, &frame) {
                        return end;
                    }
                    *self.has_worked = true;
                }
                Answer::NotBegun => {
                    self.shared.queue.put_back(errand);
                    return End::Idle;
                }
                Answer::Nothing => return End::InHand(errand),
                Answer::TooLong(length) => {
                    return End::BadFrame(Some(errand), format!("{length} bytes are too many"));
                }
                Answer::TimedOut(limit) => return End::TimedOut(errand, limit),
                Answer::Stopped => return End::Stopped, // with the errand, whose sender hears that
            }
        }
    }

    async fn answer(&mut self, errand: &Errand) -> Answer {
        let Self { stop, stdin, unread, stdout, .. } = self;
        let written = Cell::new(0);
        let answer = async {
            let mut said = pin!(stdout.next_frame());
            let said = tokio::select! {
                biased;
                () = write_all(stdin, &errand.frame, &written) => said.await,
                said = &mut said => said,
            };
            match said {
                Some(Ok(frame)) => Answer::Frame(frame),
                Some(Err(length)) => Answer::TooLong(length),
                None if has_begun(written.get(), unread) => Answer::Nothing,
                None => Answer::NotBegun,
            }
        };
        let limit = errand.limit;
        tokio::select! {
            biased;
            answer = answer => answer,
            () = stopped(stop) => Answer::Stopped,
            () = sleep(limit.unwrap_or_default()), if limit.is_some() => Answer::TimedOut(limit.unwrap_or_default()),
        }
    }

    /// Answers the sender, unless the answer is none: then that is the worker's end.
    fn pass_on(&self, errand: Errand, frame: &[u8]) -> Option<End> {
        let job = errand.name;
        match wire::read_told(frame) {
            Some(Ok(result)) => errand.succeed(result),
            Some(Err(told)) => match told.error(job) {
                Some(error) => {
                    if let JobError::Panicked(reason) = &error {
                        self.shared.reporter.report(JobPanicked { job, reason: reason.clone() });
                    }
                    errand.fail(error);
                }
                None => return Some(End::BadFrame(Some(errand), "it is ready twice".to_owned())),
            },
            None => return Some(End::BadFrame(Some(errand), "it is no answer".to_owned())),
        }
        None
    }
}

/// Whether a worker that is gone was alive when it had the job, or was killed before that. A worker reads the length of
/// a job by itself. If it has read more, it lived on after that; if not, the kernel may have given the length to a
/// thread that it was about to kill.
fn has_begun(written: u64, unread: &OwnedFd) -> bool {
    let in_pipe = ioctl_fionread(unread).unwrap_or(0);
    written.saturating_sub(in_pipe) > wire::LENGTH as u64
}

/// Writes until there is nobody to write to, and counts.
async fn write_all(to: &pipe::Sender, bytes: &[u8], written: &Cell<u64>) {
    let mut rest = bytes;
    while !rest.is_empty() {
        match to.try_write(rest) {
            Ok(more) => {
                rest = &rest[more..];
                written.set(written.get() + more as u64);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && to.writable().await.is_ok() => {}
            Err(_) => return,
        }
    }
}

pub(super) async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}
