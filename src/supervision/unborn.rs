//! Between the decision to start a child and its first moment on its thread.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::seat::Seat;
use crate::exit::{ExitReason, Kill};

/// A seat on its way to its arbiter. One that stops meanwhile drops it without a word, which must not look like a child
/// that is about to start for ever.
pub(crate) struct Unborn(Option<Arc<Seat>>);

impl Unborn {
    pub(crate) fn new(seat: Arc<Seat>) -> Self {
        Self(Some(seat))
    }

    pub(crate) fn seat(&self) -> &Arc<Seat> {
        self.0.as_ref().expect("it is not born yet")
    }

    pub(crate) fn born(mut self) -> Arc<Seat> {
        let seat = self.0.take().expect("it is born once");
        seat.is_born.store(true, Ordering::SeqCst);
        seat
    }
}

impl Drop for Unborn {
    fn drop(&mut self) {
        if let Some(seat) = self.0.take() {
            let sentence = seat.orders().sentence();
            seat.leave(sentence.unwrap_or(ExitReason::Killed(Kill::ArbiterGone)));
        }
    }
}
