//! One life of one child, as seen from outside: who may order it what, and who hears how it went.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::task::{Poll, Waker};

use futures::task::AtomicWaker;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::fence;
use super::home::Home;
use super::letter::{LifeEnd, Toll};
use super::machine::KILL_PATIENCE;
use super::monitor::Monitors;
use super::node::Node;
use super::vitals::ChildState;
use crate::event::EventKind;
use crate::exit::{ExitReason, Kill};
use crate::pulse::{Hang, Pulse, Watched, watch};
use crate::reporter::Reporter;

/// The place that an incarnation takes in its tree, made for each start. The incarnation looks here for orders, and
/// says here that it is up and how it ended.
pub(crate) struct Seat {
    pub(crate) node: Arc<Node>,
    pub(crate) incarnation: u64,
    pub(crate) reporter: Reporter,
    /// If somebody watches over it.
    pub(crate) pulse: Option<Arc<Pulse>>,
    /// The incarnation is with its thread. Until then nobody would carry out an order but the seat itself.
    pub(super) is_born: AtomicBool,
    /// The thread it was placed on, if that is one of the tree's.
    home: OnceLock<Arc<Home>>,
    inside: Mutex<Inside>,
    /// Whether there are orders that the incarnation has not looked at.
    news: AtomicBool,
    successor_waker: AtomicWaker,
    /// `UP`, `LEAVING` and `LEFT`, each set once. One atomic, so that being up and leaving cannot pass each other unseen.
    passed: AtomicU8,
}

struct Inside {
    orders: Orders,
    monitors: Monitors,
    /// The incarnation's. It stays here when it is woken, so the incarnation says it once and not at every poll.
    waker: Option<Waker>,
}

const UP: u8 = 1;
const LEAVING: u8 = 2;
const LEFT: u8 = 4;

#[derive(Clone, Copy)]
pub(crate) struct Orders {
    pub(crate) stop: bool,
    pub(crate) kill: Option<Kill>,
    /// It hangs, so it has failed.
    pub(crate) hang: Option<Hang>,
    /// When the incarnation came up, or was launched if it has not; from its first order on, when that was given.
    since: Instant,
}

impl Orders {
    /// Why it is to end at once, whatever it is doing.
    pub(crate) fn sentence(&self) -> Option<ExitReason> {
        let killed = self.kill.map(ExitReason::Killed);
        killed.or_else(|| self.hang.map(ExitReason::from))
    }
}

impl Seat {
    pub(crate) fn new(node: Arc<Node>, incarnation: u64) -> Arc<Self> {
        let limits = node.rules.limits;
        node.count_life(true);
        let seat = Arc::new(Self {
            pulse: limits.are_set().then(Arc::default),
            is_born: AtomicBool::new(false),
            home: OnceLock::new(),
            reporter: Reporter::new(node.speaker.clone(), incarnation),
            node,
            incarnation,
            inside: Mutex::new(Inside {
                orders: Orders { stop: false, kill: None, hang: None, since: Instant::now() },
                monitors: Monitors::default(),
                waker: None,
            }),
            news: AtomicBool::new(true),
            successor_waker: AtomicWaker::new(),
            passed: AtomicU8::new(0),
        });
        if let Some(pulse) = &seat.pulse {
            let watched: Weak<Self> = Arc::downgrade(&seat);
            watch(pulse, limits, watched as Weak<dyn Watched>);
        }
        seat
    }

    pub(crate) fn lives_at(&self, home: &Arc<Home>) {
        let _ = self.home.set(home.clone()); // A seat is placed once.
    }

    pub(crate) fn home(&self) -> Option<&Arc<Home>> {
        self.home.get()
    }

    // ===== orders: the supervisor's side =====

    pub(crate) fn stop(&self) {
        self.order(|orders| {
            orders.stop = true;
            // Under the lock, which `leave` takes too: how it ended has the last word on its state.
            if self.passed.load(Ordering::Acquire) & LEAVING == 0 {
                self.node.set_state(self, ChildState::Stopping);
            }
        });
    }

    pub(crate) fn kill(&self, kill: Kill) {
        // What it was sentenced to first, stands.
        self.order(|orders| {
            if orders.sentence().is_none() {
                orders.kill = Some(kill);
            }
            // As in `stop`. One whose thread is blocked may take its time.
            if self.passed.load(Ordering::Acquire) & LEAVING == 0 {
                self.node.set_state(self, ChildState::Stopping);
            }
        });
        // It may be waiting on a thread that is blocked; and once born, it will find its orders.
        if !self.is_born.load(Ordering::SeqCst) {
            self.leave_as_ordered();
        }
    }

    /// Has the incarnation look here even if nothing else wakes it.
    pub(crate) fn wake(&self) {
        let waker = self.lock().waker.clone();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Goes on without the incarnation, which was killed and has not gone: it hangs. Should it come back to life, it
    /// finds its mailbox taken and ends unheard.
    pub(crate) fn abandon(self: &Arc<Self>) {
        self.kill(Kill::Brutal); // If it was not killed before.
        fence::leave_behind(self);
    }

    /// Declares it failed because it hangs.
    pub(crate) fn fails_by(&self, hang: Hang) {
        let mut inside = self.lock();
        if inside.orders.sentence().is_none() {
            inside.orders.hang = Some(hang);
        }
        drop(inside);
        self.news.store(true, Ordering::Release);
        self.wake();
    }

    fn order(&self, give: impl FnOnce(&mut Orders)) {
        let mut inside = self.lock();
        let orders = &mut inside.orders;
        if !orders.stop && orders.sentence().is_none() {
            orders.since = Instant::now();
        }
        give(orders);
        drop(inside);
        self.news.store(true, Ordering::Release);
        self.wake();
    }

    pub(crate) fn hang(&self) -> Option<Hang> {
        self.lock().orders.hang
    }

    pub(crate) fn has_orders(&self) -> bool {
        let orders = self.lock().orders;
        orders.stop || orders.sentence().is_some()
    }

    /// Says of an incarnation that is left behind that it is gone.
    pub(crate) fn leave_as_ordered(&self) {
        let sentence = self.lock().orders.sentence();
        if let Some(reason) = sentence {
            self.leave(reason);
        }
    }

    // ===== the incarnation's side =====

    /// Who is woken when there are orders. Said before they are looked at, none is missed.
    pub(crate) fn listen(&self, waker: &Waker) {
        self.lock().waker = Some(waker.clone());
    }

    pub(crate) fn orders(&self) -> Orders {
        self.news.store(false, Ordering::Release);
        self.lock().orders
    }

    /// Whether there may be orders that `orders` has not given yet.
    #[inline]
    pub(crate) fn has_news(&self) -> bool {
        self.news.load(Ordering::Acquire)
    }

    pub(crate) fn has_been_up(&self) -> bool {
        self.passed.load(Ordering::Acquire) & UP != 0
    }

    /// The incarnation is up. Said once; later calls change nothing.
    pub(crate) fn is_up(&self) {
        if self.passed.fetch_or(UP, Ordering::AcqRel) != 0 {
            return;
        }
        self.count_alive(1);
        let mut inside = self.lock();
        let orders = &mut inside.orders;
        if !orders.stop && orders.kill.is_none() {
            orders.since = Instant::now();
            self.node.set_state(self, ChildState::Running);
        }
        drop(inside);
        self.publish(EventKind::Started);
        self.node.boss.tell_up(self);
    }

    /// The incarnation is gone. Said once; later calls change nothing.
    pub(crate) fn leave(&self, reason: ExitReason) {
        let passed = self.passed.fetch_or(LEAVING, Ordering::AcqRel);
        if passed & LEAVING != 0 {
            return;
        }
        // Before anybody hears of it: who goes on in its place finds that it may.
        self.node.speaker.ended(self.incarnation);
        if passed & UP != 0 {
            self.count_alive(-1);
        }
        let Orders { stop, kill, since, .. } = self.lock().orders;
        let time = since.elapsed();
        self.node.set_exit(self, reason.clone());
        let Toll { life, lost, message, kept } = self.node.child.ended(self.incarnation);
        // What a supervisor handles are the notices of its children, and nobody else's concern.
        let (lost, kept) = if self.node.branch.is_some() { (0, 0) } else { (lost, kept) };
        let was_asked = stop || kill.is_some();
        let incident = self.publish(match was_asked {
            true => EventKind::Stopped { reason: reason.clone(), took: time },
            false => EventKind::Exited { reason: reason.clone(), lived: time, lost, message, kept },
        });
        if let Some(life) = life {
            let (path, incarnation, reason) = (self.node.path().clone(), self.incarnation, reason.clone());
            let _ = life.set(LifeEnd { path, incarnation, reason, incident }); // It ends once.
        }
        self.node.child.has_told(self.incarnation);
        if let Some(branch) = &self.node.branch {
            branch.disappoint();
        }
        // It had taken the mailbox from who refuses what is sent to one that is down for good.
        if self.node.vitals().state == ChildState::Finished {
            self.node.refuse();
        }
        // Not before all has been said: whoever comes next must not speak first.
        self.passed.fetch_or(LEFT, Ordering::AcqRel);
        let monitors = std::mem::take(&mut self.lock().monitors);
        monitors.tell(&reason);
        self.node.boss.tell_left(self, reason);
        self.successor_waker.wake();
    }

    /// `None` if the incarnation has left already.
    pub(crate) fn monitor(&self) -> Option<oneshot::Receiver<ExitReason>> {
        let mut inside = self.lock();
        // Under the lock: whoever is added before it leaves is told when it does.
        (!self.has_left()).then(|| inside.monitors.add())
    }

    pub(crate) fn has_left(&self) -> bool {
        self.passed.load(Ordering::Acquire) & LEFT != 0
    }

    /// Waits until the incarnation, which was killed, is gone; one that hangs is left behind. For whoever comes next.
    pub(crate) async fn gone(self: &Arc<Self>) {
        let left = std::future::poll_fn(|cx| {
            self.successor_waker.register(cx.waker());
            match self.has_left() {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        });
        if tokio::time::timeout(KILL_PATIENCE, left).await.is_err() {
            self.abandon();
        }
    }

    /// Gives the number of the incident that it belongs to.
    pub(crate) fn publish(&self, kind: EventKind) -> Option<u64> {
        self.node.speaker.publish(self.incarnation, kind)
    }

    fn count_alive(&self, change: isize) {
        if self.node.branch.is_none() {
            self.node.bus().count_alive(change);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.node.count_life(false);
    }
}
