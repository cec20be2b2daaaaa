//! The actor that owns every job. It hands stages out and takes answers in; whoever has a stage answers and forgets.
//! What is not in the journal yet when the ledger crashes is done again by the next ledger, so a crash costs an
//! attempt, never a job.
//!
//! | file | idea |
//! |---|---|
//! | [`taking_up`] | the jobs as the journal and the disk have them |
//! | [`admitting`] | more of them, in a run that stays |
//! | [`fetching`], [`portions`] | files to the downloaders, several at once, and what comes of them |
//! | [`sparing`] | files that wait for a server outside the downloaders' hands |
//! | [`verifying`] | the digest, and the name |
//! | [`naming`] | a name that the server gives |
//! | [`processing`] | `--exec` |
//! | [`answering`] | what an answer makes of a job |
//! | [`blaming`] | what came of whose trouble |
//! | [`resting`] | parts that lose what they are given |
//! | [`space`] | waiting for a full disk |
//! | [`breaking`] | a fault of its own |

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix::prelude::*;
use latido::Reporter;
use latido::actors::cpu_pool::CpuPool;
use latido::actors::downloader::{Downloader, Fetched};
use latido::actors::process::CommandRunner;
use latido::incident::Trouble;
use latido::supervision::{ActorRef, Backoff};

use super::board::Board;
use super::exec::{Exec, Queue};
use super::hosts::{Hosts, Manners};
use super::job::{Job, Rules, Stage};
use super::journal::{Held, JournalError, Lease, Shared};
use super::mirrors::Mirrors;
use crate::cli::TransferArgs;

mod admitting;
mod answering;
mod blaming;
mod breaking;
mod fetching;
mod naming;
mod portions;
mod processing;
mod resting;
mod space;
mod sparing;
mod taking_up;
mod verifying;

pub(crate) use admitting::{Admission, Admit, Ping, Standing};
use fetching::Downloads;
use resting::Losses;

/// Between tries of one job: 1 s, 2 s, 4 s ... 1 min, each up to a quarter longer.
fn backoff() -> Backoff {
    Backoff::exponential(Duration::from_secs(1), Duration::from_secs(60)).jitter(0.25)
}

/// From one write to the journal to the next. What a run that is killed has done in this time is done again.
const GROUP: Duration = Duration::from_millis(10);

/// A write that was asked for and has not come by then is asked for again: its message may have been dropped on purpose.
const ASKED_AGAIN: Duration = Duration::from_secs(1);

/// What a ledger is built from; the same for every incarnation.
pub(crate) struct Plan {
    pub(crate) journal: Arc<Shared>,
    /// The jobs of this run, in order.
    pub(crate) jobs: Arc<[i64]>,
    pub(crate) rules: Rules,
    pub(crate) manners: Manners,
    /// Whether files are called what their servers call them.
    pub(crate) content_disposition: bool,
    /// Whether files that are done are asked for again if they have changed.
    pub(crate) newer: bool,
    pub(crate) exec: Option<Exec>,
    pub(crate) transfer: TransferArgs,
    /// Whether somebody wants to hear of each step of each job.
    pub(crate) tells_all: bool,
    /// Whether it has all jobs that the journal has, and waits for more when they are finished.
    pub(crate) stays: bool,
    pub(crate) crew: Crew,
    pub(crate) board: Arc<Board>,
}

/// Those who do the work. They are asked by way of an [`ActorRef`], which answers also when one hangs.
pub(crate) struct Crew {
    pub(crate) downloaders: Vec<ActorRef<Downloader>>,
    pub(crate) cpu: ActorRef<CpuPool>,
    pub(crate) runners: Vec<ActorRef<CommandRunner>>,
}

pub(crate) struct Ledger {
    plan: Arc<Plan>,
    journal: Lease,
    /// Those that are under way. The others are in the journal alone: a list may be long.
    jobs: HashMap<i64, Job>,
    /// Changed since the journal was last written; one may stand here twice.
    unsaved: Vec<i64>,
    saved: Option<Instant>,
    /// How often.
    writes: u64,
    to_fetch: VecDeque<i64>,
    to_process: Option<Queue>,
    downloads: Downloads,
    hosts: Hosts,
    idle_runners: Vec<usize>,
    runner_losses: Losses,
    cpu_losses: Losses,
    /// Whether somebody looks after files that wait for a batch.
    is_awake_for_batch: bool,
    /// Complete, and not yet under their names; by which downloader.
    fetched: HashMap<i64, (usize, Fetched)>,
    /// What held those jobs up that were held up.
    troubles: HashMap<i64, Trouble>,
    unfinished: usize,
    mirrors: Mirrors,
    /// Directories with new names in them that are to be synced.
    renamed: BTreeSet<PathBuf>,
    /// A directory on a file system that was found full.
    full: Option<PathBuf>,
    /// It will be asked again whether it still is.
    asks_again: bool,
    reporter: Reporter,
}

impl Ledger {
    pub(crate) fn new(plan: &Arc<Plan>) -> Self {
        let reporter = Reporter::current();
        Self {
            journal: plan.journal.lease(reporter.clone()),
            jobs: HashMap::new(),
            unsaved: Vec::new(),
            saved: None,
            writes: 0,
            to_fetch: VecDeque::new(),
            to_process: plan.exec.as_ref().map(Exec::queue),
            is_awake_for_batch: false,
            downloads: Downloads::new(plan.crew.downloaders.len()),
            hosts: Hosts::new(plan.manners, plan.crew.downloaders.len()),
            idle_runners: (0..plan.crew.runners.len()).rev().collect(),
            runner_losses: Losses::new(plan.crew.runners.len()),
            cpu_losses: Losses::new(1),
            fetched: HashMap::new(),
            troubles: HashMap::new(),
            unfinished: 0,
            mirrors: Mirrors::default(),
            renamed: BTreeSet::new(),
            full: None,
            asks_again: false,
            reporter,
            plan: plan.clone(),
        }
    }

    /// The journal, for one step. Panics if somebody else is in this ledger's place, which it cannot know otherwise.
    fn journal(&self) -> Held<'_> {
        sound(self.journal.get())
    }

    /// A job that is under way from now on.
    fn take(&mut self, id: i64) -> &mut Job {
        let journal = &self.journal;
        self.jobs.entry(id).or_insert_with(|| sound(sound(journal.get()).job(id)))
    }

    /// Changes a job that is under way, and sees to it that the board hears of it.
    fn change<R>(&mut self, id: i64, change: impl FnOnce(&mut Job) -> R) -> R {
        sound(self.journal.check());
        let job = self.take(id);
        let before = job.stage;
        let result = change(job);
        let (stage, bytes) = (job.stage, job.bytes);
        self.plan.board.moved(before, stage, bytes);
        result
    }

    /// Sees to it that the journal hears of a job: at once if it has not for a while, else together with others. The
    /// last of all does not wait.
    fn save(&mut self, id: i64, ctx: &mut Context<Self>) {
        let is_first = self.unsaved.is_empty();
        self.unsaved.push(id);
        let wait = self.saved.map_or(Duration::ZERO, |saved| GROUP.saturating_sub(saved.elapsed()));
        if self.unfinished == 0 || (is_first && wait.is_zero()) {
            self.ask_to_save(ctx);
        } else if is_first {
            ctx.run_later(wait, |ledger, ctx| ledger.ask_to_save(ctx));
        }
    }

    /// By way of the mailbox, so that a fault can be told to strike at the n-th.
    fn ask_to_save(&self, ctx: &mut Context<Self>) {
        ctx.address().do_send(Save);
        let writes = self.writes;
        ctx.run_later(ASKED_AGAIN, move |ledger, ctx| {
            if ledger.writes == writes && !ledger.unsaved.is_empty() {
                ledger.ask_to_save(ctx);
            }
        });
    }

    fn write(&mut self) {
        if self.unsaved.is_empty() {
            return;
        }
        for directory in std::mem::take(&mut self.renamed) {
            // Some file systems cannot; then there is nothing that could be done.
            if let Err(error) = File::open(&directory).and_then(|directory| directory.sync_all()) {
                log::warn!("{} could not be synced: {error}", directory.display());
            }
        }
        sound(self.journal().record(self.unsaved.iter().filter_map(|id| self.jobs.get(id))));
        self.saved = Some(Instant::now());
        self.writes += 1;
        for id in self.unsaved.drain(..) {
            // Those that wait for another try are read again when their turn comes.
            if self.jobs.get(&id).is_some_and(|job| job.is_finished() || job.stage == Stage::Queued) {
                self.jobs.remove(&id);
            }
        }
    }

    fn hand_out(&mut self, ctx: &mut Context<Self>) {
        sound(self.journal.check());
        self.hand_out_commands(ctx);
        self.hand_out_fetches(ctx);
    }
}

/// What the journal says. Without it a ledger cannot go on.
fn sound<T>(answer: Result<T, JournalError>) -> T {
    answer.unwrap_or_else(|error| latido::crash(error))
}

/// Writes what has changed to the journal.
#[derive(Message)]
#[rtype(result = "()")]
struct Save;

impl Handler<Save> for Ledger {
    type Result = ();

    fn handle(&mut self, _: Save, _: &mut Context<Self>) {
        self.write();
        if self.unfinished == 0 && !self.plan.stays {
            self.plan.board.finish();
        }
    }
}

impl Actor for Ledger {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        self.open(ctx);
    }

    /// What is done is done, also if the run is ended before the next write is due.
    fn stopped(&mut self, _: &mut Context<Self>) {
        self.write();
    }
}
