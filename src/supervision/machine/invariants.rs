//! What holds for every sequence of events, tried with random ones.

use std::time::Duration;

use proptest::prelude::{Just, ProptestConfig, any, prop_assert, prop_assert_eq, prop_oneof, proptest};
use proptest::strategy::Strategy as _;

use super::tests::{new_machine, rules};
use super::*;
use crate::supervision::backoff::Backoff;
use crate::supervision::policy::Restart;

const MS: Duration = Duration::from_millis(1);

/// What the children really do, as seen by the actions; panics when an action breaks a rule.
struct World {
    machine: Machine,
    now: Instant,
    children: Vec<Life>,
    significant: Vec<bool>,
    begun: bool,
    asked_to_stop: bool,
    /// A significant child ended, and nobody had asked it to.
    significant_end: bool,
    ended: bool,
    /// Whether the machine wanted something the last time.
    acted: bool,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Life {
    Down,
    Starting,
    Up,
    Ordered,
    Retired,
    Removed,
}

impl World {
    fn new(conduct: Conduct, intensity: u32, rules: Vec<Rules>) -> Self {
        Self {
            machine: new_machine(conduct, intensity, &rules),
            now: Instant::now(),
            children: vec![Life::Down; rules.len()],
            significant: rules.iter().map(|rules| rules.significant).collect(),
            begun: false,
            asked_to_stop: false,
            significant_end: false,
            ended: false,
            acted: false,
        }
    }

    fn put(&mut self, input: Input) {
        match &input {
            Input::Started(child) if self.children[*child] == Life::Starting => {
                self.children[*child] = Life::Up
            }
            Input::Exited(child, _) | Input::OutOfThreads(child, _) => {
                let unasked = matches!(self.children[*child], Life::Starting | Life::Up);
                self.significant_end |= unasked && self.significant[*child];
                self.children[*child] = Life::Down;
            }
            Input::Start(child) => self.children[*child] = Life::Down,
            Input::Stop => self.asked_to_stop = true,
            _ => {}
        }
        let actions = self.machine.handle(input, self.now);
        assert!(self.machine.children.are_indexed());
        for action in &actions {
            assert!(!self.ended, "nothing after the end, but {action:?}");
            self.check(action);
        }
        self.acted = !actions.is_empty();
        for (child, life) in self.children.iter().enumerate() {
            // Whoever waits for a child to be down for good hears of it.
            let is_down = self.machine.activity(child) == Some(Activity::Down);
            assert_eq!(is_down, *life == Life::Retired, "{child}: {life:?}");
        }
    }

    fn check(&mut self, action: &Action) {
        let Conduct { strategy, dynamic, .. } = self.machine.conduct;
        match *action {
            Action::Start(child) => {
                assert_eq!(self.children[child], Life::Down, "start of {child}");
                if strategy != Strategy::OneForOne {
                    assert!(!self.children.contains(&Life::Starting), "one at a time");
                    assert!(!self.children.contains(&Life::Ordered), "stops come first");
                }
                self.children[child] = Life::Starting;
            }
            Action::Stop(child) | Action::Kill(child, Kill::Brutal) => {
                let is_alive = matches!(self.children[child], Life::Starting | Life::Up);
                assert!(is_alive, "stop of {child}");
                let later = &self.children[child + 1..];
                if !dynamic && strategy != Strategy::OneForOne {
                    assert!(!later.contains(&Life::Ordered), "the last one first");
                }
                if !dynamic && matches!(self.machine.mode, Mode::Ending(_)) {
                    let is_down = |life: &Life| matches!(life, Life::Down | Life::Retired | Life::Removed);
                    assert!(later.iter().all(is_down), "the last one first: {later:?}");
                }
                self.children[child] = Life::Ordered;
            }
            Action::Kill(child, _) => assert_eq!(self.children[child], Life::Ordered),
            Action::Abandon(child) => {
                assert_eq!(self.children[child], Life::Ordered);
                self.children[child] = Life::Down;
            }
            Action::Retire(child) => {
                assert_eq!(self.children[child], Life::Down);
                self.children[child] = Life::Retired;
                if dynamic {
                    self.remove(child);
                }
            }
            Action::End(ref ending) => {
                let is_down = |life: &Life| matches!(life, Life::Down | Life::Retired | Life::Removed);
                assert!(self.children.iter().all(is_down), "{:?}", self.children);
                if let Ending::AsAsked = ending {
                    assert!(self.asked_to_stop || self.significant_end, "nobody asked");
                }
                self.ended = true;
            }
            Action::Restarting { .. } | Action::GaveUp { .. } | Action::Ready => {}
        }
    }

    fn remove(&mut self, child: usize) {
        self.machine.remove(child);
        self.children[child] = Life::Removed;
    }

    fn living(&self) -> Vec<usize> {
        let is_living =
            |&child: &usize| matches!(self.children[child], Life::Starting | Life::Up | Life::Ordered);
        (0..self.children.len()).filter(is_living).collect()
    }

    /// One random step that is consistent with what the children do.
    fn step(&mut self, dice: u8, which: u8) {
        let living = self.living();
        let child = living.get(usize::from(which) % living.len().max(1)).copied();
        match (dice % 12, child) {
            _ if !self.begun => {
                self.begun = true;
                self.put(Input::Begin);
            }
            _ if dice > 250 => self.put(Input::Stop),
            (0..=3, Some(child)) if self.children[child] == Life::Starting => self.put(Input::Started(child)),
            (0..=1, Some(child)) if self.children[child] == Life::Ordered => {
                self.put(Input::Exited(child, ExitReason::Shutdown));
            }
            (2, Some(child)) => self.put(Input::Exited(child, ExitReason::Normal)),
            (3, Some(child)) => self.put(Input::Exited(child, ExitReason::failed("x"))),
            (6, Some(child)) => self.put(Input::Exited(child, ExitReason::Killed(Kill::Displaced))),
            (7, Some(child)) if dice > 250 => {
                self.put(Input::OutOfThreads(child, ExitReason::Unresponsive { blocked: MS }))
            }
            (4, _) => self.now += u32::from(which) * 7 * MS,
            (8..=11, _) if !self.ended => self.order(dice % 12, usize::from(which)),
            _ => self.tick(),
        }
    }

    /// An order that the supervisor would pass on.
    fn order(&mut self, dice: u8, which: usize) {
        let child = which % self.children.len().max(1);
        match (dice, self.machine.activity(child)) {
            (8, _) if self.children.len() < 12 => {
                let rules = Rules {
                    significant: which.is_multiple_of(3),
                    ..rules([Restart::Permanent, Restart::Transient, Restart::Temporary][which % 3])
                };
                self.machine.add(self.children.len(), Arc::new(rules.clone()), self.now);
                self.children.push(Life::Down);
                self.significant.push(rules.significant);
                self.put(Input::Start(self.children.len() - 1));
            }
            (9, Some(Activity::Down)) => self.put(Input::Start(child)),
            (10, Some(Activity::Down)) => self.remove(child),
            (11, Some(Activity::Running | Activity::Restarting)) => self.put(Input::Terminate(child)),
            _ => {}
        }
    }

    /// A tick that was due does something, or the next is later: the supervisor's timer cannot spin.
    fn tick(&mut self) {
        let Some(due) = self.machine.next_tick() else {
            return;
        };
        self.now = self.now.max(due);
        self.put(Input::Tick);
        let next = self.machine.next_tick();
        assert!(self.acted || next.is_none_or(|next| next > self.now), "the timer spins");
    }
}

fn any_rules() -> impl proptest::strategy::Strategy<Value = Rules> {
    let restart = prop_oneof![Just(Restart::Permanent), Just(Restart::Transient), Just(Restart::Temporary)];
    let shutdown = prop_oneof![
        Just(Shutdown::Timeout(50 * MS)),
        Just(Shutdown::Timeout(Duration::ZERO)),
        Just(Shutdown::BrutalKill),
        Just(Shutdown::Infinity)
    ];
    let backoff = prop_oneof![Just(Backoff::NONE), Just(Backoff::exponential(20 * MS, 300 * MS).jitter(0.5))];
    (restart, shutdown, backoff, any::<bool>()).prop_map(|(restart, shutdown, backoff, significant)| Rules {
        shutdown,
        backoff,
        significant,
        ..rules(restart)
    })
}

fn any_conduct() -> impl proptest::strategy::Strategy<Value = Conduct> {
    let strategy = prop_oneof![
        Just((Strategy::OneForOne, false)),
        Just((Strategy::OneForOne, true)),
        Just((Strategy::OneForAll, false)),
        Just((Strategy::RestForOne, false))
    ];
    let auto_shutdown = prop_oneof![
        4 => Just(AutoShutdown::Never),
        1 => Just(AutoShutdown::AnySignificant),
        2 => Just(AutoShutdown::AllSignificant)
    ];
    (strategy, auto_shutdown).prop_map(|((strategy, dynamic), auto_shutdown)| Conduct {
        strategy,
        auto_shutdown,
        dynamic,
        max_children: None,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn no_sequence_of_events_breaks_the_rules(
        conduct in any_conduct(),
        intensity in 0u32..20,
        children in proptest::collection::vec(any_rules(), 0..5),
        steps in proptest::collection::vec(any::<(u8, u8)>(), 0..200),
    ) {
        let mut world = World::new(conduct, intensity, children);
        for (dice, which) in steps {
            world.step(dice, which);
        }
        // Whatever state that was: asked to stop, and with children that do as they are told or hang, it ends.
        world.put(Input::Stop);
        for round in 0..100 {
            match world.living().last() {
                Some(&child) if round % 2 == 0 || world.machine.next_tick().is_none() => {
                    world.put(Input::Exited(child, ExitReason::Shutdown));
                }
                _ => world.tick(),
            }
        }
        prop_assert!(world.ended);
        prop_assert_eq!(world.machine.next_tick(), None);
    }

    /// With nobody failing any more, all that are not down for good come up: no start is forgotten.
    #[test]
    fn after_the_last_failure_every_child_comes_up(
        conduct in any_conduct(),
        children in proptest::collection::vec(any_rules(), 0..5),
        steps in proptest::collection::vec((0u8..250, any::<u8>()), 0..200),
    ) {
        let mut world = World::new(conduct, u32::MAX, children);
        for (dice, which) in steps {
            world.step(dice, which);
        }
        if !world.begun {
            world.put(Input::Begin);
        }
        for _ in 0..100 {
            let next = world.living().into_iter().find(|&child| world.children[child] != Life::Up);
            match next {
                Some(child) if world.children[child] == Life::Starting => world.put(Input::Started(child)),
                Some(child) => world.put(Input::Exited(child, ExitReason::Shutdown)),
                None => world.tick(),
            }
        }
        let is_settled = |life: &Life| matches!(life, Life::Up | Life::Retired | Life::Removed);
        prop_assert!(world.ended || world.children.iter().all(is_settled), "{:?}", world.children);
    }
}
