//! One run, judged: also if it does not come to an end.

use std::collections::HashSet;
use std::iter::successors;
use std::mem;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use latido::supervision::{ChildInfo, ChildState};
use latido::{Event, EventKind, TreePath};

use crate::footprint::Footprint;
use crate::notes::Note;
use crate::plan::Plan;
use crate::record::Record;
use crate::rules::{self, Violation};
use crate::run::run;
use crate::tally::Tally;

/// How many events of a failure are shown.
const LINES: usize = 80;

#[derive(Clone, Debug)]
pub(crate) enum Verdict {
    Kept(Tally),
    Broken(Broken),
}

/// A rule that was broken, for people.
#[derive(Clone, Debug)]
pub(crate) struct Broken {
    pub(crate) rule: String,
    /// Whom it concerns.
    pub(crate) paths: Vec<String>,
    pub(crate) text: String,
}

/// Runs a plan. What does not end within `limit` is told to `hangs`, which must not return: nobody can end it but the
/// process.
pub(crate) fn judged(plan: Plan, limit: Duration, hangs: impl FnOnce(Broken) + Send + 'static) -> Verdict {
    let before = Footprint::now();
    let record = Arc::<Record>::default();
    let (done, is_done) = channel::<()>();
    let watched = record.clone();
    let watch = std::thread::spawn(move || {
        if is_done.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
            hangs(does_not_end(&watched, limit));
        }
    });
    let patience = limit / 3;
    let mut evidence = run(plan, &record, patience);
    drop(done);
    watch.join().expect("it was in time");
    let mut violations = rules::check(&evidence);
    let tally = Tally::of(&evidence);
    let events = mem::take(&mut evidence.events);
    drop((evidence, record)); // They have references to the actors.
    violations.extend(before.more(patience).map(rules::left_behind));
    match violations.as_slice() {
        [] => Verdict::Kept(tally),
        [first, others @ ..] => Verdict::Broken(broken(first, others.len(), &events)),
    }
}

fn broken(violation: &Violation, others: usize, events: &[Event]) -> Broken {
    let mut text = violation.what.clone();
    if others > 0 {
        text += &format!("\n(and {others} more that may come of it)");
    }
    let until = violation.at.map_or(events.len(), |at| events.len().min(at + 50));
    text += &history(&events[..until], &violation.paths);
    let paths = violation.paths.iter().map(ToString::to_string).collect();
    Broken { rule: violation.rule.to_owned(), paths, text }
}

fn does_not_end(record: &Record, limit: Duration) -> Broken {
    let open = record.still_open();
    let mut text = format!("after {limit:?} there is no end of:");
    for (_, what) in open.iter().take(20) {
        text += &format!("\n    {what}");
    }
    let mut paths: Vec<TreePath> = open.into_iter().map(|(path, _)| path).collect();
    paths.dedup();
    paths.truncate(20);
    text += &history(&record.events.lock().unwrap(), &paths);
    if let Some(tree) = &*record.tree.lock().unwrap() {
        let mut shown: Vec<_> = tree.snapshot().children;
        let is_settled =
            |child: &ChildInfo| matches!(child.state, ChildState::Running | ChildState::Finished);
        shown.retain(|child| {
            !is_settled(child) || paths.iter().any(|path| path.as_str().starts_with(child.path.as_str()))
        });
        text += &format!("\n{} threads are counted as left behind", tree.abandoned_threads());
        text += if shown.is_empty() { "" } else { "\nwhat they are doing:" };
        for child in shown {
            text += &format!(
                "\n    {} #{} {:?}, {:?}",
                child.path, child.incarnation, child.state, child.messages
            );
        }
    }
    Broken {
        rule: "all comes to an end".to_owned(),
        paths: paths.iter().map(ToString::to_string).collect(),
        text,
    }
}

/// The last events that concern these, and the lives of those above them.
fn history(events: &[Event], paths: &[TreePath]) -> String {
    let paths: HashSet<_> = paths.iter().cloned().collect();
    let above: HashSet<_> =
        paths.iter().flat_map(|path| successors(path.parent(), TreePath::parent)).collect();
    let beside: HashSet<_> = paths.iter().filter_map(TreePath::parent).collect();
    let concerns = |event: &&Event| match (&event.kind, event.report::<Note>()) {
        (
            _,
            Some(Note::Ordered { about, .. } | Note::Answered { about, .. } | Note::Refused { about, .. }),
        ) => paths.contains(about),
        (_, Some(Note::Quiet | Note::Stops)) => true,
        // What befalls one may befall its siblings.
        (EventKind::Exited { .. } | EventKind::Stopped { .. } | EventKind::Restarting { .. }, None)
            if event.path.parent().is_some_and(|parent| beside.contains(&parent)) =>
        {
            true
        }
        (EventKind::Exited { .. } | EventKind::Stopped { .. } | EventKind::Started, None) => {
            paths.contains(&event.path) || above.contains(&event.path)
        }
        _ => paths.contains(&event.path),
    };
    let concerned: Vec<_> = events.iter().filter(concerns).collect();
    let first = concerned.len().saturating_sub(LINES);
    let mut text = match first {
        0 => "\nwhat happened to them, and when among all events:".to_owned(),
        _ => format!("\nthe last {LINES} things that happened to them, and when among all events:"),
    };
    for event in &concerned[first..] {
        text += &format!("\n{:>7} {event}", event.seq);
    }
    text
}
