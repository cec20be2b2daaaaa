//! A running tree, from outside.

mod faults;
mod flow;
mod orders;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

pub use self::faults::TreeError;
use super::admin::AdminError;
use super::boss::Boss;
use super::monitor::Monitor;
use super::node::Node;
use super::snapshot::Snapshot;
use super::spec::AnySpec;
use crate::bus::EventBus;
use crate::event::Events;
use crate::exit::{ExitReason, Kill};
use crate::incident::Incident;
use crate::path::TreePath;

/// A handle to a running tree. Clones are handles to the same tree; dropping them leaves it running.
///
/// Looking ([`snapshot`](Self::snapshot), [`subscribe`](Self::subscribe)) and breaking ([`inject`](Self::inject)) work
/// from any thread, also while every arbiter of the tree is blocked.
#[derive(Clone)]
pub struct Tree {
    root: Arc<Node>,
    bus: EventBus,
    ended: watch::Receiver<Option<ExitReason>>,
}

impl Tree {
    pub(crate) fn start(spec: AnySpec) -> Self {
        let bus = EventBus::new(actix_rt::Arbiter::current());
        let (left, root_left) = mpsc::unbounded_channel();
        let (has_ended, ended) = watch::channel(None);
        let path = TreePath::root(&spec.rules.id);
        let root = Node::plant(spec, path, &bus, Boss::Nobody(left));
        actix_rt::spawn(clear_after(root_left, root.clone(), bus.clone(), has_ended));
        root.launch(None);
        Self { root, bus, ended }
    }

    /// The events from now on. Subscribe before anything is awaited after `start()`, and none is missing.
    pub fn subscribe(&self) -> Events {
        self.bus.subscribe()
    }

    /// What every child is doing, parents before children, siblings in starting order.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::of(&self.root)
    }

    /// The last failures, up to 256, as stories; the oldest first.
    pub fn incidents(&self) -> Vec<Incident> {
        self.bus.incidents()
    }

    /// Stops the tree, children in reverse order, each by its own rule; what is still there after `deadline` is
    /// killed. Returns once nothing runs any more.
    pub async fn stop(&self, deadline: Duration) -> ExitReason {
        if let Some(seat) = self.root.seat() {
            seat.stop();
        }
        match tokio::time::timeout(deadline, self.join()).await {
            Ok(reason) => reason,
            Err(_) => {
                self.root.kill(Kill::Late(deadline));
                if let Some(seat) = self.root.seat() {
                    seat.gone().await;
                }
                self.join().await
            }
        }
    }

    /// Waits for the tree's end and says why it ended.
    pub async fn join(&self) -> ExitReason {
        let mut ended = self.ended.clone();
        match ended.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(reason)) => reason.clone(),
            _ => ExitReason::Killed(Kill::ArbiterGone),
        }
    }

    /// Waits for the end of the incarnation that runs now at `path`, whoever ends it, and says why it ended.
    ///
    /// If none runs, the answer is how the last one ended, at once. (OTP says `noproc` then. Here the reason is known,
    /// and a monitor that comes a moment too late tells the same as one in time.) A child that has not run yet is an
    /// error: neither is there an end to tell, nor a life whose end could be waited for.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use actix::prelude::*;
    /// # use latido::supervision::{ChildSpec, SupervisorSpec};
    /// # #[derive(Default)] struct Fetcher;
    /// # impl Actor for Fetcher { type Context = Context<Self>; }
    /// # #[actix::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let tree = SupervisorSpec::new("app").start()?;
    /// tree.start_child("app", ChildSpec::new("fetch", Fetcher::default)).await?;
    /// let end = tree.monitor("app/fetch")?;
    /// tree.terminate_child("app/fetch").await?;
    /// assert_eq!(end.await.reason.to_string(), "was stopped");
    /// # tree.stop(Duration::from_secs(1)).await;
    /// # Ok(())
    /// # }
    /// ```
    pub fn monitor(&self, path: &str) -> Result<Monitor, AdminError> {
        Monitor::of(&*self.node(path)?)
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.ended.borrow().is_some() || self.ended.has_changed().is_err()
    }

    /// What is still there after the end, as text.
    pub(crate) fn left_behind(&self) -> Vec<String> {
        let mut left = Vec::new();
        self.root.each(&mut |node| left.extend(node.left_behind()));
        left
    }

    /// How many threads the tree has left behind because an actor blocks them, and that have not returned since.
    ///
    /// A tree may have 16. With one more, the supervisor of the child that blocks it gives up instead of starting the
    /// child again, and so do those above it: the tree ends with
    /// [`ExitReason::OutOfThreads`](crate::ExitReason::OutOfThreads).
    pub fn abandoned_threads(&self) -> usize {
        self.bus.lost_threads()
    }

    fn node(&self, path: &str) -> Result<Arc<Node>, AdminError> {
        self.root.descendant(path).ok_or_else(|| AdminError::Unknown(path.to_owned()))
    }

    fn find(&self, pattern: &str) -> Result<Vec<Arc<Node>>, TreeError> {
        let (mut found, mut known) = (Vec::new(), Vec::new());
        self.root.each(&mut |node| {
            known.push(node.path().to_string());
            if node.path().matches(pattern) {
                found.push(node.clone());
            }
        });
        match found.is_empty() {
            true => Err(TreeError::UnknownPath { path: pattern.to_owned(), known: known.join(", ") }),
            false => Ok(found),
        }
    }
}

/// Once the root has ended, sees to it that nothing of the tree is left, and only then says so.
async fn clear_after(
    mut root_left: mpsc::UnboundedReceiver<ExitReason>,
    root: Arc<Node>,
    bus: EventBus,
    has_ended: watch::Sender<Option<ExitReason>>,
) {
    let cleared = Cleared { root, bus };
    let reason = root_left.recv().await;
    cleared.root.clone().gone().await;
    drop(cleared);
    has_ended.send_replace(reason);
}

/// Clears a tree when dropped: also when the arbiter that waits for the tree's end ends first.
struct Cleared {
    root: Arc<Node>,
    bus: EventBus,
}

impl Drop for Cleared {
    fn drop(&mut self) {
        self.root.each(&mut |node| {
            node.kill(Kill::Orphaned);
            node.clear();
        });
        self.bus.close();
    }
}

impl fmt::Debug for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tree").field("root", self.root.path()).finish_non_exhaustive()
    }
}
