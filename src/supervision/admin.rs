//! Orders to a running supervisor: start, terminate, restart or delete a child. The words and the error cases are OTP's
//! ([`supervisor`](https://www.erlang.org/doc/apps/stdlib/supervisor.html)).

use std::collections::HashMap;
use std::sync::Arc;

use actix::prelude::*;
use tokio::sync::oneshot;

use super::branch::Branch;
use super::check::SpecError;
use super::machine::{Activity, Input};
use super::node::Node;
use super::spec::AnySpec;
use super::supervisor::Supervisor;
use crate::exit::ExitReason;
use crate::path::TreePath;

/// What cannot be done to a child.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdminError {
    /// No child has this path.
    #[error("there is no {0}")]
    Unknown(String),
    /// Only a supervisor has children.
    #[error("{0} is no supervisor")]
    NotASupervisor(TreePath),
    /// The root has no supervisor that could carry the order out: stop the tree instead.
    #[error("{0} is the root: stop the tree instead")]
    Root(TreePath),
    /// The new child's spec is wrong, or its id is taken.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// The supervisor has as many children as it may have.
    #[error("{supervisor} has {max} children, and may not have more")]
    MaxChildren {
        /// The supervisor.
        supervisor: TreePath,
        /// Its limit.
        max: usize,
    },
    /// The order is for a child that is down for good, and this one runs.
    #[error("{0} is running: terminate it first")]
    Running(TreePath),
    /// The order is for a child that is down for good, and this one is about to be restarted.
    #[error("{0} is being restarted: terminate it first")]
    Restarting(TreePath),
    /// The child has not run yet, so there is no incarnation to monitor.
    #[error("{0} has not run yet: wait until it has started")]
    NeverRan(TreePath),
    /// The child was started, and ended before it was up.
    #[error("{path} could not start: {reason}")]
    StartFailed {
        /// The child.
        path: TreePath,
        /// How it ended: [`ExitReason::Normal`] if it stopped itself, and so declined to start.
        reason: ExitReason,
    },
    /// The order is for an actor, and this is a supervisor.
    #[error(
        "{0} is a supervisor, whose messages are the news of its children and cannot wait: name one of those"
    )]
    Supervisor(TreePath),
    /// The child is being drained.
    #[error("{0} is being drained: resume it first")]
    Draining(TreePath),
    /// The child was resumed while it was being drained.
    #[error("{0} was resumed before it was drained")]
    Resumed(TreePath),
    /// The supervisor ended before the order was carried out.
    #[error("the supervisor ended before it was done")]
    Ended,
}

type Reply = oneshot::Sender<Result<(), AdminError>>;

/// An order.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Order {
    pub(crate) what: What,
    pub(crate) reply: Reply,
}

pub(crate) enum What {
    Start(Box<AnySpec>),
    Terminate(Arc<Node>),
    Restart(Arc<Node>),
    Delete(Arc<Node>),
}

/// Who waits for a child to come up, or to go down for good.
#[derive(Default)]
pub(super) struct Waiting {
    for_up: HashMap<usize, Hope>,
    for_down: HashMap<usize, Vec<Reply>>,
}

/// There is one for a child at most: one that is about to be started is not started by another order.
struct Hope {
    /// The child's last life before the order; 0 if the order made the child.
    since: u64,
    reply: Reply,
}

impl Waiting {
    pub(super) fn is_up(&mut self, place: usize) {
        if let Some(hope) = self.for_up.remove(&place) {
            answer(hope.reply, Ok(()));
        }
    }
}

fn answer(reply: Reply, result: Result<(), AdminError>) {
    let _ = reply.send(result); // Whoever gave the order need not wait for the answer.
}

impl Handler<Order> for Supervisor {
    type Result = ();

    fn handle(&mut self, Order { what, reply }: Order, ctx: &mut Context<Self>) {
        let to_start = match what {
            What::Start(spec) => self.start_child(*spec),
            What::Restart(node) => self.is_down_for_good(&node).map(|()| node),
            What::Terminate(node) => return self.terminate(&node, reply, ctx),
            What::Delete(node) => {
                let deleted = self.is_down_for_good(&node);
                if deleted.is_ok() {
                    self.forget(node.boss.place());
                }
                return answer(reply, deleted);
            }
        };
        match to_start {
            Err(error) => answer(reply, Err(error)),
            Ok(node) => {
                let place = node.boss.place();
                let since = node.incarnation();
                self.branch().waiting().for_up.insert(place, Hope { since, reply });
                self.feed(Input::Start(place), ctx);
            }
        }
    }
}

impl Supervisor {
    /// Takes a new child in, not started yet.
    fn start_child(&mut self, spec: AnySpec) -> Result<Arc<Node>, AdminError> {
        let supervisor = &self.seat.node;
        let branch = self.branch();
        if let Some(max) = branch.conduct.max_children.filter(|_| self.machine.is_full()) {
            return Err(AdminError::MaxChildren { supervisor: supervisor.path().clone(), max });
        }
        spec.check(Some(supervisor.path()))?;
        spec.check_significance(&branch.conduct, supervisor.path())?;
        let node = branch.hire(spec, supervisor)?;
        self.machine.add(node.boss.place(), node.rules.clone(), tokio::time::Instant::now());
        Ok(node)
    }

    fn terminate(&mut self, node: &Node, reply: Reply, ctx: &mut Context<Self>) {
        let place = node.boss.place();
        match self.machine.activity(place) {
            None => return answer(reply, Err(AdminError::Unknown(node.path().to_string()))),
            Some(Activity::Down) => return answer(reply, Ok(())),
            Some(Activity::Running | Activity::Restarting) => {}
        }
        let mut waiting = self.branch().waiting();
        waiting.for_down.entry(place).or_default().push(reply);
        drop(waiting);
        self.feed(Input::Terminate(place), ctx);
    }

    fn is_down_for_good(&self, node: &Node) -> Result<(), AdminError> {
        match self.machine.activity(node.boss.place()) {
            Some(Activity::Down) => Ok(()),
            Some(Activity::Running) => Err(AdminError::Running(node.path().clone())),
            Some(Activity::Restarting) => Err(AdminError::Restarting(node.path().clone())),
            None => Err(AdminError::Unknown(node.path().to_string())),
        }
    }

    /// A child is down for good: whoever waits for it hears so.
    pub(super) fn retire(&mut self, place: usize) {
        let Some(node) = self.child(place) else { return };
        let mut waiting = self.branch().waiting();
        let (hope, for_down) = (waiting.for_up.remove(&place), waiting.for_down.remove(&place));
        drop(waiting);
        // OTP: a child that could not be started is not kept, unless it was there before.
        let never_was = node.boss.is_hired() && hope.as_ref().is_some_and(|hope| hope.since == 0);
        match never_was || self.branch().conduct.dynamic {
            true => self.forget(place),
            false => node.retire(),
        }
        for reply in for_down.into_iter().flatten() {
            answer(reply, Ok(()));
        }
        if let Some(Hope { since, reply }) = hope {
            let vitals = node.vitals();
            let has_lived = vitals.incarnation > since;
            // Terminated before it was its turn to start, otherwise.
            let reason = vitals.last_exit.filter(|_| has_lived);
            let failed = AdminError::StartFailed {
                path: node.path().clone(),
                reason: reason.unwrap_or(ExitReason::Shutdown),
            };
            answer(reply, Err(failed));
        }
    }

    /// Deletes a child that is down for good.
    fn forget(&mut self, place: usize) {
        self.machine.remove(place);
        Branch::dismiss(&self.seat.node, place);
    }
}
