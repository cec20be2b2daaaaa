//! What happened in a tree, as one ordered stream of typed events. The log, the views and the tests read the
//! same stream; nothing about a tree is told anywhere else.

use std::any::Any;
use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicIsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime};

use futures::{Stream, StreamExt};
use log::Level;

use crate::exit::ExitReason;
use crate::fault::Fault;
use crate::path::TreePath;

/// One thing that happened to one child.
#[derive(Clone, Debug)]
pub struct Event {
    /// Counts the tree's events from 1, in the order in which they happened.
    pub seq: u64,
    /// When, by the wall clock.
    pub at: SystemTime,
    /// To whom.
    pub path: TreePath,
    /// To which of its lives, counted from 1; 0 before the first.
    pub incarnation: u64,
    /// What.
    pub kind: EventKind,
}

/// What happened.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum EventKind {
    /// The incarnation runs: `started()` has returned, and what it put into `ctx.wait()` is done.
    Started,
    /// The incarnation ended without being asked to.
    Exited {
        /// Why.
        reason: ExitReason,
        /// How long it ran.
        lived: Duration,
    },
    /// The incarnation ended because its supervisor asked for it.
    Stopped {
        /// How: [`ExitReason::Shutdown`] when it did as asked.
        reason: ExitReason,
        /// How long that took.
        took: Duration,
    },
    /// The supervisor decided to restart it, and with it those that the strategy names.
    Restarting {
        /// The wait before the start.
        delay: Duration,
        /// Failures in a row, this one included, as the backoff counts them.
        failures: u32,
        /// The supervisor's restarts, this one included.
        budget: Budget,
        /// The siblings that restart with it.
        siblings: Vec<TreePath>,
    },
    /// The supervisor is out of restarts. It stops its children and fails; its parent decides.
    GaveUp {
        /// The child whose failure was one too many.
        child: TreePath,
        /// How that child ended.
        reason: ExitReason,
        /// The restarts that were used up.
        budget: Budget,
    },
    /// Somebody put a failure into the child on purpose.
    Injected(Fault),
    /// The child has something to say; see [`Reporter`].
    Report(Arc<dyn Report>),
    /// This subscriber did not read for so long that as many events as this were not kept for it.
    Missed(u64),
}

/// How much of a supervisor's restart intensity is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Restarts within the period, the one being decided included.
    pub used: u32,
    /// Restarts allowed within the period.
    pub intensity: u32,
    /// The period.
    pub period: Duration,
}

/// What an actor type tells the world in its own words: a beat, a finished job. Any `Debug + Display` type
/// can be one; readers get the type back with [`Event::report`].
pub trait Report: Any + fmt::Debug + fmt::Display + Send + Sync {
    /// How loud it is in the log.
    fn level(&self) -> Level {
        Level::Debug
    }
}

impl Event {
    /// The report as the type it was made of, if that is what this event is.
    pub fn report<R: Report>(&self) -> Option<&R> {
        let EventKind::Report(report) = &self.kind else {
            return None;
        };
        (&**report as &dyn Any).downcast_ref()
    }

    /// How loud it is in the log.
    pub fn level(&self) -> Level {
        match &self.kind {
            EventKind::Exited { reason, .. } if !reason.is_normal() => Level::Warn,
            EventKind::Stopped { reason, .. } if !reason.is_normal() => Level::Warn,
            EventKind::Restarting { .. } | EventKind::Injected(_) | EventKind::Missed(_) => Level::Warn,
            EventKind::GaveUp { .. } => Level::Error,
            EventKind::Report(report) => report.level(),
            _ => Level::Info,
        }
    }
}

// ===== publishing =====

/// How many events are kept for a subscriber that does not read.
const BACKLOG: usize = 65_536;

/// Carries a tree's events to its subscribers, in order.
#[derive(Clone, Default)]
pub(crate) struct EventBus(Arc<Shared>);

#[derive(Default)]
struct Shared {
    bus: Mutex<Bus>,
    /// How many children are up that are no supervisors.
    alive: AtomicIsize,
}

#[derive(Default)]
struct Bus {
    seq: u64,
    closed: bool,
    subscribers: Vec<Weak<Mutex<Inbox>>>,
}

#[derive(Default)]
struct Inbox {
    queue: VecDeque<Event>,
    closed: bool,
    waker: Option<Waker>,
}

impl EventBus {
    pub(crate) fn publish(&self, path: &TreePath, incarnation: u64, kind: EventKind) {
        let mut bus = lock(&self.0.bus);
        bus.seq += 1;
        let event = Event {
            seq: bus.seq,
            at: SystemTime::now(),
            path: path.clone(),
            incarnation,
            kind,
        };
        bus.subscribers.retain(|subscriber| match subscriber.upgrade() {
            Some(inbox) => {
                lock(&inbox).push(event.clone());
                true
            }
            None => false,
        });
        drop(bus);
        log::log!(target: "latido", event.level(), "{event}");
    }

    pub(crate) fn subscribe(&self) -> Events {
        let mut bus = lock(&self.0.bus);
        let inbox = Arc::new(Mutex::new(Inbox {
            closed: bus.closed,
            ..Inbox::default()
        }));
        bus.subscribers.push(Arc::downgrade(&inbox));
        drop(bus);
        Events { inbox }
    }

    pub(crate) fn count_alive(&self, change: isize) {
        self.0.alive.fetch_add(change, Ordering::Relaxed);
    }

    pub(crate) fn alive(&self) -> usize {
        self.0.alive.load(Ordering::Relaxed).max(0).unsigned_abs()
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
        } else if let Some(Event {
            kind: EventKind::Missed(count),
            ..
        }) = self.queue.back_mut()
        {
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

    /// Reads on until `wanted` holds for an event of the child at `path`, and returns that event; `None` if
    /// the tree ended first. `path` may be a glob, see [`TreePath::matches`].
    pub async fn until(&mut self, path: &str, mut wanted: impl FnMut(&Event) -> bool) -> Option<Event> {
        while let Some(event) = self.next().await {
            if event.path.matches(path) && wanted(&event) {
                return Some(event);
            }
        }
        None
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
        f.debug_struct("Events")
            .field("unread", &lock(&self.inbox).queue.len())
            .finish()
    }
}

// ===== as text =====

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            path,
            incarnation,
            kind,
            ..
        } = self;
        match kind {
            EventKind::Exited { lived, .. } => write!(f, "{path} #{incarnation} {kind} (lived {lived:.1?})"),
            EventKind::Stopped { took, .. } => write!(f, "{path} #{incarnation} {kind} (took {took:.1?})"),
            EventKind::Restarting { .. } | EventKind::GaveUp { .. } => write!(f, "{path} {kind}"),
            EventKind::Report(report) => write!(f, "{path} #{incarnation}: {report}"),
            EventKind::Missed(_) => kind.fmt(f),
            _ => write!(f, "{path} #{incarnation} {kind}"),
        }
    }
}

/// What happened, without to whom, when or for how long: the same text in every run.
impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started => f.write_str("started"),
            Self::Exited { reason, .. } => reason.fmt(f),
            Self::Stopped {
                reason: ExitReason::Shutdown,
                ..
            } => f.write_str("stopped"),
            Self::Stopped { reason, .. } => write!(f, "stopped, but {reason}"),
            Self::Restarting {
                delay,
                failures,
                budget,
                siblings,
            } => {
                let wait = if delay.is_zero() {
                    "at once".to_owned()
                } else {
                    format!("in {delay:.1?}")
                };
                write!(f, "restarts {wait} (failure {failures} in a row, {budget})")?;
                if !siblings.is_empty() {
                    let names: Vec<_> = siblings.iter().map(TreePath::name).collect();
                    write!(f, " together with {}", names.join(", "))?;
                }
                Ok(())
            }
            Self::GaveUp {
                child,
                reason,
                budget,
            } => write!(f, "gives up: {} {reason}, {budget}", child.name()),
            Self::Injected(fault) => write!(f, "gets a fault on purpose: {fault}"),
            Self::Report(report) => report.fmt(f),
            Self::Missed(count) => write!(
                f,
                "{count} events were missed here: this subscriber reads too slowly"
            ),
        }
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            used,
            intensity,
            period,
        } = self;
        write!(f, "restart {used} of {intensity} in {period:?}")
    }
}
