//! A queue that outlives its reader. The address is made with the spec and stays good for every incarnation;
//! what is queued while none runs waits for the next.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use actix::dev::channel::{AddressReceiver, channel};
use actix::dev::{AsyncContextParts, ContextParts, Envelope};
use actix::{Actor, Addr};
use futures::Stream;

use crate::exit::drop_quietly;

pub(crate) struct Mailbox<A: Actor<Context = actix::Context<A>>> {
    addr: Addr<A>,
    /// `None` once closed. Locked to take a message out, never while one is handled.
    queue: Mutex<Option<Queue<A>>>,
}

struct Queue<A: Actor<Context = actix::Context<A>>> {
    inlet: AddressReceiver<A>,
    /// Messages already taken out of the inlet, to count them.
    counted: VecDeque<Envelope<A>>,
    reader: Claim,
    waker: Option<Waker>,
}

/// The right to read a mailbox. The newest claim is the only good one, so an incarnation that has been given up
/// (it hangs, say) can come back to life without taking a message from its successor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Claim(u64);

pub(crate) enum Next<A: Actor> {
    Message(Envelope<A>),
    /// Somebody else reads now, or the mailbox is closed. There will be no more messages here.
    Lost,
}

impl<A: Actor<Context = actix::Context<A>>> Mailbox<A> {
    pub(crate) fn new() -> Self {
        // 0: without a bound. A bound would not hold back `send()` anyway, see `tests/actix_facts.rs`.
        let (sender, inlet) = channel(0);
        let queue = Queue {
            inlet,
            counted: VecDeque::new(),
            reader: Claim(0),
            waker: None,
        };
        Self {
            addr: Addr::new(sender),
            queue: Mutex::new(Some(queue)),
        }
    }

    pub(crate) fn addr(&self) -> Addr<A> {
        self.addr.clone()
    }

    /// A context whose `address()` is this mailbox's. Its own mailbox stays empty.
    pub(crate) fn context(&self) -> actix::Context<A> {
        let mut ctx = actix::Context::new();
        if let Some(queue) = &*self.lock() {
            *ctx.parts() = ContextParts::new(queue.inlet.sender_producer());
        }
        ctx
    }

    /// Takes the right to read, from whoever has it.
    pub(crate) fn claim(&self) -> Claim {
        let mut queue = self.lock();
        let Some(queue) = &mut *queue else { return Claim(0) };
        queue.reader.0 += 1;
        if let Some(waker) = queue.waker.take() {
            waker.wake();
        }
        queue.reader
    }

    pub(crate) fn poll_next(&self, claim: Claim, cx: &mut Context<'_>) -> Poll<Next<A>> {
        let mut queue = self.lock();
        let Some(queue) = queue.as_mut().filter(|queue| queue.reader == claim) else {
            return Poll::Ready(Next::Lost);
        };
        if let Some(message) = queue.counted.pop_front() {
            return Poll::Ready(Next::Message(message));
        }
        match Pin::new(&mut queue.inlet).poll_next(cx) {
            Poll::Ready(Some(message)) => Poll::Ready(Next::Message(message)),
            // The mailbox holds an address of its own, so the inlet never ends.
            Poll::Ready(None) | Poll::Pending => {
                if !queue
                    .waker
                    .as_ref()
                    .is_some_and(|waker| waker.will_wake(cx.waker()))
                {
                    queue.waker = Some(cx.waker().clone());
                }
                Poll::Pending
            }
        }
    }

    /// How many messages wait. actix does not tell, so they are taken out of its channel and counted; the reader's
    /// waker stays registered there.
    pub(crate) fn len(&self) -> usize {
        let mut queue = self.lock();
        let Some(queue) = &mut *queue else { return 0 };
        let waker = queue.waker.as_ref().unwrap_or(Waker::noop());
        let mut cx = Context::from_waker(waker);
        while let Poll::Ready(Some(message)) = Pin::new(&mut queue.inlet).poll_next(&mut cx) {
            queue.counted.push_back(message);
        }
        queue.counted.len()
    }

    /// Answers every message from now on with `Closed`, until somebody else claims the mailbox.
    pub(crate) async fn refuse(&self) {
        let claim = self.claim();
        let message = || std::future::poll_fn(|cx| self.poll_next(claim, cx));
        while let Next::Message(message) = message().await {
            let _ = drop_quietly(message);
        }
    }

    /// Answers what is queued and all that will be sent with `Closed`, for ever.
    pub(crate) fn close(&self) {
        let queue = self.lock().take();
        if let Some(queue) = queue {
            queue.waker.as_ref().inspect(|waker| waker.wake_by_ref());
            let _ = drop_quietly(queue);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Queue<A>>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
