//! What becomes of the messages of a child: they flow, they wait, or no more of them come.

use std::sync::Arc;

use super::Tree;
use crate::event::EventKind;
use crate::supervision::admin::AdminError;
use crate::supervision::node::Node;

impl Tree {
    /// Has the messages of the child at `path` wait in its mailbox, by that mailbox's own rules, until
    /// [`resume`](Self::resume). The message that it is handling is handled to its end, and what it does of its own accord
    /// (timers, futures) goes on. It is not deaf meanwhile ([`message_limit`](super::super::ChildSpec::message_limit)).
    /// A pause outlasts restarts: it is the child's.
    ///
    /// A supervisor cannot be paused: its messages are the news of its children. Pause those.
    pub fn pause(&self, path: &str) -> Result<(), AdminError> {
        let node = self.actor(path)?;
        if node.child.is_sealed() {
            return Err(AdminError::Draining(node.path().clone()));
        }
        if node.valve.pause(true) {
            say(&node, EventKind::Paused);
        }
        Ok(())
    }

    /// Lets the messages of the child at `path` flow again, after a [`pause`](Self::pause) or in the middle of a
    /// [`drain`](Self::drain), which then ends with [`AdminError::Resumed`].
    pub fn resume(&self, path: &str) -> Result<(), AdminError> {
        let node = self.actor(path)?;
        // Both, whatever the first has changed.
        if node.valve.pause(false) | node.child.seal(false) {
            say(&node, EventKind::Resumed);
        }
        Ok(())
    }

    /// Has the child at `path` handle what is queued and take nothing new, and then stops it as
    /// [`terminate_child`](Self::terminate_child) does. Returns once it is down; then
    /// [`restart_child`](Self::restart_child) starts it again.
    ///
    /// What is sent to it meanwhile is a dead letter, and who asks hears [`AskError::Draining`](super::super::AskError).
    /// Its own messages to itself are no exception. A message is handled when its handler has returned: answers that are
    /// still being made then (`ResponseActFuture`) are made to their end if its `stopping()` waits for them. Should it
    /// fail meanwhile, its next life goes on with what is queued. One that is paused is resumed.
    ///
    /// Dropped before it is done, as by a timeout, it lets the child go on as before.
    pub async fn drain(&self, path: &str) -> Result<(), AdminError> {
        let node = self.actor(path)?;
        if !node.child.seal(true) {
            return Err(AdminError::Draining(node.path().clone()));
        }
        let draining = Draining(&node);
        say(&node, EventKind::Draining);
        if node.valve.pause(false)
            && let Some(seat) = node.seat()
        {
            seat.wake();
        }
        if !node.child.clone().drained().await {
            return Err(AdminError::Resumed(node.path().clone()));
        }
        let terminated = self.terminate_child(path).await;
        draining.end();
        terminated
    }

    /// A child that is no supervisor.
    fn actor(&self, path: &str) -> Result<Arc<Node>, AdminError> {
        let node = self.node(path)?;
        match node.branch {
            Some(_) => Err(AdminError::Supervisor(node.path().clone())),
            None => Ok(node),
        }
    }
}

/// Takes the order back when dropped.
struct Draining<'a>(&'a Arc<Node>);

impl Draining<'_> {
    fn end(self) {
        self.0.child.seal(false);
    }
}

impl Drop for Draining<'_> {
    fn drop(&mut self) {
        if self.0.child.seal(false) {
            say(self.0, EventKind::Resumed);
        }
    }
}

fn say(node: &Arc<Node>, what: EventKind) {
    node.speaker.publish(node.incarnation(), what);
    if let Some(seat) = node.seat() {
        seat.wake();
    }
}
