//! Everything at once, by chance.

mod campaign;
mod garden;
mod history;
mod notes;
mod plan;
mod probe;
mod record;
mod rules;
mod run;
mod shrink;
mod steps;
mod tally;
mod verdict;
mod worker;

use std::time::{Duration, SystemTime};

use crate::campaign::{Until, campaign};
use crate::plan::Plan;
use crate::verdict::{Verdict, judged};
use crate::worker::{PATIENCE, SEED, part, variable, work_if_asked};

/// How many seeds are tried unless somebody asks for more; some seconds' worth.
const RUNS: u64 = 12;

#[test]
fn every_rule_holds_whatever_happens_by_chance() {
    latido::quiet_panics();
    if work_if_asked() {
        return;
    }
    if let Some(seed) = variable(SEED) {
        return once_more(seed);
    }
    match variable("LATIDO_STRESS_SECONDS") {
        Some(seconds) => campaign(new_seed(), Until::Time(Duration::from_secs(seconds))),
        None => campaign(0, Until::Runs(RUNS)),
    }
}

/// Repeats what a failure was reduced to, in this process.
fn once_more(seed: u64) {
    let plan = Plan::of(seed).only(&part());
    println!("{plan}");
    for _ in 0..variable("LATIDO_STRESS_TIMES").unwrap_or(1) {
        let verdict = judged(plan.clone(), PATIENCE, |broken| {
            eprintln!("{}: {}", broken.rule, broken.text);
            std::process::exit(1);
        });
        match verdict {
            Verdict::Kept(tally) => println!("{}", tally.line()),
            Verdict::Broken(broken) => panic!("{}: {}", broken.rule, broken.text),
        }
    }
}

/// One that was not tried yesterday.
fn new_seed() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_millis() as u64
}
