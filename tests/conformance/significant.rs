//! Significant children: OTP's `auto_shutdown`.

use actix::Addr;
use latido::ExitReason;
use latido::fault::Fault;
use latido::supervision::*;

use crate::kit::*;

fn significant(id: &str, restart: Restart) -> (ChildSpec<Probe>, Addr<Probe>) {
    let spec = child(id).restart(restart).significant();
    let addr = spec.addr();
    (spec, addr)
}

fn app(rule: AutoShutdown) -> SupervisorSpec {
    patient("app").auto_shutdown(rule)
}

#[test]
fn the_first_significant_end_stops_the_supervisor_and_its_other_children_in_reverse() {
    run_in_virtual_time(async {
        let (s, addr) = significant("s", Restart::Transient);
        let tree =
            app(AutoShutdown::AnySignificant).child(child("a")).child(s).child(child("b")).start().unwrap();
        let mut events = tree.subscribe();
        started(&mut events, "app", 1).await;
        finish(&addr).await;
        assert!(matches!(tree.join().await, ExitReason::Normal), "a normal exit");
        assert_eq!(lives_in(&mut events).join(" "), "-s -b -a -app");
    });
}

#[test]
fn the_last_significant_end_stops_the_supervisor() {
    run_in_virtual_time(async {
        let (s, s_addr) = significant("s", Restart::Transient);
        let (t, t_addr) = significant("t", Restart::Temporary);
        let tree = app(AutoShutdown::AllSignificant).child(s).child(t).child(child("a")).start().unwrap();
        finish(&s_addr).await;
        all_is_done().await;
        assert_eq!(lives_of_all(&tree), "s#1 Finished, t#1, a#1");
        crash(&t_addr).await;
        assert!(matches!(tree.join().await, ExitReason::Normal));
    });
}

#[test]
fn a_crash_of_a_transient_child_is_no_end_and_that_of_a_temporary_one_is() {
    run_in_virtual_time(async {
        let (s, s_addr) = significant("s", Restart::Transient);
        let (t, t_addr) = significant("t", Restart::Temporary);
        let tree = app(AutoShutdown::AnySignificant).child(s).child(t).start().unwrap();
        crash(&s_addr).await;
        s_addr.send(note(1)).await.unwrap();
        assert_eq!(lives_of_all(&tree), "s#2, t#1");
        crash(&t_addr).await;
        assert!(matches!(tree.join().await, ExitReason::Normal));
    });
}

#[test]
fn an_end_of_a_child_that_is_not_significant_stops_nobody() {
    for rule in [AutoShutdown::AnySignificant, AutoShutdown::AllSignificant] {
        run_in_virtual_time(async move {
            let spec = child("a").restart(Restart::Transient);
            let addr = spec.addr();
            let tree = app(rule).child(spec).child(significant("s", Restart::Transient).0).start().unwrap();
            finish(&addr).await;
            all_is_done().await;
            assert_eq!(lives_of_all(&tree), "a#1 Finished, s#1");
            assert!(matches!(tree.stop(SECOND).await, ExitReason::Shutdown));
        });
    }
}

#[test]
fn what_somebody_asked_for_stops_nobody() {
    run_in_virtual_time(async {
        let (s, addr) = significant("s", Restart::Transient);
        let tree = app(AutoShutdown::AnySignificant).child(s).child(child("a")).start().unwrap();
        addr.send(note(1)).await.unwrap();
        tree.terminate_child("app/s").await.unwrap();
        tree.restart_child("app/s").await.unwrap();
        tree.terminate_child("app/s").await.unwrap();
        tree.delete_child("app/s").await.unwrap();
        let (t, addr) = significant("t", Restart::Temporary);
        tree.start_child("app", t).await.unwrap();
        all_is_done().await;
        assert_eq!(lives_of_all(&tree), "a#1, t#1");
        finish(&addr).await;
        assert!(matches!(tree.join().await, ExitReason::Normal), "one added at run time counts");
    });
}

#[test]
fn the_last_one_terminated_by_hand_stops_nobody() {
    run_in_virtual_time(async {
        let (s, s_addr) = significant("s", Restart::Transient);
        let (t, _) = significant("t", Restart::Transient);
        let tree = app(AutoShutdown::AllSignificant).child(s).child(t).start().unwrap();
        finish(&s_addr).await;
        tree.terminate_child("app/t").await.unwrap();
        all_is_done().await;
        assert_eq!(lives_of_all(&tree), "s#1 Finished, t#1 Finished");
        tree.restart_child("app/t").await.unwrap();
        tree.restart_child("app/s").await.unwrap();
        finish(&s_addr).await;
        all_is_done().await;
        assert_eq!(lives_of_all(&tree), "s#2 Finished, t#2", "one is left");
        tree.stop(SECOND).await;
    });
}

#[test]
fn an_end_that_a_sibling_caused_stops_nobody() {
    for restart in [Restart::Transient, Restart::Temporary] {
        run_in_virtual_time(async move {
            let a = child("a");
            let addr = a.addr();
            let rule = AutoShutdown::AnySignificant;
            let app = app(rule).strategy(Strategy::OneForAll);
            let tree = app.child(a).child(significant("s", restart).0).child(child("b")).start().unwrap();
            let mut events = tree.subscribe();
            started(&mut events, "app", 1).await;
            crash(&addr).await;
            started(&mut events, "app/b", 2).await;
            let expected = match restart {
                Restart::Transient => "a#2, s#2, b#2",
                _ => "a#2, s#1 Finished, b#2",
            };
            assert_eq!(lives_of_all(&tree), expected);
            tree.stop(SECOND).await;
        });
    }
}

#[test]
fn a_child_that_declines_to_start_has_not_ended() {
    run_in_virtual_time(async {
        let spec = declining("s").restart(Restart::Transient).significant();
        let tree = app(AutoShutdown::AnySignificant).child(spec).child(child("a")).start().unwrap();
        let mut events = tree.subscribe();
        started(&mut events, "app", 1).await;
        all_is_done().await;
        assert_eq!(lives_of_all(&tree), "s#1 Finished, a#1");
        tree.stop(SECOND).await;
    });
}

#[test]
fn a_crash_while_the_supervisor_shuts_itself_down_restarts_nobody() {
    run_in_virtual_time(async {
        let (s, addr) = significant("s", Restart::Transient);
        let a = child("a");
        let a_addr = a.addr();
        let rule = AutoShutdown::AnySignificant;
        let tree = app(rule).child(a).child(slow_to_stop("slow", 3 * SECOND)).child(s).start().unwrap();
        let mut events = tree.subscribe();
        started(&mut events, "app", 1).await;
        finish(&addr).await;
        crash(&a_addr).await;
        assert!(matches!(tree.start_child("app", child("x")).await, Err(AdminError::Ended)));
        assert!(matches!(tree.join().await, ExitReason::Normal));
        assert_eq!(lives_in(&mut events).join(" "), "-s -a -slow -app");
    });
}

#[test]
fn a_supervisor_that_shuts_itself_down_has_ended_normally_and_may_be_significant_itself() {
    for (restart, ends) in
        [(Restart::Temporary, true), (Restart::Transient, true), (Restart::Permanent, false)]
    {
        run_in_virtual_time(async move {
            let (s, addr) = significant("s", Restart::Transient);
            let inner =
                patient("inner").auto_shutdown(AutoShutdown::AnySignificant).restart(restart).child(s);
            let inner = if ends { inner.significant() } else { inner };
            let tree = app(AutoShutdown::AllSignificant).child(inner).child(child("a")).start().unwrap();
            let mut events = tree.subscribe();
            started(&mut events, "app", 1).await;
            finish(&addr).await;
            if ends {
                assert!(matches!(tree.join().await, ExitReason::Normal), "{restart:?}");
            } else {
                started(&mut events, "app/inner", 2).await;
                assert_eq!((lives_of_all(&tree), used(&tree, "app")), ("inner#2, s#2, a#1".to_owned(), 1));
                tree.stop(SECOND).await;
            }
        });
    }
}

#[test]
fn a_significant_supervisor_that_crashes_is_restarted_and_ends_nobody() {
    run_in_virtual_time(async {
        let inner = patient("inner").restart(Restart::Transient).significant().child(child("a"));
        let tree = app(AutoShutdown::AnySignificant).child(inner).start().unwrap();
        let mut events = tree.subscribe();
        started(&mut events, "app", 1).await;
        tree.inject("app/inner", Fault::Panic).unwrap();
        started(&mut events, "app/inner", 2).await;
        assert_eq!(lives_of_all(&tree), "inner#2, a#2");
        tree.stop(SECOND).await;
    });
}

/// It is on its way down, and does not come back.
#[test]
fn a_child_that_goes_down_for_good_is_not_left_any_more() {
    for by_hand in [true, false] {
        run_in_virtual_time(async move {
            let a = child("a");
            let a_addr = a.addr();
            let (s, addr) = significant("s", Restart::Transient);
            let slow = slow_to_stop("slow", 3 * SECOND).restart(Restart::Temporary).significant();
            let app = app(AutoShutdown::AllSignificant).strategy(Strategy::RestForOne);
            let tree = app.child(s).child(a).child(slow).start().unwrap();
            addr.send(note(1)).await.unwrap();
            let order =
                by_hand.then(|| meanwhile(&tree, async |tree| tree.terminate_child("app/slow").await));
            if !by_hand {
                crash(&a_addr).await;
            }
            all_is_done().await;
            assert_eq!(state(&tree, "app/slow"), ChildState::Stopping);
            finish(&addr).await;
            assert!(matches!(tree.join().await, ExitReason::Normal), "the last of them has ended");
            drop(order);
        });
    }
}
