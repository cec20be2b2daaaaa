//! Work that ends when nobody waits for it any more.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, ready};

use actix::dev::{MessageResponse, OneshotSender};
use actix::fut::ActorFuture;
use actix::prelude::*;
use futures::StreamExt;
use futures::stream::FuturesUnordered;

use crate::Reporter;

/// A handler's result: a future that runs in the actor's context, as with `ResponseActFuture`, but is dropped as soon
/// as the sender has dropped its request. A sender that crashes or times out so leaves no work behind that somebody
/// else may be asked to do again. Sent with `do_send`, it runs to its end.
///
/// ```
/// # use std::time::Duration;
/// # use actix::prelude::*;
/// # use latido::actors::WhileWanted;
/// # #[derive(Message)] #[rtype(result = "u64")] struct Crawl;
/// # struct Crawler;
/// # impl Actor for Crawler { type Context = Context<Self>; }
/// impl Handler<Crawl> for Crawler {
///     type Result = WhileWanted<Self, u64>;
///     fn handle(&mut self, _: Crawl, _: &mut Context<Self>) -> Self::Result {
///         WhileWanted::new(async { 42 }.into_actor(self))
///     }
/// }
/// ```
pub struct WhileWanted<A, R> {
    work: Pin<Box<dyn ActorFuture<A, Output = R>>>,
    asker_ended: Option<End>,
}

/// One wait, that is looked at only when it is woken itself: all who work for an actor share the lock behind it, and the work is
/// woken often.
type End = FuturesUnordered<Pin<Box<dyn Future<Output = ()>>>>;

impl<A: Actor, R> WhileWanted<A, R> {
    /// Wraps the work.
    pub fn new(work: impl ActorFuture<A, Output = R> + 'static) -> Self {
        Self { work: Box::pin(work), asker_ended: None }
    }

    /// Drops it also when the life of an actor ends that had asked for it. One that blocks its thread, and was left behind,
    /// drops no request until its thread is free; and whoever has taken its place may ask for the same by then.
    pub fn asked_by(mut self, asker: Reporter) -> Self {
        let ended: Pin<Box<dyn Future<Output = ()>>> = Box::pin(async move { asker.ended().await });
        self.asker_ended = Some(FuturesUnordered::from_iter([ended]));
        self
    }
}

impl<A, M> MessageResponse<A, M> for WhileWanted<A, M::Result>
where
    A: Actor<Context = Context<A>>,
    M: Message,
{
    fn handle(self, ctx: &mut Context<A>, sender: Option<OneshotSender<M::Result>>) {
        ctx.spawn(Watched { work: self.work, asker_ended: self.asker_ended, sender });
    }
}

struct Watched<A, R> {
    work: Pin<Box<dyn ActorFuture<A, Output = R>>>,
    asker_ended: Option<End>,
    sender: Option<OneshotSender<R>>,
}

impl<A: Actor, R: 'static> ActorFuture<A> for Watched<A, R> {
    type Output = ();

    fn poll(
        mut self: Pin<&mut Self>,
        actor: &mut A,
        ctx: &mut A::Context,
        cx: &mut TaskContext<'_>,
    ) -> Poll<()> {
        if self.sender.as_mut().is_some_and(|sender| sender.poll_closed(cx).is_ready()) {
            return Poll::Ready(());
        }
        if self.asker_ended.as_mut().is_some_and(|ended| ended.poll_next_unpin(cx).is_ready()) {
            return Poll::Ready(());
        }
        let result = ready!(self.work.as_mut().poll(actor, ctx, cx));
        if let Some(sender) = self.sender.take() {
            // It may have gone just now; then nobody wants the result.
            let _ = sender.send(result);
        }
        Poll::Ready(())
    }
}

impl<A, R> fmt::Debug for WhileWanted<A, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WhileWanted")
    }
}
