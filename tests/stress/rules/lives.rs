//! Each life begins once, ends once, and is over before the next begins; nothing is left when all have ended.

use std::collections::HashSet;

use latido::exit::Kill;
use latido::supervision::ChildState;
use latido::{EventKind, ExitReason, TreePath};

use super::Found;
use super::blocked::Blocked;
use crate::history::{At, History, Life};
use crate::notes::Note;
use crate::run::Evidence;

pub(crate) fn check(history: &History<'_>, evidence: &Evidence, found: &mut Found) {
    let blocked = Blocked::of(history);
    for (path, lives) in &history.lives {
        one_after_the_other(path, lives, found);
        for (&incarnation, life) in lives {
            if let Some(next) = lives.get(&(incarnation + 1)) {
                over_before_the_next(path, incarnation, life, next, &blocked, found);
            }
        }
    }
    once_each(history, found);
    for what in &evidence.left {
        found.0.push(super::left_behind(what.clone()));
    }
    for (path, what) in &evidence.wrongs {
        found.add("what actors see themselves", None, [path], format!("{path}: {what}"));
    }
    if let Some((taken, quiet)) = &evidence.quiet {
        let at = history.notes().find(|(_, note)| matches!(note, Note::Quiet)).map(|(at, _)| at);
        // A fault may have been under way: what happened after the look, it did not see.
        let is_news = |path: &TreePath| {
            let until = at.unwrap_or(history.events.len());
            history.events[..until]
                .iter()
                .rev()
                .take_while(|event| event.at >= *taken)
                .any(|event| event.path == *path)
        };
        for child in quiet.children.iter().filter(|child| !is_news(&child.path)) {
            let lives = history.lives.get(&child.path);
            let (last, is_up) = lives.map_or((0, false), |lives| {
                let last = lives.iter().rfind(|(_, life)| life.begin() < at.unwrap_or(At::MAX));
                let is_up =
                    |life: &Life<'_>| life.up.is_some() && life.end.is_none_or(|end| Some(end.at) > at);
                last.map_or((0, false), |(incarnation, life)| (*incarnation, is_up(life)))
            });
            if (last, is_up) != (child.incarnation, child.state == ChildState::Running) {
                let what = format!(
                    "{} is #{} {:?} to who looks, but the events say #{last}, up: {is_up}",
                    child.path, child.incarnation, child.state
                );
                found.add("the snapshot and the events agree", at, [&child.path], what);
            }
        }
    }
}

/// 1, 2, 3 and so on, each with an end.
pub(super) fn one_after_the_other(
    path: &TreePath,
    lives: &std::collections::BTreeMap<u64, Life<'_>>,
    found: &mut Found,
) {
    let mut before: Option<At> = None;
    for (n, (&incarnation, life)) in lives.iter().filter(|(incarnation, _)| **incarnation > 0).enumerate() {
        if incarnation != n as u64 + 1 {
            found.add("lives are counted", life.begin(), [path], format!("{path} has no #{}", n + 1));
            return;
        }
        let Some(end) = life.end else {
            found.add(
                "every life has an end",
                life.begin(),
                [path],
                format!("{path} #{incarnation} does not end"),
            );
            return;
        };
        let is_seen = life.built.is_some() || life.up.is_some();
        if is_seen && before > Some(life.begin()) {
            let what = format!("{path} #{incarnation} begins before #{} is over", incarnation - 1);
            found.add("no child runs twice", life.begin(), [path], what);
        }
        // Left behind in the middle of something, it may come to its factory when its thread returns.
        let returns = !end.is_displaced()
            && matches!(end.reason, ExitReason::Unresponsive { .. } | ExitReason::Killed(_));
        if life.up > Some(end.at) || life.built > Some(end.at) && !returns {
            let what = format!("{path} #{incarnation} goes on after its end");
            found.add("an end is an end", end.at, [path], what);
        }
        before = before.max(Some(end.at));
    }
}

/// No event that happens once in a life happens twice.
fn once_each(history: &History<'_>, found: &mut Found) {
    let mut seen = HashSet::new();
    for (at, event) in history.events.iter().enumerate() {
        let kind = match (&event.kind, event.report::<Note>()) {
            (EventKind::Started, _) => "starts",
            (
                EventKind::Exited { reason: reason @ ExitReason::Killed(Kill::ArbiterGone), .. }
                | EventKind::Stopped { reason: reason @ ExitReason::Killed(Kill::ArbiterGone), .. },
                _,
            ) => {
                let what = format!("{} #{} {reason}", event.path, event.incarnation);
                found.add("no thread ends under anybody", at, [&event.path], what);
                continue;
            }
            (EventKind::Exited { .. } | EventKind::Stopped { .. }, _) => "ends",
            (_, Some(Note::Built(_))) => "is built",
            (EventKind::Missed(count), _) => {
                found.add("no event is missed", at, [&event.path], format!("{count} events were missed"));
                continue;
            }
            _ => continue,
        };
        if !seen.insert((&event.path, event.incarnation, kind)) {
            let what = format!("{} #{} {kind} twice", event.path, event.incarnation);
            found.add("each life once", at, [&event.path], what);
        }
    }
}

/// A child whose thread is blocked cannot be dropped, and its successor does not wait for that. Everybody else is gone
/// before it is said that they are.
fn over_before_the_next(
    path: &TreePath,
    incarnation: u64,
    life: &Life<'_>,
    next: &Life<'_>,
    blocked: &Blocked,
    found: &mut Found,
) {
    let (Some(_), Some(next_built)) = (life.built, next.built) else { return };
    if life.dropped.is_some_and(|dropped| dropped < next_built) {
        return;
    }
    let end = life.end.map_or(At::MAX, |end| end.at);
    if !blocked.explains(life, end) {
        let what = format!("{path} #{} is built before #{incarnation} is dropped", incarnation + 1);
        found.add("no child runs twice", next_built, [path], what);
    }
}
