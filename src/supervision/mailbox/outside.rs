//! What is done to a mailbox by who meddles with its child: looked at before anything is taken, flooded, sealed.

use std::pin::pin;
use std::task::Context;

use actix::Actor;

use super::{Claim, Mailbox};
use crate::event::Unhandled;

impl<A: Actor<Context = actix::Context<A>>> Mailbox<A> {
    /// How many messages wait, for who reads; 0 if that is somebody else by now. The message before has been handled;
    /// `cx` is woken by the next that comes.
    pub(crate) fn look(&self, claim: Claim, cx: &mut Context<'_>) -> usize {
        let queued = self.with(|queue| {
            if queue.reader != claim {
                return 0;
            }
            let queued = queue.look(cx);
            self.tell_curious(queue);
            queued
        });
        queued.unwrap_or_default()
    }

    /// Drops the next message, whose sender hears that it was dropped on purpose.
    pub(crate) fn discard_next(&self, claim: Claim, is_news: bool) {
        self.with(|queue| {
            if queue.reader == claim {
                queue.discard_next(Unhandled::Injected, is_news);
                self.room.notify_waiters();
            }
        });
    }

    /// Takes in so many messages that do nothing.
    pub(crate) fn flood(&self, count: u64) {
        self.with_news(|queue| queue.flood(count));
    }

    /// Takes nothing new from now on, or takes it again. Says whether that changed anything.
    pub(crate) fn seal(&self, is_sealed: bool) -> bool {
        let has_changed = self.with(|queue| queue.seal(is_sealed));
        // Whoever waits for room hears that there is none to come; whoever waits for the end of what is here, looks again.
        self.room.notify_waiters();
        self.ends.notify_waiters();
        has_changed.unwrap_or(false)
    }

    /// Whether it takes nothing new.
    pub(crate) fn is_sealed(&self) -> bool {
        self.with(|queue| queue.is_sealed()).unwrap_or(false)
    }

    /// Waits until nothing is in a sealed mailbox any more, nor in hand. Says whether it still is sealed.
    pub(crate) async fn drained(&self) -> bool {
        loop {
            let mut news = pin!(self.ends.notified());
            news.as_mut().enable();
            match self.with(|queue| (queue.is_sealed(), queue.is_empty())) {
                None | Some((true, true)) => return true,
                Some((false, _)) => return false,
                Some((true, false)) => news.await,
            }
        }
    }
}
