//! Carries a tree's events to its subscribers.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicIsize, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::SystemTime;

use actix_rt::ArbiterHandle;
use futures::{Stream, StreamExt};

use crate::event::{Event, EventKind};
use crate::incident::{Book, Incident, Open};
use crate::path::TreePath;

// ===== publishing =====

/// How many events are kept for a subscriber that does not read.
const BACKLOG: usize = 65_536;

/// Carries a tree's events to its subscribers, in order.
#[derive(Clone, Default)]
pub(crate) struct EventBus(Arc<Shared>);

#[derive(Default)]
struct Shared {
    /// The arbiter that the tree was started on, the only one that nobody leaves behind. `None` outside a tree.
    base: Option<ArbiterHandle>,
    bus: Mutex<Bus>,
    /// How many children are up that are no supervisors.
    alive: AtomicIsize,
    /// How many threads were left behind and have not returned.
    lost_threads: AtomicUsize,
}

/// How many threads a tree may leave behind and go on.
pub(crate) const MAX_LOST_THREADS: usize = 16;

/// A thread that a tree has left behind, until this is dropped.
pub(crate) struct LostThread(EventBus);

impl LostThread {
    pub(crate) fn new(bus: &EventBus) -> Self {
        bus.0.lost_threads.fetch_add(1, Ordering::Relaxed);
        Self(bus.clone())
    }
}

impl Drop for LostThread {
    fn drop(&mut self) {
        self.0.0.lost_threads.fetch_sub(1, Ordering::Relaxed);
    }
}

#[derive(Default)]
struct Bus {
    seq: u64,
    closed: bool,
    book: Book,
    subscribers: Vec<Weak<Mutex<Inbox>>>,
}

#[derive(Default)]
struct Inbox {
    queue: VecDeque<Event>,
    closed: bool,
    waker: Option<Waker>,
}

impl EventBus {
    pub(crate) fn new(base: ArbiterHandle) -> Self {
        Self(Arc::new(Shared { base: Some(base), ..Shared::default() }))
    }

    pub(crate) fn base(&self) -> Option<&ArbiterHandle> {
        self.0.base.as_ref()
    }

    /// Gives the number of the incident that it belongs to.
    pub(crate) fn publish(
        &self,
        path: &TreePath,
        incarnation: u64,
        kind: EventKind,
        open: &Open,
    ) -> Option<u64> {
        let mut bus = lock(&self.0.bus);
        bus.seq += 1;
        let (seq, at, path) = (bus.seq, SystemTime::now(), path.clone());
        let mut event = Event { seq, at, path, incarnation, incident: None, kind };
        event.incident = bus.book.note(&event, open);
        bus.subscribers.retain(|subscriber| match subscriber.upgrade() {
            Some(inbox) => {
                lock(&inbox).push(event.clone());
                true
            }
            None => false,
        });
        drop(bus);
        log::log!(target: "latido", event.level(), "{event}");
        event.incident
    }

    pub(crate) fn subscribe(&self) -> Events {
        let mut bus = lock(&self.0.bus);
        let inbox = Arc::new(Mutex::new(Inbox { closed: bus.closed, ..Inbox::default() }));
        bus.subscribers.push(Arc::downgrade(&inbox));
        drop(bus);
        Events { inbox }
    }

    /// Who had this incident has handled a message again.
    pub(crate) fn answered(&self, incident: &Open) {
        lock(&self.0.bus).book.answered(incident);
    }

    pub(crate) fn incidents(&self) -> Vec<Incident> {
        lock(&self.0.bus).book.incidents()
    }

    pub(crate) fn count_alive(&self, change: isize) {
        self.0.alive.fetch_add(change, Ordering::Relaxed);
    }

    pub(crate) fn alive(&self) -> usize {
        self.0.alive.load(Ordering::Relaxed).max(0).unsigned_abs()
    }

    pub(crate) fn lost_threads(&self) -> usize {
        self.0.lost_threads.load(Ordering::Relaxed)
    }

    /// Ends every subscription, once its reader has read what there is.
    pub(crate) fn close(&self) {
        let mut bus = lock(&self.0.bus);
        bus.closed = true;
        for inbox in bus.subscribers.drain(..).filter_map(|weak| weak.upgrade()) {
            let mut inbox = lock(&inbox);
            inbox.closed = true;
            inbox.wake();
        }
    }
}

impl Inbox {
    fn push(&mut self, event: Event) {
        if self.queue.len() < BACKLOG {
            self.queue.push_back(event);
            self.wake();
        } else if let Some(Event { kind: EventKind::Missed(count), .. }) = self.queue.back_mut() {
            *count += 1;
        } else {
            // It takes the place, and the number, of the first that is missed.
            let kind = EventKind::Missed(1);
            self.queue.push_back(Event { kind, ..event });
        }
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

// ===== reading =====

/// A subscription: a `Stream` of the events since it was made. It ends with the tree.
///
/// Whoever publishes never waits for a reader: a reader that falls 65,536 events behind is told how many it
/// missed ([`EventKind::Missed`]).
pub struct Events {
    inbox: Arc<Mutex<Inbox>>,
}

impl Events {
    /// The next event; `None` once the tree has ended.
    pub async fn next(&mut self) -> Option<Event> {
        StreamExt::next(self).await
    }

    /// An event that is already there.
    pub fn try_next(&mut self) -> Option<Event> {
        lock(&self.inbox).queue.pop_front()
    }

    /// Reads on until `pick` finds something in an event of the child at `path`, and returns that; `None` if the tree
    /// ended first. `path` may be a glob, see [`TreePath::matches`].
    pub async fn find_map<T>(&mut self, path: &str, mut pick: impl FnMut(&Event) -> Option<T>) -> Option<T> {
        while let Some(event) = self.next().await {
            if event.path.matches(path)
                && let Some(found) = pick(&event)
            {
                return Some(found);
            }
        }
        None
    }

    /// Reads on until `wanted` holds for an event of the child at `path`, and returns that event; `None` if
    /// the tree ended first. `path` may be a glob, see [`TreePath::matches`].
    pub async fn until(&mut self, path: &str, mut wanted: impl FnMut(&Event) -> bool) -> Option<Event> {
        self.find_map(path, |event| wanted(event).then(|| event.clone())).await
    }
}

impl Stream for Events {
    type Item = Event;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        let mut inbox = lock(&self.inbox);
        match inbox.queue.pop_front() {
            Some(event) => Poll::Ready(Some(event)),
            None if inbox.closed => Poll::Ready(None),
            None => {
                inbox.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").field("unread", &lock(&self.inbox).queue.len()).finish()
    }
}
