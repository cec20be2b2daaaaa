//! Seed after seed; and what is done when one fails.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::plan::{Part, Plan, Step, part};
use crate::shrink::shrink;
use crate::tally::Tally;
use crate::verdict::{Broken, Verdict};
use crate::worker::{ACTORS, PATIENCE, SEED, STEPS, TEST, Worker};

/// How long it may take to make a failing plan smaller.
const SHRINKING: Duration = Duration::from_secs(90);

/// A plan longer than this is shown to who asks for it alone.
const MOST_LINES: usize = 100;

/// When a campaign is over.
#[derive(Clone, Copy)]
pub(crate) enum Until {
    Runs(u64),
    Time(Duration),
}

pub(crate) fn campaign(first: u64, until: Until) {
    let begin = Instant::now();
    let mut worker = Worker::from(first);
    let mut tally = Tally::default();
    let mut last_line = begin;
    for seed in first.. {
        let is_over = match until {
            Until::Runs(runs) => seed - first >= runs,
            Until::Time(time) => begin.elapsed() >= time,
        };
        if is_over {
            break;
        }
        match worker.next() {
            Verdict::Kept(more) => tally.add(&more),
            Verdict::Broken(broken) => {
                drop(worker);
                let kept = tally.get("runs");
                panic!("after {kept} seeds that kept all rules, {}", Failure::new(seed, broken).shrunk());
            }
        }
        if let Until::Time(_) = until
            && last_line.elapsed() > Duration::from_secs(30)
        {
            last_line = Instant::now();
            println!("{:>5}s: {}", begin.elapsed().as_secs(), tally.line());
        }
    }
    println!("seeds {first} to {}, in {:.1?}", first + tally.get("runs").saturating_sub(1), begin.elapsed());
    println!("{}", tally.summary());
}

/// A seed that fails, and the smallest part of its plan that is known to.
struct Failure {
    seed: u64,
    whole: Plan,
    part: Part,
    broken: Broken,
    begin: Instant,
    runs: u32,
    /// What is smaller has to fail so often, in so many tries: one that fails now and then leads nowhere.
    needed: u32,
    tries: u32,
}

impl Failure {
    fn new(seed: u64, broken: Broken) -> Self {
        let whole = Plan::of(seed);
        Self {
            seed,
            whole,
            part: Part::default(),
            broken,
            begin: Instant::now(),
            runs: 0,
            needed: 1,
            tries: 1,
        }
    }

    fn plan(&self) -> Plan {
        self.whole.clone().only(&self.part)
    }

    /// Runs a part once. Says how, if it breaks the same rule.
    fn fails(&mut self, part: &Part) -> Option<Broken> {
        self.runs += 1;
        // Nothing takes so long but what never ends.
        let is_endless = matches!(&*self.broken.rule, "all comes to an end" | "nothing is left");
        let limit = if is_endless { Duration::from_secs(5) } else { PATIENCE };
        match Worker::once(self.seed, part, limit).next() {
            Verdict::Broken(broken) if broken.rule == self.broken.rule => Some(broken),
            _ => None,
        }
    }

    /// The same, as often as it takes.
    fn still_fails(&mut self, part: Part) -> bool {
        if self.is_late() {
            return false;
        }
        let part = self.without_idle_steps(part);
        if part == self.part {
            return true;
        }
        let mut tries = self.tries;
        let mut needed = self.needed;
        while needed > 0 && tries >= needed && !self.is_late() {
            tries -= 1;
            if let Some(broken) = self.fails(&part) {
                needed -= 1;
                if needed == 0 {
                    (self.part, self.broken) = (part, broken);
                    return true;
                }
            }
        }
        false
    }

    fn is_late(&self) -> bool {
        self.begin.elapsed() > SHRINKING
    }

    fn rate(&mut self, runs: u32) -> u32 {
        let part = self.part.clone();
        (0..runs).filter(|_| self.fails(&part).is_some()).count() as u32
    }

    fn shrunk(mut self) -> String {
        let at_first = self.rate(8);
        let told = match at_first {
            0 => "it did not fail again in 8 runs: what follows is of the first".to_owned(),
            _ => {
                (self.needed, self.tries) = match at_first {
                    6.. => (2, 3),
                    3..6 => (2, 6),
                    _ => (1, 8),
                };
                self.leave_out();
                let now = self.rate(8);
                format!(
                    "the whole plan failed again in {at_first} of 8 runs, what is left of it in {now} of 8"
                )
            }
        };
        self.report(&told)
    }

    fn leave_out(&mut self) {
        self.only_their_family();
        for _ in 0..2 {
            self.leave_out_actors();
            self.leave_out_steps();
        }
    }

    /// Most of the tree has nothing to do with it.
    fn only_their_family(&mut self) {
        let concerns = |path: &str| {
            self.broken.paths.iter().any(|concerned| {
                let family = concerned.rsplit_once('/').map_or("", |(family, _)| family);
                path.starts_with(family) || family.starts_with(path)
            })
        };
        let actors = self.whole.nodes().into_iter().filter(|(path, _)| concerns(path.as_str()));
        let actors = actors.map(|(_, node)| node.number).collect();
        self.still_fails(Part { actors: Some(actors), ..self.part.clone() });
    }

    fn leave_out_actors(&mut self) {
        let mut numbers = Vec::new();
        let plan = self.plan();
        plan.root.walk(&latido::TreePath::root("app"), &mut |_, node| numbers.push(node.number));
        shrink(numbers, |numbers| {
            let actors = Some(numbers.iter().copied().collect());
            self.still_fails(Part { actors, ..self.part.clone() })
        });
    }

    fn leave_out_steps(&mut self) {
        let steps = self.plan().steps.into_iter().map(|(number, _)| number).collect();
        shrink(steps, |steps: &[usize]| {
            let steps = Some(steps.iter().copied().collect());
            self.still_fails(Part { steps, ..self.part.clone() })
        });
    }

    /// Steps about actors that are not there do nothing.
    fn without_idle_steps(&self, part: Part) -> Part {
        let plan = self.whole.clone().only(&part);
        let there: BTreeSet<_> = plan.nodes().into_iter().map(|(_, node)| node.number).collect();
        let is_about = |step: &Step| match step {
            Step::Send { to: whom, .. }
            | Step::Arm { whom, .. }
            | Step::Fault { whom, .. }
            | Step::Start { below: whom, .. }
            | Step::Terminate(whom)
            | Step::Restart(whom)
            | Step::Delete(whom)
            | Step::Monitor(whom) => there.contains(whom),
            Step::Count | Step::Yield | Step::Pause(_) | Step::Calm => true,
        };
        let steps = plan.steps.iter().filter(|(_, step)| is_about(step)).map(|(number, _)| *number).collect();
        Part { steps: Some(steps), actors: part.actors }
    }

    fn report(&self, told: &str) -> String {
        let plan = self.plan();
        let shown = match plan.to_string() {
            text if text.lines().count() > MOST_LINES => {
                "(too many to show: the command below prints them)".to_owned()
            }
            text => text,
        };
        let mut command = format!("{SEED}={}", self.seed);
        for (name, numbers) in [(STEPS, &self.part.steps), (ACTORS, &self.part.actors)] {
            if let Some(numbers) = numbers {
                command += &format!(" {name}={}", part::to_text(numbers));
            }
        }
        format!(
            "seed {} breaks a rule: {}\n{}\n\n\
             {told};\n\
             {} steps and {} actors are left of {} and {}, after {} runs in {:.0?}:\n{shown}\n\
             once more: {command} LATIDO_STRESS_TIMES=20 cargo test --test stress {TEST} -- --nocapture",
            self.seed,
            self.broken.rule,
            self.broken.text,
            plan.steps.len(),
            plan.nodes().len(),
            self.whole.steps.len(),
            self.whole.nodes().len(),
            self.runs,
            self.begin.elapsed(),
        )
    }
}
