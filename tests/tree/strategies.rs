//! Who restarts with whom, in which order, how often and when.

use actix::prelude::*;
use latido::fault::Fault;
use latido::supervision::*;
use latido::{EventKind, ExitReason};

use crate::support::*;

fn abc(strategy: Strategy) -> (SupervisorSpec, Vec<Addr<Probe>>) {
    let children = ["a", "b", "c"].map(child);
    let addrs = children.iter().map(ChildSpec::addr).collect();
    (patient("app").strategy(strategy).children(children), addrs)
}

fn panicking() -> Do<()> {
    job(|_, _| panic!("no"))
}

#[test]
fn each_strategy_takes_its_children_down_in_reverse_and_up_in_order() {
    for (strategy, lives) in [
        (Strategy::OneForOne, "-b +b"),
        (Strategy::OneForAll, "-b -c -a +a +b +c"),
        (Strategy::RestForOne, "-b -c +b +c"),
    ] {
        run(async {
            let (app, addrs) = abc(strategy);
            let tree = app.start().unwrap();
            let mut events = tree.subscribe();
            started(&mut events, "app", 1).await;
            let _ = addrs[1].send(panicking()).await;
            for addr in &addrs {
                addr.send(note(1)).await.unwrap();
            }
            assert_eq!(lives_in(&mut events).join(" "), lives, "{strategy:?}");
            tree.stop(SECOND).await;
            assert_eq!(lives_in(&mut events).join(" "), "-c -b -a -app", "{strategy:?}");
        });
    }
}

#[test]
fn crashes_at_the_same_time_under_one_for_all_are_one_restart() {
    run(async {
        let (app, addrs) = abc(Strategy::OneForAll);
        let tree = app.start().unwrap();
        let mut events = tree.subscribe();
        started(&mut events, "app", 1).await;
        tree.inject("app/*", Fault::Panic).unwrap();
        for addr in &addrs {
            addr.send(note(1)).await.unwrap();
            started(&mut events, "app/*", 2).await;
        }
        let snapshot = tree.snapshot();
        assert_eq!(snapshot.get("app").unwrap().supervisor.unwrap().1.used, 1, "{snapshot}");
        assert!(snapshot.children[1..].iter().all(|child| child.incarnation == 2), "{snapshot}");
        tree.stop(SECOND).await;
    });
}

#[test]
fn a_start_that_fails_in_the_middle_is_rolled_back_in_reverse() {
    run(async {
        let (broken, _) = child_with("c", Hooks::default().built(|_| latido::crash("no disk")));
        let never = child("d");
        let never_addr = never.addr();
        let queued = never_addr.send(note(1));
        let tree =
            SupervisorSpec::new("app").children(["a", "b"].map(child)).child(broken).child(never).start();
        let tree = tree.unwrap();
        let mut events = tree.subscribe();
        let reason = tree.join().await;
        assert_eq!(reason.to_string(), "could not start app/c: failed: no disk");
        assert!(matches!(reason, ExitReason::StartFailed { child, .. } if child == "app/c"));
        assert_eq!(lives_in(&mut events).join(" "), "+a +b -c -b -a -app");
        assert!(matches!(queued.await, Err(MailboxError::Closed)));
    });
}

#[test]
fn a_nested_supervisor_that_gives_up_is_restarted_by_its_parent_and_its_addresses_hold() {
    run(async {
        let (probe, lives) = child_with("probe", Hooks::default());
        let sibling = child("sibling");
        let addrs = [probe.addr(), sibling.addr()];
        let inner = SupervisorSpec::new("inner").intensity(1, 60 * SECOND).restart(Restart::Transient);
        let tree = SupervisorSpec::new("app").child(inner.child(sibling).child(probe)).start().unwrap();
        let mut events = tree.subscribe();
        started(&mut events, "app", 1).await;
        for _ in 0..2 {
            let _ = addrs[0].send(panicking()).await;
        }
        let reason = ended(&mut events, "app/inner").await;
        let ExitReason::GaveUp { child, reason, intensity: 1, .. } = reason else { panic!("{reason}") };
        assert_eq!(child, "app/inner/probe");
        assert!(matches!(*reason, ExitReason::Panicked(_)));
        for addr in &addrs {
            assert_eq!(addr.send(note(1)).await.unwrap(), [1]);
        }
        started(&mut events, "app/inner", 2).await;
        let used = |path| tree.snapshot().get(path).unwrap().supervisor.unwrap().1.used;
        assert_eq!((used("app"), used("app/inner")), (1, 0), "a new supervisor has its whole intensity");
        assert_eq!((lives.ever(), lives.most_at_once()), (3, 1));
        assert!(matches!(tree.stop(SECOND).await, ExitReason::Shutdown));
    });
}

#[test]
fn a_root_that_gives_up_ends_the_tree_and_names_the_child() {
    run(async {
        let (probe, lives) = child_with("probe", Hooks::default());
        let addr = probe.addr();
        let tree = SupervisorSpec::new("app").child(probe).start().unwrap();
        let mut events = tree.subscribe();
        started(&mut events, "app", 1).await;
        for _ in 0..4 {
            assert!(addr.send(panicking()).await.is_err());
        }
        let reason = tree.join().await;
        assert!(
            reason.to_string().starts_with(
                "gave up: more than 3 restarts in 5s, the last for app/probe, which panicked: no"
            )
        );
        let gave_up = events.until("app", |e| matches!(e.kind, EventKind::GaveUp { .. })).await.unwrap();
        assert!(
            matches!(gave_up.kind, EventKind::GaveUp { child, budget, .. } if child == "app/probe" && budget.used == 4)
        );
        assert!(matches!(addr.send(note(1)).await, Err(MailboxError::Closed)));
        assert_eq!((lives.now(), lives.ever()), (0, 4));
    });
}

// ===== the supervisor itself crashes =====

#[test]
fn a_supervisor_that_crashes_takes_its_children_along_and_they_come_back_once() {
    for placement in [Placement::Current, Placement::OwnThread] {
        run(async {
            let (specs, lives): (Vec<_>, Vec<_>) =
                ["a", "b", "c"].map(|id| child_with(id, Hooks::default())).into_iter().unzip();
            let addrs: Vec<_> = specs.iter().map(ChildSpec::addr).collect();
            let specs = specs.into_iter().map(|spec| spec.on(placement.clone()));
            let tree = patient("app").child(patient("inner").children(specs)).start().unwrap();
            let mut events = tree.subscribe();
            started(&mut events, "app", 1).await;
            for crash in 1..20 {
                tree.inject("app/inner", Fault::Panic).unwrap();
                if crash % 3 != 0 {
                    started(&mut events, "app/inner", crash + 1).await;
                }
                for addr in &addrs {
                    // Sometimes it is the old life that answers, and sometimes the message is lost with it.
                    let _ = addr.send(note(1)).await;
                }
            }
            for addr in &addrs {
                while addr.send(note(1)).await.is_err() {}
            }
            assert!(matches!(tree.stop(SECOND).await, ExitReason::Shutdown));
            for lives in &lives {
                assert_eq!((lives.now(), lives.most_at_once()), (0, 1));
            }
        });
    }
}

#[test]
fn a_root_that_crashes_ends_the_tree_and_all_that_is_in_it() {
    run(async {
        let (probe, lives) = child_with("probe", Hooks::default());
        let addr = probe.addr();
        let tree =
            patient("app").child(patient("inner").child(probe.on(Placement::OwnThread))).start().unwrap();
        let mut events = tree.subscribe();
        started(&mut events, "app", 1).await;
        tree.inject("app", Fault::Panic).unwrap();
        assert!(matches!(tree.join().await, ExitReason::Panicked(_)));
        assert_eq!(lives.now(), 0);
        assert!(lives_in(&mut events).contains(&"-probe".to_owned()));
        assert!(matches!(addr.send(note(1)).await, Err(MailboxError::Closed)));
    });
}

#[test]
fn after_the_end_of_a_tree_everybody_in_it_is_down_for_good() {
    run(async {
        let inner = SupervisorSpec::new("inner").child(child("a"));
        let tree = SupervisorSpec::new("app").child(inner).child(child("b")).start().unwrap();
        let mut events = tree.subscribe();
        started(&mut events, "app", 1).await;
        tree.stop(SECOND).await;
        let states: Vec<_> = tree.snapshot().children.iter().map(|child| child.state).collect();
        assert_eq!(states, [ChildState::Finished; 4]);
    });
}
