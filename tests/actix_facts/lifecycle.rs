//! One incarnation from start to stop, with a mailbox that lives outside of it.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{self, Poll};

use actix::dev::channel::{AddressReceiver, channel};
use actix::dev::{AsyncContextParts, ContextFut, ContextParts, EnvelopeProxy};
use actix::fut::wrap_future;
use actix::prelude::*;
use futures::StreamExt;
use tokio::sync::oneshot;

use crate::probe::{Do, Log, NOTE, PANIC, Probe, STOP, answer, poll};

type Mailbox = Rc<RefCell<AddressReceiver<Probe>>>;

/// Reads a mailbox that belongs to nobody into the actor that runs it.
struct Pump(Mailbox);

impl ActorFuture<Probe> for Pump {
    type Output = ();

    fn poll(
        self: Pin<&mut Self>,
        probe: &mut Probe,
        ctx: &mut Context<Probe>,
        task: &mut task::Context<'_>,
    ) -> Poll<()> {
        while !ctx.waiting() {
            let next = self.0.borrow_mut().poll_next_unpin(task);
            match next {
                Poll::Ready(Some(mut envelope)) => envelope.handle(probe, ctx),
                Poll::Ready(None) => return Poll::Ready(()),
                Poll::Pending => break,
            }
        }
        Poll::Pending
    }
}

fn stable() -> (Addr<Probe>, Mailbox) {
    let (sender, receiver) = channel(16);
    (Addr::new(sender), Rc::new(RefCell::new(receiver)))
}

fn incarnate(probe: Probe, mailbox: &Mailbox) -> ContextFut<Probe, Context<Probe>> {
    let mut ctx = Context::new();
    *ctx.parts() = ContextParts::new(mailbox.borrow().sender_producer());
    ctx.spawn(Pump(mailbox.clone()));
    ctx.into_future(probe)
}

#[test]
fn with_replaced_parts_the_context_hands_out_the_stable_address() {
    let (addr, mailbox) = stable();
    for _ in 0..2 {
        let mut incarnation = incarnate(Probe::new(&Log::default()), &mailbox);
        assert!(incarnation.ctx().address() == addr);
        incarnation.ctx().terminate();
    }
}

#[test]
fn a_spawned_future_feeds_the_actor_from_a_mailbox_that_outlives_it() {
    let log = Log::default();
    let (addr, mailbox) = stable();
    let (first, lost, queued) = (addr.send(NOTE), addr.send(PANIC), addr.send(NOTE));

    let mut incarnation = incarnate(Probe::new(&log), &mailbox);
    assert_eq!(poll(&mut incarnation), None);
    incarnation.ctx().terminate();
    drop(incarnation);
    assert_eq!(log.take(), ["started", "handled"]);
    assert!(addr.connected());

    let mut successor = incarnate(Probe::new(&log), &mailbox);
    assert_eq!(poll(&mut successor), Some(Poll::Pending));
    assert_eq!(log.take(), ["started", "handled"]);
    assert_eq!(answer(first), Some(Ok(())));
    assert_eq!(answer(lost), Some(Err(MailboxError::Closed)));
    assert_eq!(answer(queued), Some(Ok(())));
    successor.ctx().terminate();
}

#[test]
fn what_started_puts_into_wait_holds_back_spawned_futures_until_it_is_done() {
    thread_local!(static READY: RefCell<Option<oneshot::Receiver<()>>> = const { RefCell::new(None) });
    let log = Log::default();
    let (addr, mailbox) = stable();
    let (set_up, ready) = oneshot::channel::<()>();
    READY.set(Some(ready));
    let mut incarnation = incarnate(
        Probe {
            started: |ctx| {
                ctx.wait(
                    wrap_future(READY.take().unwrap()).map(|_, probe: &mut Probe, _| probe.log.add("set up")),
                )
            },
            ..Probe::new(&log)
        },
        &mailbox,
    );
    addr.do_send(NOTE);
    assert_eq!(poll(&mut incarnation), Some(Poll::Pending));
    assert_eq!(log.take(), ["started"]);
    set_up.send(()).unwrap();
    assert_eq!(poll(&mut incarnation), Some(Poll::Pending));
    assert_eq!(log.take(), ["set up", "handled"]);
    incarnation.ctx().terminate();
}

#[test]
fn stopping_that_returns_continue_keeps_the_actor_going_and_is_asked_again_at_the_next_stop() {
    let log = Log::default();
    let (addr, mailbox) = stable();
    let mut incarnation = incarnate(Probe { stopping: || Running::Continue, ..Probe::new(&log) }, &mailbox);
    addr.do_send(STOP);
    addr.do_send(NOTE);
    assert_eq!(poll(&mut incarnation), Some(Poll::Pending));
    assert_eq!(log.take(), ["started", "stopping", "handled"]);

    incarnation.ctx().stop();
    addr.do_send(NOTE);
    assert_eq!(poll(&mut incarnation), Some(Poll::Pending));
    assert_eq!(log.take(), ["stopping", "handled"]);
    incarnation.ctx().terminate();
}

#[test]
fn a_stop_asked_for_from_outside_is_carried_out_at_the_next_poll() {
    let log = Log::default();
    let (addr, mailbox) = stable();
    let mut incarnation = incarnate(Probe::new(&log), &mailbox);
    let _ = poll(&mut incarnation);
    let queued = addr.send(NOTE);
    incarnation.ctx().stop();
    assert_eq!(poll(&mut incarnation), Some(Poll::Ready(())));
    assert_eq!(log.take(), ["started", "stopping", "stopped"]);

    // The queue is the mailbox's, not the actor's.
    drop(incarnation);
    assert_eq!(answer(queued), None);
    assert!(addr.connected());
}

#[test]
fn an_actor_whose_last_future_is_done_stops_by_itself() {
    let log = Log::default();
    let mut ctx = Context::new();
    let (_addr, mailbox) = stable();
    *ctx.parts() = ContextParts::new(mailbox.borrow().sender_producer());
    ctx.spawn(wrap_future(async {}));
    let mut incarnation = ctx.into_future(Probe::new(&log));
    assert_eq!(poll(&mut incarnation), Some(Poll::Ready(())));
    assert_eq!(log.take(), ["started", "stopping", "stopped"]);
}

#[test]
fn in_a_handler_the_current_handle_is_that_of_the_pump_and_can_cancel_it() {
    let log = Log::default();
    let (addr, mailbox) = stable();
    let mut incarnation = incarnate(Probe::new(&log), &mailbox);
    incarnation.ctx().spawn(wrap_future(std::future::pending()));
    addr.do_send(Do(|_, ctx| {
        ctx.cancel_future(ctx.handle());
    }));
    assert_eq!(poll(&mut incarnation), Some(Poll::Pending));
    addr.do_send(NOTE);
    assert_eq!(poll(&mut incarnation), Some(Poll::Pending));
    assert_eq!(log.take(), ["started"]);
    assert_eq!(Rc::strong_count(&mailbox), 1, "the pump is gone");
    incarnation.ctx().terminate();
}
