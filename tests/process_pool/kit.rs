//! A pool in a tree, and what it says.

use std::time::Duration;

use actix::prelude::*;
use latido::actors::cpu_pool::{CpuJob, JobError, Run};
use latido::actors::process::ProcessExit;
use latido::actors::process::pool::{JobInHand, PoolReport, ProcessPool, Quarantine};
use latido::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::jobs::{Elsewhere, WorkerId, jobs};
use super::support::{PROGRAMS, within};

pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// A supervised pool. Its supervisor allows no restart: whatever a job does must not need one.
pub(crate) struct Pool {
    pub(crate) addr: Addr<ProcessPool>,
    pub(crate) tree: Tree,
    pub(crate) events: Events,
}

/// To be called before anything is started.
pub(crate) fn registered() {
    jobs().job::<Elsewhere>("elsewhere").init_with(PROGRAMS);
}

pub(crate) fn pool(pool: impl Fn() -> ProcessPool + Send + Sync + 'static) -> Pool {
    registered();
    let spec = ChildSpec::new("pool", pool);
    let addr = spec.addr();
    let tree = SupervisorSpec::new("app").intensity(0, SECOND).child(spec).start().unwrap();
    let events = tree.subscribe();
    Pool { addr, tree, events }
}

impl Pool {
    pub(crate) async fn run<J>(&self, job: J) -> Result<J::Result, JobError>
    where
        J: CpuJob + Serialize,
        J::Result: DeserializeOwned,
    {
        within(self.addr.send(Run(job))).await.expect("the pool is up")
    }

    /// The process ids of so many workers, as they become ready.
    pub(crate) async fn ready(&mut self, count: usize) -> Vec<u32> {
        let mut pids = Vec::new();
        while pids.len() < count {
            let pid = |event: &Event| match event.report()? {
                PoolReport::WorkerReady { pid, .. } => Some(*pid),
                _ => None,
            };
            pids.push(within(self.events.find_map("app/pool", pid)).await.unwrap());
        }
        pids
    }

    /// How the next worker ends, and what it had to do.
    pub(crate) async fn lost(&mut self) -> (ProcessExit, JobInHand) {
        let lost = |event: &Event| match event.report()? {
            PoolReport::WorkerLost { exit, job, .. } => Some((exit.clone(), *job)),
            _ => None,
        };
        within(self.events.find_map("app/pool", lost)).await.unwrap()
    }

    pub(crate) async fn quarantined(&mut self) -> Quarantine {
        let quarantined = |event: &Event| match event.report()? {
            PoolReport::Quarantined(quarantine) => Some(quarantine.clone()),
            _ => None,
        };
        within(self.events.find_map("app/pool", quarantined)).await.unwrap()
    }

    /// It is as good as new, its supervisor has not noticed anything, and nothing is left when it has stopped.
    pub(crate) async fn ends_well(self) {
        let worker = self.run(WorkerId()).await.unwrap();
        assert!(self.tree.incidents().is_empty(), "{:?}", self.tree.incidents());
        within(self.tree.stop(20 * SECOND)).await;
        assert_eq!(super::support::state_of(&worker.to_string()), None);
    }
}

pub(crate) fn quarantine(answer: Result<impl std::fmt::Debug, JobError>) -> Quarantine {
    match answer {
        Err(JobError::Quarantined(quarantine)) => quarantine,
        other => panic!("{other:?}"),
    }
}
