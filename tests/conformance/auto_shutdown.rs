//! Auto-shutdown, rule by rule: which ends count under which strategy.

use actix::Addr;
use latido::ExitReason;
use latido::fault::Fault;
use latido::supervision::*;

use crate::kit::*;

const RULES: [AutoShutdown; 3] =
    [AutoShutdown::Never, AutoShutdown::AnySignificant, AutoShutdown::AllSignificant];

fn significant(id: &str, restart: Restart) -> (ChildSpec<Probe>, Addr<Probe>) {
    let spec = child(id).restart(restart).significant();
    let addr = spec.addr();
    (spec, addr)
}

/// Also where no child is significant, so that all that are have ended.
#[test]
fn however_a_child_ends_that_is_not_significant_it_stops_nobody() {
    for rule in RULES {
        for restart in [Restart::Transient, Restart::Temporary] {
            for fault in [Fault::Stop, Fault::Panic, Fault::Fail] {
                run_in_virtual_time(async move {
                    let app = patient("app").auto_shutdown(rule);
                    let tree = app.child(child("a").restart(restart)).start().unwrap();
                    let mut events = tree.subscribe();
                    started(&mut events, "app", 1).await;
                    tree.inject("app/a", fault).unwrap();
                    all_is_done().await;
                    tree.terminate_child("app/a").await.unwrap();
                    all_is_done().await;
                    assert_eq!(state(&tree, "app"), ChildState::Running);
                    assert!(matches!(tree.stop(SECOND).await, ExitReason::Shutdown));
                });
            }
        }
    }
}

#[test]
fn however_a_temporary_significant_child_ends_by_itself_it_counts() {
    for rule in RULES {
        for fault in [Fault::Stop, Fault::Panic, Fault::Fail] {
            run_in_virtual_time(async move {
                let children = ["a", "b"].map(|id| match rule {
                    AutoShutdown::Never => child(id).restart(Restart::Temporary),
                    _ => significant(id, Restart::Temporary).0,
                });
                let app = patient("app").auto_shutdown(rule).children(children);
                let tree = app.child(child("c")).start().unwrap();
                let mut events = tree.subscribe();
                started(&mut events, "app", 1).await;
                let mut stood = 0;
                for path in ["app/a", "app/b"] {
                    if tree.snapshot().get("app").unwrap().state == ChildState::Running {
                        tree.inject(path, fault.clone()).unwrap();
                        all_is_done().await;
                        stood += u32::from(state(&tree, "app") == ChildState::Running);
                    }
                }
                let expected = match rule {
                    AutoShutdown::Never => 2,
                    AutoShutdown::AnySignificant => 0,
                    AutoShutdown::AllSignificant => 1,
                };
                assert_eq!(stood, expected, "{rule:?} {fault}");
                tree.stop(SECOND).await;
            });
        }
    }
}

#[test]
fn the_significant_children_of_a_dynamic_supervisor_count_too() {
    for (rule, survives_the_first) in
        [(AutoShutdown::AnySignificant, false), (AutoShutdown::AllSignificant, true)]
    {
        run_in_virtual_time(async move {
            let tree = SupervisorSpec::dynamic("pool").auto_shutdown(rule).start().unwrap();
            let mut addrs = Vec::new();
            for id in ["a", "b"] {
                let (spec, addr) = significant(id, Restart::Temporary);
                tree.start_child("pool", spec).await.unwrap();
                addrs.push(addr);
            }
            finish(&addrs[0]).await;
            all_is_done().await;
            assert_eq!(state(&tree, "pool") == ChildState::Running, survives_the_first);
            if survives_the_first {
                finish(&addrs[1]).await;
            }
            assert!(matches!(tree.join().await, ExitReason::Normal));
        });
    }
}

#[test]
fn significant_children_that_a_sibling_takes_along_stop_nobody_under_any_strategy() {
    for strategy in [Strategy::OneForOne, Strategy::OneForAll, Strategy::RestForOne] {
        for rule in [AutoShutdown::AnySignificant, AutoShutdown::AllSignificant] {
            for restart in [Restart::Transient, Restart::Temporary] {
                run_in_virtual_time(async move {
                    let b = child("b");
                    let addr = b.addr();
                    let app = patient("app").strategy(strategy).auto_shutdown(rule);
                    let (a, c) = (significant("a", restart).0, significant("c", restart).0);
                    let tree = app.child(a).child(b).child(c).start().unwrap();
                    addr.send(note(1)).await.unwrap();
                    crash(&addr).await;
                    all_is_done().await;
                    let taken = match restart {
                        Restart::Transient => "2",
                        _ => "1 Finished",
                    };
                    let expected = match strategy {
                        Strategy::OneForOne => "a#1, b#2, c#1".to_owned(),
                        Strategy::OneForAll => format!("a#{taken}, b#2, c#{taken}"),
                        Strategy::RestForOne => format!("a#1, b#2, c#{taken}"),
                    };
                    assert_eq!(lives_of_all(&tree), expected, "{strategy:?} {rule:?}");
                    assert!(matches!(tree.stop(SECOND).await, ExitReason::Shutdown));
                });
            }
        }
    }
}

#[test]
fn a_supervisor_that_shuts_itself_down_and_is_not_significant_ends_alone() {
    run_in_virtual_time(async {
        let (s, addr) = significant("s", Restart::Transient);
        let rule = AutoShutdown::AnySignificant;
        let inner = patient("inner").auto_shutdown(rule).restart(Restart::Transient).child(s);
        let tree = patient("app").auto_shutdown(rule).child(inner).start().unwrap();
        let mut events = tree.subscribe();
        started(&mut events, "app", 1).await;
        finish(&addr).await;
        all_is_done().await;
        assert_eq!(lives_of_all(&tree), "inner#1 Finished, s#1 Finished");
        assert!(matches!(tree.stop(SECOND).await, ExitReason::Shutdown));
    });
}
