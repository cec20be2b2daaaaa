//! The rules, one by one, on a clock that the test moves.

use std::time::Duration;

use super::*;
use crate::supervision::backoff::Backoff;
use crate::supervision::placement::Placement;
use crate::supervision::policy::Restart;

pub(super) const SECOND: Duration = Duration::from_secs(1);

/// A machine with its clock, and the actions it wants, as short text.
pub(super) struct Bench {
    pub(super) machine: Machine,
    pub(super) now: Instant,
}

pub(super) fn new_machine(conduct: Conduct, intensity: u32, children: &[Rules]) -> Machine {
    let window = RestartWindow::new(intensity, 5 * SECOND);
    let mut machine = Machine::new(conduct, Arc::new(Mutex::new(window)));
    let now = Instant::now();
    children.iter().enumerate().for_each(|(place, rules)| machine.add(place, Arc::new(rules.clone()), now));
    machine
}

pub(super) fn rules(restart: Restart) -> Rules {
    Rules {
        id: String::new(),
        restart,
        shutdown: Shutdown::default(),
        backoff: Backoff::NONE,
        placement: Placement::Current,
        significant: false,
        limits: Default::default(),
    }
}

pub(super) fn conduct(strategy: Strategy) -> Conduct {
    Conduct { strategy, ..Conduct::default() }
}

impl Bench {
    pub(super) fn new(strategy: Strategy, intensity: u32, children: impl IntoIterator<Item = Rules>) -> Self {
        Self::with(conduct(strategy), intensity, children)
    }

    pub(super) fn with(conduct: Conduct, intensity: u32, children: impl IntoIterator<Item = Rules>) -> Self {
        let children: Vec<_> = children.into_iter().collect();
        Self { machine: new_machine(conduct, intensity, &children), now: Instant::now() }
    }

    /// One with all children up.
    pub(super) fn up(strategy: Strategy, intensity: u32, children: impl IntoIterator<Item = Rules>) -> Self {
        Self::with(conduct(strategy), intensity, children).begun()
    }

    /// The same, with all children up.
    pub(super) fn begun(self) -> Self {
        let mut bench = self;
        let mut actions = bench.put(Input::Begin);
        while let Some(child) = actions.strip_prefix("start ") {
            actions = bench.put(Input::Started(child.parse().unwrap()));
        }
        assert_eq!(actions, "ready");
        bench
    }

    /// Takes in a child at run time, and starts it.
    pub(super) fn add(&mut self, place: usize, rules: &Rules) -> String {
        self.machine.add(place, Arc::new(rules.clone()), self.now);
        self.put(Input::Start(place))
    }

    pub(super) fn put(&mut self, input: Input) -> String {
        let actions = self.machine.handle(input, self.now);
        actions.iter().map(text).collect::<Vec<_>>().join(", ")
    }

    pub(super) fn started(&mut self, child: usize) -> String {
        self.put(Input::Started(child))
    }

    pub(super) fn crashed(&mut self, child: usize) -> String {
        self.put(Input::Exited(child, ExitReason::failed("x")))
    }

    pub(super) fn finished(&mut self, child: usize) -> String {
        self.put(Input::Exited(child, ExitReason::Normal))
    }

    pub(super) fn stopped(&mut self, child: usize) -> String {
        self.put(Input::Exited(child, ExitReason::Shutdown))
    }

    /// Lets time pass until the machine wants to hear of it.
    pub(super) fn wait(&mut self) -> (Duration, String) {
        let due = self.machine.next_tick().expect("it waits for something");
        let time = due - self.now;
        self.now = due;
        (time, self.put(Input::Tick))
    }
}

fn text(action: &Action) -> String {
    match action {
        Action::Start(child) => format!("start {child}"),
        Action::Stop(child) => format!("stop {child}"),
        Action::Kill(child, kill) => format!("kill {child} ({kill:?})"),
        Action::Abandon(child) => format!("abandon {child}"),
        Action::Retire(child) => format!("retire {child}"),
        Action::Restarting { child, delay, failures, budget, siblings, .. } => {
            format!("restarting {child} in {delay:?} after {failures} with {siblings:?}: {}", budget.used)
        }
        Action::GaveUp { child, budget, .. } => format!("gave up on {child}: {}", budget.used),
        Action::Ready => "ready".to_owned(),
        Action::End(Ending::AsAsked) => "end as asked".to_owned(),
        Action::End(Ending::StartFailed { child, .. }) => format!("end: {child} did not start"),
        Action::End(Ending::OutOfThreads { child, .. }) => format!("end: out of threads by {child}"),
        Action::End(Ending::GaveUp { child, .. }) => format!("end: gave up on {child}"),
    }
}

pub(super) const PERMANENT: [Restart; 3] = [Restart::Permanent; 3];

pub(super) fn three(restarts: [Restart; 3]) -> [Rules; 3] {
    restarts.map(rules)
}

// ===== starting =====

#[test]
fn children_start_in_order_one_at_a_time() {
    for strategy in [Strategy::OneForOne, Strategy::OneForAll, Strategy::RestForOne] {
        let mut bench = Bench::new(strategy, 3, three(PERMANENT));
        assert_eq!(bench.put(Input::Begin), "start 0");
        assert_eq!(bench.started(0), "start 1");
        assert_eq!(bench.started(1), "start 2");
        assert_eq!(bench.started(2), "ready");
    }
}

#[test]
fn a_supervisor_without_children_is_ready_and_ends_at_once() {
    let mut bench = Bench::new(Strategy::OneForAll, 3, []);
    assert_eq!(bench.put(Input::Begin), "ready");
    assert_eq!(bench.put(Input::Stop), "end as asked");
    assert!(bench.machine.has_ended());
}

#[test]
fn a_first_start_that_fails_ends_all_in_reverse_and_names_the_child() {
    let mut bench = Bench::new(Strategy::OneForOne, 3, three(PERMANENT));
    bench.put(Input::Begin);
    bench.started(0);
    bench.started(1);
    assert_eq!(bench.crashed(2), "stop 1");
    assert_eq!(bench.stopped(1), "stop 0");
    assert_eq!(bench.stopped(0), "end: 2 did not start");
}

#[test]
fn a_child_that_declines_is_no_failure() {
    let mut bench = Bench::new(Strategy::OneForOne, 3, three(PERMANENT));
    bench.put(Input::Begin);
    assert_eq!(bench.finished(0), "retire 0, start 1");
    bench.started(1);
    assert_eq!(bench.started(2), "ready");
}

#[test]
fn the_tree_can_be_stopped_while_it_starts() {
    let mut bench = Bench::new(Strategy::OneForOne, 3, three(PERMANENT));
    bench.put(Input::Begin);
    bench.started(0);
    assert_eq!(bench.put(Input::Stop), "stop 1");
    assert_eq!(bench.started(1), "", "it came up before it heard");
    assert_eq!(bench.stopped(1), "stop 0");
    assert_eq!(bench.stopped(0), "end as asked");
}

// ===== stopping =====

#[test]
fn a_child_that_is_late_is_killed_and_then_left_behind() {
    let mut bench = Bench::up(Strategy::OneForOne, 3, three(PERMANENT));
    assert_eq!(bench.put(Input::Stop), "stop 2");
    assert_eq!(bench.wait(), (5 * SECOND, "kill 2 (Late(5s))".to_owned()));
    assert_eq!(bench.wait(), (KILL_PATIENCE, "abandon 2, stop 1".to_owned()));
    assert_eq!(bench.put(Input::Exited(2, ExitReason::Killed(Kill::Brutal))), "");
    assert_eq!(bench.stopped(1), "stop 0");
    assert_eq!(bench.stopped(0), "end as asked");
    assert_eq!(bench.machine.next_tick(), None);
}

#[test]
fn a_child_left_behind_in_a_group_comes_back_or_not_like_any_other() {
    let brutal = |restart| Rules { shutdown: Shutdown::BrutalKill, ..rules(restart) };
    let children = [rules(Restart::Permanent), brutal(Restart::Permanent), brutal(Restart::Temporary)];
    let mut bench = Bench::up(Strategy::OneForAll, 3, children);
    assert_eq!(bench.crashed(0), "restarting 0 in 0ns after 1 with [1]: 1, kill 2 (Brutal)");
    assert_eq!(bench.wait(), (KILL_PATIENCE, "abandon 2, retire 2, kill 1 (Brutal)".to_owned()));
    assert_eq!(bench.wait(), (KILL_PATIENCE, "abandon 1, start 0".to_owned()));
    assert_eq!(bench.put(Input::Exited(1, ExitReason::Killed(Kill::Brutal))), "");
    assert_eq!(bench.started(0), "start 1");
}

#[test]
fn infinity_waits_for_ever_and_brutal_kill_does_not_ask() {
    let infinity = Rules { shutdown: Shutdown::Infinity, ..rules(Restart::Permanent) };
    let brutal = Rules { shutdown: Shutdown::BrutalKill, ..rules(Restart::Permanent) };
    let mut bench = Bench::up(Strategy::OneForOne, 3, [infinity, brutal]);
    assert_eq!(bench.put(Input::Stop), "kill 1 (Brutal)");
    assert_eq!(bench.put(Input::Exited(1, ExitReason::Killed(Kill::Brutal))), "stop 0");
    assert_eq!(bench.machine.next_tick(), None);
    bench.now += 1_000_000 * SECOND;
    assert_eq!(bench.put(Input::Tick), "");
    assert_eq!(bench.stopped(0), "end as asked");
}
