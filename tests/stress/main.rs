//! Everything at once, by chance: hundreds of actors in a deep tree, and panics, hangs, stops, restarts, orders, faults
//! and moves to other threads, all in one run.
//!
//! A seed decides on a tree and on the steps that are taken (`plan/`). They are taken (`run.rs`, `steps.rs`) on actors
//! that do as they are told and keep books (`probe.rs`). Afterwards rules that know nothing of how a tree decides
//! look at what happened (`rules/`): at the tree's events, at the books, at what those heard who asked. All this is
//! in a process of its own (`worker.rs`), which may hang or abort. A plan that fails is reduced to the steps and actors that
//! it takes to fail (`campaign.rs`, `shrink.rs`), and printed with what happened to those concerned.
//!
//! | environment | what it does |
//! |---|---|
//! | nothing | the first seeds, some seconds' worth |
//! | `LATIDO_STRESS_SECONDS=3600` | new seeds for so long, with a line now and then and a summary; `-- --nocapture` shows them |
//! | `LATIDO_STRESS_SEED=17` | this seed alone, in this process; `LATIDO_STRESS_TIMES=20` times |
//! | `LATIDO_STRESS_STEPS=3,7-9`, `LATIDO_STRESS_ACTORS=1,4` | of that seed's plan these parts alone |

mod campaign;
mod footprint;
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
