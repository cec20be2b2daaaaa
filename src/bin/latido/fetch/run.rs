//! One run of `latido fetch`: from the arguments to the end of the tree.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use latido::ExitReason;
use latido::supervision::{SupervisorSpec, Tree};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::Intake;
use super::board::Board;
use super::job::{Job, Rules};
use super::journal::Journal;
use super::tree::Work;
use crate::cli::{FetchArgs, Injection};

/// How long parts may take to stop in order, after the end or the first signal.
const PATIENCE: Duration = Duration::from_secs(10);

/// Everything is checked, the journal knows the jobs, and nothing runs yet.
pub(crate) struct Ready {
    spec: SupervisorSpec,
    faults: Vec<Injection>,
    run: Run,
}

/// What is known of a run whether it is under way or over.
#[derive(Clone)]
pub(crate) struct Run {
    pub(crate) board: Arc<Board>,
    pub(crate) started: Instant,
    journal: PathBuf,
    jobs: Vec<i64>,
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
    Interrupted(SignalKind),
    /// The tree gave up.
    GaveUp(ExitReason),
}

impl Ready {
    /// Checks what was asked for and makes it ready. What is wrong is said before anything is done.
    pub(crate) fn new(args: &FetchArgs) -> Result<Self> {
        let intake = Intake::new(args)?;
        for warning in &intake.warnings {
            log::warn!("{warning}");
        }
        let work = Work {
            journal: intake.journal.clone(),
            jobs: Vec::new(),
            rules: Rules {
                max_tries: args.max_tries,
                exec: args.exec.is_some(),
            },
            exec: args.exec.clone(),
            downloaders: usize::from(args.jobs).min(intake.requests.len()).max(1),
        };
        check_faults(&args.faults, &work)?;
        let admitted = Journal::open(&intake.journal)?.admit(intake.requests)?;
        for part in &admitted.orphans {
            // It belongs to a request that was changed; that it is gone already is as good.
            let _ = std::fs::remove_file(part);
        }
        let jobs: Vec<i64> = admitted.jobs.iter().map(|job| job.id).collect();
        let work = Work {
            jobs: jobs.clone(),
            ..work
        };
        let (spec, board) = work.into_tree();
        let run = Run {
            board,
            started: Instant::now(),
            journal: intake.journal,
            jobs,
        };
        Ok(Self {
            spec,
            faults: args.faults.clone(),
            run,
        })
    }

    /// Starts the tree; faults are in place before its parts run.
    pub(crate) fn start(self) -> Result<Running> {
        let tree = self.spec.start()?;
        for Injection { path, fault, when } in self.faults {
            tree.inject_when(&path, fault, when)
                .with_context(|| format!("--fault {path}"))?;
        }
        Ok(Running { tree, run: self.run })
    }
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
            kind = signals.next() => End::Interrupted(kind),
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

/// Ctrl-C and SIGTERM. Once listened to, they no longer end the program by themselves.
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    pub(crate) fn listen() -> Result<Self> {
        let (interrupt, terminate) = (SignalKind::interrupt(), SignalKind::terminate());
        Ok(Self {
            interrupt: signal(interrupt)?,
            terminate: signal(terminate)?,
        })
    }

    async fn next(&mut self) -> SignalKind {
        tokio::select! {
            _ = self.interrupt.recv() => SignalKind::interrupt(),
            _ = self.terminate.recv() => SignalKind::terminate(),
        }
    }
}

/// A fault that fits no part is a mistake, and said while nothing has been done yet.
fn check_faults(faults: &[Injection], work: &Work) -> Result<()> {
    let (tree, _) = work.clone().into_tree();
    let paths = tree.paths();
    for Injection { path, .. } in faults {
        if !paths.iter().any(|known| known.matches(path)) {
            let known: Vec<_> = paths.iter().map(ToString::to_string).collect();
            bail!(
                "--fault {path} fits no part of the tree; there are {}",
                known.join(", ")
            );
        }
    }
    Ok(())
}

impl Run {
    /// The jobs as the journal has them; to be asked when the tree has ended.
    pub(crate) fn jobs(&self) -> Result<Vec<Job>> {
        let of_this_run: HashSet<i64> = self.jobs.iter().copied().collect();
        let jobs = Journal::open(&self.journal)?.jobs()?;
        Ok(jobs
            .into_iter()
            .filter(|job| of_this_run.contains(&job.id))
            .collect())
    }
}
