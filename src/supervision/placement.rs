//! On which thread a child runs.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use actix_rt::{Arbiter, ArbiterHandle};

use super::home::Home;
use super::seat::Seat;

/// Where the incarnations of a child run. An arbiter is a thread with an event loop; actors on the same one never
/// run at the same time.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Placement {
    /// On its supervisor's arbiter.
    #[default]
    Current,
    /// On an arbiter of its own, which nobody else can block.
    OwnThread,
    /// On one arbiter of a set, taken in turn.
    Shared(Arbiters),
}

/// A set of arbiter threads that children share, so that a thousand downloaders are not a thousand threads.
///
/// The threads start when they are first used and end with the last clone of the set and the last tree that uses it.
#[derive(Clone)]
pub struct Arbiters(Arc<Mutex<Ring>>);

struct Ring {
    slots: Vec<Option<OwnedArbiter>>,
    next: usize,
}

impl Arbiters {
    /// A set of `threads` arbiters; 0 means as many as there are cores.
    pub fn new(threads: usize) -> Self {
        let cores = || std::thread::available_parallelism().map_or(1, |cores| cores.get());
        let threads = if threads == 0 { cores() } else { threads };
        Self(Arc::new(Mutex::new(Ring { slots: (0..threads).map(|_| None).collect(), next: 0 })))
    }

    /// The next arbiter in turn; one whose thread has ended is replaced.
    pub(crate) fn next(&self) -> io::Result<Arc<Home>> {
        let mut ring = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = ring.next;
        ring.next = (turn + 1) % ring.slots.len();
        OwnedArbiter::ensure(&mut ring.slots[turn])
    }

    /// Replaces an arbiter whose thread is blocked; it ends when it is free again.
    pub(crate) fn give_up(&self, blocked: &Arc<Home>) {
        let mut ring = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for slot in &mut ring.slots {
            slot.take_if(|arbiter| arbiter.is(blocked));
        }
    }
}

impl fmt::Debug for Arbiters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ring = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        f.debug_struct("Arbiters").field("threads", &ring.slots.len()).finish()
    }
}

/// An arbiter that ends with its owner. (A dropped `Arbiter` leaves its thread running.)
pub(crate) struct OwnedArbiter(Arbiter, Arc<Home>);

impl OwnedArbiter {
    /// The arbiter in `slot`, started if there is none or its thread has ended.
    pub(crate) fn ensure(slot: &mut Option<Self>) -> io::Result<Arc<Home>> {
        if let Some(owned) = slot.as_ref().filter(|owned| owned.0.alive()) {
            return Ok(owned.1.clone());
        }
        let arbiter = Arbiter::try_new()?;
        let home = Home::on(&arbiter);
        *slot = Some(Self(arbiter, home.clone()));
        Ok(home)
    }

    pub(crate) fn is(&self, home: &Arc<Home>) -> bool {
        Arc::ptr_eq(&self.1, home)
    }

    pub(crate) fn handle(&self) -> ArbiterHandle {
        self.0.handle()
    }
}

impl Drop for OwnedArbiter {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// The thread that its placement gave a child; it is kept over restarts.
pub(crate) struct Thread {
    placement: Placement,
    own: Option<OwnedArbiter>,
    shared: Option<Arc<Home>>,
    /// Threads of its own that were told to end.
    ending: Vec<ArbiterHandle>,
}

impl Thread {
    /// `None` if the child runs on its supervisor's.
    pub(crate) fn of(placement: Placement) -> Option<Self> {
        let shares_thread = matches!(placement, Placement::Current);
        (!shares_thread).then(|| Self { placement, own: None, shared: None, ending: Vec::new() })
    }

    /// The arbiter to launch on; `None` for the current one.
    pub(crate) fn admit(&mut self, seat: &Arc<Seat>) -> io::Result<Option<ArbiterHandle>> {
        loop {
            let home = match &self.placement {
                Placement::Current => return Ok(None), // It was cleared.
                Placement::OwnThread => OwnedArbiter::ensure(&mut self.own)?,
                Placement::Shared(arbiters) => match &self.shared {
                    Some(home) if home.arbiter().alive() => home.clone(),
                    _ => arbiters.next()?,
                },
            };
            if home.admit(seat) {
                let arbiter = home.arbiter().clone();
                if let Placement::Shared(_) = self.placement {
                    self.shared = Some(home);
                }
                return Ok(Some(arbiter));
            }
            self.give_up(&home);
        }
    }

    /// Gives up a thread that is blocked, if it is the child's; the next incarnation gets another.
    pub(crate) fn give_up(&mut self, blocked: &Arc<Home>) {
        if self.own.as_ref().is_some_and(|own| own.is(blocked)) {
            self.end_own();
        }
        self.shared.take_if(|shared| Arc::ptr_eq(shared, blocked));
        if let Placement::Shared(arbiters) = &self.placement {
            arbiters.give_up(blocked);
        }
    }

    /// Nobody needs it any more. Its share in a set of threads goes too: the tree's handles may be held for longer.
    pub(crate) fn clear(&mut self) {
        self.end_own();
        self.shared = None;
        self.placement = Placement::Current;
    }

    /// Whether a thread of its own was told to end and has not.
    pub(crate) fn is_ending(&self) -> bool {
        self.ending.iter().any(ArbiterHandle::alive)
    }

    fn end_own(&mut self) {
        self.ending.retain(ArbiterHandle::alive);
        self.ending.extend(self.own.take().map(|own| own.handle()));
    }
}
