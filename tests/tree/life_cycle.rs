//! Panics and crashes where an actor's life begins and ends.

use std::time::Duration;

use actix::fut::wrap_future;
use actix::prelude::*;
use latido::supervision::*;
use latido::{ExitReason, crash};

use crate::panics::{Code, crashed, once, panicked, reason_of};
use crate::support::*;

// ===== while it stops =====

#[test]
fn in_stopping_unasked() {
    let hooks = Hooks::default().stopping(|probe, _| {
        once(probe.life);
        Running::Stop
    });
    panicked(&reason_of(hooks, |addr| addr.do_send(job(|_, ctx| ctx.stop()))), "life 1");
}

#[test]
fn in_stopped_unasked() {
    let hooks = Hooks::default().stopped(|probe, _| once(probe.life));
    panicked(&reason_of(hooks, |addr| addr.do_send(job(|_, ctx| ctx.stop()))), "life 1");
}

#[test]
fn in_the_destructor() {
    let hooks = Hooks::default().dropped(once);
    panicked(&reason_of(hooks, |addr| addr.do_send(job(|_, ctx| ctx.stop()))), "life 1");
}

#[test]
fn in_a_handler_and_then_in_stopping_stopped_and_the_destructor() {
    let hooks =
        Hooks::default().stopping(|_, _| panic!("stopping")).stopped(|_, _| panic!("stopped")).dropped(once);
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
        let hooks =
            Hooks::default().stopping(|_, _| Running::Continue).stopped(|_, _| panic!("it never stops"));
        let (victim, lives) = child_with("victim", hooks);
        let victim = victim.shutdown(Shutdown::Timeout(3 * SECOND));
        let tree = SupervisorSpec::new("app").child(victim).start().unwrap();
        let mut events = tree.subscribe();
        started(&mut events, "app", 1).await;
        let asked = tokio::time::Instant::now();
        assert!(matches!(tree.stop(3600 * SECOND).await, ExitReason::Shutdown));
        assert_eq!(asked.elapsed(), Duration::from_secs(3));
        let reason = ended(&mut events, "app/victim").await;
        assert_eq!(reason.to_string(), "was killed: did not stop within 3s");
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
    assert!(matches!(reason_of_a_failed_restart(hooks), ExitReason::Panicked(_)));
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
    crashed(&reason_of_a_failed_restart(Hooks::default().built(crash_in_second)));
    let hooks = Hooks::default().started(move |probe, _| crash_in_second(probe.life));
    crashed(&reason_of_a_failed_restart(hooks));
}

#[test]
fn a_crash_in_stopping() {
    let hooks = Hooks::default().stopping(|probe, _| match probe.life {
        1 => crash(Code(7)),
        _ => Running::Stop,
    });
    crashed(&reason_of(hooks.clone(), |addr| addr.do_send(job(|_, ctx| ctx.stop()))));
    crashed(&reason_when_asked_to_stop(hooks));
}
