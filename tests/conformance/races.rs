//! Orders that race with crashes, with each other and with the supervisor's end. The guard turns a hang into a failure.

use std::time::Duration;

use futures::future::join_all;
use latido::ExitReason;
use latido::fault::Fault;
use latido::supervision::*;

use crate::kit::*;

/// An order of any kind, for a child that may or may not be there. Says whether it was carried out.
async fn any_order(tree: &Tree, random: &mut fastrand::Rng) -> Result<(), AdminError> {
    let supervisor = ["app/pool", "app/group", "app"][random.usize(..3)];
    let id = ["a", "b", "c", "d"][random.usize(..4)];
    let path = format!("{supervisor}/{id}");
    match random.u8(..10) {
        0..=2 => {
            let spec = match random.u8(..4) {
                0 => broken(id),
                1 => declining(id),
                2 => child(id).on(Placement::OwnThread),
                _ => child(id).backoff(Backoff::exponential(MS, 5 * MS)),
            };
            tree.start_child(supervisor, spec).await
        }
        3..=4 => tree.terminate_child(&path).await,
        5..=6 => tree.restart_child(&path).await,
        7 => tree.delete_child(&path).await,
        8 => {
            let _ = tree.inject(&path, [Fault::Panic, Fault::Stop, Fault::Fail][random.usize(..3)].clone());
            Ok(())
        }
        _ => {
            let monitor = tree.monitor(&path)?;
            // Not until it ends: that may be never.
            let _ = tokio::time::timeout(MS, monitor).await;
            Ok(())
        }
    }
}

fn app(intensity: u32) -> SupervisorSpec {
    let supervisor = |spec: SupervisorSpec| spec.intensity(intensity, SECOND);
    let pool = supervisor(SupervisorSpec::dynamic("pool")).max_children(3).on(Placement::OwnThread);
    let group = supervisor(SupervisorSpec::new("group")).strategy(Strategy::OneForAll).child(child("a"));
    supervisor(SupervisorSpec::new("app")).child(pool).child(group)
}

#[test]
fn every_order_is_answered_whatever_happens_meanwhile() {
    for seed in 0..20 {
        run(async move {
            let tree = app(MANY).start().unwrap();
            let tasks = (0..8).map(|task| {
                let (tree, mut random) = (tree.clone(), fastrand::Rng::with_seed(seed * 100 + task));
                actix_rt::spawn(async move {
                    let mut done = 0;
                    for _ in 0..40 {
                        done += u32::from(any_order(&tree, &mut random).await.is_ok());
                        if random.u8(..40) == 0 {
                            let _ = tree.inject(["app/pool", "app/group"][random.usize(..2)], Fault::Panic);
                        }
                    }
                    done
                })
            });
            let done: u32 = join_all(tasks).await.into_iter().map(Result::unwrap).sum();
            assert!(done > 0, "seed {seed}");
            // Nothing is stuck: what is there can be terminated, and every supervisor takes a new child.
            for supervisor in ["app/group", "app"] {
                tree.start_child(supervisor, child("last")).await.unwrap();
                tree.terminate_child(&format!("{supervisor}/last")).await.unwrap();
            }
            assert!(matches!(tree.stop(10 * SECOND).await, ExitReason::Shutdown), "seed {seed}");
        });
    }
}

#[test]
fn every_order_is_answered_when_the_tree_ends_meanwhile() {
    for seed in 0..60 {
        run(async move {
            let gives_up = seed % 2 == 0;
            let tree = app(if gives_up { 2 } else { MANY }).start().unwrap();
            let orders = (0..8).map(|task| {
                let (tree, mut random) = (tree.clone(), fastrand::Rng::with_seed(seed * 100 + task));
                actix_rt::spawn(async move {
                    while !matches!(any_order(&tree, &mut random).await, Err(AdminError::Ended)) {
                        if gives_up {
                            let _ = tree.inject("app/*/*", Fault::Panic);
                        }
                        tokio::task::yield_now().await;
                    }
                })
            });
            let orders: Vec<_> = orders.collect();
            if !gives_up {
                // Not to wait for anything: each seed stops the tree at another moment.
                tokio::time::sleep(Duration::from_micros(seed * 50)).await;
                tree.stop(10 * SECOND).await;
            }
            tree.join().await;
            for order in join_all(orders).await {
                order.unwrap();
            }
            assert!(matches!(tree.start_child("app", child("x")).await, Err(AdminError::Ended)));
            assert!(matches!(tree.terminate_child("app/group").await, Err(AdminError::Ended)));
        });
    }
}

#[test]
fn a_start_waits_no_longer_than_its_supervisor_lives() {
    run_in_virtual_time(async {
        let inner = SupervisorSpec::new("inner").intensity(0, SECOND).child(child("a"));
        let tree = patient("app").child(inner).start().unwrap();
        let mut events = tree.subscribe();
        started(&mut events, "app", 1).await;
        let slow = slow_to_start("slow", 100 * SECOND);
        let start = meanwhile(&tree, async |tree| tree.start_child("app/inner", slow).await);
        all_is_done().await;
        tree.inject("app/inner/a", Fault::Panic).unwrap();
        assert!(matches!(start.await.unwrap(), Err(AdminError::Ended)));
        started(&mut events, "app/inner", 2).await;
        assert_eq!(ids(&tree), ["inner", "a"]);
        tree.stop(SECOND).await;
    });
}

#[test]
fn no_child_that_is_down_looks_as_if_it_were_stopping() {
    run(async {
        for _ in 0..100 {
            let specs = ["a", "b", "c", "d"].map(|id| child(id).on(Placement::OwnThread));
            let tree = SupervisorSpec::new("app").children(specs).start().unwrap();
            let mut events = tree.subscribe();
            started(&mut events, "app", 1).await;
            tree.inject("app/*", Fault::Stop).unwrap();
            tree.stop(SECOND).await;
            for child in tree.snapshot().children {
                assert!(matches!(child.state, ChildState::Down | ChildState::Finished), "{child:?}");
            }
        }
    });
}
