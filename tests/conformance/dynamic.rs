//! Children that come and go: OTP's `simple_one_for_one`, Elixir's `DynamicSupervisor`.

use actix::System;
use latido::fault::Fault;
use latido::supervision::*;
use latido::{EventKind, ExitReason};
use tokio::time::Instant;

use crate::kit::*;

#[test]
fn any_number_of_children_with_any_restart_type() {
    run(async {
        let tree = SupervisorSpec::dynamic("pool").intensity(MANY, SECOND).start().unwrap();
        let restarts = [Restart::Permanent, Restart::Transient, Restart::Temporary];
        let mut addrs = Vec::new();
        for n in 0..300 {
            let spec = child(&format!("c{n}")).restart(restarts[n % 3]);
            addrs.push(spec.addr());
            tree.start_child("pool", spec).await.unwrap();
        }
        assert_eq!(tree.count_children("pool").unwrap().active, 300);
        let ends: Vec<_> = (0..300).map(|n| tree.monitor(&format!("pool/c{n}")).unwrap()).collect();
        tree.inject("pool/*", Fault::Panic).unwrap();
        futures::future::join_all(ends).await;
        for (n, addr) in addrs.iter().enumerate() {
            assert_eq!(addr.send(note(1)).await.is_ok(), n % 3 < 2, "c{n}");
        }
        assert_eq!(tree.count_children("pool").unwrap().specs, 200, "what has ended is forgotten");
        assert_eq!(used(&tree, "pool"), 200);
        tree.stop(SECOND).await;
    });
}

#[test]
fn whatever_ends_for_good_is_forgotten_and_its_id_is_free() {
    run(async {
        let tree = SupervisorSpec::dynamic("pool").start().unwrap();
        for round in 0..20 {
            let spec = child("x").restart(Restart::Transient);
            let addr = spec.addr();
            tree.start_child("pool", spec).await.unwrap();
            assert!(matches!(
                tree.start_child("pool", child("x")).await,
                Err(AdminError::Spec(SpecError::DuplicateId(_)))
            ));
            if round % 2 == 0 {
                tree.terminate_child("pool/x").await.unwrap();
            } else {
                finish(&addr).await;
                while tree.count_children("pool").unwrap().specs > 0 {
                    tokio::task::yield_now().await;
                }
            }
            for gone in [
                tree.terminate_child("pool/x").await,
                tree.restart_child("pool/x").await,
                tree.delete_child("pool/x").await,
            ] {
                assert!(matches!(gone, Err(AdminError::Unknown(path)) if path == "pool/x"));
            }
            assert!(addr.send(note(1)).await.is_err(), "closed");
        }
        let error = tree.start_child("pool", broken("x")).await.unwrap_err();
        assert!(matches!(error, AdminError::StartFailed { .. }));
        tree.start_child("pool", child("x")).await.unwrap();
        tree.stop(SECOND).await;
    });
}

#[test]
fn children_that_wait_for_a_restart_count_as_children() {
    run_in_virtual_time(async {
        let pool = SupervisorSpec::dynamic("pool").max_children(2).intensity(MANY, SECOND);
        let tree = pool.start().unwrap();
        let a = child("a").backoff(Backoff::exponential(60 * SECOND, 60 * SECOND));
        let addr = a.addr();
        tree.start_child("pool", a).await.unwrap();
        tree.start_child("pool", child("b")).await.unwrap();
        crash(&addr).await;
        all_is_done().await;
        assert_eq!(lives_of_all(&tree), "a#1 Waiting, b#1");
        let error = tree.start_child("pool", child("c")).await.unwrap_err();
        assert_eq!(error.to_string(), "pool has 2 children, and may not have more");
        let counts = tree.count_children("pool").unwrap();
        assert_eq!((counts.specs, counts.active), (2, 1));
        tree.terminate_child("pool/a").await.unwrap();
        tree.start_child("pool", child("c")).await.unwrap();
        let error = tree.start_child("pool", child("d")).await.unwrap_err();
        assert!(matches!(error, AdminError::MaxChildren { max: 2, .. }));
        tree.stop(SECOND).await;
    });
}

#[test]
fn stubborn_children_stop_together_within_one_timeout() {
    run_in_virtual_time(async {
        let tree = SupervisorSpec::dynamic("pool").start().unwrap();
        let mut events = tree.subscribe();
        for n in 0..50 {
            let spec = stubborn(&format!("c{n}")).shutdown(Shutdown::Timeout(3 * SECOND));
            tree.start_child("pool", spec).await.unwrap();
        }
        let begin = Instant::now();
        assert!(matches!(tree.stop(60 * SECOND).await, ExitReason::Shutdown));
        assert_eq!(begin.elapsed().as_secs(), 3);
        let mut killed = 0;
        while let Some(event) = events.try_next() {
            killed +=
                u32::from(matches!(event.kind, EventKind::Stopped { reason: ExitReason::Killed(_), .. }));
        }
        assert_eq!(killed, 50);
    });
}

#[test]
fn stubborn_children_in_an_order_take_the_sum_of_their_timeouts() {
    run_in_virtual_time(async {
        let spec = |n| stubborn(&format!("c{n}")).shutdown(Shutdown::Timeout(3 * SECOND));
        let tree = SupervisorSpec::new("app").children((0..5).map(spec)).start().unwrap();
        let mut events = tree.subscribe();
        started(&mut events, "app", 1).await;
        let begin = Instant::now();
        tree.stop(60 * SECOND).await;
        assert_eq!(begin.elapsed().as_secs(), 15);
    });
}

#[test]
fn one_childs_crash_is_no_business_of_the_others_and_giving_up_is_everybodys() {
    run(async {
        let tree = SupervisorSpec::dynamic("pool").intensity(1, 60 * SECOND).start().unwrap();
        let mut events = tree.subscribe();
        let (specs, lives): (Vec<_>, Vec<_>) =
            ["a", "b", "c"].map(|id| child_with(id, Hooks::default())).into_iter().unzip();
        let addrs: Vec<_> = specs.iter().map(ChildSpec::addr).collect();
        for spec in specs {
            tree.start_child("pool", spec).await.unwrap();
        }
        crash(&addrs[1]).await;
        addrs[1].send(note(1)).await.unwrap();
        assert_eq!(lives_of_all(&tree), "a#1, b#2, c#1");
        crash(&addrs[2]).await;
        assert!(matches!(tree.join().await, ExitReason::GaveUp { child, .. } if child == "pool/c"));
        assert!(lives.iter().all(|lives| lives.now() == 0));
        let gave_up = |event: &latido::Event| matches!(event.kind, EventKind::GaveUp { .. });
        assert!(events.until("pool", gave_up).await.is_some());
    });
}

/// It is left behind and forgotten at the same moment.
#[test]
fn a_child_that_hangs_can_be_terminated() {
    run(async {
        let tree = SupervisorSpec::dynamic("pool").start().unwrap();
        let spec = child("x").on(Placement::OwnThread).shutdown(Shutdown::BrutalKill);
        let addr = spec.addr();
        tree.start_child("pool", spec).await.unwrap();
        let (release, released) = std::sync::mpsc::channel::<()>();
        let (tell, told) = tokio::sync::oneshot::channel();
        addr.do_send(job(move |_, _| {
            let _ = tell.send(());
            let _ = released.recv();
        }));
        told.await.unwrap();
        tree.terminate_child("pool/x").await.unwrap();
        tree.start_child("pool", child("x")).await.unwrap();
        drop(release);
        tree.stop(SECOND).await;
    });
}

#[test]
fn thousands_come_and_go_and_nothing_of_them_stays() {
    run(async {
        come_and_go(3_000).await;
    });
}

/// By hand: `cargo test --release --test conformance -- --ignored --nocapture a_hundred_thousand`
#[test]
#[ignore = "a measurement"]
fn a_hundred_thousand_cost_as_much_each_as_a_thousand() {
    for count in [1_000, 10_000, 100_000] {
        System::new().block_on(come_and_go(count));
    }
}

async fn come_and_go(count: usize) {
    let tree = SupervisorSpec::dynamic("pool").start().unwrap();
    let (begin, mut addrs) = (std::time::Instant::now(), Vec::new());
    for n in 0..count {
        let spec = child(&n.to_string()).restart(Restart::Temporary);
        addrs.push(spec.addr());
        tree.start_child("pool", spec).await.unwrap();
    }
    let started = begin.elapsed();
    assert_eq!(tree.count_children("pool").unwrap().active, count);
    let begin = std::time::Instant::now();
    for n in 0..count / 2 {
        tree.terminate_child(&format!("pool/{n}")).await.unwrap();
    }
    let terminated = begin.elapsed();
    let begin = std::time::Instant::now();
    for addr in &addrs[count / 2..] {
        finish(addr).await;
    }
    while tree.count_children("pool").unwrap().specs > 0 {
        tokio::task::yield_now().await;
    }
    let finished = begin.elapsed();
    assert!(addrs.iter().all(|addr| !addr.connected()), "their mailboxes are gone");
    tree.stop(SECOND).await;
    let each = |time: std::time::Duration, count| time / u32::try_from(count).unwrap();
    println!(
        "{count} children: {:?} to start each, {:?} to terminate, {:?} to finish",
        each(started, count),
        each(terminated, count / 2),
        each(finished, count / 2)
    );
}

/// A supervisor that crashes leaves children behind, which are being killed; one of them takes its time.
#[test]
fn what_is_left_of_a_forgotten_subtree_ends_before_the_tree_does() {
    run(async {
        // Takes its time to go; a tree that does not wait for it has ended long before.
        let slow = Hooks::default().dropped(|_| std::thread::sleep(300 * MS));
        let (probe, lives) = child_with("probe", slow);
        let addr = probe.addr();
        let inner = SupervisorSpec::new("inner").restart(Restart::Temporary);
        let tree = SupervisorSpec::dynamic("pool").start().unwrap();
        tree.start_child("pool", inner.child(probe.on(Placement::OwnThread))).await.unwrap();
        tree.inject("pool/inner", Fault::Panic).unwrap();
        while tree.count_children("pool").unwrap().specs > 0 {
            tokio::task::yield_now().await;
        }
        assert!(!addr.connected(), "closed at once");
        tree.stop(5 * SECOND).await;
        assert_eq!(lives.now(), 0);
    });
}
