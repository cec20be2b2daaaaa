//! Nobody is stopped, started or left down without a cause.

use latido::supervision::{Restart, Strategy};
use latido::{ExitReason, TreePath};

use super::Found;
use super::walk::Walk;
use crate::history::{At, End, Family, History, What};
use crate::notes::Order;

/// A decision to restart a group: when, who failed, who comes back with it.
struct Decision {
    at: At,
    failed: usize,
    siblings: Vec<usize>,
}

/// The last incarnation of a child that was seen, whoever its supervisor was.
#[derive(Clone, Copy)]
struct Last<'a> {
    /// When the one before had ended: it was launched after that, and may have been seen a good while later.
    launched_after: At,
    end: Option<End<'a>>,
}

pub(crate) fn check(family: &Family<'_>, history: &History<'_>, found: &mut Found) {
    let mut decisions: Vec<Decision> = Vec::new();
    let mut last: Vec<Option<Last<'_>>> = vec![None; family.members.len()];
    Walk::through(family, history, |walk, moment| {
        let path = |child: usize| &family.members[child].path;
        match (moment.child, &moment.what) {
            (Some(child), What::Restarting { siblings, .. }) => {
                goes_along(walk, child, siblings, moment.at, found);
                decisions.push(Decision { at: moment.at, failed: child, siblings: siblings.clone() });
            }
            (Some(child), What::Built | What::Up) => {
                if walk.kids[child].alive == Some(moment.event.incarnation) {
                    return;
                }
                if let Some(last) = last[child]
                    && !may_start(walk, child, last, moment.at, &decisions)
                {
                    let what =
                        format!("{} #{} is started without a cause", path(child), moment.event.incarnation);
                    found.add("started for a cause", moment.at, [&family.boss, path(child)], what);
                }
                let before = last[child].and_then(|last| last.end).map_or(0, |end| end.at);
                last[child] = Some(Last { launched_after: before.max(walk.boss_since), end: None });
            }
            (Some(child), What::End(end)) => {
                let running = last[child].filter(|last| last.end.is_none());
                // It may have ended before it was seen to live.
                let before = last[child].and_then(|last| last.end).map_or(walk.boss_since, |end| end.at);
                let launched_after = match walk.may_be_a_remnant(moment) {
                    true => 0,
                    false => running.map_or(before, |last| last.launched_after),
                };
                if end.asked
                    && !walk.may_be_a_remnant(moment)
                    && !may_stop(walk, child, launched_after, end, &decisions)
                {
                    let what =
                        format!("{} #{} is stopped without a cause", path(child), moment.event.incarnation);
                    found.add("stopped for a cause", end.at, [&family.boss, path(child)], what);
                }
                last[child] = Some(Last { launched_after, end: Some(*end) });
            }
            (None, What::Quiet) if walk.boss_is_up && !walk.boss_is_told(moment.at) => {
                for child in (0..family.members.len()).filter(|&child| !walk.kids[child].is_up) {
                    if !may_be_down(walk, child, moment.at) {
                        let what = format!("{} is down without a cause when all is quiet", path(child));
                        found.add("down for a cause", moment.at, [&family.boss, path(child)], what);
                    }
                }
            }
            _ => {}
        }
    });
}

fn may_start(walk: &Walk<'_, '_>, child: usize, last: Last<'_>, now: At, decisions: &[Decision]) -> bool {
    let since = last.launched_after;
    let decided = |decision: &Decision| {
        decision.at > since && (decision.failed == child || decision.siblings.contains(&child))
    };
    // One that has finished while its group went down does not come back with it.
    let stays = last.end.is_some_and(|end| match walk.family.members[child].plan.restart {
        Restart::Permanent => false,
        Restart::Transient => matches!(end.reason, ExitReason::Normal),
        Restart::Temporary => true,
    });
    walk.boss_since > since
        || last.end.is_some_and(|end| end.is_displaced() || end.is_orphan())
        || walk.was_ordered(child, &[Order::Restart], since, now)
        || !stays && decisions.iter().any(decided)
}

fn may_stop(walk: &Walk<'_, '_>, child: usize, since: At, end: &End<'_>, decisions: &[Decision]) -> bool {
    let with_group = |decision: &Decision| {
        let affected = match walk.family.plan.strategy {
            Strategy::OneForOne => false,
            Strategy::OneForAll => decision.failed != child,
            Strategy::RestForOne => decision.failed < child,
        };
        affected && decision.at > since && decision.at < end.at
    };
    // Asked by its supervisor's end, it does not come back before that.
    let boss = walk.boss_end(end.at);
    let with_boss = || boss.is_some_and(|boss| !walk.comes_back(child, end.at, boss.at));
    end.is_orphan()
        || end.is_displaced()
        || walk.was_ordered(child, &[Order::Terminate], since, end.at)
        || decisions.iter().any(with_group)
        || with_boss()
}

/// Nobody fails any more, and the supervisor is up.
fn may_be_down(walk: &Walk<'_, '_>, child: usize, now: At) -> bool {
    let (member, kid) = (&walk.family.members[child], &walk.kids[child]);
    if member.hired && !kid.has_been_up && kid.end.is_none() {
        return true; // Its supervisor has ended since, or it never came.
    }
    let orders = [Order::Terminate, Order::Restart, Order::Delete, Order::Start];
    let by_hand = match member.hired {
        true => walk.was_ordered(child, &orders[..3], walk.boss_since, now) || !kid.has_been_up,
        false => walk.was_ordered(child, &orders, walk.boss_since, now) || walk.is_forgotten(child, now),
    };
    by_hand || kid.end.is_some_and(|end| walk.may_be_final(child, &end, kid.was_up))
}

/// The strategy says who restarts with a child that failed.
fn goes_along(walk: &Walk<'_, '_>, failed: usize, siblings: &[usize], at: At, found: &mut Found) {
    let family = walk.family;
    let path = |child: usize| -> &TreePath { &family.members[child].path };
    for child in (0..family.members.len()).filter(|&child| child != failed) {
        let affected = match family.plan.strategy {
            Strategy::OneForOne => false,
            Strategy::OneForAll => true,
            Strategy::RestForOne => child > failed,
        };
        let is_said = siblings.contains(&child);
        if is_said && !affected {
            let what = format!("{} restarts with {}, against the strategy", path(child), path(failed));
            found.add("who restarts together", at, [&family.boss, path(failed), path(child)], what);
        }
        let stays = family.members[child].plan.restart == Restart::Temporary;
        let by_hand = walk.was_ordered(child, &[Order::Terminate, Order::Restart], walk.boss_since, at);
        if affected && !is_said && !stays && !by_hand && walk.is_alive(child) {
            let what = format!("{} does not restart with {}", path(child), path(failed));
            found.add("who restarts together", at, [&family.boss, path(failed), path(child)], what);
        }
    }
}
