//! One life of an actor: an ordinary `Context`, driven here instead of by actix, so that a panic in it is caught and
//! its mailbox outlives it.

mod pump;
mod strike;

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{self, Poll, Waker};

use actix::dev::ContextFut;
use actix::dev::channel::{AddressSender, channel};
use actix::{Actor, ActorContext, AsyncContext, Context};
use tokio::time::{Instant, Sleep, sleep_until};

use self::pump::{Pump, PumpState};
use self::strike::Struck;
use super::child::Core;
use super::seat::Seat;
use super::unborn::Unborn;
use crate::exit::{ExitReason, Kill, catch, drop_quietly};
use crate::reporter::Reporter;

/// How many messages an actor handles before its neighbours on the arbiter get their turn. actix has no such bound:
/// an actor that sends to itself would keep its thread for ever.
const MESSAGES_PER_POLL: u32 = 256;

/// Runs one incarnation in its seat, on the arbiter where the seat is placed.
pub(crate) fn launch<A: Actor<Context = Context<A>>>(core: Arc<Core<A>>, unborn: Unborn) {
    let place = unborn.seat().node.place(unborn.seat());
    let be_born = |unborn: Unborn| drop(actix_rt::spawn(Incarnation::new(core, unborn.born())));
    match place {
        Ok(None) => be_born(unborn),
        Ok(Some(arbiter)) => drop(arbiter.spawn_fn(move || be_born(unborn))),
        Err(error) => unborn.born().leave(ExitReason::failed(error)),
    }
}

struct Incarnation<A: Actor<Context = Context<A>>> {
    core: Arc<Core<A>>,
    seat: Arc<Seat>,
    life: Life<A>,
    /// The seat's, while nobody polls.
    reporter: Reporter,
    /// Whom the seat wakes.
    waker: Option<Waker>,
    asked_to_stop: bool,
    pump: Rc<PumpState<A>>,
    /// For a fault whose time comes.
    alarm: Option<Pin<Box<Sleep>>>,
}

#[expect(clippy::large_enum_variant, reason = "a child is running for nearly all of its time")]
enum Life<A: Actor<Context = Context<A>>> {
    NotYet,
    Running {
        fut: ContextFut<A, Context<A>>,
        /// Keeps the context's own mailbox, which nobody sends to, from looking deserted: a context with neither a
        /// mailbox nor an item ends, and an actor may cancel the very item that brings its messages.
        _own: AddressSender<A>,
    },
    Over,
}

impl<A: Actor<Context = Context<A>>> Incarnation<A> {
    fn new(core: Arc<Core<A>>, seat: Arc<Seat>) -> Self {
        Self {
            core,
            life: Life::NotYet,
            reporter: seat.reporter.clone(),
            seat,
            waker: None,
            asked_to_stop: false,
            pump: Rc::default(),
            alarm: None,
        }
    }

    fn listen(&mut self, waker: &Waker) {
        if !self.waker.as_ref().is_some_and(|known| known.will_wake(waker)) {
            self.seat.listen(waker);
            self.waker = Some(waker.clone());
        }
    }

    /// Shows whoever watches that a poll begins, or ends.
    fn beat(&self) {
        if let Some(pulse) = &self.seat.pulse {
            pulse.beat();
        }
    }

    fn step(&mut self, cx: &mut task::Context<'_>) -> Poll<ExitReason> {
        let was_asked_to_stop = self.asked_to_stop;
        if self.seat.has_news() {
            let orders = self.seat.orders();
            if let Some(reason) = orders.sentence() {
                return Poll::Ready(reason);
            }
            self.asked_to_stop = orders.stop;
        }
        if let Life::NotYet = self.life {
            if self.asked_to_stop {
                return Poll::Ready(ExitReason::Shutdown);
            }
            match catch(|| self.give_birth()) {
                Ok(life) => self.life = life,
                Err(reason) => return Poll::Ready(reason),
            }
        }
        let Life::Running { fut, .. } = &mut self.life else {
            return Poll::Pending;
        };
        if self.asked_to_stop && !was_asked_to_stop {
            fut.ctx().stop();
        }
        self.pump.budget.set(MESSAGES_PER_POLL);
        let was_up = self.seat.has_been_up();
        let is_throttled = self.seat.node.valve.is_throttled();
        let polled = catch(|| {
            if is_throttled
                && was_up
                && let Some(strike) = self.seat.node.valve.due(self.seat.incarnation)
            {
                let (core, seat) = (&self.core, &self.seat);
                Struck { core, seat, actor: None }.by(&strike, fut.ctx());
                // It may have taken long: orders and other faults come before anything else.
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            Pin::new(&mut *fut).poll(cx)
        });
        // While it comes up no fault strikes, so nobody need look.
        if is_throttled && was_up {
            let times = self.seat.node.valve.alarm().into_iter().chain(self.pump.until.take());
            set_alarm(&mut self.alarm, times.min(), cx);
        }
        match polled {
            // Destructors may panic while it is being frozen.
            Err(reason) => Poll::Ready(self.pump.failure.take().unwrap_or(reason)),
            Ok(Poll::Ready(())) if self.asked_to_stop => Poll::Ready(ExitReason::Shutdown),
            Ok(Poll::Ready(())) => Poll::Ready(ExitReason::Normal),
            Ok(Poll::Pending) => {
                if let Some(reason) = self.pump.failure.take() {
                    return Poll::Ready(reason);
                }
                // `ctx.cancel_future(ctx.handle())` in a handler cancels what runs the handler: the pump.
                if self.pump.cancelled.take() {
                    fut.ctx().spawn(Pump::new(&self.core, &self.seat, &self.pump));
                    cx.waker().wake_by_ref();
                }
                // Faults that were put into it while it was down strike now that it is up.
                if !was_up && self.seat.has_been_up() {
                    cx.waker().wake_by_ref();
                }
                Poll::Pending
            }
        }
    }

    fn give_birth(&self) -> Life<A> {
        let (sender, own) = channel(0);
        let mut ctx = Context::with_receiver(own);
        self.core.mailbox.connect(&mut ctx);
        self.pump.claim.set(self.core.mailbox.claim(self.seat.incarnation));
        ctx.spawn(Pump::new(&self.core, &self.seat, &self.pump));
        if let Some(strike) = self.seat.node.valve.due_at_start(self.seat.incarnation) {
            strike::tell(&self.seat, &strike);
            strike.fault.strike();
        }
        let actor = (self.core.factory)(&self.seat);
        let fut = ctx.into_future(actor);
        Life::Running { fut, _own: sender }
    }

    fn end(&mut self, mut reason: ExitReason) {
        if !self.pump.is_handling.get() {
            self.core.mailbox.handled(self.pump.claim.get());
        }
        // Before the actor is dropped, and with it the answers that it still owes: who waits for one of them must know
        // that there will be news.
        self.core.mailbox.ended(self.seat.incarnation);
        if let Life::Running { mut fut, .. } = std::mem::replace(&mut self.life, Life::Over) {
            // A terminated context is dropped without `stopping()` and `stopped()`. Left alive it would run both on
            // the broken actor, and a panic in them would abort the process.
            fut.ctx().terminate();
            let held = self.pump.held.take();
            if let Err(in_drop) = drop_quietly((fut, held))
                && reason.is_normal()
            {
                reason = in_drop;
            }
        }
        self.seat.leave(reason);
    }
}

impl<A: Actor<Context = Context<A>>> Future for Incarnation<A> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        this.listen(cx.waker());
        this.beat();
        let speaking = std::mem::take(&mut this.reporter).enter();
        let polled = this.step(cx).map(|reason| this.end(reason));
        this.reporter = speaking.leave();
        this.beat();
        polled
    }
}

/// The arbiter ended under it.
impl<A: Actor<Context = Context<A>>> Drop for Incarnation<A> {
    fn drop(&mut self) {
        if !matches!(self.life, Life::Over) {
            let _speaking = self.seat.reporter.clone().enter();
            // A thread that was left behind ends once it is free: then they have their orders.
            let sentence = self.seat.orders().sentence();
            self.end(sentence.unwrap_or(ExitReason::Killed(Kill::ArbiterGone)));
        }
    }
}

/// Has the incarnation polled when the time of a fault comes, or is over.
#[cold]
fn set_alarm(alarm: &mut Option<Pin<Box<Sleep>>>, at: Option<Instant>, cx: &mut task::Context<'_>) {
    *alarm = at.map(|at| Box::pin(sleep_until(at)));
    if let Some(alarm) = alarm
        && alarm.as_mut().poll(cx).is_ready()
    {
        cx.waker().wake_by_ref();
    }
}
