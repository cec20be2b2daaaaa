//! The rules of restarting, one by one.

use super::tests::{Bench, PERMANENT, SECOND, rules, three};
use super::*;
use crate::supervision::backoff::Backoff;
use crate::supervision::policy::Restart;

#[test]
fn each_strategy_stops_in_reverse_and_starts_in_order() {
    let mut bench = Bench::up(Strategy::OneForOne, 3, three(PERMANENT));
    assert_eq!(bench.crashed(1), "restarting 1 in 0ns after 1 with []: 1, start 1");

    let mut bench = Bench::up(Strategy::OneForAll, 3, three(PERMANENT));
    assert_eq!(bench.crashed(1), "restarting 1 in 0ns after 1 with [0, 2]: 1, stop 2");
    assert_eq!(bench.stopped(2), "stop 0");
    assert_eq!(bench.stopped(0), "start 0");
    assert_eq!(bench.started(0), "start 1");
    assert_eq!(bench.started(1), "start 2");
    assert_eq!(bench.started(2), "");

    let mut bench = Bench::up(Strategy::RestForOne, 3, three(PERMANENT));
    assert_eq!(bench.crashed(1), "restarting 1 in 0ns after 1 with [2]: 1, stop 2");
    assert_eq!(bench.stopped(2), "start 1");
    assert_eq!(bench.started(1), "start 2");
}

#[test]
fn the_restart_type_and_the_reason_decide() {
    use Restart::*;
    let restarted = "restarting 0 in 0ns after 1 with []: 1, start 0";
    for (restart, after_crash, after_finish) in [
        (Permanent, restarted, restarted),
        (Transient, restarted, "retire 0"),
        (Temporary, "retire 0", "retire 0"),
    ] {
        for strategy in [Strategy::OneForOne, Strategy::OneForAll, Strategy::RestForOne] {
            let up = || Bench::up(strategy, 3, [rules(restart)]);
            assert_eq!(up().crashed(0), after_crash, "{strategy:?} {restart:?}");
            assert_eq!(up().finished(0), after_finish, "{strategy:?} {restart:?}");
        }
    }
}

#[test]
fn simultaneous_crashes_under_one_for_all_are_one_restart() {
    let mut bench = Bench::up(Strategy::OneForAll, 1, three(PERMANENT));
    assert_eq!(bench.crashed(2), "restarting 2 in 0ns after 1 with [0, 1]: 1, stop 1");
    assert_eq!(bench.crashed(0), "");
    assert_eq!(bench.crashed(1), "start 0");
}

#[test]
fn simultaneous_crashes_under_one_for_one_count_each() {
    let mut bench = Bench::up(Strategy::OneForOne, 1, three(PERMANENT));
    bench.crashed(2);
    assert_eq!(bench.crashed(0), "gave up on 0: 2, stop 2");
    assert_eq!(bench.stopped(2), "stop 1");
    assert_eq!(bench.stopped(1), "end: gave up on 0");
}

#[test]
fn temporary_children_are_dropped_by_a_group_restart() {
    let mut bench = Bench::up(
        Strategy::OneForAll,
        3,
        three([Restart::Permanent, Restart::Permanent, Restart::Temporary]),
    );
    assert_eq!(bench.crashed(0), "restarting 0 in 0ns after 1 with [1]: 1, stop 2");
    assert_eq!(bench.stopped(2), "retire 2, stop 1");
    assert_eq!(bench.stopped(1), "start 0");
    assert_eq!(bench.started(0), "start 1");
    assert_eq!(bench.started(1), "");
}

#[test]
fn a_temporary_child_that_has_not_run_yet_is_not_dropped() {
    let mut bench = Bench::new(
        Strategy::OneForAll,
        3,
        three([Restart::Permanent, Restart::Permanent, Restart::Temporary]),
    );
    bench.put(Input::Begin);
    bench.started(0);
    assert_eq!(bench.crashed(0), "restarting 0 in 0ns after 1 with [1, 2]: 1, stop 1");
    assert_eq!(bench.stopped(1), "start 0");
    assert_eq!(bench.started(0), "start 1");
    assert_eq!(bench.started(1), "start 2");
}

#[test]
fn a_finished_transient_child_does_not_come_back_because_a_sibling_crashed() {
    let mut bench = Bench::up(
        Strategy::OneForAll,
        3,
        three([Restart::Permanent, Restart::Transient, Restart::Permanent]),
    );
    assert_eq!(bench.finished(1), "retire 1");
    assert_eq!(bench.crashed(0), "restarting 0 in 0ns after 1 with [2]: 1, stop 2");
    assert_eq!(bench.stopped(2), "start 0");
    assert_eq!(bench.started(0), "start 2");
}

#[test]
fn a_transient_child_that_finishes_while_its_group_is_stopped_has_finished() {
    let mut bench = Bench::up(
        Strategy::OneForAll,
        3,
        three([Restart::Permanent, Restart::Transient, Restart::Permanent]),
    );
    bench.crashed(0);
    assert_eq!(bench.finished(1), "retire 1", "it was not its turn to stop yet");
    assert_eq!(bench.stopped(2), "start 0");
    assert_eq!(bench.started(0), "start 2");
}

#[test]
fn a_failed_restart_counts_and_is_retried_after_its_backoff() {
    let slow = Rules { backoff: Backoff::exponential(SECOND, 60 * SECOND), ..rules(Restart::Transient) };
    let mut bench = Bench::up(Strategy::OneForOne, 3, [slow, rules(Restart::Permanent)]);
    assert_eq!(bench.crashed(0), "restarting 0 in 1s after 1 with []: 1");
    assert_eq!(bench.wait(), (SECOND, "start 0".to_owned()));
    assert_eq!(bench.crashed(0), "restarting 0 in 2s after 2 with []: 2");
    assert_eq!(bench.crashed(1), "restarting 1 in 0ns after 1 with []: 3, start 1");
    assert_eq!(bench.started(1), "", "a wait holds back nobody else");
    assert_eq!(bench.wait(), (2 * SECOND, "start 0".to_owned()));
    assert_eq!(bench.crashed(0), "gave up on 0: 4, stop 1");
}

#[test]
fn a_group_waits_for_the_longest_backoff_in_it() {
    let slow = Rules { backoff: Backoff::exponential(10 * SECOND, 60 * SECOND), ..rules(Restart::Permanent) };
    let mut bench = Bench::up(Strategy::RestForOne, 3, [rules(Restart::Permanent), slow]);
    assert_eq!(bench.crashed(1), "restarting 1 in 10s after 1 with []: 1");
    bench.now += SECOND;
    assert_eq!(bench.crashed(0), "restarting 0 in 0ns after 1 with [1]: 2, start 0");
    assert_eq!(bench.started(0), "");
    assert_eq!(bench.wait(), (9 * SECOND, "start 1".to_owned()));
}

#[test]
fn a_child_that_goes_down_while_it_is_down_changes_nothing() {
    // What is left of the lives that a crashed supervisor started.
    let mut bench = Bench::new(Strategy::OneForOne, 0, three(PERMANENT));
    assert_eq!(bench.put(Input::Begin), "start 0");
    assert_eq!(bench.put(Input::Exited(1, ExitReason::Killed(Kill::Orphaned))), "");
    assert_eq!(bench.started(0), "start 1");
}

#[test]
fn a_displaced_child_starts_elsewhere_at_no_cost_and_takes_nobody_with_it() {
    let displaced = || ExitReason::Killed(Kill::Displaced);
    for strategy in [Strategy::OneForOne, Strategy::OneForAll, Strategy::RestForOne] {
        for restart in [Restart::Permanent, Restart::Temporary] {
            let mut bench = Bench::up(strategy, 0, three([restart; 3]));
            assert_eq!(bench.put(Input::Exited(1, displaced())), "start 1");
            assert_eq!(bench.put(Input::Exited(1, displaced())), "start 1", "nor while it starts");
            assert_eq!(bench.started(1), "");
        }
    }
    let mut bench = Bench::up(Strategy::OneForOne, 0, three(PERMANENT));
    assert_eq!(bench.put(Input::Terminate(1)), "stop 1");
    assert_eq!(bench.put(Input::Exited(1, displaced())), "retire 1", "it was to go down anyway");
}

#[test]
fn a_tree_out_of_threads_restarts_nobody() {
    let unresponsive = || ExitReason::Unresponsive { blocked: SECOND };
    for (restart, first) in [(Restart::Permanent, ""), (Restart::Temporary, "retire 1, ")] {
        let mut bench = Bench::up(Strategy::OneForOne, 3, three([restart; 3]));
        assert_eq!(bench.put(Input::OutOfThreads(1, unresponsive())), format!("{first}stop 2"));
        bench.stopped(2);
        let end = bench.stopped(0);
        assert!(end.ends_with("end: out of threads by 1"), "{end}");
    }
}
