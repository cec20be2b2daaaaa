//! Requests that tell why they failed.

use std::fmt;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use actix::dev::{Envelope, ToEnvelope};
use actix::prelude::*;
use futures::future::{Either, select};
use tokio::sync::oneshot;

use super::letter::{Letter, Life, LifeEnd};
use super::mailbox::Mailbox;
use super::queue::Refused;
use crate::event::Unhandled;
use crate::exit::ExitReason;
use crate::incident::Trouble;
use crate::path::TreePath;

/// A child, for those who want to know why it did not answer. Made by [`ChildSpec::actor_ref`](super::ChildSpec::actor_ref);
/// like the address it is good for every incarnation.
///
/// ```
/// # use actix::prelude::*;
/// # use latido::supervision::{AskError, ChildSpec, SupervisorSpec};
/// # #[derive(Default)] struct Divider;
/// # impl Actor for Divider { type Context = Context<Self>; }
/// # #[derive(Message)] #[rtype(result = "u32")] struct Divide(u32, u32);
/// # impl Handler<Divide> for Divider {
/// #     type Result = u32;
/// #     fn handle(&mut self, Divide(a, b): Divide, _: &mut Context<Self>) -> u32 { a / b }
/// # }
/// # #[actix::main]
/// # async fn main() {
/// # latido::quiet_panics();
/// let spec = ChildSpec::new("divider", Divider::default);
/// let divider = spec.actor_ref();
/// let tree = SupervisorSpec::new("app").child(spec).start().unwrap();
/// let error = divider.ask(Divide(1, 0)).await.unwrap_err();
/// assert!(matches!(&error, AskError::Crashed { incarnation: 1, .. }));
/// assert!(error.to_string().starts_with("app/divider #1 panicked: attempt to divide by zero"));
/// assert_eq!(divider.ask(Divide(4, 2)).await.unwrap(), 2);
/// # }
/// ```
pub struct ActorRef<A: Actor<Context = Context<A>>> {
    mailbox: Arc<Mailbox<A>>,
}

/// Why there is no answer.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AskError {
    /// The message was being handled, or its answer still being made, when the incarnation ended. Asking again may do
    /// the work twice, or crash the next one too.
    #[error("{path} #{incarnation} {reason}")]
    Crashed {
        /// The child.
        path: TreePath,
        /// Which of its lives.
        incarnation: u64,
        /// How that ended.
        reason: ExitReason,
        /// The [`Incident`](crate::Incident) that tells more, by its number; none if the incarnation was asked to end, and not
        /// because of a failure.
        incident: Option<u64>,
    },
    /// Nobody handled the message: the child has never been started.
    #[error("the message was not handled: the child was never started")]
    NeverStarted,
    /// Nobody handled the message: the child is down and nobody is about to restart it, or its tree has ended.
    #[error("the message was not handled: the child is down")]
    Down,
    /// Nobody handled the message: the mailbox is full, and its rule is [`Overflow::Reject`](super::Overflow::Reject).
    #[error("the message was not handled: the mailbox is full")]
    Full,
    /// Nobody handled the message: it was dropped from a full mailbox.
    #[error("the message was not handled: it was dropped from a full mailbox")]
    Dropped,
    /// Nobody handled the message: the child is being drained, and takes nothing new.
    #[error("the message was not handled: the child is being drained")]
    Draining,
    /// Nobody handled the message: it was dropped on purpose, see [`Fault::Drop`](crate::fault::Fault::Drop).
    #[error("the message was not handled: it was dropped on purpose")]
    Injected,
    /// There was no answer in time, and the message was still waiting. It will not be handled.
    #[error("no answer in {0:?}: the message was still waiting")]
    TimedOutQueued(Duration),
    /// There was no answer in time, and the message is being handled, or was.
    #[error("no answer in {0:?}: the message is still being handled")]
    TimedOutRunning(Duration),
    /// The message was handled, and the handler dropped the answer: a task outside the actor panicked, say.
    #[error("the message was handled, but the answer was dropped")]
    NoAnswer,
}

impl AskError {
    /// The [`Incident`](crate::Incident) that is behind it, by its number, if one is known.
    pub fn incident(&self) -> Option<u64> {
        match self {
            Self::Crashed { incident, .. } => *incident,
            _ => None,
        }
    }

    /// What went wrong, for a [`Report::consequence`](crate::Report::consequence). None if nobody failed.
    pub fn trouble(&self) -> Option<Trouble> {
        match self {
            Self::Crashed { incident: Some(incident), .. } => Some(Trouble::Incident(*incident)),
            Self::Crashed { path, incarnation, .. } => {
                Some(Trouble::Life { path: path.clone(), incarnation: *incarnation })
            }
            _ => None,
        }
    }
}

/// What becomes of a message, for who asked.
#[derive(Default)]
pub(super) struct Fate {
    /// `WAITING`, the incarnation that took it, or why nobody did.
    state: AtomicU64,
    /// The life that took it.
    life: OnceLock<Arc<Life>>,
}

const WAITING: u64 = 0;
const OVERFLOWED: u64 = u64::MAX;
const DOWN: u64 = u64::MAX - 1;
const DRAINING: u64 = u64::MAX - 2;
const INJECTED: u64 = u64::MAX - 3;

impl Fate {
    pub(super) fn is_in_hand(&self, incarnation: u64, life: &Arc<Life>) {
        let _ = self.life.set(life.clone());
        self.state.store(incarnation, Ordering::Release);
    }

    pub(super) fn is_unhandled(&self, why: Unhandled) {
        let state = match why {
            Unhandled::Overflow => OVERFLOWED,
            Unhandled::Down => DOWN,
            Unhandled::Draining => DRAINING,
            Unhandled::Injected => INJECTED,
        };
        self.state.store(state, Ordering::Release);
    }

    /// How the life that took the message ended, if it has.
    fn end(&self) -> Option<&LifeEnd> {
        self.life.get()?.get()
    }

    /// The incarnation that took the message, or why none did.
    fn taken(&self) -> Result<u64, AskError> {
        match self.state.load(Ordering::Acquire) {
            OVERFLOWED => Err(AskError::Dropped),
            DRAINING => Err(AskError::Draining),
            INJECTED => Err(AskError::Injected),
            WAITING | DOWN => Err(AskError::Down),
            incarnation => Ok(incarnation),
        }
    }
}

impl<A: Actor<Context = Context<A>>> ActorRef<A> {
    pub(super) fn new(mailbox: Arc<Mailbox<A>>) -> Self {
        Self { mailbox }
    }

    /// The plain address.
    pub fn addr(&self) -> Addr<A> {
        self.mailbox.addr()
    }

    /// Where the child stands in its tree, once that has been started.
    pub fn path(&self) -> Option<&TreePath> {
        self.mailbox.path()
    }

    /// Sends a message and does not wait. Unlike [`do_send`](Addr::do_send) it says when nobody will handle the message:
    /// [`AskError::Down`] when the child is down for ever, [`AskError::Full`] where the mailbox has that rule; and should
    /// the child fail over it, its [`Incident`](crate::Incident) names the message. There is no waiting for room: with
    /// [`Overflow::Block`](super::Overflow::Block) it goes over the bound.
    pub fn tell<M>(&self, message: M) -> Result<(), AskError>
    where
        A: Handler<M>,
        M: Message<Result: Send> + Send + 'static,
    {
        let envelope = <Context<A> as ToEnvelope<A, M>>::pack(message, None);
        let mailbox = &self.mailbox;
        match mailbox.put(Letter::new::<M>(envelope, None)).ok_or_else(|| down(mailbox))? {
            Ok(()) => Ok(()),
            Err(Refused::Full) => Err(AskError::Full),
            Err(Refused::Draining) => Err(AskError::Draining),
            Err(Refused::Wait(letter)) => mailbox.push(letter).ok_or_else(|| down(mailbox)),
        }
    }

    /// Sends a message and waits for the answer, however long that takes.
    pub async fn ask<M>(&self, message: M) -> Result<M::Result, AskError>
    where
        A: Handler<M>,
        M: Message<Result: Send> + Send + 'static,
    {
        self.request(message, &Fate::default().into()).await
    }

    /// Sends a message and waits for the answer, for so long. A message that is still waiting then is not handled any
    /// more.
    pub async fn ask_within<M>(&self, limit: Duration, message: M) -> Result<M::Result, AskError>
    where
        A: Handler<M>,
        M: Message<Result: Send> + Send + 'static,
    {
        let fate = Arc::new(Fate::default());
        match tokio::time::timeout(limit, self.request(message, &fate)).await {
            Ok(answer) => answer,
            Err(_) if fate.taken().is_ok() => Err(AskError::TimedOutRunning(limit)),
            Err(_) => Err(AskError::TimedOutQueued(limit)),
        }
    }

    async fn request<M>(&self, message: M, fate: &Arc<Fate>) -> Result<M::Result, AskError>
    where
        A: Handler<M>,
        M: Message<Result: Send> + Send + 'static,
    {
        let mailbox = &*self.mailbox;
        let (sender, mut answer) = oneshot::channel();
        let envelope: Envelope<A> = <Context<A> as ToEnvelope<A, M>>::pack(message, Some(sender));
        put(mailbox, Letter::new::<M>(envelope, Some(fate.clone()))).await?;
        loop {
            let mut news = pin!(mailbox.ends.notified());
            news.as_mut().enable();
            // An incarnation that hangs, and was left behind, holds the line to its sender for ever.
            if let Some(end) = fate.end() {
                return answer.try_recv().map_err(|_| crashed(end));
            }
            if let Either::Left((answer, _)) = select(&mut answer, news).await {
                return match answer {
                    Ok(answer) => Ok(answer),
                    Err(_) => Err(why_not(mailbox, fate).await),
                };
            }
        }
    }
}

fn crashed(end: &LifeEnd) -> AskError {
    let LifeEnd { path, incarnation, reason, incident } = end;
    AskError::Crashed {
        path: path.clone(),
        incarnation: *incarnation,
        reason: reason.clone(),
        incident: *incident,
    }
}

/// Puts a letter into the mailbox, waiting for room where that is the rule.
async fn put<A>(mailbox: &Mailbox<A>, mut letter: Letter<A>) -> Result<(), AskError>
where
    A: Actor<Context = Context<A>>,
{
    loop {
        let mut room = pin!(mailbox.room.notified());
        room.as_mut().enable();
        match mailbox.put(letter).ok_or_else(|| down(mailbox))? {
            Ok(()) => return Ok(()),
            Err(Refused::Full) => return Err(AskError::Full),
            Err(Refused::Draining) => return Err(AskError::Draining),
            Err(Refused::Wait(back)) => letter = back,
        }
        room.await;
    }
}

fn down<A: Actor<Context = Context<A>>>(mailbox: &Mailbox<A>) -> AskError {
    if mailbox.has_run() { AskError::Down } else { AskError::NeverStarted }
}

/// Why there was no answer to a message. While the stack unwinds, the message is in hand and the reason not known yet.
async fn why_not<A: Actor<Context = Context<A>>>(mailbox: &Mailbox<A>, fate: &Fate) -> AskError {
    let incarnation = match fate.taken() {
        Ok(incarnation) => incarnation,
        Err(AskError::Down) => return down(mailbox),
        Err(unhandled) => return unhandled,
    };
    loop {
        let mut news = pin!(mailbox.ends.notified());
        news.as_mut().enable();
        // In this order: it is not handled any more once the end is there.
        let is_handled = mailbox.has_handled(incarnation);
        match fate.end() {
            Some(end) => return crashed(end),
            None if is_handled => return AskError::NoAnswer,
            // It is in hand; or its life has lost the mailbox, and is about to end.
            None => news.await,
        }
    }
}

impl<A: Actor<Context = Context<A>>> Clone for ActorRef<A> {
    fn clone(&self) -> Self {
        Self { mailbox: self.mailbox.clone() }
    }
}

impl<A: Actor<Context = Context<A>>> fmt::Debug for ActorRef<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ActorRef<{}>", std::any::type_name::<A>())
    }
}
