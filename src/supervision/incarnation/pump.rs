//! What carries messages from a mailbox to its actor.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{self, Poll};

use actix::dev::{Envelope, EnvelopeProxy};
use actix::fut::{ActorFuture, wrap_future};
use actix::{Actor, ActorContext, ActorState, AsyncContext, Context};
use tokio::time::Instant;

use super::strike::{self, Struck};
use crate::exit::{ExitReason, catch};
use crate::supervision::child::Core;
use crate::supervision::mailbox::Claim;
use crate::supervision::seat::Seat;
use crate::supervision::valve::{Passage, Strike};

/// Carries messages from the mailbox to the actor. It is an item of the actor's context, polled only once `started()`
/// has returned and what that put into `ctx.wait()` is done: its first poll is the moment at which the actor is up.
pub(super) struct Pump<A: Actor<Context = Context<A>>> {
    core: Arc<Core<A>>,
    seat: Arc<Seat>,
    state: Rc<PumpState<A>>,
    /// The message that is being handled. Kept here, because each frame of the stack that has something to drop makes
    /// a panic through it half a microsecond longer.
    in_hand: Option<Envelope<A>>,
}

pub(super) struct PumpState<A: Actor<Context = Context<A>>> {
    /// Kept by the incarnation: a second pump does not take the mailbox away from a successor.
    pub(super) claim: Cell<Claim>,
    pub(super) budget: Cell<u32>,
    pub(super) cancelled: Cell<bool>,
    /// Still set when the incarnation ends: it ended over a message.
    pub(super) is_handling: Cell<bool>,
    pub(super) is_up: Cell<bool>,
    /// When the next message may be taken, if that is known.
    pub(super) until: Cell<Option<Instant>>,
    /// What a handler ended with that did not return.
    pub(super) failure: Cell<Option<ExitReason>>,
    /// The message whose time has not come, and what strikes then. Not the pump's: an actor may cancel that.
    pub(super) held: Cell<Option<Held<A>>>,
}

type Held<A> = Box<(Envelope<A>, Option<Strike>)>;

impl<A: Actor<Context = Context<A>>> Default for PumpState<A> {
    fn default() -> Self {
        Self {
            claim: Cell::default(),
            budget: Cell::default(),
            cancelled: Cell::default(),
            is_handling: Cell::default(),
            is_up: Cell::default(),
            failure: Cell::default(),
            until: Cell::default(),
            held: Cell::default(),
        }
    }
}

impl<A: Actor<Context = Context<A>>> Pump<A> {
    pub(super) fn new(core: &Arc<Core<A>>, seat: &Arc<Seat>, state: &Rc<PumpState<A>>) -> Self {
        Self { core: core.clone(), seat: seat.clone(), state: state.clone(), in_hand: None }
    }
}

impl<A: Actor<Context = Context<A>>> ActorFuture<A> for Pump<A> {
    type Output = ();

    fn poll(
        self: Pin<&mut Self>,
        actor: &mut A,
        ctx: &mut Context<A>,
        cx: &mut task::Context<'_>,
    ) -> Poll<()> {
        let this = self.get_mut();
        if !this.core.says_when_up && !this.state.is_up.replace(true) {
            this.seat.is_up();
        }
        if let Some(pulse) = &this.seat.pulse {
            pulse.looks();
        }
        match catch(|| this.deliver(actor, ctx, cx)) {
            Ok(()) => {}
            Err(reason) => {
                this.state.failure.set(Some(reason));
                this.freeze(ctx);
            }
        }
        Poll::Pending
    }
}

impl<A: Actor<Context = Context<A>>> Pump<A> {
    #[inline(always)]
    fn deliver(&mut self, actor: &mut A, ctx: &mut Context<A>, cx: &mut task::Context<'_>) {
        while !ctx.waiting() {
            if self.seat.has_news() {
                return; // Whoever gave the order has woken the incarnation.
            }
            let Some(left) = self.state.budget.get().checked_sub(1) else {
                return cx.waker().wake_by_ref();
            };
            self.state.budget.set(left);
            let message = match self.seat.node.valve.is_throttled() {
                false => self.core.mailbox.take(self.state.claim.get(), cx),
                true => self.take_throttled(actor, ctx, cx),
            };
            let Some(message) = message else { return };
            self.state.is_handling.set(true);
            self.in_hand.insert(message).handle(actor, ctx);
            self.in_hand = None;
            if !self.core.says_when_up {
                self.seat.node.speaker.answered();
            }
            self.state.is_handling.set(false);
        }
    }

    /// The next message of a child that somebody meddles with; or none, and it is polled again in time.
    #[cold]
    fn take_throttled(
        &mut self,
        actor: &mut A,
        ctx: &mut Context<A>,
        cx: &mut task::Context<'_>,
    ) -> Option<Envelope<A>> {
        let Self { core, seat, .. } = self;
        let (valve, claim) = (&seat.node.valve, self.state.claim.get());
        if let Some((message, strike)) = self.state.held.take().map(|held| *held) {
            valve.holds(false);
            if let Some(strike) = &strike {
                Struck { core, seat, actor: Some(actor) }.by(strike, ctx);
            }
            return Some(message);
        }
        valve.holds(false); // An incarnation before this one may have ended over a message that it held.
        loop {
            let (passage, delay) = valve.next(core.mailbox.look(claim, cx), seat.incarnation);
            if let Some(delay) = &delay {
                strike::tell(seat, delay);
            }
            match passage {
                Passage::Wait(until) => {
                    self.state.until.set(until);
                    return None;
                }
                Passage::Drop(strike) => {
                    strike::tell(seat, &strike);
                    core.mailbox.discard_next(claim, strike.is_news || strike.is_last);
                    let Some(left) = self.state.budget.get().checked_sub(1) else {
                        cx.waker().wake_by_ref();
                        return None;
                    };
                    self.state.budget.set(left);
                }
                Passage::Take { slow, strike } => {
                    let message = core.mailbox.take(claim, cx)?;
                    // Before a fault strikes: it strikes over this message, which is lost with it.
                    self.state.is_handling.set(true);
                    if let Some(slow) = slow {
                        valve.holds(true);
                        self.state.held.set(Some(Box::new((message, strike))));
                        Struck { core, seat, actor: Some(actor) }.by(&slow, ctx);
                        return None;
                    }
                    if let Some(strike) = &strike {
                        Struck { core, seat, actor: Some(actor) }.by(strike, ctx);
                    }
                    return Some(message);
                }
            }
        }
    }

    /// Keeps actix from running anything more of an actor whose handler did not return, until the incarnation ends it.
    ///
    /// The panic could unwind through actix as well. That is twice as far, and half of what a restart costs.
    fn freeze(&self, ctx: &mut Context<A>) {
        if ctx.state() != ActorState::Running {
            // It asked to stop, and `stopping()` would run.
            self.core.mailbox.connect(ctx);
        }
        ctx.wait(wrap_future(std::future::pending()));
    }
}

impl<A: Actor<Context = Context<A>>> Drop for Pump<A> {
    fn drop(&mut self) {
        self.state.cancelled.set(true);
    }
}
