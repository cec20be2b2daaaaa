//! Orders to a running supervisor: start, terminate, restart or delete a child. The words and the error cases are OTP's
//! ([`supervisor`](https://www.erlang.org/doc/apps/stdlib/supervisor.html)).

use std::collections::HashMap;

use actix::prelude::*;
use tokio::sync::oneshot;

use super::check::SpecError;
use super::machine::{Activity, Input};
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
    #[error("{path} could not start: it {reason}")]
    StartFailed {
        /// The child.
        path: TreePath,
        /// How it ended: [`ExitReason::Normal`] if it stopped itself, and so declined to start.
        reason: ExitReason,
    },
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
    Start(AnySpec),
    Terminate(usize),
    Restart(usize),
    Delete(usize),
}

/// Who waits for a child to come up, or to go down.
#[derive(Default)]
pub(super) struct Waiting {
    for_up: HashMap<usize, Vec<Reply>>,
    for_down: HashMap<usize, Vec<Reply>>,
}

impl Waiting {
    pub(super) fn is_up(&mut self, place: usize) {
        answer(self.for_up.remove(&place), || Ok(()));
    }

    /// The child went down for `reason`. Says whether somebody had waited for it to come up.
    pub(super) fn is_down(&mut self, place: usize, path: &TreePath, reason: &ExitReason) -> bool {
        answer(self.for_down.remove(&place), || Ok(()));
        let hopeful = self.for_up.remove(&place);
        let had_hope = hopeful.is_some();
        answer(hopeful, || {
            Err(AdminError::StartFailed {
                path: path.clone(),
                reason: reason.clone(),
            })
        });
        had_hope
    }
}

fn answer(replies: Option<Vec<Reply>>, result: impl Fn() -> Result<(), AdminError>) {
    for reply in replies.into_iter().flatten() {
        let _ = reply.send(result()); // Whoever gave the order need not wait for the answer.
    }
}

impl Handler<Order> for Supervisor {
    type Result = ();

    fn handle(&mut self, Order { what, reply }: Order, ctx: &mut Context<Self>) {
        let done = match what {
            What::Start(spec) => self.start_child(spec).map(|place| (place, Input::Start(place))),
            What::Restart(place) => self
                .is_down_for_good(place)
                .map(|()| (place, Input::Start(place))),
            What::Terminate(place) => Ok((place, Input::Terminate(place))),
            What::Delete(place) => {
                let deleted = self.is_down_for_good(place).map(|()| self.forget(place));
                return drop(reply.send(deleted));
            }
        };
        match done {
            Err(error) => drop(reply.send(Err(error))),
            Ok((place, Input::Terminate(_))) if self.machine.activity(place) != Some(Activity::Running) => {
                self.feed(Input::Terminate(place), ctx);
                let _ = reply.send(Ok(()));
            }
            Ok((place, input)) => {
                let queue = match input {
                    Input::Terminate(_) => &mut self.waiting.for_down,
                    _ => &mut self.waiting.for_up,
                };
                queue.entry(place).or_default().push(reply);
                self.feed(input, ctx);
            }
        }
    }
}

impl Supervisor {
    /// Takes a new child in, not started yet.
    fn start_child(&mut self, spec: AnySpec) -> Result<usize, AdminError> {
        let supervisor = &self.seat.node;
        let branch = self.branch();
        if let Some(max) = branch.conduct.max_children.filter(|_| self.machine.is_full()) {
            return Err(AdminError::MaxChildren {
                supervisor: supervisor.path.clone(),
                max,
            });
        }
        spec.check(Some(&supervisor.path))?;
        spec.check_significance(&branch.conduct, &supervisor.path)?;
        let (place, node) = branch.hire(spec, supervisor)?;
        self.machine.add(place, &node.rules, tokio::time::Instant::now());
        Ok(place)
    }

    fn is_down_for_good(&self, place: usize) -> Result<(), AdminError> {
        let path = || {
            self.child(place)
                .map_or_else(|| self.seat.node.path.clone(), |node| node.path.clone())
        };
        match self.machine.activity(place) {
            Some(Activity::Down) => Ok(()),
            Some(Activity::Running) => Err(AdminError::Running(path())),
            Some(Activity::Restarting) => Err(AdminError::Restarting(path())),
            None => Err(AdminError::Unknown(path().to_string())),
        }
    }

    /// Deletes a child that is down for good.
    pub(super) fn forget(&mut self, place: usize) {
        self.machine.remove(place);
        if let Some(node) = self.branch().dismiss(place) {
            node.each(&mut |node| node.clear());
        }
    }
}
