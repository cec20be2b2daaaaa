//! What waits in a mailbox, in order, within its bound, and counted.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Waker};

use actix::Actor;
use actix::dev::Envelope;
use actix::dev::channel::AddressReceiver;
use futures::Stream;

use super::ask::{Fate, Unhandled};
use super::mailbox::Claim;
use crate::exit::ExitReason;
use crate::path::TreePath;

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

/// A message, and somebody who wants to know what becomes of it.
pub(super) struct Letter<A: Actor> {
    pub(super) envelope: Envelope<A>,
    pub(super) fate: Option<Arc<Fate>>,
}

pub(super) struct Queue<A: Actor<Context = actix::Context<A>>> {
    pub(super) inlet: AddressReceiver<A>,
    pub(super) bound: Option<Bound>,
    pub(super) reader: Claim,
    pub(super) waker: Option<Waker>,
    /// Taken out of the inlet, so that they can be counted, and bounded.
    waiting: VecDeque<Letter<A>>,
    counts: MessageCounts,
    /// The reader's, shared with the messages it took: who asked may look long after others have read here.
    life: Arc<Life>,
    /// To be dropped outside the lock: a destructor may do anything, even ask.
    trash: Vec<Letter<A>>,
}

/// One incarnation, and how it ended once it has.
pub(super) type Life = OnceLock<LifeEnd>;

/// How an incarnation ended, for those who had asked it something.
#[derive(Debug)]
pub(crate) struct LifeEnd {
    pub(crate) path: TreePath,
    pub(crate) incarnation: u64,
    pub(crate) reason: ExitReason,
    /// Messages it had in hand; filled in by the queue.
    pub(crate) lost: u64,
}

/// What the end of an incarnation did to its messages.
#[derive(Clone, Copy, Default)]
pub(crate) struct Toll {
    pub(crate) lost: u64,
    pub(crate) kept: u64,
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
            waiting: VecDeque::new(),
            counts: MessageCounts::default(),
            life: Arc::default(),
            trash: Vec::new(),
        }
    }

    /// The next message; if there is none, `cx` is woken when there is. The one before has been handled.
    pub(super) fn take(&mut self, cx: &mut Context<'_>) -> Option<Letter<A>> {
        self.handled();
        if self.bound.is_some() {
            self.receive_all(cx);
        }
        let letter = self.waiting.pop_front().or_else(|| self.receive(cx))?;
        self.counts.in_hand = true;
        if let Some(fate) = &letter.fate {
            fate.is_in_hand(self.reader.incarnation, &self.life);
        }
        Some(letter)
    }

    /// Puts a message behind all that have arrived, if the bound allows.
    pub(super) fn put(&mut self, letter: Letter<A>) -> Result<(), Refused<A>> {
        self.receive_all_quietly();
        if let Some(bound) = self.bound.filter(|bound| self.waiting.len() >= bound.capacity) {
            match bound.overflow {
                Overflow::Block => return Err(Refused::Wait(letter)),
                Overflow::Reject => {
                    self.trash.push(letter);
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
        self.counts.received += 1;
        self.waiting.push_back(letter);
        if let Some(waker) = &self.waker {
            waker.wake_by_ref();
        }
        Ok(())
    }

    /// Who is woken when there is a message.
    pub(super) fn wake_by(&mut self, waker: &Waker) {
        if !self.waker.as_ref().is_some_and(|known| known.will_wake(waker)) {
            self.waker = Some(waker.clone());
        }
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
    pub(super) fn ended(&mut self, mut end: LifeEnd) -> Toll {
        let incarnation = end.incarnation;
        if self.reader.incarnation == incarnation && self.life.get().is_none() {
            end.lost = u64::from(self.counts.in_hand);
            self.lost();
            let _ = self.life.set(end);
        }
        let end = self.life.get().filter(|end| end.incarnation == incarnation);
        Toll { lost: end.map_or(0, |end| end.lost), kept: self.counts().queued }
    }

    /// Somebody else reads from now on.
    pub(super) fn hand_over(&mut self, to: Claim) {
        self.lost();
        self.reader = to;
        self.life = Arc::default();
    }

    /// Whoever had a message in hand will not finish it.
    fn lost(&mut self) {
        self.counts.lost += u64::from(std::mem::take(&mut self.counts.in_hand));
    }

    /// Whether the message that this incarnation took last is still being handled.
    pub(super) fn is_in_hand(&self, incarnation: u64) -> bool {
        self.reader.incarnation == incarnation && self.counts.in_hand
    }

    /// Drops all that wait.
    pub(super) fn discard_all(&mut self, cx: &mut Context<'_>, why: Unhandled) {
        self.handled();
        while let Some(letter) = self.waiting.pop_front().or_else(|| self.receive(cx)) {
            self.discard(letter, why);
        }
    }

    /// What is to be dropped once the lock is released.
    pub(super) fn take_trash(&mut self) -> Vec<Letter<A>> {
        std::mem::take(&mut self.trash)
    }

    /// Drops a message that nobody will handle; its sender hears `Closed`.
    fn discard(&mut self, letter: Letter<A>, why: Unhandled) {
        self.counts.dropped += 1;
        if let Some(fate) = &letter.fate {
            fate.is_unhandled(why);
        }
        self.trash.push(letter);
    }

    // ===== what actix's channel holds =====

    fn receive(&mut self, cx: &mut Context<'_>) -> Option<Letter<A>> {
        match Pin::new(&mut self.inlet).poll_next(cx) {
            Poll::Ready(Some(envelope)) => {
                self.counts.received += 1;
                Some(Letter { envelope, fate: None })
            }
            // The mailbox holds an address of its own, so the inlet never ends.
            Poll::Ready(None) | Poll::Pending => None,
        }
    }

    /// Takes over what was sent to the address, within the bound. The reader's waker stays registered there.
    fn receive_all_quietly(&mut self) {
        let waker = self.waker.clone().unwrap_or_else(|| Waker::noop().clone());
        self.receive_all(&mut Context::from_waker(&waker));
    }

    fn receive_all(&mut self, cx: &mut Context<'_>) {
        while let Some(letter) = self.receive(cx) {
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
