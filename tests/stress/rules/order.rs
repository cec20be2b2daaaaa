//! Children start in order, one when those before it are up, and stop in reverse; a group is down before it starts
//! again; a supervisor ends after its children.

use latido::supervision::Strategy;

use super::Found;
use super::walk::Walk;
use crate::history::{At, End, Family, History, Life, Moment, What};
use crate::notes::Order;

const BY_HAND: [Order; 4] = [Order::Start, Order::Terminate, Order::Restart, Order::Delete];

/// What is still to be done about the children.
struct Todo {
    /// To be up before those after it may start, since then; `usize::MAX` stands for no failed child.
    pending: Vec<Option<(At, usize)>>,
    /// To be down before anybody of its group may start.
    to_stop: Vec<bool>,
    /// The last restart of a group, and who failed.
    group: Option<(At, usize)>,
    /// When each child last ended.
    ended: Vec<At>,
}

pub(crate) fn check(family: &Family<'_>, history: &History<'_>, found: &mut Found) {
    let count = family.members.len();
    let first = family.members.iter().map(|member| (!member.hired).then_some((0, usize::MAX)));
    let mut todo =
        Todo { pending: first.collect(), to_stop: vec![false; count], group: None, ended: vec![0; count] };
    Walk::through(family, history, |walk, moment| match (moment.child, &moment.what) {
        // Those whose supervisor goes away above them may be seen late, when it has a successor already.
        (Some(child), What::Built) if !is_orphan(walk, child, moment) => {
            if !family.plan.dynamic || !walk.boss_is_up {
                starts_in_order(walk, history, moment, child, &todo, found);
            }
            starts_when_its_group_is_down(walk, moment, child, &todo, found);
        }
        (Some(child), What::Up) => todo.pending[child] = None,
        (Some(child), What::End(end)) => {
            stops_in_reverse(walk, moment, child, end, found);
            todo.ended(walk, moment, child, end);
        }
        (Some(child), What::Restarting { siblings, .. }) if family.plan.strategy != Strategy::OneForOne => {
            todo.restarts(walk, child, siblings, moment.at);
        }
        (None, What::Up) => is_up_after_its_children(walk, moment, &todo, found),
        (None, What::End(end)) => {
            ends_after_its_children(walk, end, found);
            for (child, member) in family.members.iter().enumerate() {
                todo.pending[child] = (!member.hired).then_some((moment.at, usize::MAX));
            }
            todo.to_stop.fill(false);
            todo.group = None;
        }
        _ => {}
    });
}

impl Todo {
    fn ended(&mut self, walk: &Walk<'_, '_>, moment: &Moment<'_>, child: usize, end: &End<'_>) {
        self.ended[child] = end.at;
        self.to_stop[child] = false;
        let was_up = walk.life(child, moment.event.incarnation).is_some_and(|life| life.up.is_some());
        if walk.may_be_final(child, end, was_up) {
            self.pending[child] = None;
        }
    }

    fn restarts(&mut self, walk: &Walk<'_, '_>, failed: usize, siblings: &[usize], at: At) {
        self.group = Some((at, failed));
        for &child in siblings.iter().chain([&failed]) {
            let kid = &walk.kids[child];
            // One that has finished, and of which the supervisor did not know that yet, does not come back.
            let may_stay = kid.end.is_some_and(|end| walk.may_be_final(child, &end, kid.was_up));
            self.pending[child] = (child == failed || !may_stay).then_some((at, failed));
        }
        for child in 0..self.to_stop.len() {
            let goes = walk.family.plan.strategy == Strategy::OneForAll || child > failed;
            if goes && child != failed && !siblings.contains(&child) {
                self.pending[child] = None; // It goes for good, or is down already.
            }
            self.to_stop[child] |= goes && child != failed && walk.is_alive(child);
        }
    }

    /// Whether a life that is seen now was begun after `since`, when `failed` was about to be restarted.
    fn is_launched_after(&self, child: usize, since: At, failed: usize) -> bool {
        failed == usize::MAX || child == failed || self.ended[child] > since
    }
}

fn is_orphan(walk: &Walk<'_, '_>, child: usize, moment: &Moment<'_>) -> bool {
    walk.life(child, moment.event.incarnation).is_some_and(Life::is_orphan)
}

fn starts_in_order(
    walk: &Walk<'_, '_>,
    history: &History<'_>,
    moment: &Moment<'_>,
    child: usize,
    todo: &Todo,
    found: &mut Found,
) {
    let family = walk.family;
    let life = walk.life(child, moment.event.incarnation);
    // Seen late, of a supervisor that has gone meanwhile.
    if life.is_some_and(|life| life.up.is_none() && life.end.is_some_and(|end| end.asked)) {
        return;
    }
    for before in 0..child {
        let Some((since, failed)) = todo.pending[before] else { continue };
        if family.plan.strategy == Strategy::OneForOne && walk.boss_is_up {
            continue;
        }
        let by_hand =
            walk.was_ordered(before, &BY_HAND, since, moment.at) || walk.is_forgotten(before, moment.at);
        // Launched by a supervisor that was about to end, and told to go before its successor began with those before it.
        let is_remnant = walk.boss_since > 0
            && life
                .is_some_and(|life| life.is_told_before(walk.next_begin(before, moment.at), history.events));
        if !by_hand && !is_remnant && todo.is_launched_after(child, since, failed) {
            let (before, child) = (&family.members[before].path, &family.members[child].path);
            let what = format!("{child} is built before {before} is up");
            found.add("start order", moment.at, [&family.boss, before, child], what);
        }
    }
}

fn starts_when_its_group_is_down(
    walk: &Walk<'_, '_>,
    moment: &Moment<'_>,
    child: usize,
    todo: &Todo,
    found: &mut Found,
) {
    let Some((since, failed)) = todo.group else { return };
    let Some(alive) = todo.to_stop.iter().rposition(|&to_stop| to_stop) else { return };
    if todo.is_launched_after(child, since, failed) {
        let (alive, child) = (&walk.family.members[alive].path, &walk.family.members[child].path);
        let what = format!("{child} is built while {alive} of its group is still to go down");
        found.add("group restart order", moment.at, [&walk.family.boss, alive, child], what);
    }
}

fn stops_in_reverse(
    walk: &Walk<'_, '_>,
    moment: &Moment<'_>,
    child: usize,
    end: &End<'_>,
    found: &mut Found,
) {
    let family = walk.family;
    if family.plan.dynamic || !end.asked || end.is_orphan() || end.is_displaced() {
        return;
    }
    let by_hand = walk.was_ordered(child, &BY_HAND, walk.boss_since, end.at);
    // It may have been killed with its supervisor, and have failed before it knew.
    let boss_end = walk.boss_end(end.at);
    let with_boss =
        boss_end.is_some_and(|boss| !boss.is_orderly() && !walk.comes_back(child, end.at, boss.at));
    if by_hand || with_boss || walk.may_be_a_remnant(moment) {
        return;
    }
    for after in child + 1..family.members.len() {
        if walk.is_alive(after) {
            let (child, after) = (&family.members[child].path, &family.members[after].path);
            let what = format!("{child} is stopped while {after}, which started after it, is alive");
            found.add("stop order", end.at, [&family.boss, child, after], what);
        }
    }
}

fn is_up_after_its_children(walk: &Walk<'_, '_>, moment: &Moment<'_>, todo: &Todo, found: &mut Found) {
    for (child, member) in walk.family.members.iter().enumerate().filter(|(_, member)| !member.hired) {
        let by_hand = walk.was_ordered(child, &BY_HAND, walk.boss_since, moment.at)
            || walk.is_forgotten(child, moment.at);
        if todo.pending[child].is_some() && !walk.kids[child].has_been_up && !by_hand {
            let what = format!("{} is up before {} is", walk.family.boss, member.path);
            found.add("up after its children", moment.at, [&walk.family.boss, &member.path], what);
        }
    }
}

fn ends_after_its_children(walk: &Walk<'_, '_>, end: &End<'_>, found: &mut Found) {
    if !end.is_orderly() {
        return;
    }
    for (child, member) in walk.family.members.iter().enumerate() {
        if walk.is_alive(child) {
            let what = format!("{} ends before its child {}", walk.family.boss, member.path);
            found.add("end after its children", end.at, [&walk.family.boss, &member.path], what);
        }
    }
}
