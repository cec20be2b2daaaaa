//! Orders while a child that cannot start is tried again and again, alone or with its group.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix::Addr;
use latido::ExitReason;
use latido::supervision::*;

use crate::kit::*;

/// `a`, `b` and `c`, of which `b` has crashed and cannot come back.
struct Trouble {
    tree: Tree,
    broken: Arc<AtomicBool>,
    addrs: [Addr<Probe>; 3],
}

const GROUPS: [Strategy; 2] = [Strategy::OneForAll, Strategy::RestForOne];

async fn trouble(strategy: Strategy) -> Trouble {
    let (b, _, broken) = breakable("b");
    let b = b.backoff(Backoff::exponential(SECOND, SECOND));
    let (a, c) = (child("a"), child("c"));
    let addrs = [a.addr(), b.addr(), c.addr()];
    let app = SupervisorSpec::new("app").intensity(MANY, 3600 * SECOND).strategy(strategy);
    let tree = app.child(a).child(b).child(c).start().unwrap();
    addrs[2].send(note(1)).await.unwrap();
    broken.store(true, Ordering::SeqCst);
    crash(&addrs[1]).await;
    actix::clock::sleep(3 * SECOND / 2).await;
    assert_eq!(used(&tree, "app"), 2, "it has failed to start once");
    Trouble { tree, broken, addrs }
}

impl Trouble {
    async fn is_over(&self) {
        self.broken.store(false, Ordering::SeqCst);
        actix::clock::sleep(60 * SECOND).await;
    }
}

#[test]
fn whoever_waits_for_a_sibling_of_its_group_is_being_restarted_not_down() {
    for strategy in GROUPS {
        run_in_virtual_time(async move {
            let trouble = trouble(strategy).await;
            let tree = &trouble.tree;
            for path in ["app/b", "app/c"] {
                for error in [tree.restart_child(path).await, tree.delete_child(path).await] {
                    assert!(matches!(error, Err(AdminError::Restarting(_))), "{strategy:?} {path} {error:?}");
                }
                let error = tree.start_child("app", child(&path[4..])).await.unwrap_err();
                assert!(matches!(error, AdminError::Spec(SpecError::DuplicateId(_))));
            }
            let counts = tree.count_children("app").unwrap();
            let active = usize::from(strategy == Strategy::RestForOne);
            assert_eq!((counts.specs, counts.active, counts.workers), (3, active, 3));
            trouble.is_over().await;
            for addr in &trouble.addrs {
                addr.send(note(1)).await.unwrap();
            }
            tree.stop(SECOND).await;
        });
    }
}

#[test]
fn one_that_is_terminated_while_it_waits_stays_down_and_the_others_come_back() {
    for strategy in GROUPS {
        run_in_virtual_time(async move {
            let trouble = trouble(strategy).await;
            trouble.tree.terminate_child("app/c").await.unwrap();
            trouble.is_over().await;
            let a = if strategy == Strategy::OneForAll { 3 } else { 1 };
            assert_eq!(lives_of_all(&trouble.tree), format!("a#{a}, b#3, c#1 Finished"));
            trouble.tree.restart_child("app/c").await.unwrap();
            trouble.tree.stop(SECOND).await;
        });
    }
}

#[test]
fn the_others_come_back_without_the_one_that_cannot_if_that_is_terminated() {
    for strategy in GROUPS {
        run_in_virtual_time(async move {
            let trouble = trouble(strategy).await;
            trouble.tree.terminate_child("app/b").await.unwrap();
            actix::clock::sleep(60 * SECOND).await;
            let a = if strategy == Strategy::OneForAll { 3 } else { 1 };
            assert_eq!(lives_of_all(&trouble.tree), format!("a#{a}, b#2 Finished, c#2"));
            trouble.broken.store(false, Ordering::SeqCst);
            trouble.tree.restart_child("app/b").await.unwrap();
            assert_eq!(used(&trouble.tree, "app"), 2, "by hand it is free");
            trouble.tree.stop(SECOND).await;
        });
    }
}

#[test]
fn a_child_added_while_its_group_restarts_is_started_in_its_turn() {
    for strategy in GROUPS {
        run_in_virtual_time(async move {
            let trouble = trouble(strategy).await;
            let mut events = trouble.tree.subscribe();
            let start = meanwhile(&trouble.tree, async |tree| tree.start_child("app", child("d")).await);
            trouble.is_over().await;
            start.await.unwrap().unwrap();
            let order = lives_in(&mut events).join(" ");
            assert!(order.ends_with("+b +c +d"), "{order}");
            assert_eq!(order.matches("+d").count(), 1);
            trouble.tree.stop(SECOND).await;
        });
    }
}

#[test]
fn the_tree_can_be_stopped_meanwhile() {
    for strategy in [Strategy::OneForOne, Strategy::OneForAll, Strategy::RestForOne] {
        run_in_virtual_time(async move {
            let trouble = trouble(strategy).await;
            assert!(matches!(trouble.tree.stop(SECOND).await, ExitReason::Shutdown));
        });
    }
}

/// It counts when it fails, not when its turn to be tried again comes.
#[test]
fn a_failed_start_that_is_one_too_many_is_not_forgiven_by_an_order() {
    run_in_virtual_time(async {
        let (a, _, broken) = breakable("a");
        let a = a.backoff(Backoff::exponential(SECOND, SECOND));
        let addr = a.addr();
        let tree = SupervisorSpec::new("app").intensity(1, 60 * SECOND).child(a).start().unwrap();
        addr.send(note(1)).await.unwrap();
        broken.store(true, Ordering::SeqCst);
        crash(&addr).await;
        actix::clock::sleep(3 * SECOND / 2).await;
        assert!(matches!(tree.terminate_child("app/a").await, Err(AdminError::Ended)));
        assert!(matches!(tree.join().await, ExitReason::GaveUp { .. }));
    });
}
