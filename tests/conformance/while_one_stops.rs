//! A supervisor does not wait for a child that takes long to stop: it answers, and does what does not depend on it.

use latido::supervision::*;
use latido::{EventKind, ExitReason};
use tokio::time::Instant;

use crate::kit::*;

#[test]
fn questions_and_orders_for_others_are_answered_while_one_takes_long() {
    run_in_virtual_time(async {
        let slow = slow_to_stop("slow", 100 * SECOND).shutdown(Shutdown::Infinity);
        let (a, b) = (child("a"), child("b"));
        let addr = b.addr();
        let tree = patient("app").child(a).child(slow).child(b).start().unwrap();
        addr.send(note(1)).await.unwrap();
        let begin = Instant::now();
        let stop = meanwhile(&tree, async |tree| tree.terminate_child("app/slow").await);
        all_is_done().await;
        assert_eq!(lives_of_all(&tree), "a#1, slow#1 Stopping, b#1");
        assert_eq!(tree.count_children("app").unwrap().active, 3);
        tree.terminate_child("app/a").await.unwrap();
        tree.restart_child("app/a").await.unwrap();
        tree.start_child("app", child("c")).await.unwrap();
        crash(&addr).await;
        assert_eq!(addr.send(note(1)).await.unwrap(), [1], "and crashes are handled");
        for error in [tree.restart_child("app/slow").await, tree.delete_child("app/slow").await] {
            assert!(matches!(error, Err(AdminError::Running(_))));
        }
        assert_eq!(lives_of_all(&tree), "a#2, slow#1 Stopping, b#2, c#1");
        assert!(begin.elapsed() < SECOND);
        assert!(!stop.is_finished());
        tree.terminate_child("app/slow").await.unwrap();
        stop.await.unwrap().unwrap();
        assert!(begin.elapsed() >= 100 * SECOND, "both waited for its end");
        tree.stop(SECOND).await;
    });
}

#[test]
fn children_terminated_by_hand_stop_at_the_same_time_where_the_order_does_not_matter() {
    run_in_virtual_time(async {
        let slow = ["a", "b", "c"].map(|id| slow_to_stop(id, 3 * SECOND));
        let tree = patient("app").children(slow).start().unwrap();
        let mut events = tree.subscribe();
        started(&mut events, "app", 1).await;
        let begin = Instant::now();
        let orders = ["app/c", "app/a", "app/b"].map(|path| tree.terminate_child(path));
        for done in futures::future::join_all(orders).await {
            done.unwrap();
        }
        assert!(begin.elapsed() < 4 * SECOND);
        tree.stop(SECOND).await;
    });
}

#[test]
fn a_crash_during_a_siblings_slow_stop_is_not_lost() {
    for strategy in [Strategy::OneForOne, Strategy::OneForAll, Strategy::RestForOne] {
        run_in_virtual_time(async {
            let (a, b) = (child("a"), child("b"));
            let addrs = [a.addr(), b.addr()];
            let app = patient("app").strategy(strategy);
            let tree = app.child(a).child(b).child(slow_to_stop("slow", 3 * SECOND)).start().unwrap();
            let mut events = tree.subscribe();
            started(&mut events, "app", 1).await;
            let stop = meanwhile(&tree, async |tree| tree.terminate_child("app/slow").await);
            all_is_done().await;
            crash(&addrs[1]).await;
            crash(&addrs[0]).await;
            for addr in &addrs {
                addr.send(note(1)).await.unwrap();
            }
            stop.await.unwrap().unwrap();
            assert_eq!(lives_of_all(&tree), "a#2, b#2, slow#1 Finished", "{strategy:?}");
            tree.stop(SECOND).await;
        });
    }
}

#[test]
fn a_tree_can_be_stopped_while_children_are_being_terminated() {
    run_in_virtual_time(async {
        let slow = |id| slow_to_stop(id, 3 * SECOND);
        let tree = patient("app").children(["a", "b", "c"].map(slow)).start().unwrap();
        let mut events = tree.subscribe();
        started(&mut events, "app", 1).await;
        let orders = ["app/a", "app/b"]
            .map(|path| meanwhile(&tree, async move |tree| tree.terminate_child(path).await));
        all_is_done().await;
        assert!(matches!(tree.stop(60 * SECOND).await, ExitReason::Shutdown));
        for order in orders {
            order.await.unwrap().unwrap();
        }
        let kills = |event: &latido::Event| matches!(&event.kind, EventKind::Stopped { reason, .. } if !reason.is_normal());
        while let Some(event) = events.try_next() {
            assert!(!kills(&event), "{event}");
        }
    });
}

/// The thread of `app/inner` is blocked by a child, so that the supervisor is left behind with the order in its hands.
#[test]
fn an_order_is_answered_also_when_its_supervisor_hangs_and_is_left_behind() {
    run(async {
        let (release, released) = std::sync::mpsc::channel::<()>();
        let released = std::sync::Mutex::new(released);
        let block = Hooks::default().started(move |_, _| {
            let _ = released.lock().unwrap().recv();
        });
        let inner = SupervisorSpec::new("inner").on(Placement::OwnThread).shutdown(Shutdown::BrutalKill);
        let tree = patient("app").child(inner).start().unwrap();
        let mut events = tree.subscribe();
        started(&mut events, "app", 1).await;
        let start =
            meanwhile(&tree, async |tree| tree.start_child("app/inner", child_with("x", block).0).await);
        while tree.snapshot().get("app/inner/x").is_none_or(|x| x.state != ChildState::Starting) {
            tokio::task::yield_now().await;
        }
        tree.terminate_child("app/inner").await.unwrap();
        assert!(matches!(start.await.unwrap(), Err(AdminError::Ended)));
        release.send(()).unwrap();
        tree.stop(SECOND).await;
    });
}
