//! The rules for children that come and go at run time, one by one.

use super::tests::{Bench, PERMANENT, SECOND, rules, three};
use super::*;
use crate::supervision::backoff::Backoff;
use crate::supervision::policy::Restart;

const STRATEGIES: [Strategy; 3] = [Strategy::OneForOne, Strategy::OneForAll, Strategy::RestForOne];

// ===== starting and terminating =====

#[test]
fn a_child_terminated_by_hand_retires_and_stays_down() {
    for strategy in STRATEGIES {
        let mut bench = Bench::up(strategy, 3, three(PERMANENT));
        assert_eq!(bench.put(Input::Terminate(1)), "stop 1");
        assert_eq!(bench.stopped(1), "retire 1");
        bench.crashed(0);
        while let Some(2) = bench.machine.children.last_to_stop() {
            bench.stopped(2);
        }
        bench.started(0);
        assert_eq!(bench.machine.activity(1), Some(Activity::Down), "{strategy:?}");
        assert_eq!(bench.put(Input::Start(1)), if strategy == Strategy::OneForOne { "start 1" } else { "" });
        assert_eq!(bench.machine.window.lock().unwrap().used(bench.now).used, 1, "a start by hand is free");
    }
}

#[test]
fn one_that_crashes_before_it_hears_that_it_is_terminated_stays_down() {
    let mut bench = Bench::up(Strategy::OneForOne, 3, three(PERMANENT));
    assert_eq!(bench.put(Input::Terminate(1)), "stop 1");
    assert_eq!(bench.crashed(1), "retire 1");
}

#[test]
fn a_child_that_waits_for_its_restart_retires_at_once() {
    let slow = Rules { backoff: Backoff::exponential(SECOND, SECOND), ..rules(Restart::Permanent) };
    let mut bench = Bench::up(Strategy::OneForOne, 3, [slow]);
    bench.crashed(0);
    assert_eq!(bench.machine.activity(0), Some(Activity::Restarting));
    assert_eq!(bench.put(Input::Terminate(0)), "retire 0");
    assert_eq!(bench.machine.next_tick(), None);
    assert_eq!(bench.put(Input::Start(0)), "start 0", "by hand there is no wait");
}

#[test]
fn a_start_by_hand_that_fails_is_not_retried_and_costs_nothing() {
    for strategy in STRATEGIES {
        let mut bench = Bench::up(strategy, 0, three(PERMANENT));
        let before = rules(Restart::Permanent);
        assert_eq!(bench.add(3, &before), "start 3");
        assert_eq!(bench.crashed(3), "retire 3");
        assert_eq!(bench.add(4, &before), "start 4");
        assert_eq!(bench.finished(4), "retire 4");
        bench.machine.remove(3);
        bench.machine.remove(4);
        assert_eq!(bench.add(5, &before), "start 5");
        assert_eq!(bench.started(5), "");
        assert!(bench.crashed(5).starts_with("gave up on 5: 1"), "once up it is like any other");
    }
}

#[test]
fn a_start_by_hand_that_its_group_interrupts_is_still_one_by_hand() {
    let mut bench = Bench::up(Strategy::OneForAll, 1, three(PERMANENT));
    bench.put(Input::Terminate(0));
    bench.stopped(0);
    assert_eq!(bench.put(Input::Start(0)), "start 0");
    assert_eq!(bench.crashed(1), "restarting 1 in 0ns after 1 with [0, 2]: 1, stop 2");
    assert_eq!(bench.stopped(2), "stop 0");
    assert_eq!(bench.stopped(0), "start 0");
    assert_eq!(bench.crashed(0), "retire 0, start 1");
}

#[test]
fn a_child_that_came_up_by_hand_is_retried_when_its_group_restarts() {
    let mut bench = Bench::up(Strategy::OneForAll, 9, [rules(Restart::Permanent)]);
    bench.add(1, &rules(Restart::Permanent));
    bench.started(1);
    assert_eq!(bench.crashed(0), "restarting 0 in 0ns after 1 with [1]: 1, stop 1");
    assert_eq!(bench.stopped(1), "start 0");
    assert_eq!(bench.started(0), "start 1");
    assert_eq!(bench.crashed(1), "restarting 1 in 0ns after 1 with [0]: 2, stop 0");
}

#[test]
fn a_child_added_before_the_others_are_up_waits_for_its_turn() {
    let mut bench = Bench::new(Strategy::OneForOne, 3, three(PERMANENT));
    bench.put(Input::Begin);
    assert_eq!(bench.add(3, &rules(Restart::Permanent)), "");
    assert_eq!(bench.put(Input::Terminate(1)), "retire 1");
    assert_eq!(bench.started(0), "start 2");
    assert_eq!(bench.started(2), "start 3");
    assert_eq!(bench.crashed(3), "retire 3, ready", "it fails alone");
}

#[test]
fn children_terminated_by_hand_stop_at_once_under_one_for_one_and_in_order_when_all_end() {
    let mut bench = Bench::up(Strategy::OneForOne, 3, three(PERMANENT));
    assert_eq!(bench.put(Input::Terminate(2)), "stop 2");
    assert_eq!(bench.put(Input::Terminate(0)), "stop 0");
    assert_eq!(bench.put(Input::Stop), "");
    assert_eq!(bench.stopped(0), "retire 0");
    assert_eq!(bench.stopped(2), "retire 2, stop 1");
    assert_eq!(bench.stopped(1), "end as asked");

    let mut bench = Bench::up(Strategy::RestForOne, 3, three(PERMANENT));
    assert_eq!(bench.put(Input::Terminate(2)), "stop 2");
    assert_eq!(bench.put(Input::Terminate(0)), "");
    assert_eq!(bench.stopped(2), "retire 2, stop 0");
}

#[test]
fn nothing_is_started_once_the_end_has_begun() {
    let mut bench = Bench::up(Strategy::OneForOne, 3, three(PERMANENT));
    bench.put(Input::Stop);
    assert_eq!(bench.add(3, &rules(Restart::Permanent)), "");
    assert_eq!(bench.stopped(2), "stop 1");
    assert_eq!(bench.stopped(1), "stop 0");
    assert_eq!(bench.stopped(0), "end as asked");
    assert_eq!(bench.add(4, &rules(Restart::Permanent)), "");
}

// ===== dynamic =====

fn dynamic(max_children: Option<usize>) -> Bench {
    let conduct = Conduct { dynamic: true, max_children, ..Conduct::default() };
    Bench::with(conduct, 9, three(PERMANENT)).begun()
}

#[test]
fn dynamic_children_stop_all_at_once_under_one_deadline() {
    let mut bench = dynamic(None);
    assert_eq!(bench.put(Input::Stop), "stop 0, stop 1, stop 2");
    assert_eq!(bench.stopped(1), "");
    assert_eq!(bench.wait(), (5 * SECOND, "kill 0 (Late(5s)), kill 2 (Late(5s))".to_owned()));
    assert_eq!(bench.wait(), (KILL_PATIENCE, "abandon 0, abandon 2, end as asked".to_owned()));
}

#[test]
fn children_that_wait_for_a_restart_count_as_children() {
    let mut bench = dynamic(Some(3));
    assert!(bench.machine.is_full());
    bench.crashed(1);
    assert!(bench.machine.is_full());
    bench.put(Input::Terminate(2));
    assert!(bench.machine.is_full(), "until it is down");
    assert_eq!(bench.stopped(2), "retire 2");
    bench.machine.remove(2);
    assert!(!bench.machine.is_full());
}

// ===== significant =====

fn significant(rule: AutoShutdown, restarts: [Restart; 3]) -> Bench {
    let conduct = Conduct { auto_shutdown: rule, strategy: Strategy::OneForAll, ..Conduct::default() };
    let mut children = three(restarts);
    children[1].significant = true;
    children[2].significant = true;
    Bench::with(conduct, 9, children).begun()
}

#[test]
fn only_an_end_that_nobody_asked_for_shuts_the_supervisor_down() {
    use Restart::{Permanent, Temporary, Transient};
    let any = |last| significant(AutoShutdown::AnySignificant, [Permanent, Transient, last]);
    assert_eq!(any(Transient).finished(1), "retire 1, stop 2");
    assert_eq!(any(Temporary).crashed(2), "retire 2, stop 1");
    assert!(any(Transient).crashed(1).starts_with("restarting 1"));

    let mut bench = any(Temporary);
    bench.put(Input::Terminate(1));
    assert_eq!(bench.stopped(1), "retire 1", "by hand");
    assert_eq!(bench.crashed(0), "restarting 0 in 0ns after 1 with []: 1, stop 2");
    assert_eq!(bench.crashed(2), "retire 2, start 0", "with its group");
    assert_eq!(bench.put(Input::Start(1)), "");
    assert_eq!(bench.started(0), "start 1");
    assert_eq!(bench.finished(1), "retire 1", "it declined");
}

#[test]
fn the_last_significant_child_is_the_last_that_may_come_back() {
    use Restart::{Permanent, Transient};
    let mut bench = significant(AutoShutdown::AllSignificant, [Permanent, Transient, Transient]);
    assert_eq!(bench.finished(1), "retire 1");
    bench.crashed(2);
    assert_eq!(bench.put(Input::Terminate(2)), "retire 2", "the last of them, but by hand");
    assert_eq!(bench.stopped(0), "start 0");
    assert_eq!(bench.put(Input::Start(1)), "");
    bench.started(0);
    bench.started(1);
    assert_eq!(bench.finished(1), "retire 1, stop 0");
    assert_eq!(bench.stopped(0), "end as asked");
}
