//! What holds in every run, checked afterwards by what was seen: by those who asked, by the actors themselves, and on
//! the event stream. Nothing here knows how the tree decides.

mod blocked;
mod budget;
mod causes;
mod lives;
mod messages;
mod order;
mod questions;
mod tests;
mod walk;

use latido::TreePath;

use crate::history::{At, History};
use crate::run::Evidence;

#[derive(Debug)]
pub(crate) struct Violation {
    /// The same for the same kind of violation, in any run.
    pub(crate) rule: &'static str,
    pub(crate) what: String,
    /// Whom it concerns.
    pub(crate) paths: Vec<TreePath>,
    /// When, if it was at one moment.
    pub(crate) at: Option<At>,
}

/// All that does not hold, the first that happened first.
pub(crate) fn check(evidence: &Evidence) -> Vec<Violation> {
    let history = History::of(&evidence.plan, &evidence.events);
    let mut found = Found::default();
    lives::check(&history, evidence, &mut found);
    for family in &history.families {
        order::check(family, &history, &mut found);
        causes::check(family, &history, &mut found);
        budget::check(family, &history, &mut found);
    }
    messages::check(&history, evidence, &mut found);
    questions::check(&history, evidence, &mut found);
    let mut found = found.0;
    found.sort_by_key(|violation| violation.at.unwrap_or(At::MAX));
    found
}

/// What is there after a run that was not before.
pub(crate) fn left_behind(what: String) -> Violation {
    Violation { rule: "nothing is left", what: format!("left behind: {what}"), paths: Vec::new(), at: None }
}

#[derive(Default)]
pub(crate) struct Found(Vec<Violation>);

impl Found {
    fn add<'a>(
        &mut self,
        rule: &'static str,
        at: impl Into<Option<At>>,
        paths: impl IntoIterator<Item = &'a TreePath>,
        what: impl Into<String>,
    ) {
        let paths = paths.into_iter().cloned().collect();
        self.0.push(Violation { rule, what: what.into(), paths, at: at.into() });
    }
}
