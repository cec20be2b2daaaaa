//! Compares a step of ours with the same step of OTP's. Where they are not the same, a rule has to explain it.

use std::collections::BTreeSet;

use super::case::{Case, Explained, INNER, Known};
use super::rules::{RULES, Rule};
use super::scenario::{Outcome, Scenario, Step};

pub(crate) enum Verdict {
    Same,
    /// As the rule says; from here on the two go different ways.
    Parted(Rule),
    Unexplained,
}

pub(crate) struct Judge {
    /// The rules that were needed.
    pub(crate) needed: BTreeSet<Rule>,
    known: Known,
}

impl Judge {
    pub(crate) fn new(scenario: &Scenario) -> Self {
        Self { needed: BTreeSet::new(), known: Known::of(scenario) }
    }

    pub(crate) fn judge(&mut self, step: &Step, ours: &Outcome) -> Verdict {
        let verdict = self.compare(step, ours.clone());
        self.known.learn(step, ours);
        verdict
    }

    fn compare(&mut self, step: &Step, mut ours: Outcome) -> Verdict {
        let mut theirs = step.outcome.clone();
        // One word of ours for two of theirs.
        if matches!(&*theirs.answer, "already_started" | "already_present") {
            theirs.answer = "duplicate".to_owned();
        }
        self.sort_dynamic_ends(&mut theirs.trace);
        self.sort_dynamic_ends(&mut ours.trace);
        if theirs.state.iter().any(|child| child == "-?") {
            theirs.state.retain(|child| child != "-?");
            self.needed.insert(Rule::DynamicChildrenHaveIds);
        }
        let is_kept = |child: &String| self.known.is_temporary(child) && !theirs.state.contains(child);
        if ours.state.iter().any(is_kept) {
            ours.state.retain(|child| !is_kept(child));
            self.needed.insert(Rule::TemporarySpecStays);
        }
        let case = Case { known: &self.known, step, theirs: &theirs, ours: &ours };
        if theirs == ours || case.has_no_order() && case.is(|_| {}) {
            return Verdict::Same;
        }
        let found = RULES.iter().find_map(|(rule, explain)| Some((*rule, explain(&case)?)));
        let Some((rule, explained)) = found else { return Verdict::Unexplained };
        self.needed.insert(rule);
        match explained {
            Explained::AndGoesOn => Verdict::Same,
            Explained::AndParts => Verdict::Parted(rule),
        }
    }

    /// The children of a dynamic supervisor end in no order.
    fn sort_dynamic_ends(&self, trace: &mut [String]) {
        let ends_in_no_order = |sign: &String| match sign.strip_prefix('-') {
            Some("app") | None => false,
            Some(child) => self.known.is_dynamic(if INNER.contains(&child) { "s" } else { "app" }),
        };
        for run in trace.chunk_by_mut(|one, other| ends_in_no_order(one) && ends_in_no_order(other)) {
            run.sort();
        }
    }
}
