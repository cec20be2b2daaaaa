//! What waits in a mailbox, in order, within its bound, and counted.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use actix::Actor;
use actix::dev::Envelope;
use actix::dev::channel::AddressReceiver;
use futures::Stream;

use super::letter::{Kind, Letter, Life, Toll};
use super::mailbox::Claim;
use crate::event::{EventKind, Unhandled};

/// How many messages may wait for a child, and what happens to one too many; see
/// [`ChildSpec::mailbox`](super::ChildSpec::mailbox).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    pub(crate) capacity: usize,
    pub(crate) overflow: Overflow,
}

/// What happens to a message for a full mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Overflow {
    /// An [`ask`](super::ActorRef::ask) waits for room. What is sent in other ways cannot wait, and is queued.
    Block,
    /// It is given back to who asks ([`AskError::Full`](super::AskError::Full)); what is sent in other ways is dropped.
    Reject,
    /// It is dropped.
    DropNewest,
    /// The one that has waited longest is dropped, and the new one is queued.
    DropOldest,
}

impl Bound {
    /// At most `capacity` messages may wait; 0 is taken as 1.
    pub fn new(capacity: usize, overflow: Overflow) -> Self {
        Self { capacity: capacity.max(1), overflow }
    }
}

/// What became of the messages of a child, counted over all its lives. They add up:
/// `received = handled + lost + dropped + queued`, and one more that is [`in_hand`](Self::in_hand).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct MessageCounts {
    /// Messages that arrived.
    pub received: u64,
    /// Messages whose handler returned.
    pub handled: u64,
    /// Messages that were being handled when the incarnation ended.
    pub lost: u64,
    /// Messages that nobody handled: the mailbox was full, or the child was down for good.
    pub dropped: u64,
    /// Messages that wait.
    pub queued: u64,
    /// Whether one is being handled.
    pub in_hand: bool,
}

pub(super) struct Queue<A: Actor<Context = actix::Context<A>>> {
    pub(super) inlet: AddressReceiver<A>,
    pub(super) bound: Option<Bound>,
    pub(super) reader: Claim,
    pub(super) waker: Option<Waker>,
    /// The reader has found nothing, and was not woken since.
    is_idle: bool,
    /// Taken out of the inlet, so that they can be counted, and bounded.
    waiting: VecDeque<Letter<A>>,
    counts: MessageCounts,
    /// The type of the message in hand.
    kind: Option<Kind>,
    /// The reader's, shared with the messages it took from people who ask: they may look long after others have read
    /// here. None of those has come while this is `None`.
    life: Option<Arc<Life>>,
    /// The reader has ended, and this was lost with it.
    lost: Option<(u64, Option<&'static str>)>,
    /// Whether an incarnation has ever read here.
    pub(super) has_run: bool,
    trash: Trash<A>,
}

/// What is to be done outside the lock.
pub(super) struct Trash<A: Actor> {
    /// To be dropped: a destructor may do anything, even ask.
    pub(super) letters: Vec<Letter<A>>,
    /// To be told.
    pub(super) news: Option<EventKind>,
}

/// A message that came too late for a place in the queue.
pub(super) enum Refused<A: Actor> {
    /// Come again when there is room.
    Wait(Letter<A>),
    /// There is no room, and there is no waiting for it.
    Full,
}

impl<A: Actor<Context = actix::Context<A>>> Queue<A> {
    pub(super) fn new(inlet: AddressReceiver<A>, bound: Option<Bound>) -> Self {
        Self {
            inlet,
            bound,
            reader: Claim::default(),
            waker: None,
            is_idle: false,
            waiting: VecDeque::new(),
            counts: MessageCounts::default(),
            kind: None,
            life: None,
            lost: None,
            has_run: false,
            trash: Trash { letters: Vec::new(), news: None },
        }
    }

    /// The next message; if there is none, `cx` is woken when there is. The one before has been handled.
    ///
    /// Every message passes here: nothing but the envelope is moved, or copying costs more than all the rest.
    #[inline]
    pub(super) fn take(&mut self, cx: &mut Context<'_>) -> Option<Envelope<A>> {
        self.handled();
        if self.bound.is_some() {
            self.receive_all(cx);
        }
        let envelope = match self.waiting.pop_front() {
            Some(letter) => self.open(letter),
            None => {
                self.kind = None;
                self.receive(cx)?
            }
        };
        self.counts.in_hand = true;
        Some(envelope)
    }

    fn open(&mut self, Letter { envelope, kind, fate }: Letter<A>) -> Envelope<A> {
        self.kind = kind;
        if let Some(fate) = fate {
            fate.is_in_hand(self.reader.incarnation, self.life.get_or_insert_default());
        }
        envelope
    }

    /// Puts a message behind all that have arrived, if the bound allows.
    pub(super) fn put(&mut self, letter: Letter<A>) -> Result<(), Refused<A>> {
        self.receive_all_quietly();
        if let Some(bound) = self.bound.filter(|bound| self.waiting.len() >= bound.capacity) {
            match bound.overflow {
                Overflow::Block => return Err(Refused::Wait(letter)),
                Overflow::Reject => {
                    self.trash.letters.push(letter);
                    return Err(Refused::Full);
                }
                Overflow::DropOldest if bound.capacity > 0 => self.drop_oldest(),
                Overflow::DropOldest | Overflow::DropNewest => {
                    self.counts.received += 1;
                    self.discard(letter, Unhandled::Overflow);
                    return Ok(());
                }
            }
        }
        self.push(letter);
        Ok(())
    }

    /// Puts a message behind all that have arrived, whatever the bound.
    pub(super) fn push(&mut self, letter: Letter<A>) {
        self.counts.received += 1;
        self.waiting.push_back(letter);
    }

    /// The reader's waker, if it waits for what is there now. For outside the lock, or the reader would run into it.
    pub(super) fn take_wake(&mut self) -> Option<Waker> {
        if !self.is_idle || self.waiting.is_empty() {
            return None;
        }
        self.is_idle = false;
        self.waker.clone()
    }

    /// Who is woken when there is a message.
    pub(super) fn wake_by(&mut self, waker: &Waker) {
        if !self.waker.as_ref().is_some_and(|known| known.will_wake(waker)) {
            self.waker = Some(waker.clone());
        }
        self.is_idle = true;
    }

    pub(super) fn counts(&mut self) -> MessageCounts {
        self.receive_all_quietly();
        MessageCounts { queued: self.waiting.len() as u64, ..self.counts }
    }

    // ===== ends =====

    /// The handler has returned.
    pub(super) fn handled(&mut self) {
        self.counts.handled += u64::from(std::mem::take(&mut self.counts.in_hand));
    }

    /// An incarnation is gone. If it had a message in hand, that is lost. Said twice, it is the same.
    pub(super) fn ended(&mut self, incarnation: u64) -> Toll {
        let kept = self.counts().queued;
        if self.reader.incarnation != incarnation {
            return Toll { kept, ..Toll::default() };
        }
        let (lost, message) = *self.lost.get_or_insert_with(|| {
            let in_hand = self.counts.in_hand;
            (u64::from(in_hand), self.kind.filter(|_| in_hand).map(|kind| kind()))
        });
        self.lose_what_is_in_hand();
        Toll { life: self.life.clone(), lost, message, kept }
    }

    /// Somebody else reads from now on.
    pub(super) fn hand_over(&mut self, to: Claim) {
        self.lose_what_is_in_hand();
        self.reader = to;
        (self.life, self.lost) = (None, None);
        self.has_run |= to.incarnation > 0;
    }

    /// Whoever had a message in hand will not finish it.
    fn lose_what_is_in_hand(&mut self) {
        self.counts.lost += u64::from(std::mem::take(&mut self.counts.in_hand));
    }

    /// Whether there will be news of a message that this incarnation took: it is being handled, or how the incarnation
    /// ended is about to be said.
    pub(super) fn will_tell(&self, incarnation: u64) -> bool {
        self.reader.incarnation == incarnation && (self.counts.in_hand || self.lost.is_some())
    }

    /// Drops all that wait.
    pub(super) fn discard_all(&mut self, cx: &mut Context<'_>, why: Unhandled) {
        self.handled();
        let mut next =
            |queue: &mut Self| queue.waiting.pop_front().or_else(|| queue.receive(cx).map(Letter::unknown));
        while let Some(letter) = next(self) {
            self.discard(letter, why);
        }
    }

    /// What is to be done once the lock is released.
    #[inline]
    pub(super) fn take_trash(&mut self) -> Option<Trash<A>> {
        if self.trash.letters.is_empty() {
            return None;
        }
        let letters = std::mem::take(&mut self.trash.letters);
        Some(Trash { letters, news: self.trash.news.take() })
    }

    /// Drops a message that nobody will handle; its sender hears `Closed`.
    fn discard(&mut self, letter: Letter<A>, why: Unhandled) {
        self.counts.dropped += 1;
        if let Some(fate) = &letter.fate {
            fate.is_unhandled(why);
        }
        if self.counts.dropped.is_power_of_two() {
            let message = letter.kind.map(|kind| kind());
            self.trash.news = Some(EventKind::DeadLetter { message, why, total: self.counts.dropped });
        }
        self.trash.letters.push(letter);
    }

    // ===== what actix's channel holds =====

    #[inline]
    fn receive(&mut self, cx: &mut Context<'_>) -> Option<Envelope<A>> {
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
    fn receive_all_quietly(&mut self) {
        let waker = self.waker.take();
        self.receive_all(&mut Context::from_waker(waker.as_ref().unwrap_or(Waker::noop())));
        self.waker = waker;
    }

    fn receive_all(&mut self, cx: &mut Context<'_>) {
        while let Some(letter) = self.receive(cx).map(Letter::unknown) {
            match self.bound.filter(|bound| self.waiting.len() >= bound.capacity).map(|bound| bound.overflow)
            {
                None | Some(Overflow::Block) => self.waiting.push_back(letter),
                Some(Overflow::DropOldest) if !self.waiting.is_empty() => {
                    self.drop_oldest();
                    self.waiting.push_back(letter);
                }
                Some(_) => self.discard(letter, Unhandled::Overflow),
            }
        }
    }

    fn drop_oldest(&mut self) {
        if let Some(oldest) = self.waiting.pop_front() {
            self.discard(oldest, Unhandled::Overflow);
        }
    }
}
