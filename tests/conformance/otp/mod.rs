//! The same scenarios on OTP's supervisor and on ours: `scenarios.txt` is what OTP did. See README.md beside it.

mod between;
mod case;
mod judge;
mod play;
mod rules;
mod scenario;

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use self::judge::{Judge, Verdict};
use self::play::play;
use self::rules::{RULES, Rule};
use crate::kit::*;

/// What the comparison of many scenarios came to.
#[derive(Default, Debug)]
struct Tally {
    scenarios: usize,
    steps: usize,
    /// How many are alike to their end.
    alike: usize,
    /// How many each rule has ended.
    parted: BTreeMap<Rule, usize>,
    /// In how many each rule was needed.
    needed: BTreeMap<Rule, usize>,
    unexplained: Vec<String>,
}

fn compare(recording: &str) -> Tally {
    let mut tally = Tally::default();
    for scenario in scenario::read(recording) {
        let mut judge = Judge::new(&scenario);
        let mut is_alike = true;
        run_in_virtual_time(play(&scenario, |step, ours| {
            tally.steps += 1;
            match judge.judge(step, ours) {
                Verdict::Same => return ControlFlow::Continue(()),
                Verdict::Parted(rule) => *tally.parted.entry(rule).or_default() += 1,
                Verdict::Unexplained => tally.unexplained.push(format!(
                    "scenario {} > {}\n  OTP  {}\n  ours {ours}",
                    scenario.number, step.text, step.outcome
                )),
            }
            is_alike = false;
            ControlFlow::Break(())
        }));
        tally.scenarios += 1;
        tally.alike += usize::from(is_alike);
        judge.needed.into_iter().for_each(|rule| *tally.needed.entry(rule).or_default() += 1);
    }
    tally
}

#[test]
fn five_hundred_scenarios_go_as_on_otp_but_for_the_named_differences() {
    let tally = compare(include_str!("scenarios.txt"));
    assert!(tally.unexplained.is_empty(), "{}", tally.unexplained.join("\n"));
    assert_eq!(tally.scenarios, 500);
    assert!(tally.steps > 2_400 && tally.alike > 340, "too many end early: {tally:?}");
    for (rule, _) in RULES {
        assert!(tally.needed.contains_key(&rule), "{rule:?} excuses nothing: {tally:?}");
    }
}

#[test]
fn each_named_difference_stands_in_the_guarantees() {
    let page = include_str!("../../../docs/GUARANTEES.md");
    for (rule, _) in RULES {
        assert!(page.contains(&format!("\n| {} |", rule.row())), "{rule:?}: {}", rule.row());
    }
}

/// By hand: `SCENARIOS=more.txt cargo test --test conformance -- --ignored --nocapture another_recording`
#[test]
#[ignore = "needs a recording"]
fn another_recording_of_otp_differs_in_nothing_else() {
    let recording = std::fs::read_to_string(std::env::var("SCENARIOS").unwrap()).unwrap();
    let tally = compare(&recording);
    println!("{tally:#?}");
    assert!(tally.unexplained.is_empty());
}
