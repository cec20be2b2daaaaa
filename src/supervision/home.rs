//! An arbiter thread of a tree, and who lives on it.

use std::cell::OnceCell;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use actix_rt::{Arbiter, ArbiterHandle};

use super::seat::Seat;
use crate::bus::LostThread;

pub(crate) struct Home {
    arbiter: ArbiterHandle,
    /// `None` once it was left behind.
    residents: Mutex<Option<Vec<Weak<Seat>>>>,
}

thread_local! {
    static HERE: OnceCell<Arc<Home>> = const { OnceCell::new() };
}

impl Home {
    pub(crate) fn on(arbiter: &Arbiter) -> Arc<Self> {
        let home = Arc::new(Self { arbiter: arbiter.handle(), residents: Mutex::new(Some(Vec::new())) });
        let here = home.clone();
        arbiter.spawn_fn(move || drop(HERE.with(|cell| cell.set(here))));
        home
    }

    /// That of the calling thread. The system's own arbiter is none: nobody could leave it.
    pub(crate) fn here() -> Option<Arc<Self>> {
        HERE.with(|here| here.get().cloned())
    }

    pub(crate) fn is_here(self: &Arc<Self>) -> bool {
        HERE.with(|here| here.get().is_some_and(|here| Arc::ptr_eq(here, self)))
    }

    pub(crate) fn arbiter(&self) -> &ArbiterHandle {
        &self.arbiter
    }

    /// Takes an incarnation in; not once the thread was left behind.
    pub(crate) fn admit(self: &Arc<Self>, seat: &Arc<Seat>) -> bool {
        let mut residents = self.residents.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(residents) = &mut *residents else {
            return false;
        };
        if residents.len() == residents.capacity() {
            residents.retain(|seat| seat.strong_count() > 0);
        }
        residents.push(Arc::downgrade(seat));
        seat.lives_at(self);
        true
    }

    /// Goes on without the thread, which is blocked; `lost` is dropped when it is free again. Gives those who lived
    /// there, in the order in which they came, to the first who asks.
    pub(crate) fn leave_behind(&self, lost: LostThread) -> Option<Vec<Arc<Seat>>> {
        let mut residents = self.residents.lock().unwrap_or_else(PoisonError::into_inner);
        let seats = residents.take()?.iter().filter_map(Weak::upgrade).collect();
        self.arbiter.spawn_fn(move || drop(lost));
        Some(seats)
    }
}
