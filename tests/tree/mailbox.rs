//! The mailbox outlives the actor: what happens to messages when an actor ends.

use std::sync::Arc;

use actix::fut::wrap_future;
use actix::prelude::*;
use latido::supervision::*;
use latido::{EventKind, ExitReason};
use tokio::sync::{Notify, oneshot};

use crate::support::*;

fn die() -> Do<()> {
    job(|_, _| panic!("die"))
}

async fn is_closed<R>(answer: impl Future<Output = Result<R, MailboxError>>) -> bool {
    matches!(answer.await, Err(MailboxError::Closed))
}

#[test]
fn messages_keep_their_order_over_a_restart() {
    run(async {
        let probe = child("probe");
        let addr = probe.addr();
        let early: Vec<_> = (0..3).map(|n| addr.send(note(n))).collect();
        let tree = patient("app").child(probe).start().unwrap();
        let dead = addr.send(die());
        let late: Vec<_> = (3..1000).map(|n| addr.send(note(n))).collect();
        for (n, answer) in early.into_iter().enumerate() {
            assert_eq!(answer.await.unwrap(), (0..=n as u64).collect::<Vec<_>>());
        }
        assert!(is_closed(dead).await);
        for (n, answer) in late.into_iter().enumerate() {
            assert_eq!(answer.await.unwrap(), (3..=3 + n as u64).collect::<Vec<_>>());
        }
        tree.stop(SECOND).await;
    });
}

#[test]
fn what_is_sent_during_a_backoff_is_answered_after_it() {
    run_in_virtual_time(async {
        let probe = child("probe").backoff(Backoff::exponential(10 * SECOND, 10 * SECOND));
        let addr = probe.addr();
        let tree = SupervisorSpec::new("app").child(probe).start().unwrap();
        let mut events = tree.subscribe();
        addr.do_send(die());
        let is_restart = |e: &latido::Event| matches!(e.kind, EventKind::Restarting { .. });
        events.until("app/probe", is_restart).await.unwrap();
        let sent = tokio::time::Instant::now();
        let answer = addr.send(note(1));
        assert_eq!(tree.snapshot().get("app/probe").unwrap().messages.queued, 1);
        assert_eq!(tree.snapshot().get("app/probe").unwrap().state, ChildState::Waiting);
        assert_eq!(answer.await.unwrap(), [1]);
        assert_eq!(sent.elapsed(), 10 * SECOND);
        tree.stop(SECOND).await;
    });
}

#[test]
fn every_kind_of_address_survives_and_is_the_same_inside_and_outside() {
    run(async {
        let probe = child("probe");
        let addr = probe.addr();
        let (weak, recipient) = (addr.downgrade(), addr.clone().recipient::<Do<Vec<u64>>>());
        let tree = patient("app").child(probe).start().unwrap();
        for _ in 0..3 {
            assert_eq!(addr.send(job(|_, ctx| ctx.address())).await.unwrap(), addr);
            assert_eq!(weak.upgrade().unwrap(), addr);
            assert_eq!(recipient.send(note(1)).await.unwrap(), [1]);
            assert!(addr.connected() && recipient.connected());
            assert!(is_closed(addr.send(die())).await);
        }
        tree.stop(SECOND).await;
        assert!(!addr.connected() && !recipient.connected() && weak.upgrade().is_none());
        assert!(is_closed(recipient.send(note(1))).await);
    });
}

/// Answers later, in a future of its context.
struct Slowly;
impl Message for Slowly {
    type Result = ();
}
impl Handler<Slowly> for Probe {
    type Result = ResponseActFuture<Self, ()>;
    fn handle(&mut self, _: Slowly, _: &mut Context<Self>) -> Self::Result {
        Box::pin(wrap_future(std::future::pending()))
    }
}

#[test]
fn the_message_in_hand_and_answers_not_given_yet_are_lost_with_an_error() {
    run(async {
        let probe = child("probe");
        let addr = probe.addr();
        let tree = patient("app").child(probe).start().unwrap();
        let (pending, in_hand, queued) = (addr.send(Slowly), addr.send(die()), addr.send(note(1)));
        assert!(is_closed(pending).await);
        assert!(is_closed(in_hand).await);
        assert_eq!(queued.await.unwrap(), [1]);
        tree.stop(SECOND).await;
    });
}

#[test]
fn a_finished_child_answers_closed_at_once_also_what_was_queued() {
    run(async {
        let once = child("once").restart(Restart::Transient);
        let addr = once.addr();
        let tree = SupervisorSpec::new("app").child(once).start().unwrap();
        let (last, queued) = (addr.send(job(|_, ctx| ctx.stop())), addr.send(note(1)));
        assert!(last.await.is_ok());
        assert!(is_closed(queued).await);
        for _ in 0..3 {
            assert!(is_closed(addr.send(note(1))).await);
        }
        assert_eq!(tree.snapshot().get("app/once").unwrap().state, ChildState::Finished);
        assert_eq!(tree.snapshot().get("app/once").unwrap().messages.queued, 0);
        tree.stop(SECOND).await;
    });
}

#[test]
fn the_children_of_a_finished_supervisor_answer_closed_too() {
    run(async {
        let (inner, sibling) = (child("inner"), child("sibling"));
        let (addr, sibling_addr) = (inner.addr(), sibling.addr());
        let short = SupervisorSpec::new("short").restart(Restart::Temporary).intensity(0, SECOND);
        let tree = SupervisorSpec::new("app").child(short.child(inner).child(sibling)).start().unwrap();
        let mut events = tree.subscribe();
        started(&mut events, "app", 1).await;
        assert!(is_closed(addr.send(die())).await);
        assert!(matches!(ended(&mut events, "app/short").await, ExitReason::GaveUp { .. }));
        assert!(is_closed(addr.send(note(1))).await);
        assert!(is_closed(sibling_addr.send(note(1))).await);
        assert_eq!(tree.snapshot().get("app/short/inner").unwrap().state, ChildState::Finished);
        tree.stop(SECOND).await;
    });
}

#[test]
fn a_spec_that_is_dropped_before_it_ran_answers_closed() {
    run(async {
        let probe = child("probe");
        let addr = probe.addr();
        let queued = addr.send(note(1));
        drop(SupervisorSpec::new("app").child(probe));
        assert!(is_closed(queued).await);
        assert!(is_closed(addr.send(note(1))).await);
    });
}

#[test]
fn the_addresses_of_a_tree_whose_arbiter_ends_are_closed() {
    run(async {
        let (elsewhere, lives) = child_with("elsewhere", Hooks::default());
        let (probe, elsewhere) = (child("probe"), elsewhere.on(Placement::OwnThread));
        let addrs = [probe.addr(), elsewhere.addr()];
        let arbiter = Arbiter::new();
        let (tell, told) = oneshot::channel();
        arbiter.spawn_fn(move || {
            let tree = SupervisorSpec::new("app").child(elsewhere).child(probe).start().unwrap();
            let events = tree.subscribe();
            let _ = tell.send((tree, events));
        });
        let (tree, mut events) = told.await.unwrap();
        started(&mut events, "app", 1).await;
        arbiter.stop();
        assert!(matches!(tree.join().await, ExitReason::Killed(_)));
        for addr in &addrs {
            assert!(is_closed(addr.send(note(1))).await);
        }
        while events.next().await.is_some() {}
        while lives.now() > 0 {
            tokio::task::yield_now().await;
        }
    });
}

#[test]
fn cancelling_its_current_future_does_not_deafen_an_actor() {
    run(async {
        let (probe, lives) = child_with("probe", Hooks::default());
        let addr = probe.addr();
        let tree = patient("app").child(probe).start().unwrap();
        for n in 0..5 {
            let cancel = addr.send(job(|_, ctx| {
                ctx.cancel_future(ctx.handle());
            }));
            let next = addr.send(note(n));
            cancel.await.unwrap();
            assert_eq!(next.await.unwrap().len() as u64, n + 1);
        }
        assert_eq!(lives.ever(), 1);
        tree.stop(SECOND).await;
    });
}

struct Feed;
impl Message for Feed {
    type Result = ();
}
impl Handler<Feed> for Probe {
    type Result = ();
    fn handle(&mut self, _: Feed, ctx: &mut Context<Self>) {
        ctx.address().do_send(Feed);
    }
}

#[test]
fn an_actor_that_feeds_itself_lets_its_neighbour_answer_and_can_be_stopped() {
    run(async {
        let (hungry, neighbour) = (child("hungry"), child("neighbour"));
        let addrs = (hungry.addr(), neighbour.addr());
        let tree = patient("app").child(hungry).child(neighbour).start().unwrap();
        addrs.0.do_send(Feed);
        for n in 0..10 {
            assert_eq!(addrs.1.send(note(n)).await.unwrap().len() as u64, n + 1);
        }
        assert!(matches!(tree.stop(10 * SECOND).await, ExitReason::Shutdown));
    });
}

#[test]
fn an_order_to_stop_is_heard_before_the_next_message() {
    run(async {
        let probe = child("probe").on(Placement::OwnThread);
        let addr = probe.addr();
        let tree = SupervisorSpec::new("app").child(probe).start().unwrap();
        let (release, released) = std::sync::mpsc::channel::<()>();
        let (tell, told) = oneshot::channel();
        let in_hand = addr.send(job(move |_, _| {
            let _ = tell.send(());
            released.recv().unwrap()
        }));
        let queued = addr.send(note(1));
        told.await.unwrap();
        let stopped = actix::spawn(async move { tree.stop(10 * SECOND).await });
        tokio::task::yield_now().await; // the supervisor hears of it
        tokio::task::yield_now().await;
        release.send(()).unwrap();
        assert!(in_hand.await.is_ok());
        assert!(is_closed(queued).await);
        assert!(matches!(stopped.await.unwrap(), ExitReason::Shutdown));
    });
}

#[test]
fn a_message_is_not_lost_while_an_actor_waits() {
    run(async {
        let gate = Arc::new(Notify::new());
        let opened = gate.clone();
        let hooks = Hooks::default().started(move |_, ctx| {
            let gate = opened.clone();
            ctx.wait(wrap_future(async move { gate.notified().await }));
        });
        let (probe, _) = child_with("probe", hooks);
        let addr = probe.addr();
        let tree = SupervisorSpec::new("app").child(probe).start().unwrap();
        let mut events = tree.subscribe();
        let answer = addr.send(note(1));
        tokio::task::yield_now().await;
        assert_eq!(tree.snapshot().get("app/probe").unwrap().state, ChildState::Starting);
        assert!(events.try_next().is_none(), "it is not up before what it waits for is done");
        gate.notify_one();
        assert_eq!(answer.await.unwrap(), [1]);
        started(&mut events, "app/probe", 1).await;
        tree.stop(SECOND).await;
    });
}
