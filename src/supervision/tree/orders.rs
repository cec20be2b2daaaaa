//! Orders to a tree's supervisors.

use std::sync::Arc;

use actix::Addr;
use tokio::sync::oneshot;

use super::Tree;
use crate::supervision::admin::{AdminError, Order, What};
use crate::supervision::boss::Boss;
use crate::supervision::node::Node;
use crate::supervision::snapshot::Counts;
use crate::supervision::spec::AnySpec;
use crate::supervision::supervisor::Supervisor;

impl Tree {
    /// Starts a new child below the supervisor at `path`, after those it has. Returns once the child is up.
    ///
    /// A child that fails to start, or declines to by stopping itself, is not kept. The child belongs to the supervisor's
    /// incarnation: should that end, the child is not started again by the next.
    pub async fn start_child(&self, path: &str, child: impl Into<AnySpec>) -> Result<(), AdminError> {
        let node = self.node(path)?;
        let branch = node.branch.as_ref().ok_or_else(|| AdminError::NotASupervisor(node.path().clone()))?;
        self.order(&branch.addr, What::Start(Box::new(child.into()))).await
    }

    /// Stops the child at `path` by its shutdown rule, and keeps it down until [`restart_child`](Self::restart_child).
    /// Returns once it is down. One that is down already stays so; a dynamic supervisor forgets it.
    pub async fn terminate_child(&self, path: &str) -> Result<(), AdminError> {
        self.order_about(path, What::Terminate).await
    }

    /// Starts a child again that is down for good. Costs none of its supervisor's restarts. Returns once it is up.
    pub async fn restart_child(&self, path: &str) -> Result<(), AdminError> {
        self.order_about(path, What::Restart).await
    }

    /// Forgets a child that is down for good; its address is closed.
    pub async fn delete_child(&self, path: &str) -> Result<(), AdminError> {
        self.order_about(path, What::Delete).await
    }

    /// How many children the supervisor at `path` has.
    pub fn count_children(&self, path: &str) -> Result<Counts, AdminError> {
        let node = self.node(path)?;
        let branch = node.branch.as_ref().ok_or_else(|| AdminError::NotASupervisor(node.path().clone()))?;
        Ok(Counts::of(&branch.children()))
    }

    async fn order_about(&self, path: &str, what: fn(Arc<Node>) -> What) -> Result<(), AdminError> {
        let node = self.node(path)?;
        match &node.boss {
            Boss::Supervisor { addr, .. } => self.order(addr, what(node.clone())).await,
            Boss::Nobody(_) => Err(AdminError::Root(node.path().clone())),
        }
    }

    async fn order(&self, supervisor: &Addr<Supervisor>, what: What) -> Result<(), AdminError> {
        let (reply, answer) = oneshot::channel();
        supervisor.do_send(Order { what, reply });
        answer.await.unwrap_or(Err(AdminError::Ended))
    }
}
