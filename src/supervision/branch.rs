//! What a supervisor's node has besides: its children and its budget.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use actix::Addr;

use super::admin::Waiting;
use super::boss::Boss;
use super::check::SpecError;
use super::node::Node;
use super::roster::Roster;
use super::spec::{AnySpec, Conduct, Plan};
use super::supervisor::Supervisor;
use super::window::RestartWindow;
use crate::bus::EventBus;
use crate::path::TreePath;

pub(crate) struct Branch {
    pub(crate) conduct: Conduct,
    pub(crate) window: Arc<Mutex<RestartWindow>>,
    /// Where its orders go.
    pub(crate) addr: Arc<Addr<Supervisor>>,
    /// Not the supervisor's own: one that hangs and is left behind would keep those who wait for it waiting.
    waiting: Mutex<Waiting>,
    roster: RwLock<Roster>,
    /// Dismissed, and not all of it is gone yet: what a crashed supervisor leaves behind takes its time.
    leaving: Mutex<Vec<Arc<Node>>>,
}

impl Branch {
    pub(crate) fn plant(plan: Plan, path: &TreePath, bus: &EventBus, addr: Addr<Supervisor>) -> Self {
        let branch = Self {
            conduct: plan.conduct,
            window: Arc::new(Mutex::new(RestartWindow::new(plan.intensity, plan.period))),
            addr: Arc::new(addr),
            waiting: Mutex::default(),
            roster: RwLock::default(),
            leaving: Mutex::default(),
        };
        for child in plan.children {
            branch.add(child, path, bus, false);
        }
        branch
    }

    fn add(&self, child: AnySpec, path: &TreePath, bus: &EventBus, hired: bool) -> Arc<Node> {
        let id = child.rules.id.clone();
        let path = path.join(&id);
        let boss = |place| Boss::Supervisor { addr: self.addr.clone(), place, hired };
        self.write().add(&id, |place| Node::plant(child, path, bus, boss(place)))
    }

    /// Takes in a child at run time. It is the supervisor's for as long as that lives.
    pub(crate) fn hire(&self, child: AnySpec, supervisor: &Node) -> Result<Arc<Node>, SpecError> {
        if self.called(&child.rules.id).is_some() {
            return Err(SpecError::DuplicateId(supervisor.path().join(&child.rules.id)));
        }
        let node = self.add(child, supervisor.path(), supervisor.bus(), true);
        // Somebody above may have retired the supervisor with all that was below it then, and it does not know yet.
        if supervisor.is_retired() {
            node.retire();
        }
        Ok(node)
    }

    /// Lets a child go that is down for good, or whose supervisor is: its address is closed.
    pub(crate) fn dismiss(supervisor: &Arc<Node>, place: usize) {
        let Some(branch) = &supervisor.branch else { return };
        let Some(node) = branch.write().remove(place) else {
            return;
        };
        if node.has_left() && node.branch.is_none() {
            return node.clear();
        }
        node.each(&mut |node| node.child.close());
        branch.leaving().push(node.clone());
        let supervisor = supervisor.clone();
        actix_rt::spawn(async move {
            node.clone().gone().await;
            node.each(&mut |node| node.clear());
            if let Some(branch) = &supervisor.branch {
                branch.leaving().retain(|leaving| !Arc::ptr_eq(leaving, &node));
            }
        });
    }

    /// Lets those go that were taken in at run time: they go with the supervisor that took them in.
    pub(crate) fn dismiss_hired(supervisor: &Arc<Node>) {
        for node in supervisor.children() {
            if node.boss.is_hired() {
                Self::dismiss(supervisor, node.boss.place());
            }
        }
    }

    /// Those that are no longer its children, and not gone yet.
    pub(crate) fn leaving(&self) -> MutexGuard<'_, Vec<Arc<Node>>> {
        self.leaving.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn at(&self, place: usize) -> Option<Arc<Node>> {
        self.read().at(place).cloned()
    }

    pub(crate) fn called(&self, id: &str) -> Option<Arc<Node>> {
        self.read().called(id).cloned()
    }

    pub(crate) fn children(&self) -> Vec<Arc<Node>> {
        self.read().iter().map(|(_, node)| node.clone()).collect()
    }

    pub(super) fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its supervisor has ended, and carries out no more orders.
    pub(crate) fn disappoint(&self) {
        let waiting = std::mem::take(&mut *self.waiting());
        drop(waiting);
    }

    fn read(&self) -> RwLockReadGuard<'_, Roster> {
        self.roster.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Roster> {
        self.roster.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use actix::prelude::*;

    use super::*;
    use crate::supervision::{ChildSpec, SupervisorSpec};

    struct Echo;

    impl Actor for Echo {
        type Context = Context<Self>;
    }

    #[derive(Message)]
    #[rtype(result = "()")]
    struct Ping;

    impl Handler<Ping> for Echo {
        type Result = ();

        fn handle(&mut self, _: Ping, _: &mut Context<Self>) {}
    }

    /// It was told to take the child in before it heard that it is killed.
    #[actix::test]
    async fn whoever_is_taken_in_by_a_supervisor_that_is_down_for_good_answers_closed_with_all_below_it() {
        let bus = EventBus::new(Arbiter::current());
        let (tell, _told) = tokio::sync::mpsc::unbounded_channel();
        let supervisor =
            Node::plant(SupervisorSpec::new("app").into(), TreePath::root("app"), &bus, Boss::Nobody(tell));
        supervisor.retire();
        let echo = ChildSpec::new("echo", || Echo);
        let addr = echo.addr();
        let hired = SupervisorSpec::new("hired").child(echo).into();
        supervisor.branch.as_ref().unwrap().hire(hired, &supervisor).map(drop).unwrap();
        assert_eq!(addr.send(Ping).await, Err(MailboxError::Closed));
    }
}
