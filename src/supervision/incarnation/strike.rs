//! A fault strikes an incarnation.

use std::future::Future;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use actix::fut::{ActorFutureExt, wrap_future};
use actix::{Actor, ActorContext, AsyncContext, Context};

use crate::event::EventKind;
use crate::fault::Fault;
use crate::supervision::child::Core;
use crate::supervision::seat::Seat;
use crate::supervision::valve::Strike;

/// Whom it strikes.
pub(super) struct Struck<'a, A: Actor<Context = Context<A>>> {
    pub(super) core: &'a Arc<Core<A>>,
    pub(super) seat: &'a Arc<Seat>,
    /// Where it is at hand: as a message is about to be handled.
    pub(super) actor: Option<&'a mut A>,
}

impl<A: Actor<Context = Context<A>>> Struck<'_, A> {
    pub(super) fn by(self, strike: &Strike, ctx: &mut Context<A>) {
        tell(self.seat, strike);
        match &strike.fault {
            Fault::Stop => ctx.stop(),
            Fault::Hang => ctx.wait(wrap_future(held_up(self.seat, strike.lasting))),
            Fault::Slow(time) => ctx.wait(wrap_future(held_up(self.seat, Some(*time)))),
            Fault::Flood(count) => self.core.mailbox.flood(*count),
            Fault::Own { name, argument } => self.by_its_own(name, argument.as_deref(), ctx),
            fault => fault.strike(),
        }
    }

    fn by_its_own(self, name: &str, argument: Option<&str>, ctx: &mut Context<A>) {
        let own = self.core.faults.iter().find(|own| own.info.name == name);
        // It was found, and its argument read, before it was put into the child.
        let Some(Ok(strike)) = own.map(|own| (own.prepare)(argument)) else { return };
        match self.actor {
            Some(actor) => strike(actor, ctx),
            None => drop(ctx.spawn(wrap_future::<_, A>(async {}).map(|(), actor, ctx| strike(actor, ctx)))),
        }
    }
}

pub(super) fn tell(seat: &Seat, strike: &Strike) {
    if strike.is_news {
        seat.publish(EventKind::Injected(strike.fault.clone()));
    }
}

/// Ends after a time, if there is one, or when the child is healed: then somebody has it polled.
fn held_up(seat: &Arc<Seat>, time: Option<Duration>) -> impl Future<Output = ()> + use<> {
    let (seat, healed) = (seat.clone(), seat.node.valve.healed());
    let mut sleep = time.map(|time| Box::pin(tokio::time::sleep(time)));
    std::future::poll_fn(move |cx| {
        let is_over = sleep.as_mut().is_some_and(|sleep| sleep.as_mut().poll(cx).is_ready());
        match is_over || seat.node.valve.healed() != healed {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    })
}
