//! The SHA-256 of a download, made while its bytes come.
//!
//! Bytes are hashed where they arrive, while they are in the cache: that costs least, and nobody a hand-over. But one core
//! cannot receive as fast as a large file may come and hash it too. So where a large file is the only one that comes to
//! this thread, and there is a pool, the pool follows it: it reads what has been written so far, on another core. It does
//! so too where bytes do not come in their order, and with what an earlier download has left: what is on disk counts.

use std::cell::Cell;
use std::fs::File;
use std::io;
use std::mem;
use std::os::unix::fs::FileExt;
use std::pin::Pin;
use std::sync::Arc;

use actix::prelude::*;
use futures::FutureExt;
use sha2::Digest;

use super::part::Part;
use crate::actors::cpu_pool::{CpuJob, CpuPool, Run};
use crate::actors::digest::Sha256;
use crate::supervision::ActorRef;

/// How much of each file is hashed where it arrives, whatever else comes: less than a millisecond's work.
const HERE: u64 = 1 << 20;
/// How much the pool is given at least, so that a message is little beside the work.
const PIECE: u64 = 512 << 10;
/// How much it is given at most, so that nobody else waits long, and nothing for long that nobody wants any more.
const MOST: u64 = 64 << 20;
/// Large enough that system calls cost nothing beside the hash, small enough for the second-level cache.
const BUFFER: usize = 64 << 10;

/// A pool that hashes for downloaders: an address of one, or better the [`ActorRef`] of one in a tree. By that one hears also
/// of a pool that hangs.
#[derive(Clone, Debug)]
#[non_exhaustive]
#[allow(missing_docs)]
pub enum HashingPool {
    Addr(Addr<CpuPool>),
    Supervised(ActorRef<CpuPool>),
}

impl From<Addr<CpuPool>> for HashingPool {
    fn from(pool: Addr<CpuPool>) -> Self {
        Self::Addr(pool)
    }
}

impl From<ActorRef<CpuPool>> for HashingPool {
    fn from(pool: ActorRef<CpuPool>) -> Self {
        Self::Supervised(pool)
    }
}

impl HashingPool {
    /// What becomes of the hash.
    fn follow(&self, follow: Follow) -> Pin<Box<dyn Future<Output = State>>> {
        match self.clone() {
            Self::Addr(pool) => Box::pin(async move { State::of(pool.send(Run(follow)).await) }),
            Self::Supervised(pool) => Box::pin(async move { State::of(pool.ask(Run(follow)).await) }),
        }
    }
}

pub(super) struct Hashing {
    pool: Option<HashingPool>,
    state: State,
    /// From the beginning of the file.
    hashed: u64,
    file: Option<Arc<File>>,
    _counted: Counted,
}

enum State {
    Here(sha2::Sha256),
    /// The pool has it, and comes so far with it.
    Away(Pin<Box<dyn Future<Output = State>>>, u64),
    /// The pool crashed with it, or the file could not be read. It can still be read again.
    Lost,
}

/// Goes on with a hash, over a range of a file.
#[derive(Message)]
#[rtype(result = "io::Result<sha2::Sha256>")]
struct Follow {
    state: sha2::Sha256,
    file: Arc<File>,
    from: u64,
    to: u64,
}

impl<W> CpuJob<W> for Follow {
    fn run(mut self, _: &mut W) -> io::Result<sha2::Sha256> {
        let mut buffer = vec![0; BUFFER];
        while self.from < self.to {
            let wanted = BUFFER.min(usize::try_from(self.to - self.from).unwrap_or(BUFFER));
            self.file.read_exact_at(&mut buffer[..wanted], self.from)?;
            self.state.update(&buffer[..wanted]);
            self.from += wanted as u64;
        }
        Ok(self.state)
    }
}

impl Hashing {
    pub(super) fn new(pool: Option<HashingPool>) -> Self {
        let state = State::Here(sha2::Sha256::new());
        Self { pool, state, hashed: 0, file: None, _counted: Counted::new() }
    }

    /// Forgets all that it has hashed.
    pub(super) fn begin_anew(&mut self) {
        (self.state, self.hashed) = (State::Here(sha2::Sha256::new()), 0);
    }

    /// Takes bytes that have been written to `part`. Up to `whole_until` it has the file.
    pub(super) fn update(&mut self, bytes: &[u8], at: u64, whole_until: u64, part: &Part) {
        if let State::Here(state) = &mut self.state
            && self.hashed == at
            && (self.pool.is_none() || whole_until <= HERE || Counted::others())
        {
            state.update(bytes);
            self.hashed += bytes.len() as u64;
            return;
        }
        if let State::Away(follow, to) = &mut self.state
            && let Some(state) = follow.as_mut().now_or_never()
        {
            self.hashed = *to;
            self.state = state;
        }
        if whole_until.saturating_sub(self.hashed) >= PIECE {
            self.send_away(whole_until, part);
        }
    }

    /// The hash of a whole file of this length; `None` if the pool crashed with it, or there is none where one is needed.
    pub(super) async fn finish(mut self, length: u64, part: &Part) -> Option<Sha256> {
        loop {
            if let State::Away(follow, to) = &mut self.state {
                let state = follow.as_mut().await;
                self.hashed = *to;
                self.state = state;
            }
            match self.state {
                State::Here(state) if self.hashed == length => return Some(Sha256(state.finalize().into())),
                State::Here(_) => self.send_away(length, part),
                State::Away(..) => {}
                State::Lost => return None,
            }
        }
    }

    /// Gives the pool what is written and not hashed, if it has nothing yet.
    fn send_away(&mut self, whole_until: u64, part: &Part) {
        let State::Here(_) = self.state else { return };
        let file = match &self.file {
            Some(file) => Ok(file.clone()),
            None => part.reader().map(Arc::new),
        };
        let State::Here(state) = mem::replace(&mut self.state, State::Lost) else { return };
        if let (Some(pool), Ok(file)) = (&self.pool, file) {
            self.file = Some(file.clone());
            let to = whole_until.min(self.hashed + MOST);
            let follow = Follow { state, file, from: self.hashed, to };
            self.state = State::Away(pool.follow(follow), to);
        }
    }
}

impl State {
    fn of<E, F>(answer: Result<Result<io::Result<sha2::Sha256>, E>, F>) -> Self {
        match answer {
            Ok(Ok(Ok(state))) => Self::Here(state),
            _ => Self::Lost,
        }
    }
}

/// One of the files that come to this thread and are hashed.
struct Counted;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

impl Counted {
    fn new() -> Self {
        COUNT.set(COUNT.get() + 1);
        Self
    }

    /// Whether there are more than one.
    fn others() -> bool {
        COUNT.get() > 1
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        COUNT.set(COUNT.get() - 1);
    }
}
