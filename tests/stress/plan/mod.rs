//! What a run is to do, as data: a seed decides it, and parts of it can be left out.

mod grow;
pub(crate) mod part;
mod step;
mod text;
mod tree;

use std::collections::HashMap;
use std::time::Duration;

use fastrand::Rng;
use latido::TreePath;

pub(crate) use self::part::Part;
pub(crate) use self::step::{Act, How, Mishap, Stage, Step, Woe};
pub(crate) use self::tree::{Kind, NodePlan, Number, Place, SupervisorPlan, WorkerPlan};

pub(crate) const MS: Duration = Duration::from_millis(1);
pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// How long a watched child may block its thread.
pub(crate) const LIMIT: Duration = Duration::from_millis(30);

/// Restarts are counted over this, where a supervisor can run out of them: longer than a run, so that none is forgotten.
pub(crate) const PERIOD: Duration = Duration::from_secs(1_000);

#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) root: NodePlan,
    /// Each with its number, which it keeps when others are left out.
    pub(crate) steps: Vec<(usize, Step)>,
    pub(crate) conditions: Conditions,
}

/// How the run as a whole goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Conditions {
    /// The tree has a thread of its own, instead of that of whoever gives the orders.
    pub(crate) apart: bool,
    /// The first steps come before the tree is up.
    pub(crate) early: bool,
    /// Before the end all is quiet for a moment, so that it can be seen who is up.
    pub(crate) calm_end: bool,
    /// How long the tree may take to stop.
    pub(crate) deadline: Duration,
}

impl Plan {
    pub(crate) fn of(seed: u64) -> Self {
        let mut random = Rng::with_seed(seed);
        let conditions = Conditions {
            apart: random.bool(),
            early: random.u8(..10) == 0,
            calm_end: random.u8(..3) > 0,
            deadline: if random.u8(..10) == 0 { MS } else { 10 * SECOND },
        };
        // Few children make more of each other's troubles; many make more of everything.
        let (workers, steps) = match random.u8(..4) {
            0 => (random.usize(3..12), random.usize(50..400)),
            1 => (random.usize(12..80), random.usize(200..1_500)),
            _ => (random.usize(200..400), random.usize(1_500..3_000)),
        };
        let mut grower = grow::Grower::new(random);
        let root = grower.root(workers);
        let steps = step::steps(grower, &root, steps, conditions.apart);
        Self { root, steps: steps.into_iter().enumerate().collect(), conditions }
    }

    /// Leaves out what is not in `part`.
    pub(crate) fn only(mut self, part: &Part) -> Self {
        if let Some(steps) = &part.steps {
            self.steps.retain(|(number, _)| steps.contains(number));
        }
        if let Some(actors) = &part.actors {
            self.root.keep(actors);
        }
        self
    }

    /// Every node that the tree ever has, with its path: those of the spec and those that steps add.
    pub(crate) fn nodes(&self) -> Vec<(TreePath, &NodePlan)> {
        let mut nodes = Vec::new();
        self.root.walk(&TreePath::root(&self.root.name()), &mut |path, node| nodes.push((path, node)));
        let mut paths: HashMap<Number, TreePath> =
            nodes.iter().map(|(path, node)| (node.number, path.clone())).collect();
        for (_, step) in &self.steps {
            if let Step::Start { below, child } = step
                && let Some(supervisor) = paths.get(below)
            {
                let first = nodes.len();
                child.walk(&supervisor.join(&child.name()), &mut |path, node| nodes.push((path, node)));
                paths.extend(nodes[first..].iter().map(|(path, node)| (node.number, path.clone())));
            }
        }
        nodes
    }
}
