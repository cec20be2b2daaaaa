//! The tree of a plan.

use std::collections::BTreeSet;

use latido::TreePath;
use latido::supervision::*;

/// Names a node for ever, whatever is left out of the plan.
pub(crate) type Number = usize;

#[derive(Clone, Debug)]
pub(crate) struct NodePlan {
    pub(crate) number: Number,
    pub(crate) restart: Restart,
    pub(crate) shutdown: Shutdown,
    pub(crate) backoff: Backoff,
    pub(crate) place: Place,
    pub(crate) significant: bool,
    pub(crate) kind: Kind,
}

/// On which thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Same,
    Own,
    /// One of the sets that the whole tree shares.
    Shared(usize),
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Worker(WorkerPlan),
    Supervisor(SupervisorPlan),
}

#[derive(Clone, Debug)]
pub(crate) struct WorkerPlan {
    /// It may not block its thread for long.
    pub(crate) watched: bool,
    /// It may not leave messages waiting for long.
    pub(crate) listens: bool,
    pub(crate) bound: Option<(usize, Overflow)>,
}

#[derive(Clone, Debug)]
pub(crate) struct SupervisorPlan {
    pub(crate) strategy: Strategy,
    pub(crate) dynamic: bool,
    pub(crate) max_children: Option<usize>,
    pub(crate) auto_shutdown: AutoShutdown,
    /// `None` for more restarts than a run makes.
    pub(crate) intensity: Option<u32>,
    pub(crate) children: Vec<NodePlan>,
}

impl NodePlan {
    pub(crate) fn name(&self) -> String {
        match &self.kind {
            _ if self.number == 0 => "app".to_owned(),
            Kind::Worker(_) => format!("c{}", self.number),
            Kind::Supervisor(_) => format!("s{}", self.number),
        }
    }

    pub(crate) fn children(&self) -> &[NodePlan] {
        match &self.kind {
            Kind::Worker(_) => &[],
            Kind::Supervisor(supervisor) => &supervisor.children,
        }
    }

    /// This node and all below it, parents first.
    pub(crate) fn walk<'a>(&'a self, path: &TreePath, visit: &mut impl FnMut(TreePath, &'a NodePlan)) {
        visit(path.clone(), self);
        for child in self.children() {
            child.walk(&path.join(&child.name()), visit);
        }
    }

    /// Leaves out those below it that are not among `numbers`, with all that they have.
    pub(crate) fn keep(&mut self, numbers: &BTreeSet<Number>) {
        if let Kind::Supervisor(supervisor) = &mut self.kind {
            supervisor.children.retain(|child| numbers.contains(&child.number));
            supervisor.children.iter_mut().for_each(|child| child.keep(numbers));
        }
    }

    pub(crate) fn spec(&self) -> &SupervisorPlan {
        match &self.kind {
            Kind::Supervisor(supervisor) => supervisor,
            Kind::Worker(_) => unreachable!("{} is no supervisor", self.name()),
        }
    }
}
