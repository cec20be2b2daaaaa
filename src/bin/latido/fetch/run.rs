//! One run of `latido fetch`: from the arguments to the end of the tree.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use latido::supervision::{SupervisorSpec, Tree};
use latido::{Event, EventKind, Events, ExitReason, Reporter};

use super::Intake;
use super::board::Board;
use super::error::BadInput;
use super::job::Rules;
use super::journal::{self, Journal, JournalError, Shared};
use super::ledger::Standing;
use super::summary::Tally;
use super::tree::Work;
use crate::cli::{Fault, FetchArgs};
use crate::exit::Exit;
use crate::signals::Signals;

/// How long parts may take to stop in order, after the end or the first signal.
const PATIENCE: Duration = Duration::from_secs(10);

/// Everything is checked, the journal knows the jobs, and nothing runs yet.
pub(crate) struct Ready {
    /// What the user should know, though it stops nothing.
    pub(crate) warnings: Vec<String>,
    /// What was wrong and is left out, with `--keep-going`.
    pub(crate) refused: BadInput,
    spec: SupervisorSpec,
    faults: Vec<Fault>,
    run: Run,
}

/// What is known of a run whether it is under way or over.
#[derive(Clone)]
pub(crate) struct Run {
    pub(crate) board: Arc<Board>,
    pub(crate) started: Instant,
    journal: Arc<Shared>,
    jobs: Arc<[i64]>,
    _reserved: Arc<File>,
}

pub(crate) struct Running {
    pub(crate) tree: Tree,
    run: Run,
}

/// How a run ended.
pub(crate) enum End {
    /// No job is left to do.
    Finished,
    /// A signal; jobs may be left, and the journal has them.
    Interrupted(Exit),
    /// The tree gave up.
    GaveUp(ExitReason),
}

impl End {
    /// The exit code, if it was a signal.
    pub(crate) fn interruption(&self) -> Option<Exit> {
        match self {
            Self::Interrupted(exit) => Some(*exit),
            Self::Finished | Self::GaveUp(_) => None,
        }
    }
}

impl Ready {
    /// Checks what was asked for and makes it ready. What is wrong is said before anything is done.
    pub(crate) fn new(args: &FetchArgs) -> Result<Self> {
        Self::with(args, None)
    }

    /// The same for a run that goes on when nothing is left to do, with all that its journal has.
    pub(crate) fn standing(args: &FetchArgs, standing: Standing) -> Result<Self> {
        Self::with(args, Some(standing))
    }

    fn with(args: &FetchArgs, standing: Option<Standing>) -> Result<Self> {
        let intake = Intake::new(args)?;
        let exec = args.commands.exec();
        let work = Work {
            journal: Shared::new(intake.journal.clone(), None),
            reserved: None,
            jobs: Arc::new([]),
            rules: Rules {
                max_tries: args.max_tries,
                exec: exec.is_some(),
                exec_tries: args.commands.exec_tries,
            },
            exec: exec.clone(),
            settings: Arc::new(args.http.settings(intake.credentials())?),
            manners: args.http.manners(),
            newer: args.http.newer,
            content_disposition: args.http.content_disposition,
            downloaders: match standing {
                Some(_) => args.jobs.into(),
                None => usize::from(args.jobs).min(intake.count()).max(1),
            },
            transfer: args.transfer,
            hung_after: args.hung_after.unwrap_or_default(),
            tells_all: args.json,
            standing,
        };
        let faults: Vec<_> = args.faults.iter().cloned().map(|fault| fault.seeded(args.fault_seed)).collect();
        check_faults(&faults, &work)?;
        let reserved = Arc::new(journal::reserve(&intake.journal)?);
        let mut journal = Journal::open(&intake.journal)?;
        let admitted = journal.admit(intake.requests())?;
        if let Some(exec) = &exec {
            journal.process_anew(&admitted.jobs, &exec.template.to_string())?;
        }
        if args.http.newer {
            journal.ask_anew(&admitted.jobs)?;
        }
        intake.directories.keep();
        for part in &admitted.orphans {
            // It belongs to a request that was changed; that it is gone already is as good.
            let _ = std::fs::remove_file(part);
        }
        let jobs: Arc<[i64]> = admitted.jobs.into();
        let journal = Shared::new(intake.journal, Some(journal));
        let work =
            Work { jobs: jobs.clone(), journal: journal.clone(), reserved: Some(reserved.clone()), ..work };
        let (spec, board) = work.into_tree();
        let run = Run { board, started: Instant::now(), journal, jobs, _reserved: reserved };
        Ok(Self { warnings: intake.warnings, refused: intake.refused, spec, faults, run })
    }

    /// The tree that would be started, for those who want to know beforehand what can be done to it.
    pub(crate) fn into_spec(self) -> SupervisorSpec {
        self.spec
    }

    /// Starts the tree. Faults that strike at a message are in place before its parts run; the others strike once it is
    /// up, for a part that fails as it starts for the first time ends a tree.
    pub(crate) fn start(self) -> Result<Running> {
        let tree = self.spec.start()?;
        let (at_once, at_messages): (Vec<_>, Vec<_>) = self.faults.into_iter().partition(Fault::is_at_once);
        for injection in &at_messages {
            inject(&tree, injection);
        }
        actix::spawn(strike(tree.clone(), tree.subscribe(), at_once));
        Ok(Running { tree, run: self.run })
    }
}

/// Lets faults strike one after the other, each in a tree whose parts are up: a part that stops itself while it starts
/// would be taken for one that has nothing to do.
async fn strike(tree: Tree, mut events: Events, faults: Vec<Fault>) {
    let is_up = |event: &Event| matches!(event.kind, EventKind::Started);
    let (mut path, mut starts) = ("latido".to_owned(), 1);
    for fault in faults {
        for _ in 0..starts {
            if events.until(&path, is_up).await.is_none() {
                return;
            }
        }
        let struck = inject(&tree, &fault);
        starts = if fault.ends_a_life() { struck } else { 0 };
        path = fault.path;
    }
}

fn inject(tree: &Tree, Fault { path, injection }: &Fault) -> usize {
    tree.inject(path, injection.clone()).expect("it was checked before the start")
}

impl Running {
    pub(crate) fn run(&self) -> Run {
        self.run.clone()
    }

    /// Waits until there is nothing left to do, or a signal comes, or the tree gives up.
    pub(crate) async fn end(&self, signals: &mut Signals) -> End {
        tokio::select! {
            () = self.run.board.finished() => End::Finished,
            reason = self.tree.join() => End::GaveUp(reason),
            exit = signals.next() => End::Interrupted(exit),
        }
    }

    /// Stops the tree in order; on a signal, at once.
    pub(crate) async fn stop(&self, signals: &mut Signals) {
        tokio::select! {
            _ = self.tree.stop(PATIENCE) => {}
            _ = signals.next() => drop(self.tree.stop(Duration::ZERO).await),
        }
    }
}

/// A fault that fits no part is a mistake, and said while nothing has been done yet.
fn check_faults(faults: &[Fault], work: &Work) -> Result<()> {
    if faults.is_empty() {
        return Ok(());
    }
    let (tree, _) = work.clone().into_tree();
    for Fault { path, injection } in faults {
        if let Err(error) = tree.check_injection(path, injection) {
            bail!("--fault {path}={injection}: {error}");
        }
    }
    Ok(())
}

impl Run {
    pub(crate) fn journal(&self) -> &Path {
        self.journal.path()
    }

    pub(crate) fn jobs(&self) -> usize {
        self.jobs.len()
    }

    /// What has become of the jobs, as the journal has it; to be asked when the tree has ended.
    pub(crate) fn tally(&self) -> Result<Tally, JournalError> {
        match self.journal.open() {
            Some(opened) => opened?,
            None => return Err(JournalError::Stuck(self.journal().to_owned())),
        }
        self.journal.lease(Reporter::default()).get()?.tally(&self.jobs)
    }
}
