//! The supervision tree of a fetch.
//!
//! ```text
//! latido             one for one
//! ├── heartbeat      a thread of its own: its beats say that the rest may be busy, but is not dead
//! ├── ledger         a thread of its own: it writes to disk
//! ├── downloaders    one for one
//! │   └── 0 1 2 ...  on as many arbiter threads as there are cores
//! ├── cpu            a thread of its own, in front of the worker threads, which hash what is large
//! ├── exec           one for one, with --exec
//! │   └── 0 1 ...    as many as there are cores, on a thread of their own
//! └── inbox          in a daemon, a thread of its own: it reads lists
//! ```
//!
//! Nobody here needs a sibling's state: who loses an answer hears of it, and the ledger hands the stage out again. So
//! every part restarts alone. And none runs on the main thread, which has the supervisors, the view and the signals:
//! a part that is stuck can be seen, and be stopped.

use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

use latido::actors::cpu_pool::CpuPool;
use latido::actors::downloader::{Downloader, Settings};
use latido::actors::heartbeat::Heartbeat;
use latido::actors::process::CommandRunner;
use latido::supervision::{Arbiters, Backoff, ChildSpec, Placement, SupervisorSpec};

use super::board::Board;
use super::exec::Exec;
use super::hosts::Manners;
use super::hung::HungAfter;
use super::job::{Rules, Stage};
use super::journal::{self, Shared};
use super::ledger::{Crew, Ledger, Plan, Standing};
use crate::cli::TransferArgs;

/// From beat to beat.
const INTERVAL: Duration = Duration::from_secs(1);

/// From SIGTERM to SIGKILL for a command of `--exec`: less than the five seconds that a supervisor gives who runs it.
const COMMAND_GRACE: Duration = Duration::from_secs(4);

/// What a tree is made for.
#[derive(Clone)]
pub(crate) struct Work {
    pub(crate) journal: Arc<Shared>,
    /// What keeps others away from the journal; until nothing is left of any command.
    pub(crate) reserved: Option<Arc<File>>,
    /// The jobs of this run, by their ids in the journal and in their order.
    pub(crate) jobs: Arc<[i64]>,
    pub(crate) rules: Rules,
    pub(crate) exec: Option<Exec>,
    /// How the downloaders speak to servers.
    pub(crate) settings: Arc<Settings>,
    pub(crate) manners: Manners,
    pub(crate) newer: bool,
    pub(crate) content_disposition: bool,
    pub(crate) downloaders: usize,
    pub(crate) transfer: TransferArgs,
    /// Who blocks its thread for so long is replaced.
    pub(crate) hung_after: HungAfter,
    /// Whether somebody wants to hear of each step of each job.
    pub(crate) tells_all: bool,
    /// For a run that goes on when nothing is left to do.
    pub(crate) standing: Option<Standing>,
}

impl Work {
    /// The tree, and the board on which its progress is written.
    pub(crate) fn into_tree(self) -> (SupervisorSpec, Arc<Board>) {
        let hung_after = self.hung_after;
        let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
        let threads = Arbiters::new(cores.min(self.downloaders));
        let cpu = ChildSpec::new("cpu", || CpuPool::new(0)).on(Placement::OwnThread).backoff(gentle());
        let cpu = hung_after.watch_all(cpu);
        let pool = cpu.actor_ref();
        let settings = self.settings;
        let downloader = move || Downloader::new(settings.clone()).hash_on(pool.clone());
        let downloaders = children(self.downloaders, downloader, &Placement::Shared(threads));
        let downloaders: Vec<_> =
            downloaders.into_iter().map(|spec| Downloader::breakable(hung_after.watch_all(spec))).collect();
        let reserved = self.reserved;
        let runner = move || {
            let runner = CommandRunner::default().grace(COMMAND_GRACE);
            reserved.iter().fold(runner, |runner, reserved| runner.hold(reserved.clone()))
        };
        let runners = children(
            if self.exec.is_some() { cores } else { 0 },
            runner,
            &Placement::Shared(Arbiters::new(1)),
        );
        let runners: Vec<_> =
            runners.into_iter().map(|spec| CommandRunner::breakable(hung_after.watch_all(spec))).collect();
        let standing = self.standing;
        let board = Arc::new(Board::new(self.downloaders, standing.is_some()));
        let heartbeat = heartbeat(self.journal.path(), &board, standing.as_ref());
        let plan = Arc::new(Plan {
            journal: self.journal,
            jobs: self.jobs,
            rules: self.rules,
            manners: self.manners,
            newer: self.newer,
            content_disposition: self.content_disposition,
            exec: self.exec,
            transfer: self.transfer,
            tells_all: self.tells_all,
            stays: standing.is_some(),
            crew: Crew {
                downloaders: downloaders.iter().map(ChildSpec::actor_ref).collect(),
                cpu: cpu.actor_ref(),
                runners: runners.iter().map(ChildSpec::actor_ref).collect(),
            },
            board: board.clone(),
        });
        let ledger =
            ChildSpec::new("ledger", move || Ledger::new(&plan)).on(Placement::OwnThread).backoff(gentle());
        let ledger = Ledger::breakable(hung_after.watch(ledger));
        let way_in = standing.as_ref().map(|standing| (standing.way_in)(ledger.actor_ref(), hung_after));
        let mut tree = team("latido", 5)
            .child(hung_after.watch_all(heartbeat.spec("heartbeat").backoff(gentle())))
            .child(ledger)
            .child(team("downloaders", downloaders.len()).children(downloaders))
            .child(cpu);
        if !runners.is_empty() {
            tree = tree.child(team("exec", runners.len()).children(runners));
        }
        if let Some(way_in) = way_in {
            tree = tree.child(way_in);
        }
        (tree, board)
    }
}

/// A supervisor whose members may each fail a few times in ten seconds: more of them, more failures.
fn team(id: &str, members: usize) -> SupervisorSpec {
    let restarts = u32::try_from(5 + 2 * members).unwrap_or(u32::MAX);
    SupervisorSpec::new(id).intensity(restarts, Duration::from_secs(10))
}

fn children<A: actix::Actor<Context = actix::Context<A>>>(
    count: usize,
    factory: impl Fn() -> A + Clone + Send + Sync + 'static,
    placement: &Placement,
) -> Vec<ChildSpec<A>> {
    let child =
        |n: usize| ChildSpec::new(n.to_string(), factory.clone()).on(placement.clone()).backoff(gentle());
    (0..count).map(child).collect()
}

/// A first restart that nobody notices, and a crash loop that does not burn the processor. The longest wait is short
/// enough for a loop to use its supervisor's restarts up: with a longer one a part that cannot work would be restarted
/// for ever, and the run never end.
pub(crate) fn gentle() -> Backoff {
    Backoff::exponential(Duration::from_millis(10), Duration::from_millis(250)).jitter(0.2)
}

fn heartbeat(journal: &std::path::Path, board: &Arc<Board>, standing: Option<&Standing>) -> Heartbeat {
    let gauge = |stage| {
        let board = board.clone();
        move || board.count(stage) as u64
    };
    let heartbeat = Heartbeat::every(interval(standing))
        .file(journal::heartbeat(journal))
        .gauge("jobs_done", gauge(Stage::Done))
        .gauge("jobs_failed", gauge(Stage::Failed));
    match standing.map(|standing| standing.on_beat.clone()) {
        Some(on_beat) => heartbeat.on_beat(move |beat| on_beat(beat)),
        None => heartbeat,
    }
}

fn interval(standing: Option<&Standing>) -> Duration {
    standing.map_or(INTERVAL, |standing| standing.beat)
}
