//! A queue that outlives its reader. The address is made with the spec and stays good for every incarnation;
//! what is queued while none runs waits for the next.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};

use actix::dev::channel::channel;
use actix::dev::{AsyncContextParts, ContextParts, Envelope};
use actix::{Actor, Addr};
use tokio::sync::Notify;

use super::ask::Unhandled;
use super::queue::{Bound, Letter, LifeEnd, MessageCounts, Queue, Refused, Toll};
use crate::exit::drop_quietly;

pub(crate) struct Mailbox<A: Actor<Context = actix::Context<A>>> {
    addr: Addr<A>,
    /// `None` once closed. Locked to take a message out, never while one is handled.
    queue: Mutex<Option<Queue<A>>>,
    /// What the counts were when it was closed.
    last_counts: OnceLock<MessageCounts>,
    /// There is room again in a bounded mailbox.
    pub(super) room: Notify,
    /// An incarnation is gone, or another has taken over.
    pub(super) ends: Notify,
}

/// The right to read a mailbox. The newest claim is the only good one, so an incarnation that has been given up
/// (it hangs, say) can come back to life without taking a message from its successor.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Claim {
    turn: u64,
    /// Who reads; 0 for nobody.
    pub(super) incarnation: u64,
}

pub(crate) enum Next<A: Actor> {
    Message(Envelope<A>),
    /// Somebody else reads now, or the mailbox is closed. There will be no more messages here.
    Lost,
}

impl<A: Actor<Context = actix::Context<A>>> Mailbox<A> {
    pub(crate) fn new() -> Self {
        // 0: without a bound. A bound would not hold back `send()` anyway, see `tests/actix_facts/`.
        let (sender, inlet) = channel(0);
        let queue = Mutex::new(Some(Queue::new(inlet, None)));
        Self {
            addr: Addr::new(sender),
            queue,
            last_counts: OnceLock::new(),
            room: Notify::new(),
            ends: Notify::new(),
        }
    }

    pub(crate) fn set_bound(&self, bound: Bound) {
        self.with(|queue| queue.bound = Some(bound));
    }

    pub(crate) fn addr(&self) -> Addr<A> {
        self.addr.clone()
    }

    /// Makes this mailbox's address the `address()` of a context. The context's own mailbox stays empty.
    pub(crate) fn connect(&self, ctx: &mut actix::Context<A>) {
        let parts = self.with(|queue| ContextParts::new(queue.inlet.sender_producer()));
        // What the context had is dropped outside the lock: it may be the user's.
        let parts = parts.unwrap_or_else(|| ContextParts::new(channel(0).1.sender_producer()));
        *ctx.parts() = parts;
    }

    // ===== the reader's side =====

    /// Takes the right to read, from whoever has it, for an incarnation.
    pub(crate) fn claim(&self, incarnation: u64) -> Claim {
        let claim = self.with(|queue| {
            queue.hand_over(Claim { turn: queue.reader.turn + 1, incarnation });
            if let Some(waker) = queue.waker.take() {
                waker.wake();
            }
            queue.reader
        });
        self.ends.notify_waiters();
        claim.unwrap_or_default()
    }

    pub(crate) fn poll_next(&self, claim: Claim, cx: &mut Context<'_>) -> Poll<Next<A>> {
        let next = self.with(|queue| {
            if queue.reader != claim {
                return Poll::Ready(Next::Lost);
            }
            match queue.take(cx) {
                Some(letter) => {
                    if queue.bound.is_some() {
                        self.room.notify_waiters();
                    }
                    Poll::Ready(Next::Message(letter.envelope))
                }
                None => {
                    queue.wake_by(cx.waker());
                    Poll::Pending
                }
            }
        });
        next.unwrap_or(Poll::Ready(Next::Lost))
    }

    /// The message taken last has been handled. Taking another says so too; this is for the last.
    pub(crate) fn handled(&self, claim: Claim) {
        self.with(|queue| {
            if queue.reader == claim {
                queue.handled();
            }
        });
    }

    /// An incarnation is gone, and cannot finish what it had in hand.
    pub(crate) fn ended(&self, end: LifeEnd) -> Toll {
        let toll = self.with(|queue| queue.ended(end)).unwrap_or_default();
        self.ends.notify_waiters();
        toll
    }

    /// Answers every message from now on with `Closed`, until somebody else claims the mailbox.
    pub(crate) async fn refuse(&self, claim: Claim) {
        let refuse = |cx: &mut Context<'_>| {
            let is_reader = self.with(|queue| {
                let is_reader = queue.reader == claim;
                if is_reader {
                    queue.discard_all(cx, Unhandled::Down);
                    queue.wake_by(cx.waker());
                }
                is_reader
            });
            if is_reader == Some(true) { Poll::Pending } else { Poll::Ready(()) }
        };
        std::future::poll_fn(refuse).await;
    }

    /// Answers what is queued and all that will be sent with `Closed`, for ever.
    pub(crate) fn close(&self) {
        let mut lock = self.lock();
        let Some(mut queue) = lock.take() else {
            return;
        };
        queue.discard_all(&mut Context::from_waker(Waker::noop()), Unhandled::Down);
        let _ = self.last_counts.set(queue.counts());
        drop(lock);
        if let Some(waker) = queue.waker.take() {
            waker.wake();
        }
        drop_each(queue.take_trash());
        let _ = drop_quietly(queue);
        self.room.notify_waiters();
        self.ends.notify_waiters();
    }

    // ===== the senders' side =====

    /// Puts a message into the queue; `None` when nobody will ever read it.
    pub(super) fn put(&self, letter: Letter<A>) -> Option<Result<(), Refused<A>>> {
        self.with(|queue| queue.put(letter))
    }

    /// Whether a message that the incarnation took last is still being handled; `None` once closed.
    pub(super) fn is_in_hand(&self, incarnation: u64) -> Option<bool> {
        self.with(|queue| queue.is_in_hand(incarnation))
    }

    pub(crate) fn counts(&self) -> MessageCounts {
        let last = || self.last_counts.get().copied();
        self.with(Queue::counts).or_else(last).unwrap_or_default()
    }

    /// Works on the queue, if the mailbox is not closed. What is dropped meanwhile is dropped outside the lock.
    fn with<R>(&self, work: impl FnOnce(&mut Queue<A>) -> R) -> Option<R> {
        let (result, trash) = {
            let mut queue = self.lock();
            let queue = queue.as_mut()?;
            (work(queue), queue.take_trash())
        };
        drop_each(trash);
        Some(result)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Queue<A>>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One by one: a destructor that panics would leave those behind it undropped, and their senders waiting.
fn drop_each<A: Actor>(letters: Vec<Letter<A>>) {
    for letter in letters {
        let _ = drop_quietly(letter);
    }
}
