//! A panic anywhere in an actor ends that actor alone.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use actix::fut::{ready, wrap_future};
use actix::prelude::*;
use futures::stream;
use latido::supervision::*;
use latido::{ExitReason, crash};

use crate::support::*;

/// Runs a child that fails in its first life, once `trigger` is pulled; checks that its neighbour on the arbiter and
/// the tree live on and that it comes back; gives the reason.
pub(crate) fn reason_of(hooks: Hooks, trigger: impl FnOnce(&Addr<Probe>) + 'static) -> ExitReason {
    let (result, reason) = std::sync::mpsc::channel();
    run(async move {
        let ((victim, lives), neighbour) = (child_with("victim", hooks), child("neighbour"));
        let (victim_addr, neighbour_addr) = (victim.addr(), neighbour.addr());
        let tree = patient("app").child(neighbour).child(victim).start().unwrap();
        let mut events = tree.subscribe();
        started(&mut events, "app/victim", 1).await;
        let before = neighbour_addr.send(note(1)).await.unwrap();
        trigger(&victim_addr);
        result.send(ended(&mut events, "app/victim").await).unwrap();
        started(&mut events, "app/victim", 2).await;
        assert_eq!(victim_addr.send(note(1)).await.unwrap(), [1], "it comes back empty");
        assert_eq!(neighbour_addr.send(note(2)).await.unwrap(), [before[0], 2]);
        assert_eq!((lives.now(), lives.most_at_once()), (1, 1));
        assert!(matches!(tree.stop(10 * SECOND).await, ExitReason::Shutdown));
        assert_eq!(lives.now(), 0);
    });
    reason.recv().unwrap()
}

#[track_caller]
pub(crate) fn panicked(reason: &ExitReason, message: &str) {
    let ExitReason::Panicked(panic) = reason else { panic!("{reason}") };
    assert_eq!(panic.message(), message);
    let place = panic.location().expect("the place is known");
    assert!(place.starts_with("tests/tree/"), "{place}");
}

/// In the first life only.
pub(crate) fn once(life: usize) {
    if life == 1 {
        panic!("life {life}");
    }
}

#[derive(Debug, thiserror::Error, PartialEq)]
#[error("code {0}")]
pub(crate) struct Code(pub(crate) u32);

pub(crate) fn crashed(reason: &ExitReason) {
    let ExitReason::Failed(failure) = reason else { panic!("{reason}") };
    assert_eq!(failure.downcast_ref::<Code>(), Some(&Code(7)));
    assert_eq!(reason.to_string(), "failed: code 7");
}

// ===== while it runs =====

#[test]
fn in_a_handler() {
    let reason = reason_of(Hooks::default(), |addr| addr.do_send(job(|_, _| panic!("{} {}", "no", 1))));
    panicked(&reason, "no 1");
}

#[test]
fn in_a_future_of_the_context() {
    let trigger = |addr: &Addr<Probe>| {
        addr.do_send(job(|_, ctx| {
            ctx.spawn(wrap_future(async { panic!("spawned") }));
        }))
    };
    panicked(&reason_of(Hooks::default(), trigger), "spawned");
}

#[test]
fn in_what_the_context_waits_for() {
    let trigger = |addr: &Addr<Probe>| {
        addr.do_send(job(|_, ctx| {
            ctx.wait(ready(()).map(|(), _: &mut Probe, _| panic!("waited")));
        }))
    };
    panicked(&reason_of(Hooks::default(), trigger), "waited");
}

#[test]
fn in_an_interval() {
    let trigger = |addr: &Addr<Probe>| {
        addr.do_send(job(|_, ctx| {
            ctx.run_interval(MS, |_, _| panic!("tick"));
        }))
    };
    panicked(&reason_of(Hooks::default(), trigger), "tick");
}

#[test]
fn in_a_timer() {
    let trigger = |addr: &Addr<Probe>| {
        addr.do_send(job(|_, ctx| {
            ctx.run_later(MS, |_, _| panic!("later"));
        }))
    };
    panicked(&reason_of(Hooks::default(), trigger), "later");
}

impl StreamHandler<u8> for Probe {
    fn handle(&mut self, item: u8, _: &mut Context<Self>) {
        panic!("item {item}")
    }
}

#[test]
fn in_a_stream() {
    let trigger = |addr: &Addr<Probe>| {
        addr.do_send(job(|_, ctx| {
            ctx.add_stream(stream::iter([3u8]));
        }))
    };
    panicked(&reason_of(Hooks::default(), trigger), "item 3");
}

/// A handler that has told its context all sorts of things before it panics.
fn panic_after(prepare: impl Fn(&mut Context<Probe>) + Send + 'static) {
    let polls = Arc::new(AtomicUsize::new(0));
    let (polled, poked) = (polls.clone(), polls.clone());
    let untouched = |probe: &Probe| assert!(probe.life > 1, "the broken actor was called");
    let hooks = Hooks::default().stopped(move |probe, _| untouched(probe)).stopping(move |probe, _| {
        untouched(probe);
        Running::Stop
    });
    let reason = reason_of(hooks, move |addr| {
        addr.do_send(job(move |_, ctx| {
            ctx.spawn(wrap_future(poll_fn(move |cx| {
                polled.fetch_add(1, Ordering::SeqCst);
                cx.waker().wake_by_ref();
                Poll::<()>::Pending
            })));
        }));
        addr.do_send(job(move |_, ctx| {
            prepare(ctx);
            poked.store(0, Ordering::SeqCst);
            panic!("no more");
        }));
    });
    panicked(&reason, "no more");
    assert_eq!(polls.load(Ordering::SeqCst), 0, "nothing of it runs after the panic");
}

#[test]
fn in_a_handler_that_had_asked_to_stop() {
    panic_after(|ctx| ctx.stop());
    panic_after(|ctx| ctx.terminate());
}

#[test]
fn in_a_handler_that_had_begun_other_things() {
    panic_after(|ctx| ctx.wait(ready(()).map(|(), _: &mut Probe, _| panic!("waited"))));
    panic_after(|ctx| {
        ctx.spawn(wrap_future(async { panic!("spawned") }));
        ctx.wait(wrap_future(std::future::pending()));
        ctx.stop();
    });
    panic_after(|ctx| {
        ctx.cancel_future(ctx.handle());
    });
    panic_after(|ctx| {
        ctx.cancel_future(ctx.handle());
        ctx.stop();
    });
}

#[test]
fn in_a_handler_that_had_begun_what_panics_when_it_is_dropped() {
    panic_after(|ctx| {
        let grenade = Grenade;
        ctx.spawn(wrap_future(async move { drop(grenade) }));
    });
    panic_after(|ctx| {
        let grenade = Grenade;
        ctx.spawn(wrap_future(async move { drop(grenade) }));
        ctx.stop();
    });
}

// ===== crash() =====

#[test]
fn a_crash_in_a_handler_or_a_future() {
    crashed(&reason_of(Hooks::default(), |addr| addr.do_send(job(|_, _| crash(Code(7))))));
    crashed(&reason_of(Hooks::default(), |addr| {
        addr.do_send(job(|_, ctx| {
            ctx.spawn(wrap_future(async { crash(Code(7)) }));
        }))
    }));
}

// ===== odd destructors =====

struct Grenade;
impl Drop for Grenade {
    fn drop(&mut self) {
        panic!("dropped");
    }
}

#[test]
fn a_payload_whose_own_destructor_panics() {
    let reason = reason_of(Hooks::default(), |addr| addr.do_send(job(|_, _| std::panic::panic_any(Grenade))));
    assert!(reason.to_string().starts_with("panicked: a panic without a text"), "{reason}");
}

#[test]
fn a_message_whose_destructor_panics_in_the_handler() {
    let reason = reason_of(Hooks::default(), |addr| {
        let grenade = Grenade;
        addr.do_send(job(move |_, _| drop(grenade)))
    });
    panicked(&reason, "dropped");
}

#[test]
fn messages_whose_destructors_panic_in_the_queue_take_nobody_with_them() {
    run(async {
        let gate = Arc::new(tokio::sync::Notify::new());
        let open = gate.clone();
        let hooks = Hooks::default().started(move |_, ctx| {
            let gate = open.clone();
            ctx.wait(wrap_future(async move { gate.notified().await }));
        });
        let (busy, _) = child_with("busy", hooks);
        let spec = busy.shutdown(Shutdown::BrutalKill);
        let busy = spec.addr();
        let tree = SupervisorSpec::new("app").child(spec).start().unwrap();
        let send = || {
            let grenade = Grenade;
            busy.send(job(move |_, _| std::mem::forget(grenade)))
        };
        let doomed: Vec<_> = (0..5).map(|_| send()).collect();
        assert_eq!(tree.snapshot().get("app/busy").unwrap().messages.queued, 5, "these are counted");
        let more: Vec<_> = (0..5).map(|_| send()).collect();
        assert!(matches!(tree.stop(SECOND).await, ExitReason::Shutdown));
        for answer in doomed.into_iter().chain(more) {
            assert!(matches!(answer.await, Err(MailboxError::Closed)));
        }
    });
}
