//! Waiting for the end of one incarnation.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::future::FutureExt;
use tokio::sync::oneshot;

use super::admin::AdminError;
use super::node::Node;
use crate::exit::{ExitReason, Kill};
use crate::path::TreePath;

/// Resolves once, when one incarnation of a child has ended. Made by [`Tree::monitor`](super::Tree::monitor);
/// dropping it takes the monitor away.
#[derive(Debug)]
#[must_use = "a monitor tells nothing unless it is awaited"]
pub struct Monitor {
    path: TreePath,
    incarnation: u64,
    exit: oneshot::Receiver<ExitReason>,
}

/// One incarnation of a child has ended.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Down {
    /// The child.
    pub path: TreePath,
    /// Which of its lives.
    pub incarnation: u64,
    /// Why it ended.
    pub reason: ExitReason,
}

/// Those who wait for the end of one incarnation.
#[derive(Default)]
pub(crate) struct Monitors(Vec<oneshot::Sender<ExitReason>>);

impl Monitors {
    pub(crate) fn add(&mut self) -> oneshot::Receiver<ExitReason> {
        if self.0.len() == self.0.capacity() {
            // Whoever monitors again and again, and stops waiting, fills no memory.
            self.0.retain(|monitor| !monitor.is_closed());
        }
        let (monitor, exit) = oneshot::channel();
        self.0.push(monitor);
        exit
    }

    pub(crate) fn tell(self, reason: &ExitReason) {
        for monitor in self.0 {
            let _ = monitor.send(reason.clone());
        }
    }
}

impl Monitor {
    pub(crate) fn of(node: &Node) -> Result<Self, AdminError> {
        loop {
            let (now, seat) = (node.vitals(), node.seat());
            let seat = seat.filter(|seat| seat.incarnation == now.incarnation);
            if let Some(exit) = seat.as_ref().and_then(|seat| seat.monitor()) {
                return Ok(Self::new(node, now.incarnation, exit));
            }
            // It has left: then its reason is known. Should another have taken its place meanwhile, that one runs now.
            let after = node.vitals();
            if after.incarnation != now.incarnation {
                continue;
            }
            let (last, exit) = oneshot::channel();
            return match after.last_exit {
                Some(reason) => {
                    let _ = last.send(reason);
                    Ok(Self::new(node, now.incarnation, exit))
                }
                None => Err(AdminError::NeverRan(node.path().clone())),
            };
        }
    }

    fn new(node: &Node, incarnation: u64, exit: oneshot::Receiver<ExitReason>) -> Self {
        let path = node.path().clone();
        Self { path, incarnation, exit }
    }
}

impl Future for Monitor {
    type Output = Down;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Down> {
        self.exit.poll_unpin(cx).map(|exit| Down {
            path: self.path.clone(),
            incarnation: self.incarnation,
            // Every incarnation says how it ended, unless its whole thread is taken away from under it.
            reason: exit.unwrap_or(ExitReason::Killed(Kill::ArbiterGone)),
        })
    }
}
