//! Several files in one message.

use std::fmt;
use std::mem;
use std::pin::pin;
use std::time::Duration;

use actix::prelude::*;
use futures::future::{Either, select};
use tokio::time::sleep;

use super::transfer::{self, Means};
use super::{Downloader, Fetch, FetchError, Fetched};
use crate::Reporter;
use crate::actors::WhileWanted;

/// Fetches files one after the other, and answers how each ended, in their order. Two threads need longer to talk to each
/// other than a small file needs to come, so many small files are best asked for together.
///
/// It ends when its sender stops waiting, and with the actor; what it has fetched and not told yet is then removed.
#[derive(Message)]
#[rtype(result = "Vec<Result<Fetched, FetchError>>")]
pub struct FetchAll {
    fetches: Vec<Fetch>,
    patience: Option<(Duration, Tell)>,
    asker: Reporter,
}

type Tell = Box<dyn FnOnce(Early) + Send>;

/// What a [`FetchAll`] has come to when its sender's patience is over.
#[derive(Debug)]
pub struct Early {
    /// How the first of them ended. The answer to the message is about those after them.
    pub ended: Vec<Result<Fetched, FetchError>>,
    /// So many of the last have not been begun, and will not be: they are given back.
    pub given_back: usize,
}

impl FetchAll {
    /// Fetches these.
    pub fn new(fetches: Vec<Fetch>) -> Self {
        Self { fetches, patience: None, asker: Reporter::default() }
    }

    /// [`Fetch::asked_by`] of all of them.
    pub fn asked_by(mut self, asker: Reporter) -> Self {
        self.fetches.iter_mut().for_each(|fetch| fetch.asker = asker.clone());
        self.asker = asker;
        self
    }

    /// So that nothing waits behind a large file or a slow server: after `patience`, what has ended is told and what has
    /// not been begun is given back. The file in hand goes on, and is the only one left. `tell` is called on the
    /// downloader's thread, at most once and before the answer, if there is anything to tell.
    pub fn patience(mut self, patience: Duration, tell: impl FnOnce(Early) + Send + 'static) -> Self {
        self.patience = Some((patience, Box::new(tell)));
        self
    }
}

impl Handler<FetchAll> for Downloader {
    type Result = WhileWanted<Self, Vec<Result<Fetched, FetchError>>>;

    fn handle(&mut self, batch: FetchAll, _: &mut Context<Self>) -> Self::Result {
        let (means, asker) = (self.means(), batch.asker.clone());
        let run = async move { handed_over(run(&means, batch).await) };
        WhileWanted::new(run.into_actor(self)).asked_by(asker)
    }
}

async fn run(
    means: &Means,
    FetchAll { fetches, patience, .. }: FetchAll,
) -> Vec<Result<Fetched, FetchError>> {
    let mut ended = Vec::with_capacity(fetches.len());
    let mut fetches = fetches.into_iter();
    let (time, mut tell) = patience.unzip();
    let mut over = pin!(async {
        match time {
            Some(time) => sleep(time).await,
            None => std::future::pending().await,
        }
    });
    while let Some(fetch) = fetches.next() {
        let transfer = pin!(transfer::run(means, fetch));
        let transfer = match (&mut tell, transfer) {
            (None, transfer) => transfer,
            (Some(_), transfer) => match select(transfer, over.as_mut()).await {
                Either::Left((result, _)) => {
                    ended.push(result);
                    continue;
                }
                Either::Right(((), transfer)) => transfer,
            },
        };
        if let Some(tell) = tell.take() {
            let early = Early {
                ended: handed_over(mem::take(&mut ended)),
                given_back: mem::replace(&mut fetches, Vec::new().into_iter()).len(),
            };
            if !early.ended.is_empty() || early.given_back > 0 {
                tell(early);
            }
        }
        ended.push(transfer.await);
    }
    ended
}

fn handed_over(ended: Vec<Result<Fetched, FetchError>>) -> Vec<Result<Fetched, FetchError>> {
    ended.into_iter().map(super::handed_over).collect()
}

impl fmt::Debug for FetchAll {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FetchAll").field("fetches", &self.fetches).finish_non_exhaustive()
    }
}
