//! Files to the downloaders, several in one message, and what comes of them.
//!
//! A downloader that does not get on with its portion tells early what is done and gives back what it has not begun, so
//! nothing waits behind a slow server. That comes by a channel of this ledger's own and not by its mailbox, which the
//! next ledger inherits: what an old one asked for ends with it.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::time::{Duration, Instant, UNIX_EPOCH};

use actix::fut::ActorFuture;
use actix::prelude::*;
use latido::actors::digest::Algorithm;
use latido::actors::downloader::{Early, Fetch, FetchAll, FetchError, Fetched, Progress};
use latido::supervision::AskError;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::portions::Portions;
use super::resting::Losses;
use super::{Ledger, sound, taking_up};
use crate::fetch::board::{Coming, Transfer};
use crate::fetch::job::{Answer, Job, Pieces};
use crate::fetch::report::JobReport;

/// How long a downloader may have its portion.
const PATIENCE: Duration = Duration::from_millis(50);

/// So many jobs are read at once.
const AHEAD: usize = 128;

pub(super) struct Downloads {
    idle: Vec<usize>,
    /// What each downloader has and has not told of, in the order in which it will.
    in_hand: Vec<VecDeque<Ticket>>,
    portions: Portions,
    losses: Losses,
    tell: UnboundedSender<Told>,
    told: UnboundedReceiver<Told>,
}

/// By which downloader, and what.
type Told = (usize, Early);

/// A file that a downloader has.
#[derive(Clone, Copy)]
struct Ticket {
    id: i64,
    attempt: u32,
}

impl Downloads {
    pub(super) fn new(downloaders: usize) -> Self {
        let (tell, told) = unbounded_channel();
        Self {
            idle: (0..downloaders).rev().collect(),
            in_hand: (0..downloaders).map(|_| VecDeque::new()).collect(),
            portions: Portions::new(downloaders),
            losses: Losses::new(downloaders),
            tell,
            told,
        }
    }
}

impl Downloads {
    /// Whether any downloader has anything.
    pub(super) fn any(&self) -> bool {
        self.idle.len() < self.in_hand.len()
    }
}

impl Ledger {
    // ===== files go out =====

    pub(super) fn hand_out_fetches(&mut self, ctx: &mut Context<Self>) {
        while !self.to_fetch.is_empty()
            && self.has_room(ctx)
            && let Some(downloader) = self.downloads.idle.pop()
        {
            let size = self.downloads.portions.next(downloader, self.to_fetch.len());
            let ids = self.next_files(downloader, size, ctx);
            if ids.is_empty() {
                self.downloads.idle.push(downloader);
                return;
            }
            self.fetch(downloader, ids, ctx);
        }
    }

    /// Gives a downloader its next portion.
    fn fetch(&mut self, downloader: usize, ids: Vec<i64>, ctx: &mut Context<Self>) {
        let progress = Arc::new(Progress::default());
        let (mut fetches, mut files) = (Vec::with_capacity(ids.len()), Vec::with_capacity(ids.len()));
        for id in ids {
            self.take(id);
            let turn = self.mirrors.choose(id, &self.jobs[&id].request);
            self.change(id, |job| {
                job.turn = turn;
                job.start()
            });
            let Job { attempt, request, pieces, .. } = &self.jobs[&id];
            let fetch = Fetch::new(self.jobs[&id].url(), &*request.target).part(request.part());
            let fetch = fetch.progress(progress.clone());
            let fetch = if self.plan.newer { if_newer(fetch, &self.jobs[&id]) } else { fetch };
            let transfer = self.plan.transfer;
            let fetch = if *pieces == Pieces::Refused { transfer.put(fetch) } else { transfer.apply(fetch) };
            fetches.push(match request.algorithm() {
                Algorithm::Sha256 => fetch.sha256(),
                _ => fetch, // hashed by the pool, once it is there
            });
            files.push(Coming { id, name: request.name() });
            self.downloads.in_hand[downloader].push_back(Ticket { id, attempt: *attempt });
            if self.plan.tells_all {
                self.reporter.report(JobReport::started(&self.jobs[&id]));
            }
        }
        self.plan.board.set_transfer(downloader, Some(Transfer { files: files.into(), progress }));

        let tell = self.downloads.tell.clone();
        let since = Instant::now();
        let portion = FetchAll::new(fetches)
            .asked_by(self.reporter.clone())
            .patience(PATIENCE, move |told| drop(tell.send((downloader, told))));
        let it = self.plan.crew.downloaders[downloader].clone();
        let answer = async move { it.ask(portion).await }.into_actor(self);
        ctx.spawn(answer.map(move |answer, ledger, ctx| {
            ledger.hear_all(ctx);
            let rest = match answer {
                Ok(ended) => {
                    ledger.ended(downloader, ended, ctx);
                    ledger.downloads.portions.done(downloader, since.elapsed() < PATIENCE);
                    ledger.downloads.losses.answered(downloader);
                    None
                }
                Err(error) => {
                    ledger.lost(downloader, &error, ctx);
                    ledger.downloads.losses.lost(downloader)
                }
            };
            ledger.leave_hosts(downloader);
            ledger.plan.board.set_transfer(downloader, None);
            match rest {
                None => ledger.downloads.idle.push(downloader),
                Some(rest) => drop(ctx.run_later(rest, move |ledger, ctx| {
                    ledger.downloads.idle.push(downloader);
                    ledger.hand_out(ctx);
                })),
            }
            ledger.hand_out(ctx);
        }));
    }

    /// Reads the jobs whose turn comes next, many at once.
    pub(super) fn read_ahead(&mut self) {
        let next = self.to_fetch.iter().copied();
        if self.to_fetch.front().is_some_and(|id| !self.jobs.contains_key(id)) {
            let unread: Vec<_> = next.take(AHEAD).filter(|id| !self.jobs.contains_key(id)).collect();
            let read = sound(self.journal().some(&unread));
            self.jobs.extend(read.into_iter().map(|job| (job.id, job)));
        }
    }

    /// What the downloader is at, if it is at anything.
    pub(super) fn in_hand(&self, downloader: usize) -> Option<i64> {
        self.downloads.in_hand[downloader].front().map(|ticket| ticket.id)
    }

    // ===== and come back =====

    /// Listens to downloaders that tell early.
    pub(super) fn listen(&mut self, ctx: &mut Context<Self>) {
        ctx.spawn(Listening);
    }

    /// Hears what was told early: it was told before any answer that has come.
    fn hear_all(&mut self, ctx: &mut Context<Self>) {
        while let Ok((downloader, told)) = self.downloads.told.try_recv() {
            self.hear(downloader, told, ctx);
        }
    }

    fn hear(&mut self, downloader: usize, Early { ended, given_back }: Early, ctx: &mut Context<Self>) {
        self.ended(downloader, ended, ctx);
        for _ in 0..given_back {
            if let Some(Ticket { id, attempt }) = self.downloads.in_hand[downloader].pop_back() {
                self.answer(id, attempt, Answer::GivenBack, None, ctx);
            }
        }
        self.leave_hosts(downloader);
    }

    fn ended(&mut self, downloader: usize, ended: Vec<Result<Fetched, FetchError>>, ctx: &mut Context<Self>) {
        for ended in ended {
            let Some(Ticket { id, attempt }) = self.downloads.in_hand[downloader].pop_front() else { return };
            let (answer, rest) = match ended {
                Ok(fetched) => {
                    let answer = Answer::Fetched { bytes: fetched.bytes(), pieced: fetched.is_pieced() };
                    self.fetched.insert(id, (downloader, fetched));
                    (answer, None)
                }
                Err(FetchError::NotModified) => (Answer::NotModified, None),
                Err(error) => {
                    self.note_room(&error);
                    self.blame_downloader(id, attempt, downloader);
                    (self.failed(id, &error), error.retry_after())
                }
            };
            self.answer(id, attempt, answer, rest, ctx);
        }
    }

    /// What its server has refused for good, another may have.
    fn failed(&mut self, id: i64, error: &FetchError) -> Answer {
        let is_ours = matches!(error, FetchError::Disk { .. } | FetchError::Full { .. });
        let transient = error.is_transient()
            || !is_ours
                && self.jobs.get(&id).is_some_and(|job| self.mirrors.gone(id, &job.request, job.turn));
        Answer::FetchFailed { error: error.into(), transient }
    }

    /// The downloader crashed, and what it had not told of is gone with it.
    fn lost(&mut self, downloader: usize, error: &AskError, ctx: &mut Context<Self>) {
        self.downloads.portions.lost();
        let part = self.plan.crew.downloaders[downloader].clone();
        while let Some(Ticket { id, attempt }) = self.downloads.in_hand[downloader].pop_back() {
            self.blame_end((id, attempt), error, &part);
            self.answer(id, attempt, Answer::Lost, None, ctx);
        }
    }
}

struct Listening;

impl ActorFuture<Ledger> for Listening {
    type Output = ();

    fn poll(
        self: Pin<&mut Self>,
        ledger: &mut Ledger,
        ctx: &mut Context<Ledger>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<()> {
        while let Poll::Ready(Some((downloader, told))) = ledger.downloads.told.poll_recv(cx) {
            ledger.hear(downloader, told, ctx);
            ledger.hand_out(ctx);
        }
        Poll::Pending
    }
}

/// Only if it has changed since, where what we have fetched is still there.
fn if_newer(fetch: Fetch, job: &Job) -> Fetch {
    let fetch = fetch.server_time();
    let Some(modified) = job.modified.filter(|_| job.digest.is_some() && job.request.checksum.is_none())
    else {
        return fetch;
    };
    let facts = taking_up::facts(job);
    match u64::try_from(modified) {
        Ok(since) if facts.target_bytes == Some(job.bytes) && facts.target_modified == Some(modified) => {
            fetch.if_modified_since(UNIX_EPOCH + Duration::from_nanos(since))
        }
        _ => fetch,
    }
}
