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
    strategy: Strategy,
    children: Vec<Life>,
    begun: bool,
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
}

impl World {
    fn new(strategy: Strategy, intensity: u32, rules: Vec<Rules>) -> Self {
        let (machine, now, children) = (
            new_machine(strategy, intensity, &rules),
            Instant::now(),
            vec![Life::Down; rules.len()],
        );
        Self {
            machine,
            now,
            strategy,
            children,
            begun: false,
            ended: false,
            acted: false,
        }
    }

    fn put(&mut self, input: Input) {
        match &input {
            Input::Started(child) if self.children[*child] == Life::Starting => {
                self.children[*child] = Life::Up
            }
            Input::Exited(child, _) => self.children[*child] = Life::Down,
            _ => {}
        }
        let actions = self.machine.handle(input, self.now);
        assert!(self.machine.children.are_indexed());
        for action in &actions {
            assert!(!self.ended, "nothing after the end, but {action:?}");
            match *action {
                Action::Start(child) => {
                    assert_eq!(self.children[child], Life::Down, "start of {child}");
                    if self.strategy != Strategy::OneForOne {
                        assert!(!self.children.contains(&Life::Starting), "one at a time");
                        assert!(!self.children.contains(&Life::Ordered), "stops come first");
                    }
                    self.children[child] = Life::Starting;
                }
                Action::Stop(child) | Action::Kill(child, Kill::Brutal) => {
                    assert!(
                        matches!(self.children[child], Life::Starting | Life::Up),
                        "stop of {child}"
                    );
                    assert!(!self.children.contains(&Life::Ordered), "one at a time");
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
                }
                Action::End(_) => {
                    let is_down = |life: &Life| matches!(life, Life::Down | Life::Retired);
                    assert!(self.children.iter().all(is_down), "{:?}", self.children);
                    self.ended = true;
                }
                Action::Restarting { .. } | Action::GaveUp { .. } | Action::Ready => {}
            }
        }
        self.acted = !actions.is_empty();
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
        match (dice % 8, child) {
            _ if !self.begun => {
                self.begun = true;
                self.put(Input::Begin);
            }
            (0..=3, Some(child)) if self.children[child] == Life::Starting => self.put(Input::Started(child)),
            (0..=1, Some(child)) if self.children[child] == Life::Ordered => {
                self.put(Input::Exited(child, ExitReason::Shutdown));
            }
            (2, Some(child)) => self.put(Input::Exited(child, ExitReason::Normal)),
            (3, Some(child)) => self.put(Input::Exited(child, ExitReason::failed("x"))),
            (4, _) => self.now += u32::from(which) * 7 * MS,
            (5, _) if dice > 250 => self.put(Input::Stop),
            _ => self.tick(),
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
        assert!(
            self.acted || next.is_none_or(|next| next > self.now),
            "the timer spins"
        );
    }
}

fn any_rules() -> impl proptest::strategy::Strategy<Value = Rules> {
    let restart = prop_oneof![
        Just(Restart::Permanent),
        Just(Restart::Transient),
        Just(Restart::Temporary)
    ];
    let shutdown = prop_oneof![
        Just(Shutdown::Timeout(50 * MS)),
        Just(Shutdown::Timeout(Duration::ZERO)),
        Just(Shutdown::BrutalKill),
        Just(Shutdown::Infinity)
    ];
    let backoff = prop_oneof![
        Just(Backoff::NONE),
        Just(Backoff::exponential(20 * MS, 300 * MS).jitter(0.5))
    ];
    (restart, shutdown, backoff).prop_map(|(restart, shutdown, backoff)| Rules {
        shutdown,
        backoff,
        ..rules(restart)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn no_sequence_of_events_breaks_the_rules(
        strategy in prop_oneof![Just(Strategy::OneForOne), Just(Strategy::OneForAll), Just(Strategy::RestForOne)],
        intensity in 0u32..20,
        children in proptest::collection::vec(any_rules(), 0..5),
        steps in proptest::collection::vec(any::<(u8, u8)>(), 0..200),
    ) {
        let mut world = World::new(strategy, intensity, children);
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
        strategy in prop_oneof![Just(Strategy::OneForOne), Just(Strategy::OneForAll), Just(Strategy::RestForOne)],
        children in proptest::collection::vec(any_rules(), 0..5),
        steps in proptest::collection::vec((0u8..250, any::<u8>()), 0..200),
    ) {
        let mut world = World::new(strategy, u32::MAX, children);
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
        let is_settled = |life: &Life| matches!(life, Life::Up | Life::Retired);
        prop_assert!(world.ended || world.children.iter().all(is_settled), "{:?}", world.children);
    }
}
