//! How an actor speaks on its tree's event stream, in its own name.

use std::cell::RefCell;
use std::fmt;
use std::future::pending;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Notify;

use crate::bus::EventBus;
use crate::event::{EventKind, Report};
use crate::incident::Open;
use crate::path::TreePath;

thread_local! {
    static CURRENT: RefCell<Reporter> = const { RefCell::new(Reporter(None)) };
}

/// Publishes reports in the name of one incarnation of one child. Take it with [`Reporter::current`] where the
/// actor's code runs, keep it, and send it to other threads if need be.
///
/// An actor that runs outside a tree gets a reporter that says nothing, so the same actor works in both.
///
/// ```
/// use actix::prelude::*;
/// use latido::{Report, Reporter};
///
/// #[derive(Debug)]
/// struct Indexed(u64);
/// impl std::fmt::Display for Indexed {
///     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
///         write!(f, "indexed {} pages", self.0)
///     }
/// }
/// impl Report for Indexed {}
///
/// struct Indexer;
/// impl Actor for Indexer {
///     type Context = Context<Self>;
///     fn started(&mut self, _: &mut Context<Self>) {
///         Reporter::current().report(Indexed(0)); // "app/indexer #1: indexed 0 pages"
///     }
/// }
/// ```
#[derive(Clone, Default)]
pub struct Reporter(Option<(Arc<Speaker>, u64)>);

/// One child, as the voice in which it is spoken of: where its events go.
pub(crate) struct Speaker {
    pub(crate) bus: EventBus,
    pub(crate) path: TreePath,
    incident: Open,
    /// The last of its lives that has ended: those before it have, too.
    ended: AtomicU64,
    /// Another has.
    end: Notify,
}

impl Speaker {
    pub(crate) fn new(bus: EventBus, path: TreePath) -> Arc<Self> {
        let (ended, end) = (AtomicU64::new(0), Notify::new());
        Arc::new(Self { bus, path, incident: Open::default(), ended, end })
    }

    /// Gives the number of the incident that it belongs to.
    pub(crate) fn publish(&self, incarnation: u64, kind: EventKind) -> Option<u64> {
        self.bus.publish(&self.path, incarnation, kind, &self.incident)
    }

    /// A life has ended, or was left behind.
    pub(crate) fn ended(&self, incarnation: u64) {
        self.ended.fetch_max(incarnation, Ordering::AcqRel);
        self.end.notify_waiters();
    }

    /// A message was handled. Says it once after each failure.
    #[inline]
    pub(crate) fn answered(&self) {
        if self.incident.is_open() {
            self.bus.answered(&self.incident);
        }
    }
}

impl Reporter {
    pub(crate) fn new(speaker: Arc<Speaker>, incarnation: u64) -> Self {
        Self(Some((speaker, incarnation)))
    }

    /// The reporter of the actor whose code is running: in its factory, `started`, a handler, an interval, a future of
    /// its context.
    pub fn current() -> Self {
        CURRENT.with_borrow(Clone::clone)
    }

    /// Publishes an [`EventKind::Report`].
    pub fn report(&self, report: impl Report) {
        if let Some((speaker, incarnation)) = &self.0 {
            speaker.publish(*incarnation, EventKind::Report(Arc::new(report)));
        }
    }

    /// Where the actor stands in its tree; `None` outside a tree.
    pub fn path(&self) -> Option<&TreePath> {
        self.0.as_ref().map(|(speaker, _)| &speaker.path)
    }

    /// Which of its lives the actor is in, counted from 1; 0 outside a tree.
    pub fn incarnation(&self) -> u64 {
        self.0.as_ref().map_or(0, |(_, incarnation)| *incarnation)
    }

    /// Whether the life that this speaks for has ended. To the actor's own code it can only be news if it was left behind
    /// because it blocked its thread (see [`ChildSpec::watchdog`](crate::supervision::ChildSpec::watchdog)): somebody else
    /// is in its place, or about to be. Whoever asks before doing what must not be done by two keeps out of that one's
    /// way. Never outside a tree.
    pub fn has_ended(&self) -> bool {
        let ended = |(speaker, life): &(Arc<Speaker>, u64)| speaker.ended.load(Ordering::Acquire) >= *life;
        self.0.as_ref().is_some_and(ended)
    }

    /// Waits for that, for those who work for it. Outside a tree, for ever.
    pub async fn ended(&self) {
        let Some((speaker, _)) = &self.0 else { return pending().await };
        loop {
            let mut end = pin!(speaker.end.notified());
            end.as_mut().enable();
            if self.has_ended() {
                return;
            }
            end.await;
        }
    }

    /// How many children of the tree are up, supervisors not counted; 0 outside a tree.
    pub fn alive(&self) -> usize {
        self.0.as_ref().map_or(0, |(speaker, _)| speaker.bus.alive())
    }

    /// Where its tree's events go, and its lost threads are counted. Outside a tree: to nobody, and by themselves.
    pub(crate) fn bus(&self) -> EventBus {
        self.0.as_ref().map(|(speaker, _)| speaker.bus.clone()).unwrap_or_default()
    }

    /// Makes this the current reporter until the returned value is dropped, or [leaves](Entered::leave).
    pub(crate) fn enter(self) -> Entered {
        Entered(Some(CURRENT.replace(self)))
    }
}

/// What was current before. `None` once that is put back.
pub(crate) struct Entered(Option<Reporter>);

impl Entered {
    /// Gives the reporter back: whoever enters often need not clone it.
    pub(crate) fn leave(mut self) -> Reporter {
        self.0.take().map_or(Reporter(None), |before| CURRENT.replace(before))
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        if let Some(before) = self.0.take() {
            CURRENT.set(before);
        }
    }
}

/// Whether both speak for the same life, or for none.
impl PartialEq for Reporter {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some((one, life)), Some((other, others_life))) => Arc::ptr_eq(one, other) && life == others_life,
            (one, other) => one.is_none() && other.is_none(),
        }
    }
}

impl Eq for Reporter {}

impl fmt::Debug for Reporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some((speaker, incarnation)) => write!(f, "Reporter({} #{incarnation})", speaker.path),
            None => f.write_str("Reporter(outside a tree)"),
        }
    }
}
