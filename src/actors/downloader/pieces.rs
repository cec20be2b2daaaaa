//! A large file that comes in pieces: what a part file lacks, by one connection or several.
//!
//! All of them run on one thread and write into one file. Each answer must be about the very same file; one that is not
//! ends the whole undertaking, and the file is fetched anew in one piece. A connection that fails is not replaced: the
//! others take over what it had, and the last one's failure is that of the file. So a server that wants fewer connections
//! gets fewer.

use std::cell::{Cell, RefCell};
use std::pin::pin;
use std::time::Duration;

use futures::future::{Either, select};
use futures::stream::{FuturesUnordered, StreamExt};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use super::client::Answer;
use super::hashing::Hashing;
use super::part::Part;
use super::range::{Known, Verdict};
use super::record::Record;
use super::segments::Segments;
use super::transfer::{Pace, Source};
use super::{FetchError, Progress, error};

/// After so many bytes it is noted what is missing. A run that is killed loses no more than that.
const NOTED: u64 = 1 << 20;
/// How often a connection that has nothing to do looks whether another has become slow.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Why pieces did not become a file.
#[derive(Debug)]
pub(super) enum Trouble {
    /// It may be gone on with another time.
    Failed(FetchError),
    /// The pieces are not, or may not be, of one file.
    Contradiction(&'static str),
    /// The server sends the whole file when it is asked for a part.
    Ignored,
}

impl From<FetchError> for Trouble {
    fn from(error: FetchError) -> Self {
        Self::Failed(error)
    }
}

/// How a file is to come in pieces.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    pub(super) connections: usize,
    pub(super) min_split: u64,
}

struct Pieces<'a> {
    source: &'a Source<'a>,
    known: Known,
    part: RefCell<&'a mut Part>,
    hashing: RefCell<Option<&'a mut Hashing>>,
    segments: RefCell<Segments>,
    progress: Option<&'a Progress>,
    started: Instant,
    /// By connection: another has taken all that it had.
    relieved: Vec<Notify>,
    /// Something is there that nobody has.
    free: Notify,
    unnoted: Cell<u64>,
    got: Cell<bool>,
    complete: Cell<bool>,
}

/// Completes `part`. The answer at hand, if there is one, brings the whole file from its beginning.
pub(super) async fn bring(
    source: &Source<'_>,
    part: &mut Part,
    hashing: Option<&mut Hashing>,
    progress: Option<&Progress>,
    record: Record,
    plan: Plan,
    answer: Option<Answer>,
) -> Result<(), Trouble> {
    let Record { known, missing } = record;
    let lacking: u64 = missing.iter().map(|range| range.end - range.start).sum();
    if let Some(progress) = progress {
        progress.start(Some(known.length));
        progress.add(known.length - lacking);
    }
    let pieces = Pieces {
        source,
        part: RefCell::new(part),
        hashing: RefCell::new(hashing),
        segments: RefCell::new(Segments::new(known.length, missing, plan.connections, plan.min_split)),
        progress,
        started: Instant::now(),
        relieved: (0..plan.connections).map(|_| Notify::new()).collect(),
        free: Notify::new(),
        unnoted: Cell::new(0),
        got: Cell::new(lacking < known.length),
        complete: Cell::new(false),
        known,
    };
    pieces.run(answer).await
}

impl Pieces<'_> {
    async fn run(&self, mut answer: Option<Answer>) -> Result<(), Trouble> {
        let connections = 0..self.relieved.len();
        let mut connections: FuturesUnordered<_> =
            connections.map(|n| self.connection(n, answer.take())).collect();
        let mut trouble = Trouble::Ignored;
        while let Some(ended) = connections.next().await {
            match ended {
                Ok(()) => {}
                Err(Trouble::Contradiction(why)) => return Err(Trouble::Contradiction(why)),
                Err(Trouble::Ignored) => {}
                Err(failed) => trouble = failed,
            }
        }
        match self.segments.borrow().missing().is_empty() {
            true => {
                self.complete.set(true);
                Ok(self.part.borrow_mut().complete(self.known.length)?)
            }
            false => Err(trouble),
        }
    }

    /// Brings one range after the other, until none is left.
    async fn connection(&self, n: usize, mut answer: Option<Answer>) -> Result<(), Trouble> {
        loop {
            let claim = self.segments.borrow_mut().claim(n, self.started.elapsed());
            let Some(claim) = claim else {
                if self.segments.borrow().missing().is_empty() {
                    self.free.notify_waiters(); // they have nothing to wait for
                    return Ok(());
                }
                select(pin!(self.free.notified()), pin!(sleep(LOOK_AGAIN))).await;
                continue;
            };
            if let Some(other) = claim.relieved {
                self.relieved[other].notify_one();
            }
            let range = pin!(self.range(n, answer.take()));
            let ended = match select(range, pin!(self.relieved[n].notified())).await {
                Either::Left((ended, _)) => ended,
                Either::Right(_) => Ok(()),
            };
            self.segments.borrow_mut().give_back(n);
            if ended.is_err() {
                self.free.notify_waiters();
                return ended;
            }
        }
    }

    /// Brings what this connection has, or the beginning of it.
    async fn range(&self, n: usize, answer: Option<Answer>) -> Result<(), Trouble> {
        let wanted = self.segments.borrow().left(n);
        let (mut answer, comes) = match answer {
            Some(answer) => (answer, 0..self.known.length),
            None => {
                let answer = self.source.get(&self.known.asking(&wanted)).await?;
                match self.known.judge(&answer, &wanted) {
                    Verdict::Part(comes) => (answer, comes),
                    Verdict::Ignored => return Err(Trouble::Ignored),
                    Verdict::Contradiction(why) => return Err(Trouble::Contradiction(why)),
                    Verdict::Failed(error) => return Err(error.into()),
                }
            }
        };
        self.segments.borrow_mut().begun(n);
        let limits = self.source.limits;
        let mut pace = Pace::new(limits);
        let mut received = 0;
        let announced = comes.end - comes.start;
        loop {
            let chunk = self.source.chunk(&mut answer).await;
            let chunk = chunk.map_err(|error| error::of_body(error, limits, received, Some(announced)))?;
            let Some(chunk) = chunk.filter(|_| received < announced) else {
                return match received == announced {
                    true => Ok(()),
                    false => Err(FetchError::Short { received, announced: Some(announced) }.into()),
                };
            };
            if chunk.len() as u64 > announced - received {
                return Err(Trouble::Contradiction("more bytes came than were announced"));
            }
            let (at, length) = (comes.start + received, chunk.len());
            received += length as u64;
            // At its own end an answer is read until the connection can be used again.
            if !self.take(n, &chunk, at)? && received < announced {
                return Ok(());
            }
            pace.check(received)?;
            self.source.pay(length, &mut pace).await;
        }
    }

    /// Takes of an answer's bytes what this connection still has to bring. Answers whether it has more to bring of it.
    fn take(&self, n: usize, mut bytes: &[u8], mut at: u64) -> Result<bool, FetchError> {
        loop {
            let left = self.segments.borrow().left(n);
            // One that was relieved has lost its place, too.
            let ours = left.end.saturating_sub(left.start).min(bytes.len() as u64);
            if left.start != at {
                return Ok(false);
            }
            if ours > 0 {
                let (now, later) = bytes.split_at(usize::try_from(ours).unwrap_or(bytes.len()));
                self.write(n, now, at)?;
                (bytes, at) = (later, at + ours);
            } else if bytes.is_empty() && !left.is_empty() {
                return Ok(true);
            } else {
                // Of what another connection was to bring, and does not yet, the next bytes are here.
                let Some(other) = self.segments.borrow_mut().go_on(n) else { return Ok(false) };
                self.relieved[other].notify_one();
            }
        }
    }

    fn write(&self, n: usize, bytes: &[u8], at: u64) -> Result<(), FetchError> {
        let mut part = self.part.borrow_mut();
        self.source.write(&part, bytes, at)?;
        let length = bytes.len() as u64;
        let mut segments = self.segments.borrow_mut();
        segments.brought(n, length, self.started.elapsed());
        self.got.set(true);
        if let Some(hashing) = &mut *self.hashing.borrow_mut() {
            hashing.update(bytes, at, segments.whole_until(), &part);
        }
        if let Some(progress) = self.progress {
            progress.add(length);
        }
        self.unnoted.set(self.unnoted.get() + length);
        if self.unnoted.get() >= NOTED {
            self.unnoted.set(0);
            part.note(&segments.missing());
        }
        Ok(())
    }
}

impl Drop for Pieces<'_> {
    fn drop(&mut self) {
        let part = self.part.get_mut();
        match (self.complete.get(), self.got.get()) {
            (true, _) => {}
            (false, true) => part.note(&self.segments.get_mut().missing()),
            (false, false) => part.forget(),
        }
    }
}
