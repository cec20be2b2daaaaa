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

impl<A: Actor<Context = actix::Context<A>>> Queue<A> {
    /// The next message; if there is none, `cx` is woken when there is.
    fn take(&mut self, cx: &mut Context<'_>) -> Option<Envelope<A>> {
        self.counted.pop_front().or_else(|| self.receive(cx))
    }

    fn receive(&mut self, cx: &mut Context<'_>) -> Option<Envelope<A>> {
        match Pin::new(&mut self.inlet).poll_next(cx) {
            Poll::Ready(message) => message,
            Poll::Pending => None,
        }
    }
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

    /// Makes this mailbox's address the `address()` of a context. The context's own mailbox stays empty.
    pub(crate) fn connect(&self, ctx: &mut actix::Context<A>) {
        if let Some(queue) = &*self.lock() {
            *ctx.parts() = ContextParts::new(queue.inlet.sender_producer());
        }
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
        match queue.take(cx) {
            Some(message) => Poll::Ready(Next::Message(message)),
            None => {
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
        let waker = queue.waker.clone().unwrap_or_else(|| Waker::noop().clone());
        let mut cx = Context::from_waker(&waker);
        while let Some(message) = queue.receive(&mut cx) {
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
        let Some(mut queue) = self.lock().take() else {
            return;
        };
        if let Some(waker) = queue.waker.take() {
            waker.wake();
        }
        // One by one: a destructor that panics would leave those behind it undropped, and their senders waiting.
        let mut cx = Context::from_waker(Waker::noop());
        while let Some(message) = queue.take(&mut cx) {
            let _ = drop_quietly(message);
        }
        let _ = drop_quietly(queue);
    }

    fn lock(&self) -> MutexGuard<'_, Option<Queue<A>>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
