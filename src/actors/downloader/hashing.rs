//! The SHA-256 of a download, made while its bytes come.
//!
//! The first bytes are hashed where they arrived, while they are in the cache: a small file costs nobody a hand-over.
//! The rest of a large file goes to a pool, if there is one, so that one core receives while another hashes.

use std::mem;
use std::pin::Pin;

use actix::dev::Request;
use actix::prelude::*;
use bytes::Bytes;
use futures::FutureExt;
use sha2::Digest;

use crate::actors::cpu_pool::{CpuJob, CpuPool, Run};
use crate::actors::digest::Sha256;

/// How much of each file is hashed where it arrives: less than a millisecond's work.
const HERE: u64 = 1 << 20;
/// How much may wait for the pool before the download has to.
const WAITING: usize = 2 << 20;

pub(super) struct Hashing {
    pool: Option<Addr<CpuPool>>,
    state: State,
    hashed: u64,
    /// Behind what the pool has.
    waiting: Vec<Bytes>,
    waiting_bytes: usize,
}

enum State {
    Here(sha2::Sha256),
    Away(Pin<Box<Request<CpuPool, Run<Hash>>>>),
    /// The pool crashed with it. The file can still be read again.
    Lost,
}

/// Goes on with a hash.
#[derive(Message)]
#[rtype(result = "sha2::Sha256")]
struct Hash {
    state: sha2::Sha256,
    bytes: Vec<Bytes>,
}

impl<W> CpuJob<W> for Hash {
    fn run(mut self, _: &mut W) -> sha2::Sha256 {
        self.bytes.iter().for_each(|bytes| self.state.update(bytes));
        self.state
    }
}

impl Hashing {
    pub(super) fn new(pool: Option<Addr<CpuPool>>) -> Self {
        let state = State::Here(sha2::Sha256::new());
        Self { pool, state, hashed: 0, waiting: Vec::new(), waiting_bytes: 0 }
    }

    /// Takes the next bytes of the file. Waits when the pool does not keep up.
    pub(super) async fn update(&mut self, bytes: &Bytes) {
        self.hashed += bytes.len() as u64;
        if self.pool.is_none() || self.hashed <= HERE {
            if let State::Here(state) = &mut self.state {
                state.update(bytes);
            }
            return;
        }
        self.waiting_bytes += bytes.len();
        self.waiting.push(bytes.clone());
        if self.waiting_bytes >= WAITING {
            self.come_back().await;
        } else if let State::Away(hash) = &mut self.state
            && let Some(answer) = hash.as_mut().now_or_never()
        {
            self.state = State::of(answer);
        }
        self.send_away();
    }

    /// The hash of all of it; `None` if the pool crashed with it.
    pub(super) async fn finish(mut self) -> Option<Sha256> {
        self.come_back().await;
        self.send_away();
        self.come_back().await;
        match self.state {
            State::Here(state) => Some(Sha256(state.finalize().into())),
            State::Away(_) | State::Lost => None,
        }
    }

    /// Gives the pool what waits for it, if it has nothing yet.
    fn send_away(&mut self) {
        let Some(pool) = self.pool.as_ref().filter(|_| !self.waiting.is_empty()) else { return };
        self.state = match mem::replace(&mut self.state, State::Lost) {
            State::Here(state) => {
                self.waiting_bytes = 0;
                let hash = Hash { state, bytes: mem::take(&mut self.waiting) };
                State::Away(Box::pin(pool.send(Run(hash))))
            }
            State::Away(hash) => State::Away(hash),
            State::Lost => {
                self.waiting_bytes = 0;
                self.waiting.clear();
                State::Lost
            }
        };
    }

    async fn come_back(&mut self) {
        if let State::Away(hash) = &mut self.state {
            let answer = hash.as_mut().await;
            self.state = State::of(answer);
        }
    }
}

impl State {
    fn of<E, F>(answer: Result<Result<sha2::Sha256, E>, F>) -> Self {
        match answer {
            Ok(Ok(state)) => Self::Here(state),
            _ => Self::Lost,
        }
    }
}
