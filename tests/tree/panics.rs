//! A panic anywhere in an actor ends that actor alone.

use std::sync::Arc;
use std::time::Duration;

use actix::fut::{ready, wrap_future};
use actix::prelude::*;
use futures::stream;
use latido::supervision::*;
use latido::{ExitReason, crash};

use crate::support::*;

/// Runs a child that fails in its first life, once `trigger` is pulled; checks that its neighbour on the arbiter and
/// the tree live on and that it comes back; gives the reason.
fn reason_of(hooks: Hooks, trigger: impl FnOnce(&Addr<Probe>) + 'static) -> ExitReason {
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
        assert_eq!(
            victim_addr.send(note(1)).await.unwrap(),
            [1],
            "it comes back empty"
        );
        assert_eq!(neighbour_addr.send(note(2)).await.unwrap(), [before[0], 2]);
        assert_eq!((lives.now(), lives.most_at_once()), (1, 1));
        assert!(matches!(tree.stop(10 * SECOND).await, ExitReason::Shutdown));
        assert_eq!(lives.now(), 0);
    });
    reason.recv().unwrap()
}

#[track_caller]
fn panicked(reason: &ExitReason, message: &str) {
    let ExitReason::Panicked(panic) = reason else {
        panic!("{reason}")
    };
    assert_eq!(panic.message(), message);
    let place = panic.location().expect("the place is known");
    assert!(place.contains("tests/tree/panics.rs:"), "{place}");
}

/// In the first life only.
fn once(life: usize) {
    if life == 1 {
        panic!("life {life}");
    }
}

#[derive(Debug, thiserror::Error, PartialEq)]
#[error("code {0}")]
struct Code(u32);

fn crashed(reason: &ExitReason) {
    let ExitReason::Failed(failure) = reason else {
        panic!("{reason}")
    };
    assert_eq!(failure.downcast_ref::<Code>(), Some(&Code(7)));
    assert_eq!(reason.to_string(), "failed: code 7");
}

// ===== while it runs =====

#[test]
fn in_a_handler() {
    let reason = reason_of(Hooks::default(), |addr| {
        addr.do_send(job(|_, _| panic!("{} {}", "no", 1)))
    });
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

// ===== while it stops =====

#[test]
fn in_stopping_unasked() {
    let hooks = Hooks::default().stopping(|probe, _| {
        once(probe.life);
        Running::Stop
    });
    panicked(
        &reason_of(hooks, |addr| addr.do_send(job(|_, ctx| ctx.stop()))),
        "life 1",
    );
}

#[test]
fn in_stopped_unasked() {
    let hooks = Hooks::default().stopped(|probe, _| once(probe.life));
    panicked(
        &reason_of(hooks, |addr| addr.do_send(job(|_, ctx| ctx.stop()))),
        "life 1",
    );
}

#[test]
fn in_the_destructor() {
    let hooks = Hooks::default().dropped(once);
    panicked(
        &reason_of(hooks, |addr| addr.do_send(job(|_, ctx| ctx.stop()))),
        "life 1",
    );
}

#[test]
fn in_a_handler_and_then_in_stopping_stopped_and_the_destructor() {
    let hooks = Hooks::default()
        .stopping(|_, _| panic!("stopping"))
        .stopped(|_, _| panic!("stopped"))
        .dropped(once);
    // A broken actor's `stopping` and `stopped` do not run at all; the first reason stands.
    let first = |addr: &Addr<Probe>| addr.do_send(job(|_, _| panic!("first")));
    run(async move {
        let (victim, _) = child_with("victim", hooks);
        let addr = victim.addr();
        let tree = patient("app").child(victim).start().unwrap();
        let mut events = tree.subscribe();
        first(&addr);
        panicked(&ended(&mut events, "app/victim").await, "first");
        started(&mut events, "app/victim", 2).await;
        assert!(matches!(tree.stop(SECOND).await, ExitReason::Shutdown));
        panicked(&ended(&mut events, "app/victim").await, "stopping");
    });
}

/// Stops a tree whose child fails on the way down.
fn reason_when_asked_to_stop(hooks: Hooks) -> ExitReason {
    let (result, reason) = std::sync::mpsc::channel();
    run(async move {
        let (victim, lives) = child_with("victim", hooks);
        let tree = SupervisorSpec::new("app").child(victim).start().unwrap();
        let mut events = tree.subscribe();
        started(&mut events, "app", 1).await;
        assert!(matches!(tree.stop(10 * SECOND).await, ExitReason::Shutdown));
        result.send(ended(&mut events, "app/victim").await).unwrap();
        assert_eq!((lives.now(), lives.ever()), (0, 1));
    });
    reason.recv().unwrap()
}

#[test]
fn in_stopping_when_asked() {
    let hooks = Hooks::default().stopping(|_, _| panic!("not now"));
    panicked(&reason_when_asked_to_stop(hooks), "not now");
}

#[test]
fn in_stopped_when_asked() {
    let hooks = Hooks::default().stopped(|_, _| panic!("not now"));
    panicked(&reason_when_asked_to_stop(hooks), "not now");
}

#[test]
fn in_the_destructor_when_asked() {
    let hooks = Hooks::default().dropped(once);
    panicked(&reason_when_asked_to_stop(hooks), "life 1");
}

#[test]
fn an_actor_that_never_agrees_to_stop_is_killed_after_its_limit() {
    run_in_virtual_time(async {
        let hooks = Hooks::default()
            .stopping(|_, _| Running::Continue)
            .stopped(|_, _| panic!("it never stops"));
        let (victim, lives) = child_with("victim", hooks);
        let victim = victim.shutdown(Shutdown::Timeout(3 * SECOND));
        let tree = SupervisorSpec::new("app").child(victim).start().unwrap();
        let mut events = tree.subscribe();
        started(&mut events, "app", 1).await;
        let asked = tokio::time::Instant::now();
        assert!(matches!(tree.stop(3600 * SECOND).await, ExitReason::Shutdown));
        assert_eq!(asked.elapsed(), Duration::from_secs(3));
        let reason = ended(&mut events, "app/victim").await;
        assert_eq!(reason.to_string(), "killed: did not stop within 3s");
        assert_eq!(lives.now(), 0);
    });
}

// ===== while it starts =====

/// A child whose second life fails to start: it counts as a failure and a third follows.
fn reason_of_a_failed_restart(hooks: Hooks) -> ExitReason {
    let (result, reason) = std::sync::mpsc::channel();
    run(async move {
        let (victim, lives) = child_with("victim", hooks);
        let addr = victim.addr();
        let tree = patient("app").child(victim).start().unwrap();
        let mut events = tree.subscribe();
        addr.do_send(job(|_, _| panic!("first")));
        panicked(&ended(&mut events, "app/victim").await, "first");
        result.send(ended(&mut events, "app/victim").await).unwrap();
        started(&mut events, "app/victim", 3).await;
        assert_eq!(tree.snapshot().get("app").unwrap().supervisor.unwrap().1.used, 2);
        assert!(matches!(tree.stop(SECOND).await, ExitReason::Shutdown));
        assert_eq!((lives.now(), lives.most_at_once()), (0, 1));
    });
    reason.recv().unwrap()
}

#[test]
fn in_the_factory() {
    let hooks = Hooks::default().built(|life| assert_ne!(life, 2, "factory"));
    assert!(matches!(
        reason_of_a_failed_restart(hooks),
        ExitReason::Panicked(_)
    ));
}

#[test]
fn in_started() {
    let hooks = Hooks::default().started(|probe, _| once(probe.life - 1));
    panicked(&reason_of_a_failed_restart(hooks), "life 1");
}

#[test]
fn in_what_started_waits_for() {
    let hooks = Hooks::default().started(|probe, ctx| {
        let life = probe.life;
        ctx.wait(wrap_future(async move { once(life - 1) }));
    });
    panicked(&reason_of_a_failed_restart(hooks), "life 1");
}

#[test]
fn a_crash_in_the_factory_or_in_started() {
    let crash_in_second = |life: usize| {
        if life == 2 {
            crash(Code(7))
        }
    };
    crashed(&reason_of_a_failed_restart(
        Hooks::default().built(crash_in_second),
    ));
    let hooks = Hooks::default().started(move |probe, _| crash_in_second(probe.life));
    crashed(&reason_of_a_failed_restart(hooks));
}

// ===== crash() =====

#[test]
fn a_crash_in_a_handler_or_a_future() {
    crashed(&reason_of(Hooks::default(), |addr| {
        addr.do_send(job(|_, _| crash(Code(7))))
    }));
    crashed(&reason_of(Hooks::default(), |addr| {
        addr.do_send(job(|_, ctx| {
            ctx.spawn(wrap_future(async { crash(Code(7)) }));
        }))
    }));
}

#[test]
fn a_crash_in_stopping() {
    let hooks = Hooks::default().stopping(|probe, _| match probe.life {
        1 => crash(Code(7)),
        _ => Running::Stop,
    });
    crashed(&reason_of(hooks.clone(), |addr| {
        addr.do_send(job(|_, ctx| ctx.stop()))
    }));
    crashed(&reason_when_asked_to_stop(hooks));
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
    let reason = reason_of(Hooks::default(), |addr| {
        addr.do_send(job(|_, _| std::panic::panic_any(Grenade)))
    });
    assert!(
        reason.to_string().starts_with("panicked: a panic without a text"),
        "{reason}"
    );
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
        assert_eq!(
            tree.snapshot().get("app/busy").unwrap().queued,
            5,
            "these are counted"
        );
        let more: Vec<_> = (0..5).map(|_| send()).collect();
        assert!(matches!(tree.stop(SECOND).await, ExitReason::Shutdown));
        for answer in doomed.into_iter().chain(more) {
            assert!(matches!(answer.await, Err(MailboxError::Closed)));
        }
    });
}
