//! Failures on demand.

use std::sync::Arc;

use super::Tree;
use crate::event::EventKind;
use crate::fault::{Fault, FaultError, FaultInfo, Injection, listed};
use crate::path::TreePath;
use crate::supervision::child::AnyChild;
use crate::supervision::node::Node;
use crate::supervision::spec::{AnySpec, Kind, Plan, SupervisorSpec};

/// What a tree cannot do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TreeError {
    /// No child has this path.
    #[error("there is no {path}; there are {known}")]
    UnknownPath {
        /// The path that was asked for.
        path: String,
        /// The paths there are, joined by commas.
        known: String,
    },
    /// The child does not have this fault.
    #[error("{path} has no fault `{fault}`; it has {known}")]
    UnknownFault {
        /// The child.
        path: TreePath,
        /// The fault.
        fault: String,
        /// Those it has, joined by commas.
        known: String,
    },
    /// The fault cannot be, or the rule does not go with it.
    #[error(transparent)]
    Fault(#[from] FaultError),
}

impl Tree {
    /// Puts a failure into the child at `path`: now, as a [`Fault`] alone does, or by its
    /// [`Rule`](crate::fault::Rule). It strikes the incarnation that runs then. A child that is down has it when it is up
    /// again. What was put in and has not struck, or goes on, is taken back by [`Fault::Heal`].
    ///
    /// `path` may be a glob (see [`TreePath::matches`]); each child that it fits and that has this fault gets it. Says how
    /// many did.
    ///
    /// ```
    /// # use actix::prelude::*;
    /// # use latido::prelude::*;
    /// # struct Idle;
    /// # impl Actor for Idle { type Context = Context<Self>; }
    /// # #[actix::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let tree = SupervisorSpec::new("app").children(["a", "b"].map(|id| ChildSpec::new(id, || Idle))).start()?;
    /// tree.inject("app/a", Fault::Panic)?;
    /// tree.inject("app/*", Fault::Panic.with(Rule::message(3)))?;
    /// tree.inject("app/*", "drop:5@p=0.1,seed=7".parse::<Injection>()?)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn inject(&self, path: &str, injection: impl Into<Injection>) -> Result<usize, TreeError> {
        let injection = injection.into();
        let nodes = self.find(path)?;
        let parts: Vec<_> = nodes.iter().map(Part::from).collect();
        let chosen = choose(&parts, &injection)?;
        let count = chosen.len();
        for node in chosen.into_iter().map(|place| &nodes[place]) {
            match injection.fault {
                Fault::Heal => {
                    node.valve.heal();
                    node.speaker.publish(node.incarnation(), EventKind::Injected(Fault::Heal));
                }
                _ => node.valve.arm(injection.clone(), node.path()),
            }
            if let Some(seat) = node.seat() {
                seat.wake();
            }
        }
        Ok(count)
    }

    /// The faults that the child at `path` has: those of [`Fault::all`] that are for it, and those of its actor type's own.
    pub fn faults(&self, path: &str) -> Result<Vec<FaultInfo>, TreeError> {
        let nodes = self.find(path)?;
        let mut known = Vec::new();
        for fault in nodes.iter().flat_map(|node| Part::from(node).faults()) {
            if !known.contains(&fault) {
                known.push(fault);
            }
        }
        Ok(known)
    }
}

impl SupervisorSpec {
    /// Whether [`Tree::inject`] will do this once the tree runs: to how many of the children that its spec names.
    pub fn check_injection(&self, path: &str, injection: &Injection) -> Result<usize, TreeError> {
        let mut parts = Vec::new();
        walk(&self.plan, TreePath::root(&self.rules.id), &mut parts);
        let known: Vec<_> = parts.iter().map(|part| part.path.to_string()).collect();
        parts.retain(|part| part.path.matches(path));
        if parts.is_empty() {
            return Err(TreeError::UnknownPath { path: path.to_owned(), known: known.join(", ") });
        }
        choose(&parts, injection).map(|chosen| chosen.len())
    }
}

fn walk<'a>(plan: &'a Plan, path: TreePath, parts: &mut Vec<Part<'a>>) {
    parts.push(Part { path: path.clone(), actor: None });
    for AnySpec { rules, kind } in &plan.children {
        let path = path.join(&rules.id);
        match kind {
            Kind::Worker(child) => parts.push(Part { path, actor: Some(&**child) }),
            Kind::Supervisor(plan) => walk(plan, path, parts),
        }
    }
}

/// Somebody who can have faults.
struct Part<'a> {
    path: TreePath,
    /// `None` for a supervisor.
    actor: Option<&'a dyn AnyChild>,
}

impl<'a> From<&'a Arc<Node>> for Part<'a> {
    fn from(node: &'a Arc<Node>) -> Self {
        Self { path: node.path().clone(), actor: node.branch.is_none().then_some(&*node.child) }
    }
}

impl Part<'_> {
    /// `None` if it has no such fault.
    fn check(&self, fault: &Fault) -> Option<Result<(), FaultError>> {
        match (fault, self.actor) {
            (Fault::Own { name, argument }, actor) => actor?.check_fault(name, argument.as_deref()),
            (fault, None) if fault.is_for_actors_only() => None,
            _ => Some(Ok(())),
        }
    }

    fn faults(&self) -> Vec<FaultInfo> {
        let is_for_it =
            |info: &&FaultInfo| self.actor.is_some() || !Fault::is_word_for_actors_only(info.name);
        let own = self.actor.map(AnyChild::own_faults).unwrap_or_default();
        Fault::all().iter().filter(is_for_it).copied().chain(own).collect()
    }
}

/// Those that have the fault, of one at least.
fn choose(parts: &[Part<'_>], injection: &Injection) -> Result<Vec<usize>, TreeError> {
    injection.check()?;
    let (mut chosen, mut wrong) = (Vec::new(), None);
    for (place, part) in parts.iter().enumerate() {
        match part.check(&injection.fault) {
            Some(Ok(())) => chosen.push(place),
            Some(Err(error)) => wrong = wrong.or(Some(error)),
            None => {}
        }
    }
    match (chosen.is_empty(), wrong) {
        (false, _) => Ok(chosen),
        (true, Some(error)) => Err(error.into()),
        (true, None) => Err(TreeError::UnknownFault {
            path: parts[0].path.clone(),
            fault: injection.fault.to_string(),
            known: listed(&parts[0].faults()),
        }),
    }
}
