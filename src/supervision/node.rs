//! One child in one tree, over all its lives: what the supervisor, the views and `Tree` share of it. Everything here
//! can be read from any thread, so a tree can be looked at while its arbiters are busy or blocked.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use actix_rt::ArbiterHandle;
use futures::future::{LocalBoxFuture, join_all};

use super::boss::Boss;
use super::branch::Branch;
use super::child::{AnyChild, Core};
use super::home::Home;
use super::placement::Thread;
use super::seat::Seat;
use super::spec::{AnySpec, Kind, Rules};
use super::unborn::Unborn;
use super::valve::Valve;
use super::vitals::{ChildState, Vitals};
use crate::bus::EventBus;
use crate::exit::{ExitReason, Kill};
use crate::path::TreePath;
use crate::reporter::Speaker;

pub(crate) struct Node {
    pub(crate) speaker: Arc<Speaker>,
    pub(crate) rules: Arc<Rules>,
    pub(crate) child: Arc<dyn AnyChild>,
    /// It runs on its supervisor's thread.
    pub(crate) shares_thread: bool,
    pub(crate) boss: Boss,
    /// What it has if it is a supervisor.
    pub(crate) branch: Option<Box<Branch>>,
    /// Between its mailbox and its handlers.
    pub(crate) valve: Valve,
    vitals: Mutex<Vitals>,
    /// How many incarnations there are, those that were left behind included.
    lives: AtomicUsize,
    /// `None` if it runs on its supervisor's.
    thread: Option<Box<Mutex<Thread>>>,
}

impl Node {
    /// The node of `spec` and those of all that is below it.
    pub(crate) fn plant(mut spec: AnySpec, path: TreePath, bus: &EventBus, boss: Boss) -> Arc<Self> {
        // From here on a subtree is a child like any other.
        let (child, branch): (Arc<dyn AnyChild>, _) = match spec.kind {
            Kind::Worker(child) => (child, None),
            Kind::Supervisor(plan) => {
                let core = Core::supervisor();
                let branch = Branch::plant(plan, &path, bus, core.mailbox.addr());
                (core, Some(Box::new(branch)))
            }
        };
        // The path has it.
        spec.rules.id = String::new();
        let thread = Thread::of(std::mem::take(&mut spec.rules.placement));
        let speaker = Speaker::new(bus.clone(), path);
        child.is_spoken_of_by(&speaker);
        Arc::new(Self {
            speaker,
            rules: Arc::new(spec.rules),
            child,
            shares_thread: thread.is_none(),
            boss,
            branch,
            valve: Valve::default(),
            vitals: Mutex::default(),
            lives: AtomicUsize::new(0),
            thread: thread.map(|thread| Box::new(Mutex::new(thread))),
        })
    }

    pub(crate) fn path(&self) -> &TreePath {
        &self.speaker.path
    }

    pub(crate) fn bus(&self) -> &EventBus {
        &self.speaker.bus
    }

    /// This node and all below it, parents first.
    pub(crate) fn each(self: &Arc<Self>, visit: &mut impl FnMut(&Arc<Node>)) {
        visit(self);
        for child in self.children() {
            child.each(visit);
        }
    }

    /// Its children, if it is a supervisor, in starting order.
    pub(crate) fn children(&self) -> Vec<Arc<Node>> {
        self.branch.as_ref().map(|branch| branch.children()).unwrap_or_default()
    }

    /// The child at `path`, which begins with this node's own.
    pub(crate) fn descendant(self: &Arc<Self>, path: &str) -> Option<Arc<Node>> {
        let rest = path.strip_prefix(self.path().as_str())?;
        let ids = rest.split('/').skip(1);
        let is_child = rest.is_empty() || rest.starts_with('/');
        ids.fold(is_child.then(|| self.clone()), |node, id| node?.branch.as_ref()?.called(id))
    }

    // ===== its lives =====

    /// Starts the next incarnation, for its supervisor if it has one. Should the one before not be gone yet, because its
    /// supervisor crashed above it, the new one waits for that.
    pub(crate) fn launch(self: &Arc<Self>, supervisor: Option<&Node>) {
        let (seat, predecessors) = {
            // Held together, in the order in which a subtree is retired: a supervisor that has been retired with all
            // that is below it, and does not know yet, may start a child that nobody will start again.
            let above = supervisor.map(Node::lock);
            let mut vitals = self.lock();
            vitals.state = ChildState::Starting;
            vitals.is_retired = above.is_some_and(|above| above.is_retired);
            vitals.incarnation += 1;
            let seat = Seat::new(self.clone(), vitals.incarnation);
            vitals.outlived.retain(|seat| !seat.has_left());
            let before = vitals.seat.replace(seat.clone()).filter(|seat| !seat.has_left());
            vitals.outlived.extend(before);
            (seat, vitals.outlived.clone())
        };
        let (unborn, child) = (Unborn::new(seat), self.child.clone());
        // The root comes to life once the caller awaits something, on whatever thread it lives: so that whoever
        // subscribes before misses nothing.
        if predecessors.is_empty() && !matches!(self.boss, Boss::Nobody(_)) {
            return child.launch(unborn);
        }
        actix_rt::spawn(async move {
            join_all(predecessors.iter().map(Seat::gone)).await;
            child.launch(unborn);
        });
    }

    /// Its incarnations that have not left.
    fn living(&self) -> Vec<Arc<Seat>> {
        let vitals = self.lock();
        vitals.outlived.iter().chain(&vitals.seat).filter(|seat| !seat.has_left()).cloned().collect()
    }

    pub(crate) fn seat(&self) -> Option<Arc<Seat>> {
        self.lock().seat.clone()
    }

    /// Whether its last incarnation is gone, if it has had one.
    pub(crate) fn has_left(&self) -> bool {
        self.seat().is_none_or(|seat| seat.has_left())
    }

    pub(crate) fn kill(&self, kill: Kill) {
        if let Some(seat) = self.seat().filter(|seat| !seat.has_left()) {
            seat.kill(kill);
        }
    }

    /// The arbiter to launch on; `None` for the current one.
    pub(crate) fn place(&self, seat: &Arc<Seat>) -> io::Result<Option<ArbiterHandle>> {
        let Some(mut thread) = self.thread() else {
            Home::here().map(|here| here.admit(seat));
            return Ok(None);
        };
        thread.admit(seat)
    }

    /// Gives up a thread that is blocked, if it is the child's; the next incarnation gets another.
    pub(crate) fn give_up_thread(&self, blocked: &Arc<Home>) {
        if let Some(mut thread) = self.thread() {
            thread.give_up(blocked);
        }
    }

    /// Whether `other` is below this node.
    pub(crate) fn is_above(self: &Arc<Self>, other: &Arc<Node>) -> bool {
        let below = self.descendant(other.path().as_str());
        below.is_some_and(|node| Arc::ptr_eq(&node, other) && !Arc::ptr_eq(&node, self))
    }

    pub(crate) fn kill_children(&self) {
        for child in self.children().iter().rev() {
            child.kill(Kill::Orphaned);
        }
    }

    /// Waits until its last incarnation is gone, and then those of all that is below it: only a supervisor that is
    /// gone starts no more. One that was killed and hangs is left behind.
    pub(crate) fn gone(self: Arc<Self>) -> LocalBoxFuture<'static, ()> {
        Box::pin(async move {
            join_all(self.living().iter().map(Seat::gone)).await;
            let mut below = self.children();
            below.extend(self.branch.iter().flat_map(|branch| branch.leaving().clone()));
            join_all(below.into_iter().map(Self::gone)).await;
        })
    }

    /// It is down for good, and so is all that is below it: what is sent to it is answered with `Closed`.
    pub(crate) fn retire(self: &Arc<Self>) {
        self.each(&mut |node| {
            node.lock().retire();
            node.refuse();
        });
    }

    /// What is sent to it is answered with `Closed`.
    pub(crate) fn refuse(&self) {
        if let Some(base) = self.bus().base() {
            self.child.clone().refuse(base);
        }
    }

    /// The tree has ended: nobody will read its mailbox again, and nobody needs its thread.
    pub(crate) fn clear(&self) {
        self.child.close();
        if let Some(mut thread) = self.thread() {
            thread.clear();
        }
        let mut vitals = self.lock();
        (vitals.state, vitals.seat) = (ChildState::Finished, None);
        vitals.outlived.clear();
        drop(vitals);
        let leaving = self.branch.iter().flat_map(|branch| std::mem::take(&mut *branch.leaving()));
        leaving.for_each(|node| node.each(&mut |node| node.clear()));
    }

    /// Once its tree has ended: those of its lives that have not, because they hang, and its thread if that is still
    /// there.
    pub(crate) fn left_behind(&self) -> Vec<String> {
        let mut left = Vec::new();
        match self.lives.load(Ordering::Acquire) {
            0 => {}
            1 => left.push(format!("an incarnation of {}", self.path())),
            lives => left.push(format!("{lives} incarnations of {}", self.path())),
        }
        if self.thread().is_some_and(|thread| thread.is_ending()) {
            left.push(format!("a thread of {}", self.path()));
        }
        left
    }

    // ===== what is known of it =====

    pub(crate) fn vitals(&self) -> Vitals {
        self.lock().clone()
    }

    pub(crate) fn set_state(&self, seat: &Seat, state: ChildState) {
        self.lock().enter(seat.incarnation, state);
    }

    pub(crate) fn set_exit(&self, seat: &Seat, reason: ExitReason) {
        self.lock().left(seat.incarnation, reason);
    }

    /// Down until its backoff is over.
    pub(crate) fn set_waiting(&self) {
        self.lock().wait();
    }

    pub(crate) fn is_retired(&self) -> bool {
        self.lock().is_retired
    }

    pub(crate) fn incarnation(&self) -> u64 {
        self.lock().incarnation
    }

    /// A seat was made for it, or is gone.
    pub(super) fn count_life(&self, is_made: bool) {
        match is_made {
            true => self.lives.fetch_add(1, Ordering::AcqRel),
            false => self.lives.fetch_sub(1, Ordering::AcqRel),
        };
    }

    fn thread(&self) -> Option<MutexGuard<'_, Thread>> {
        let thread = self.thread.as_ref()?;
        Some(thread.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn lock(&self) -> MutexGuard<'_, Vitals> {
        self.vitals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
