//! What a supervisor's node has besides: its children and its budget.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use actix::Addr;

use super::admin::Waiting;
use super::check::SpecError;
use super::node::{Boss, Node};
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
    pub(crate) addr: Addr<Supervisor>,
    /// Not the supervisor's own: one that hangs and is left behind would keep those who wait for it waiting.
    waiting: Mutex<Waiting>,
    roster: RwLock<Roster>,
}

impl Branch {
    pub(crate) fn plant(plan: Plan, path: &TreePath, bus: &EventBus, addr: &Addr<Supervisor>) -> Self {
        let branch = Self {
            conduct: plan.conduct,
            window: Arc::new(Mutex::new(RestartWindow::new(plan.intensity, plan.period))),
            addr: addr.clone(),
            waiting: Mutex::default(),
            roster: RwLock::default(),
        };
        for child in plan.children {
            branch.add(child, path, bus, false);
        }
        branch
    }

    fn add(&self, child: AnySpec, path: &TreePath, bus: &EventBus, hired: bool) -> Arc<Node> {
        let id = child.rules.id.clone();
        let path = path.join(&id);
        let boss = |place| Boss::Supervisor {
            addr: self.addr.clone(),
            place,
            hired,
        };
        self.write()
            .add(&id, |place| Node::plant(child, path, bus, boss(place)))
    }

    /// Takes in a child at run time. It is the supervisor's for as long as that lives.
    pub(crate) fn hire(&self, child: AnySpec, supervisor: &Node) -> Result<Arc<Node>, SpecError> {
        if self.called(&child.rules.id).is_some() {
            return Err(SpecError::DuplicateId(supervisor.path.join(&child.rules.id)));
        }
        Ok(self.add(child, &supervisor.path, &supervisor.bus, true))
    }

    pub(crate) fn dismiss(&self, place: usize) -> Option<Arc<Node>> {
        self.write().remove(place)
    }

    /// Those taken in at run time, who go with the supervisor that took them in.
    pub(crate) fn dismiss_hired(&self) -> Vec<Arc<Node>> {
        let hired: Vec<_> = self
            .read()
            .iter()
            .filter(|(_, node)| node.boss.is_hired())
            .map(|(place, _)| place)
            .collect();
        hired
            .into_iter()
            .filter_map(|place| self.dismiss(place))
            .collect()
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
