//! What a scenario ends with.

use std::fmt;

use console::Style;
use serde::Serialize;

use super::hypotheses::{Row, rows};
use super::plan::Plan;
use super::run::Outcome;
use super::timeline::{self, Moment};
use crate::view::wrap;

/// Counted up when a field is removed or gets another meaning.
const SCHEMA: u32 = 1;
/// What is wider is broken between words, so that it can be read on any terminal and in any log.
const COLUMNS: usize = 80;

#[derive(Debug, Serialize)]
pub(super) struct Verdict {
    schema: u32,
    scenario: String,
    title: String,
    seed: u64,
    verdict: &'static str,
    seconds: f64,
    hypotheses: Vec<Row>,
    timeline: Vec<Moment>,
    /// What the program said, if the verdict is FAIL.
    said: Option<String>,
}

impl Verdict {
    pub(super) fn of(plan: &Plan, outcome: &Outcome) -> Self {
        let hypotheses = rows(plan, outcome);
        let passes = hypotheses.iter().all(|row| row.holds);
        let said = outcome.said.trim();
        Self {
            schema: SCHEMA,
            scenario: plan.name.clone(),
            title: plan.title.clone(),
            seed: plan.seed,
            verdict: if passes { "PASS" } else { "FAIL" },
            seconds: outcome.record.took(),
            hypotheses,
            timeline: timeline::of(&outcome.record),
            said: (!passes && !said.is_empty()).then(|| said.to_owned()),
        }
    }

    pub(super) fn passes(&self) -> bool {
        self.hypotheses.iter().all(|row| row.holds)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "scenario  {}", self.title)?;
        writeln!(f, "          {}, seed {}\n", self.scenario, self.seed)?;
        for Moment { t, kind, depth, text } in &self.timeline {
            let line = format!("{t:8.3}  {:indent$}{text}", "", indent = 2 * depth);
            put(f, &line, 12 + 2 * depth, &style_of(kind))?;
        }
        f.write_str("\n")?;
        for Row { hypothesis, expected, measured, holds } in &self.hypotheses {
            let (mark, style) =
                if *holds { ("ok", Style::new().green()) } else { ("FAIL", Style::new().red().bold()) };
            put(f, &format!("{mark:<6}{hypothesis:<23}{expected}"), 29, &style)?;
            put(f, &format!("{:29}{measured}", ""), 31, &Style::new())?;
        }
        if let Some(said) = &self.said {
            writeln!(f, "\nthe program said:\n{said}")?;
        }
        let hold = self.hypotheses.iter().filter(|row| row.holds).count();
        let all = self.hypotheses.len();
        write!(f, "\nverdict   {}: {hold} of {all} hypotheses hold, {:.1} s", self.verdict, self.seconds)
    }
}

fn put(f: &mut fmt::Formatter<'_>, line: &str, indent: usize, style: &Style) -> fmt::Result {
    wrap(line, COLUMNS, indent).iter().try_for_each(|line| writeln!(f, "{}", style.apply_to(line)))
}

fn style_of(kind: &str) -> Style {
    match kind {
        "step" | "injected" | "server" => Style::new().magenta(),
        "exited" | "gave_up" | "refused" => Style::new().red(),
        "decided" | "job" | "dead_letter" => Style::new().yellow(),
        "started" | "up" => Style::new().green(),
        _ => Style::new(),
    }
}
