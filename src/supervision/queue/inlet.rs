//! What comes into a mailbox: by actix's channel, or from who meddles with it.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use actix::Actor;
use actix::dev::{Envelope, EnvelopeProxy};
use futures::Stream;

use super::Queue;
use crate::event::Unhandled;
use crate::supervision::bound::Overflow;
use crate::supervision::letter::Letter;

/// A message that does nothing.
struct Empty;

impl<A: Actor> EnvelopeProxy<A> for Empty {
    fn handle(&mut self, _: &mut A, _: &mut A::Context) {}
}

impl<A: Actor<Context = actix::Context<A>>> Queue<A> {
    // ===== what actix's channel holds =====

    #[inline]
    pub(super) fn receive(&mut self, cx: &mut Context<'_>) -> Option<Envelope<A>> {
        match Pin::new(&mut self.inlet).poll_next(cx) {
            Poll::Ready(Some(envelope)) => {
                self.counts.received += 1;
                Some(envelope)
            }
            // The mailbox holds an address of its own, so the inlet never ends.
            Poll::Ready(None) | Poll::Pending => None,
        }
    }

    /// Takes over what was sent to the address, within the bound. The reader's waker stays registered there.
    pub(super) fn receive_all_quietly(&mut self) {
        let waker = self.waker.take();
        self.receive_all(&mut Context::from_waker(waker.as_ref().unwrap_or(Waker::noop())));
        self.waker = waker;
    }

    pub(super) fn receive_all(&mut self, cx: &mut Context<'_>) {
        while let Some(letter) = self.receive(cx).map(Letter::unknown) {
            self.accept(letter);
        }
    }

    /// Takes in what was sent to the address, where nobody can be told to wait.
    fn accept(&mut self, letter: Letter<A>) {
        if self.is_sealed {
            return self.discard(letter, Unhandled::Draining);
        }
        match self.bound.filter(|bound| self.waiting.len() >= bound.capacity).map(|bound| bound.overflow) {
            None | Some(Overflow::Block) => self.waiting.push_back(letter),
            Some(Overflow::DropOldest) if !self.waiting.is_empty() => {
                self.drop_oldest();
                self.waiting.push_back(letter);
            }
            Some(_) => self.discard(letter, Unhandled::Overflow),
        }
    }

    pub(super) fn drop_oldest(&mut self) {
        if let Some(oldest) = self.waiting.pop_front() {
            self.discard(oldest, Unhandled::Overflow);
        }
    }

    // ===== from outside =====

    /// How many wait. The message before has been handled; `cx` is woken by the next that comes.
    pub(in crate::supervision) fn look(&mut self, cx: &mut Context<'_>) -> usize {
        self.handled();
        self.receive_all(cx);
        self.wake_by(cx.waker());
        self.waiting.len()
    }

    /// Drops the next message.
    pub(in crate::supervision) fn discard_next(&mut self, why: Unhandled, is_news: bool) {
        if let Some(letter) = self.waiting.pop_front() {
            self.discard_telling(letter, why, is_news);
        }
    }

    /// Takes in so many messages that do nothing, as if sent to the address.
    pub(in crate::supervision) fn flood(&mut self, count: u64) {
        self.receive_all_quietly();
        for _ in 0..count {
            self.counts.received += 1;
            self.accept(Letter {
                envelope: Envelope::with_proxy(Box::new(Empty)),
                kind: Some(|| "fault::Flood"),
                fate: None,
            });
        }
    }

    /// Takes nothing new from now on: what was sent before stays, what comes is dropped. Or takes it again.
    pub(in crate::supervision) fn seal(&mut self, is_sealed: bool) -> bool {
        self.receive_all_quietly();
        std::mem::replace(&mut self.is_sealed, is_sealed) != is_sealed
    }

    /// Whether nothing waits, nor is being handled. If not, somebody says when to look again.
    pub(in crate::supervision) fn is_empty(&mut self) -> bool {
        self.receive_all_quietly();
        let is_empty = self.waiting.is_empty() && !self.counts.in_hand;
        self.is_asked_after |= !is_empty;
        is_empty
    }

    pub(in crate::supervision) fn is_sealed(&self) -> bool {
        self.is_sealed
    }
}
