//! Children that misbehave in one way each, and short questions to a tree.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix::prelude::*;
use latido::supervision::*;

pub(crate) use crate::support::*;

// ===== children =====

/// Stops itself before it is up: OTP's `ignore`.
pub(crate) fn declining(id: &str) -> ChildSpec<Probe> {
    child_with(id, Hooks::default().started(|_, ctx| ctx.stop())).0
}

/// Cannot be built.
pub(crate) fn broken(id: &str) -> ChildSpec<Probe> {
    child_with(id, Hooks::default().built(|_| latido::crash("no disk"))).0
}

/// Cannot be built while the switch is on.
pub(crate) fn breakable(id: &str) -> (ChildSpec<Probe>, Lives, Arc<AtomicBool>) {
    let switch = Arc::new(AtomicBool::new(false));
    let is_on = switch.clone();
    let hooks = Hooks::default().built(move |_| {
        if is_on.load(Ordering::SeqCst) {
            latido::crash("no disk")
        }
    });
    let (spec, lives) = child_with(id, hooks);
    (spec, lives, switch)
}

/// Fails as soon as it is up, every time.
pub(crate) fn crashing(id: &str) -> (ChildSpec<Probe>, Lives) {
    let crash_soon = |_: &mut Probe, ctx: &mut Context<Probe>| {
        ctx.notify(job(|_, _| latido::crash("again")));
    };
    child_with(id, Hooks::default().started(crash_soon))
}

/// Takes this long to come up.
pub(crate) fn slow_to_start(id: &str, time: Duration) -> ChildSpec<Probe> {
    let hooks = Hooks::default().started(move |_, ctx| {
        let sleep = async move { actix::clock::sleep(time).await };
        ctx.wait(actix::fut::wrap_future(sleep));
    });
    child_with(id, hooks).0
}

/// Takes this long to go down when asked to.
pub(crate) fn slow_to_stop(id: &str, time: Duration) -> ChildSpec<Probe> {
    const ASKED: u64 = u64::MAX;
    let hooks = Hooks::default().stopping(move |probe, ctx| {
        if probe.notes.contains(&ASKED) {
            return Running::Stop;
        }
        probe.notes.push(ASKED);
        ctx.run_later(time, |_, ctx| ctx.stop());
        Running::Continue
    });
    child_with(id, hooks).0
}

/// Never agrees to stop.
pub(crate) fn stubborn(id: &str) -> ChildSpec<Probe> {
    child_with(id, Hooks::default().stopping(|_, _| Running::Continue)).0
}

// ===== doing =====

/// Has the child panic; its sender hears of it before its supervisor does.
pub(crate) async fn crash(addr: &Addr<Probe>) {
    let crashed = addr.send(job(|_, _| -> () { panic!("no") })).await;
    assert!(crashed.is_err(), "it crashes");
}

/// Has the child stop itself.
pub(crate) async fn finish(addr: &Addr<Probe>) {
    addr.send(job(|_, ctx| ctx.stop())).await.unwrap();
}

/// In virtual time: until all is done that can be done now. Time goes on only when nobody can do anything.
pub(crate) async fn all_is_done() {
    actix::clock::sleep(MS).await;
}

/// Gives an order without waiting for it.
pub(crate) fn meanwhile<T: 'static>(
    tree: &Tree,
    order: impl AsyncFnOnce(Tree) -> T + 'static,
) -> tokio::task::JoinHandle<T> {
    let tree = tree.clone();
    actix_rt::spawn(async move { order(tree).await })
}

// ===== asking =====

pub(crate) fn state(tree: &Tree, path: &str) -> ChildState {
    tree.snapshot().get(path).expect("it is there").state
}

/// The incarnations of the children that the supervisor `app` has, and their states if they are not up.
pub(crate) fn lives_of_all(tree: &Tree) -> String {
    let snapshot = tree.snapshot();
    let children = snapshot.children[1..].iter();
    let text = children.map(|child| match child.state {
        ChildState::Running => format!("{}#{}", child.path.name(), child.incarnation),
        state => format!("{}#{} {state:?}", child.path.name(), child.incarnation),
    });
    text.collect::<Vec<_>>().join(", ")
}

/// How many restarts of the supervisor's budget are used.
pub(crate) fn used(tree: &Tree, path: &str) -> u32 {
    let snapshot = tree.snapshot();
    let (_, budget) = snapshot.get(path).unwrap().supervisor.expect("a supervisor");
    budget.used
}

pub(crate) fn ids(tree: &Tree) -> Vec<String> {
    let snapshot = tree.snapshot();
    snapshot.children[1..].iter().map(|child| child.path.name().to_owned()).collect()
}
