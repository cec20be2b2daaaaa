//! Every message is accounted for, by the tree's own counts and by those of the actors.

use std::collections::HashMap;
use std::sync::atomic::Ordering::SeqCst;

use latido::event::Unhandled;
use latido::fault::Fault;
use latido::supervision::{AskError, Overflow, Snapshot};
use latido::{EventKind, ExitReason, TreePath};

use super::Found;
use crate::history::{At, History};
use crate::plan::{How, Kind};
use crate::probe::Child;
use crate::run::Evidence;
use crate::steps::Answer;

/// What those who asked one child have seen.
#[derive(Default)]
struct Seen {
    full: u64,
    down: u64,
    /// Their message may have been taken out and not handled, because nobody waited any more.
    timed_out: u64,
}

pub(crate) fn check(history: &History<'_>, evidence: &Evidence, found: &mut Found) {
    let root = &history.families[0].boss;
    for what in &evidence.outcome.miscounts {
        found.add("counts add up", None, [root], what.clone());
    }
    adds_up(&evidence.end, found);
    are_told(history, &evidence.end, found);
    let mut seen: HashMap<&TreePath, Seen> = HashMap::new();
    for asked in &evidence.outcome.asked {
        let seen = seen.entry(&asked.to.path).or_default();
        match &asked.answer {
            Answer::Ask(AskError::Full) => seen.full += 1,
            Answer::Ask(AskError::Down | AskError::NeverStarted) | Answer::Closed => seen.down += 1,
            Answer::Ask(AskError::TimedOutQueued(_) | AskError::TimedOutRunning(_)) => seen.timed_out += 1,
            // Sent to one that is closed for ever, it is not counted there, and nobody hears of it.
            Answer::Untold if asked.how == How::Tell => seen.down += 1,
            _ => {}
        }
    }
    for child in &evidence.children {
        as_the_actor_counts(child, history, evidence, seen.remove(&child.path).unwrap_or_default(), found);
    }
}

/// Dead letters are told of when there are one, two, four and so on; those that are dropped together, together. Of those that
/// were dropped on purpose also the first and the last of each fault.
fn are_told(history: &History<'_>, snapshot: &Snapshot, found: &mut Found) {
    let mut told: HashMap<&TreePath, Vec<u64>> = HashMap::new();
    for (at, event) in history.events.iter().enumerate() {
        if let EventKind::DeadLetter { total, why, .. } = event.kind {
            let before = told.entry(&event.path).or_default();
            let is_due = total.is_power_of_two() || why == Unhandled::Injected;
            if !is_due || before.contains(&total) {
                let what = format!("{} is said to have {total} dead letters after {before:?}", event.path);
                found.add("dead letters are told", at, [&event.path], what);
            }
            before.push(total);
        }
    }
    for child in &snapshot.children {
        let told = told.get(&child.path).and_then(|told| told.iter().max()).copied().unwrap_or(0);
        let dropped = child.messages.dropped;
        // What is dropped once the tree has ended, nobody hears of.
        if told > dropped {
            let what = format!("{} has dropped {dropped} messages, and told of {told}", child.path);
            found.add("dead letters are told", None, [&child.path], what);
        }
    }
}

fn adds_up(snapshot: &Snapshot, found: &mut Found) {
    for child in &snapshot.children {
        let counts = child.messages;
        let sum = counts.handled + counts.lost + counts.dropped + counts.queued + u64::from(counts.in_hand);
        if counts.received != sum || counts.queued > 0 || counts.in_hand {
            let what = format!("{} at the end: {counts:?}", child.path);
            found.add("counts add up", None, [&child.path], what);
        }
    }
}

fn as_the_actor_counts(
    child: &Child,
    history: &History<'_>,
    evidence: &Evidence,
    seen: Seen,
    found: &mut Found,
) {
    // Children that were forgotten have taken their counts with them.
    let Some(counts) = evidence.end.get(child.path.as_str()).map(|info| info.messages) else { return };
    let (sent, begun, returned) =
        (child.sent.load(SeqCst), child.begun.load(SeqCst), child.returned.load(SeqCst));
    let events = history.events.iter().filter(|event| event.path == child.path);
    // A fault strikes between the mailbox and the handler: the message in hand is lost, and no handler has begun.
    let (mut hung, mut struck, mut blocked) = (0, 0, None);
    for event in events {
        match &event.kind {
            EventKind::Exited { reason, .. } | EventKind::Stopped { reason, .. }
                if is_left_behind(reason) =>
            {
                hung += 1;
                struck += u64::from(blocked == Some(event.incarnation));
            }
            // A slow one holds the message before its handler begins.
            EventKind::Injected(Fault::Panic | Fault::Fail | Fault::Slow(_)) => struck += 1,
            EventKind::Injected(Fault::Block(_)) => blocked = Some(event.incarnation),
            _ => {}
        }
    }
    let mut wrong = |what: String| {
        let what =
            format!("{}: {what}; {sent} sent, {begun} begun, {returned} returned, {counts:?}", child.path);
        found.add("counts are true", None::<At>, [&child.path], what);
    };
    // What a life had in hand that was left behind is lost, whether its handler returned later or not.
    let handled = (returned.saturating_sub(hung))..=(returned + seen.timed_out);
    if !handled.contains(&counts.handled) {
        wrong(format!("{} handled", counts.handled));
    }
    let taken = begun..=(begun + struck + seen.timed_out);
    if !taken.contains(&(counts.handled + counts.lost)) {
        wrong(format!("{} handled or lost", counts.handled + counts.lost));
    }
    let Kind::Worker(worker) = &child.plan.kind else { return };
    let waits_outside = matches!(worker.bound, Some((_, Overflow::Block)));
    let tells_after_the_end =
        sent - evidence.outcome.asked.iter().filter(|asked| asked.to.path == child.path).count() as u64;
    let mut uncounted = seen.down + tells_after_the_end;
    if waits_outside {
        uncounted += seen.timed_out;
    }
    let most = sent - seen.full;
    if counts.received > most || counts.received + uncounted < most {
        wrong(format!("{} received", counts.received));
    }
}

fn is_left_behind(reason: &ExitReason) -> bool {
    matches!(reason, ExitReason::Unresponsive { .. } | ExitReason::Deaf { .. } | ExitReason::Killed(_))
}
