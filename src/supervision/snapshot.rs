//! What every child of a tree is doing at one moment.

use std::fmt;
use std::sync::{Arc, PoisonError};

use tokio::time::Instant;

use super::bound::MessageCounts;
use super::node::Node;
use super::policy::Strategy;
use super::vitals::ChildState;
use crate::event::Budget;
use crate::exit::ExitReason;
use crate::fault::{FaultInfo, Injection};
use crate::path::TreePath;

/// A tree at one moment; `Display` draws it.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Parents before children, siblings in starting order.
    pub children: Vec<ChildInfo>,
}

/// One child at one moment.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ChildInfo {
    /// Where it stands.
    pub path: TreePath,
    /// Its actor's type.
    pub kind: &'static str,
    /// What it is doing.
    pub state: ChildState,
    /// Which of its lives it is in, or was in last; 0 before the first.
    pub incarnation: u64,
    /// How its last incarnation ended, if one has.
    pub last_exit: Option<ExitReason>,
    /// What became of its messages, over all its lives.
    pub messages: MessageCounts,
    /// Its messages wait, see [`Tree::pause`](super::Tree::pause).
    pub paused: bool,
    /// It takes nothing new, see [`Tree::drain`](super::Tree::drain).
    pub draining: bool,
    /// The faults that were put into it and wait to strike, or go on.
    pub armed: Vec<Injection>,
    /// The faults of its actor type's own.
    pub own_faults: Vec<FaultInfo>,
    /// If it is a supervisor: how, and how much of its intensity is used now.
    pub supervisor: Option<(Strategy, Budget)>,
}

/// How many children a supervisor has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Counts {
    /// All of them, whatever they are doing.
    pub specs: usize,
    /// Those that have a running incarnation.
    pub active: usize,
    /// Those that are supervisors.
    pub supervisors: usize,
    /// Those that are not.
    pub workers: usize,
}

impl Counts {
    pub(crate) fn of(children: &[Arc<Node>]) -> Self {
        let is_active = |node: &&Arc<Node>| {
            let state = node.vitals().state;
            matches!(state, ChildState::Starting | ChildState::Running | ChildState::Stopping)
        };
        let supervisors = children.iter().filter(|node| node.branch.is_some()).count();
        Self {
            specs: children.len(),
            active: children.iter().filter(is_active).count(),
            supervisors,
            workers: children.len() - supervisors,
        }
    }
}

impl Snapshot {
    pub(crate) fn of(root: &Arc<Node>) -> Self {
        let now = Instant::now();
        let mut children = Vec::new();
        root.each(&mut |node| children.push(ChildInfo::of(node, now)));
        Self { children }
    }

    /// The child at `path`.
    pub fn get(&self, path: &str) -> Option<&ChildInfo> {
        self.children.iter().find(|child| child.path == path)
    }

    /// How many children are up that are no supervisors.
    pub fn alive(&self) -> usize {
        let is_alive = |child: &&ChildInfo| child.supervisor.is_none() && child.state == ChildState::Running;
        self.children.iter().filter(is_alive).count()
    }
}

impl ChildInfo {
    fn of(node: &Node, now: Instant) -> Self {
        let vitals = node.vitals();
        let supervisor = node.branch.as_ref().map(|branch| {
            let window = branch.window.lock().unwrap_or_else(PoisonError::into_inner);
            (branch.conduct.strategy, window.used(now))
        });
        Self {
            path: node.path().clone(),
            kind: node.child.kind(),
            state: vitals.state,
            incarnation: vitals.incarnation,
            last_exit: vitals.last_exit,
            messages: node.child.messages(),
            paused: node.valve.is_paused(),
            draining: node.child.is_sealed(),
            armed: node.valve.armed(),
            own_faults: node.child.own_faults(),
            supervisor,
        }
    }
}

impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let top = self.children.iter().map(|child| child.path.depth()).min().unwrap_or(0);
        for child in &self.children {
            let name =
                format!("{:indent$}{}", "", child.path.name(), indent = 2 * (child.path.depth() - top));
            write!(
                f,
                "{name:<24} {:<9} #{}",
                format!("{:?}", child.state).to_lowercase(),
                child.incarnation
            )?;
            match &child.supervisor {
                Some((strategy, budget)) => {
                    write!(f, "  {strategy:?}, {} of {} restarts", budget.used, budget.intensity)?
                }
                None => write!(f, "  {}", child.kind)?,
            }
            if child.messages.queued > 0 {
                write!(f, ", {} queued", child.messages.queued)?;
            }
            for (is_so, word) in [(child.paused, "paused"), (child.draining, "draining")] {
                if is_so {
                    write!(f, ", {word}")?;
                }
            }
            for injection in &child.armed {
                write!(f, ", armed with {injection}")?;
            }
            match &child.last_exit {
                // Where it panicked is too long for a line of a table; the event has it.
                Some(ExitReason::Panicked(panic)) => write!(f, ", last panicked: {}", panic.message())?,
                Some(reason) => write!(f, ", last {reason}")?,
                None => {}
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
