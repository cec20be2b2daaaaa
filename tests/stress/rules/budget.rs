//! Restarts are counted, one for each failure and none for anything else; whoever is out of them gives up; a wait is
//! as long as was said.

use std::time::Duration;

use latido::ExitReason;
use latido::supervision::Restart;

use super::Found;
use super::walk::Walk;
use crate::history::{At, Family, History, What};
use crate::notes::Order;
use crate::plan::PERIOD;

pub(crate) fn check(family: &Family<'_>, history: &History<'_>, found: &mut Found) {
    let mut used = 0;
    let mut gave_up: Option<At> = None;
    let mut waits: Vec<Option<(At, Duration)>> = vec![None; family.members.len()];
    let mut ended = vec![0; family.members.len()];
    Walk::through(family, history, |walk, moment| {
        let path = |child: usize| [&family.boss, &family.members[child].path];
        match (moment.child, &moment.what) {
            (Some(child), What::Restarting { delay, budget, .. }) => {
                used += 1;
                let kid = &walk.kids[child];
                let failed =
                    kid.end.is_some_and(|end| match (end.reason, family.members[child].plan.restart) {
                        _ if end.is_displaced() => false,
                        (_, Restart::Temporary) => false,
                        (ExitReason::Normal, Restart::Transient) => false,
                        (ExitReason::Normal, Restart::Permanent) => kid.was_up,
                        _ => true,
                    });
                if !failed {
                    let what = format!("{} is restarted, and has not failed", family.members[child].path);
                    found.add("one restart for one failure", moment.at, path(child), what);
                }
                let intensity = family.plan.intensity.unwrap_or(u32::MAX);
                let counted = family.plan.intensity.is_none() || budget.used == used;
                if !counted || budget.used > intensity || budget.intensity != intensity {
                    let what = format!("restart {used} of {intensity} is said to be {budget}");
                    found.add("restarts are counted", moment.at, path(child), what);
                }
                waits[child] = Some((moment.at, *delay));
            }
            (None, What::GaveUp { budget }) => {
                gave_up = Some(moment.at);
                let is_over = family.plan.intensity == Some(used) && budget.period == PERIOD;
                if !is_over {
                    let what = format!("{} gives up after {used} restarts: {budget}", family.boss);
                    found.add("restarts are counted", moment.at, [&family.boss], what);
                }
            }
            (Some(child), What::Built) => {
                if gave_up.is_some_and(|at| ended[child] > at) {
                    let what =
                        format!("{} is started after its supervisor gave up", family.members[child].path);
                    found.add("giving up is the end", moment.at, path(child), what);
                }
                if let Some((since, delay)) = waits[child].take()
                    && !walk.was_ordered(child, &[Order::Terminate, Order::Restart], since, moment.at)
                    && ended[child] < since
                {
                    // Since it failed: the decision may have been told a while after it was made.
                    let failed = history.events[ended[child]].at;
                    let waited = moment.event.at.duration_since(failed).unwrap_or_default();
                    if waited + Duration::from_millis(1) < delay {
                        let what = format!(
                            "{} waits for {waited:?} instead of {delay:?}",
                            family.members[child].path
                        );
                        found.add("the wait before a restart", moment.at, path(child), what);
                    }
                }
            }
            (Some(child), What::End(_)) => ended[child] = moment.at,
            (None, What::End(_)) => {
                (used, gave_up) = (0, None);
                waits.fill(None);
            }
            _ => {}
        }
    });
}
