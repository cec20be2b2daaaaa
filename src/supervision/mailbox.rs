//! A queue that outlives its reader. The address is made with the spec and stays good for every incarnation;
//! what is queued while none runs waits for the next.

mod outside;

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll};

use actix::dev::channel::channel;
use actix::dev::{AsyncContextParts, ContextParts, Envelope};
use actix::{Actor, Addr};
use tokio::sync::Notify;

use super::bound::{Bound, MessageCounts};
use super::letter::{Account, Letter, Toll};
use super::queue::{Queue, Refused, Trash};
use crate::event::Unhandled;
use crate::exit::drop_quietly;
use crate::path::TreePath;
use crate::reporter::Speaker;

pub(crate) struct Mailbox<A: Actor<Context = actix::Context<A>>> {
    addr: Addr<A>,
    /// Locked to take a message out, never while one is handled.
    state: Mutex<State<A>>,
    /// Who speaks of it, once it is part of a tree.
    speaker: OnceLock<Arc<Speaker>>,
    /// There is room again in a bounded mailbox.
    pub(super) room: Notify,
    /// An incarnation is gone, or another has taken over.
    pub(super) ends: Notify,
}

#[expect(clippy::large_enum_variant, reason = "a mailbox is open for nearly all of its time")]
enum State<A: Actor<Context = actix::Context<A>>> {
    Open(Queue<A>),
    /// What was known then.
    Closed {
        counts: MessageCounts,
        has_run: bool,
        /// Of those who are still going down.
        outlived: Vec<Account>,
    },
}

/// The right to read a mailbox. The newest claim is the only good one, so an incarnation that has been given up
/// (it hangs, say) can come back to life without taking a message from its successor.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Claim {
    turn: u64,
    /// Who reads; 0 for nobody.
    pub(super) incarnation: u64,
}

impl<A: Actor<Context = actix::Context<A>>> Mailbox<A> {
    pub(crate) fn new() -> Self {
        // 0: without a bound. A bound would not hold back `send()` anyway, see `tests/actix_facts/`.
        let (sender, inlet) = channel(0);
        Self {
            addr: Addr::new(sender),
            state: Mutex::new(State::Open(Queue::new(inlet, None))),
            speaker: OnceLock::new(),
            room: Notify::new(),
            ends: Notify::new(),
        }
    }

    pub(crate) fn set_bound(&self, bound: Bound) {
        self.with(|queue| queue.bound = Some(bound));
    }

    pub(super) fn path(&self) -> Option<&TreePath> {
        self.speaker.get().map(|speaker| &speaker.path)
    }

    pub(crate) fn is_spoken_of_by(&self, speaker: &Arc<Speaker>) {
        let _ = self.speaker.set(speaker.clone()); // A child is part of one tree.
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

    /// The next message. `None` if there is none: `cx` is woken when there is; and if somebody else reads now, or the
    /// mailbox is closed: there will be no more.
    #[inline]
    pub(crate) fn take(&self, claim: Claim, cx: &mut Context<'_>) -> Option<Envelope<A>> {
        self.with(|queue| {
            if queue.reader != claim {
                return None;
            }
            let envelope = queue.take(cx);
            self.tell_curious(queue);
            match &envelope {
                Some(_) if queue.bound.is_some() => self.room.notify_waiters(),
                Some(_) => {}
                None => queue.wake_by(cx.waker()),
            }
            envelope
        })?
    }

    /// The message taken last has been handled. Taking another says so too; this is for the last.
    pub(crate) fn handled(&self, claim: Claim) {
        let mut lock = self.lock();
        let (outlived, counts) = match &mut *lock {
            State::Open(queue) if queue.reader == claim => {
                queue.handled();
                return self.tell_curious(queue);
            }
            State::Open(queue) => queue.outlived(),
            State::Closed { outlived, counts, .. } => (outlived, counts),
        };
        if let Some(account) = outlived.iter_mut().find(|account| account.incarnation == claim.incarnation) {
            account.handled_late(counts);
        }
    }

    /// Whoever waits to see whether a message is still in hand, looks again.
    #[inline]
    fn tell_curious(&self, queue: &mut Queue<A>) {
        if std::mem::take(&mut queue.is_asked_after) {
            self.ends.notify_waiters();
        }
    }

    /// An incarnation is gone, and cannot finish what it had in hand.
    pub(super) fn ended(&self, incarnation: u64) -> Toll {
        self.with(|queue| queue.ended(incarnation)).unwrap_or_else(|| match &*self.lock() {
            State::Closed { outlived, .. } => {
                let account = outlived.iter().find(|account| account.incarnation == incarnation);
                account.map(Account::toll).unwrap_or_default()
            }
            State::Open(_) => Toll::default(), // What is closed stays closed.
        })
    }

    /// How an incarnation ended has been said.
    pub(super) fn has_told(&self, incarnation: u64) {
        match &mut *self.lock() {
            State::Open(queue) => queue.has_told(incarnation),
            State::Closed { outlived, .. } => outlived.retain(|account| account.incarnation != incarnation),
        }
        self.ends.notify_waiters();
    }

    /// Answers every message from now on with `Closed`, until somebody else claims the mailbox.
    pub(crate) async fn refuse(&self, claim: Claim) {
        let refuse = |cx: &mut Context<'_>| {
            let is_reader = self.with(|queue| {
                let is_reader = queue.reader == claim;
                if is_reader {
                    queue.discard_all(cx, Unhandled::Down);
                    queue.wake_by(cx.waker());
                    self.tell_curious(queue);
                    // Whoever waits for room shall hear the same.
                    self.room.notify_waiters();
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
        let State::Open(queue) = &mut *lock else { return };
        let outlived = queue.close();
        let closed = State::Closed { counts: queue.counts(), has_run: queue.has_run, outlived };
        let State::Open(mut queue) = std::mem::replace(&mut *lock, closed) else { return };
        drop(lock);
        if let Some(waker) = queue.waker.take() {
            waker.wake();
        }
        let trash = queue.take_trash();
        if let Some(trash) = trash {
            self.clear_away(trash);
        }
        let _ = drop_quietly(queue);
        self.room.notify_waiters();
        self.ends.notify_waiters();
    }

    // ===== the senders' side =====

    /// Puts a message into the queue; `None` when nobody will ever read it.
    pub(super) fn put(&self, letter: Letter<A>) -> Option<Result<(), Refused<A>>> {
        self.with_news(|queue| queue.put(letter))
    }

    /// Puts a message into the queue, whatever the bound; `None` when nobody will ever read it.
    pub(super) fn push(&self, letter: Letter<A>) -> Option<()> {
        self.with_news(|queue| queue.push(letter))
    }

    /// Whether the incarnation, which reads here, has handled all that it took. If not, `ends` tells when to look again.
    pub(super) fn has_handled(&self, incarnation: u64) -> bool {
        self.with(|queue| queue.has_handled(incarnation)).unwrap_or(false)
    }

    /// Whether an incarnation has ever read here.
    pub(super) fn has_run(&self) -> bool {
        match &*self.lock() {
            State::Open(queue) => queue.has_run,
            State::Closed { has_run, .. } => *has_run,
        }
    }

    pub(crate) fn counts(&self) -> MessageCounts {
        self.with(Queue::counts).unwrap_or_else(|| match &*self.lock() {
            State::Closed { counts, .. } => *counts,
            State::Open(_) => MessageCounts::default(), // What is closed stays closed.
        })
    }

    /// Works on the queue, and wakes the reader if there is something for it now.
    fn with_news<R>(&self, work: impl FnOnce(&mut Queue<A>) -> R) -> Option<R> {
        let (result, wake) = self.with(|queue| (work(queue), queue.take_wake()))?;
        if let Some(waker) = wake {
            waker.wake();
        }
        Some(result)
    }

    /// Works on the queue, if the mailbox is not closed. What is dropped meanwhile is dropped outside the lock.
    #[inline]
    fn with<R>(&self, work: impl FnOnce(&mut Queue<A>) -> R) -> Option<R> {
        let mut lock = self.lock();
        let State::Open(queue) = &mut *lock else { return None };
        let result = work(queue);
        let trash = queue.take_trash();
        drop(lock);
        if let Some(trash) = trash {
            self.clear_away(trash);
        }
        Some(result)
    }

    #[cold]
    fn clear_away(&self, Trash { letters, news }: Trash<A>) {
        if let (Some(news), Some(speaker)) = (news, self.speaker.get()) {
            let incarnation = self.with(|queue| queue.reader.incarnation).unwrap_or_default();
            speaker.publish(incarnation, news);
        }
        // One by one: a destructor that panics would leave those behind it undropped, and their senders waiting.
        for letter in letters {
            let _ = drop_quietly(letter);
        }
    }

    #[inline]
    fn lock(&self) -> MutexGuard<'_, State<A>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
