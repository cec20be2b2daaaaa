//! Makes specs of what is planned.

use std::sync::Arc;

use latido::supervision::*;
use latido::{Reporter, TreePath};

use crate::plan::{Kind, LIMIT, NodePlan, PERIOD, Place, SECOND};
use crate::probe::{Child, Directory, Probe};
use crate::record::Record;

pub(crate) struct Garden {
    /// The workers that can be reached.
    pub(crate) all: Arc<Directory>,
    pub(crate) record: Arc<Record>,
    sets: [Arbiters; 2],
}

/// Lends its voice on the tree's event stream to whoever takes the steps.
struct Scribe;

impl actix::Actor for Scribe {
    type Context = actix::Context<Self>;
}

impl Garden {
    pub(crate) fn new(record: &Arc<Record>) -> Self {
        let sets = [Arbiters::new(2), Arbiters::new(1)];
        Self { all: Arc::default(), record: record.clone(), sets }
    }

    /// The whole tree, and before everybody else in it the scribe.
    pub(crate) fn root(&self, plan: &NodePlan) -> SupervisorSpec {
        let record = self.record.clone();
        let scribe = ChildSpec::new("scribe", move || {
            record.scribe.get_or_init(Reporter::current);
            Scribe
        });
        self.children(plan, self.supervisor(plan).child(scribe), &TreePath::root(&plan.name()))
    }

    pub(crate) fn node(&self, plan: &NodePlan, path: &TreePath) -> AnySpec {
        match &plan.kind {
            Kind::Worker(_) => self.worker(plan, path).into(),
            Kind::Supervisor(_) => self.children(plan, self.supervisor(plan), path).into(),
        }
    }

    fn children(&self, plan: &NodePlan, spec: SupervisorSpec, path: &TreePath) -> SupervisorSpec {
        spec.children(plan.children().iter().map(|child| self.node(child, &path.join(&child.name()))))
    }

    fn placement(&self, place: Place) -> Placement {
        match place {
            Place::Same => Placement::Current,
            Place::Own => Placement::OwnThread,
            Place::Shared(set) => Placement::Shared(self.sets[set].clone()),
        }
    }

    fn worker(&self, plan: &NodePlan, path: &TreePath) -> ChildSpec<Probe> {
        let child = Child::new(plan.clone(), path.clone(), &self.all, &self.record);
        let own = child.clone();
        let mut spec = ChildSpec::new(plan.name(), move || Probe::new(&own))
            .restart(plan.restart)
            .shutdown(plan.shutdown)
            .backoff(plan.backoff)
            .on(self.placement(plan.place));
        let Kind::Worker(worker) = &plan.kind else { unreachable!("a worker") };
        if worker.watched {
            spec = spec.watchdog(LIMIT);
        }
        if worker.listens {
            spec = match plan.number % 2 {
                0 => spec.message_limit(LIMIT),
                _ => spec.wait_limit(LIMIT),
            };
        }
        if let Some((room, overflow)) = worker.bound {
            spec = spec.mailbox(Bound::new(room, overflow));
        }
        if plan.significant {
            spec = spec.significant();
        }
        child.actor.set(spec.actor_ref()).expect("set once");
        self.all.0.write().unwrap().insert(plan.number, child);
        spec
    }

    fn supervisor(&self, plan: &NodePlan) -> SupervisorSpec {
        let planned = plan.spec();
        let spec = match planned.dynamic {
            true => SupervisorSpec::dynamic(plan.name()),
            false => SupervisorSpec::new(plan.name()).strategy(planned.strategy),
        };
        let (intensity, period) = match planned.intensity {
            Some(intensity) => (intensity, PERIOD),
            None => (u32::MAX, SECOND),
        };
        let mut spec = spec
            .intensity(intensity, period)
            .auto_shutdown(planned.auto_shutdown)
            .restart(plan.restart)
            .shutdown(plan.shutdown)
            .backoff(plan.backoff)
            .on(self.placement(plan.place));
        if let Some(max) = planned.max_children {
            // The root has its scribe, too.
            spec = spec.max_children(max + usize::from(plan.number == 0));
        }
        if plan.significant {
            spec = spec.significant();
        }
        spec
    }
}
