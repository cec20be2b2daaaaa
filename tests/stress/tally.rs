//! How much of everything there was in a run, or in many.

use std::collections::BTreeMap;
use std::fmt;

use latido::exit::Kill;
use latido::supervision::AskError;
use latido::{EventKind, ExitReason};

use crate::notes::Note;
use crate::run::Evidence;
use crate::steps::Answer;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally(BTreeMap<String, u64>);

impl Tally {
    pub(crate) fn of(evidence: &Evidence) -> Self {
        let mut tally = Self::default();
        tally.count("runs", 1);
        tally.count("actors", evidence.plan.nodes().len());
        tally.count("steps", evidence.plan.steps.len());
        tally.count("quiet", usize::from(evidence.quiet.is_some()));
        for event in &evidence.events {
            let name = match (&event.kind, event.report::<Note>()) {
                (EventKind::Started, _) => "started",
                (EventKind::Restarting { .. }, _) => "restarts",
                (EventKind::GaveUp { .. }, _) => "gave-up",
                (EventKind::Injected(_), _) => "faults",
                (EventKind::Exited { reason, .. } | EventKind::Stopped { reason, .. }, _) => end(reason),
                (_, Some(Note::Befallen(_))) => "mishaps",
                _ => continue,
            };
            tally.count(name, 1);
        }
        for asked in &evidence.outcome.asked {
            tally.count(answer(&asked.answer), 1);
        }
        for (order, result) in &evidence.outcome.orders {
            let order = format!("{order:?}").to_lowercase();
            match result {
                Ok(()) => tally.count(&format!("order-{order}"), 1),
                Err(_) => tally.count(&format!("order-{order}-refused"), 1),
            }
        }
        tally.count("monitors", evidence.outcome.downs.len());
        tally
    }

    fn count(&mut self, name: &str, count: usize) {
        *self.0.entry(name.to_owned()).or_default() += count as u64;
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (name, count) in &other.0 {
            *self.0.entry(name.clone()).or_default() += count;
        }
    }

    pub(crate) fn get(&self, name: &str) -> u64 {
        self.0.get(name).copied().unwrap_or(0)
    }

    /// Those whose name begins so, without that beginning.
    fn all(&self, prefix: &str) -> String {
        let all = self.0.iter().filter_map(|(name, count)| Some((name.strip_prefix(prefix)?, count)));
        all.map(|(name, count)| format!("{count} {name}")).collect::<Vec<_>>().join(", ")
    }

    /// The inverse of `Display`.
    pub(crate) fn from_text(text: &str) -> Self {
        let count = |text: &str| {
            let (name, count) = text.split_once('=')?;
            Some((name.to_owned(), count.parse().ok()?))
        };
        Self(text.split_whitespace().filter_map(count).collect())
    }

    /// For people, on a line.
    pub(crate) fn line(&self) -> String {
        let count = |name| self.get(name);
        format!(
            "{} runs, {} restarts, {} hangs, {} moved; messages: {}",
            count("runs"),
            count("restarts"),
            count("end-hung"),
            count("end-moved"),
            self.all("ask-")
        )
    }

    /// For people, on as many lines as it takes.
    pub(crate) fn summary(&self) -> String {
        let count = |name| self.get(name);
        format!(
            "{} runs of {} actors and {} steps in all; {} of them were quiet before the end\n\
             messages: {}\n\
             starts: {}; restarts: {}; supervisors that gave up: {}\n\
             ends: {}\n\
             faults on purpose: {}; mishaps in life cycles: {}\n\
             orders: {}\n\
             monitors: {}",
            count("runs"),
            count("actors"),
            count("steps"),
            count("quiet"),
            self.all("ask-"),
            count("started"),
            count("restarts"),
            count("gave-up"),
            self.all("end-"),
            count("faults"),
            count("mishaps"),
            self.all("order-"),
            count("monitors"),
        )
    }
}

fn end(reason: &ExitReason) -> &'static str {
    match reason {
        ExitReason::Normal => "end-by-itself",
        ExitReason::Shutdown => "end-as-asked",
        ExitReason::Killed(Kill::Orphaned) => "end-orphaned",
        ExitReason::Killed(Kill::Displaced) => "end-moved",
        ExitReason::Killed(_) => "end-killed",
        ExitReason::Panicked(_) => "end-panicked",
        ExitReason::Failed(_) => "end-crashed",
        ExitReason::Unresponsive { .. } => "end-hung",
        ExitReason::Deaf { .. } => "end-deaf",
        ExitReason::OutOfThreads { .. } => "end-out-of-threads",
        ExitReason::StartFailed { .. } => "end-start-failed",
        ExitReason::GaveUp { .. } => "end-gave-up",
        _ => "end-otherwise",
    }
}

fn answer(answer: &Answer) -> &'static str {
    match answer {
        Answer::By(_) => "ask-answered",
        Answer::Closed => "ask-closed",
        Answer::Untold => "ask-untold",
        Answer::Ask(AskError::Crashed { .. }) => "ask-crashed",
        Answer::Ask(AskError::Down) => "ask-down",
        Answer::Ask(AskError::NeverStarted) => "ask-never-started",
        Answer::Ask(AskError::Full) => "ask-full",
        Answer::Ask(AskError::Dropped) => "ask-dropped",
        Answer::Ask(AskError::TimedOutQueued(_)) => "ask-timed-out-queued",
        Answer::Ask(AskError::TimedOutRunning(_)) => "ask-timed-out-running",
        Answer::Ask(AskError::NoAnswer) => "ask-no-answer",
        Answer::Ask(_) => "ask-otherwise",
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(name, count)| write!(f, "{name}={count} "))
    }
}

#[test]
fn a_tally_as_text_is_the_same_tally() {
    let mut tally = Tally::default();
    tally.count("ask-answered", 3);
    tally.count("runs", 1);
    assert_eq!(Tally::from_text(&tally.to_string()), tally);
}
