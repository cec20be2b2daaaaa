//! What must be true, held against what was seen.

use std::collections::BTreeMap;

use latido::control::wire::{Event, What};

use super::file::{Expect, Incidents, Jobs};
use super::plan::Plan;
use super::record::{Record, Seen};
use super::run::Outcome;
use super::words::{Ending, Pattern, Time};

/// One hypothesis: what was expected, and what was measured.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub(super) struct Row {
    pub(super) hypothesis: &'static str,
    pub(super) expected: String,
    pub(super) measured: String,
    pub(super) holds: bool,
}

impl Row {
    fn new(hypothesis: &'static str, expected: impl ToString, measured: impl ToString, holds: bool) -> Self {
        Self { hypothesis, expected: expected.to_string(), measured: measured.to_string(), holds }
    }
}

/// All of them, the two that hold of every scenario first: it has happened, and it was seen.
pub(super) fn rows(plan: &Plan, outcome: &Outcome) -> Vec<Row> {
    let Expect {
        jobs,
        beside,
        restarted,
        untouched,
        ended,
        recovered_within,
        budget_used_at_most,
        gives_up,
        incidents,
        tries_failed_at_least,
        dead_letters,
        exit,
        survivors,
        over_within,
    } = &plan.expect;
    let record = &outcome.record;
    let mut rows = vec![steps(plan, outcome), seen(record)];
    rows.extend(jobs.map(|jobs| self::jobs(jobs, outcome)));
    rows.extend(beside.as_ref().map(|suffix| {
        let (is, all) = (outcome.found.beside, outcome.found.files);
        Row::new("beside", format!("NAME{suffix} for each file"), format!("{is} of {all}"), is == all)
    }));
    rows.extend(restarted.iter().map(|patterns| self::restarted(patterns.get_ref(), record)));
    rows.extend(untouched.iter().map(|patterns| self::untouched(patterns.get_ref(), record)));
    rows.extend(ended.iter().flat_map(|endings| endings.get_ref()).map(|ending| self::ended(ending, record)));
    rows.extend(recovered_within.map(|time| recovered(time, record)));
    rows.extend(budget_used_at_most.map(|most| budget(most, record)));
    rows.extend(gives_up.as_ref().map(|patterns| self::gives_up(patterns.get_ref(), record)));
    rows.extend(incidents.map(|Incidents::TellOfEachFault| self::incidents(record)));
    rows.extend(tries_failed_at_least.map(|least| {
        let failed = record.failed_tries();
        Row::new("tries_failed_at_least", least, failed, failed >= least)
    }));
    rows.extend(dead_letters.map(|count| {
        let told = self::dead_letters(record);
        Row::new("dead_letters", count, told, told == count)
    }));
    rows.extend(exit.map(|code| {
        let measured =
            outcome.code.map_or_else(|| "none: its time was up".to_owned(), |code| code.to_string());
        Row::new("exit", code, measured, outcome.code == Some(code))
    }));
    rows.extend(survivors.map(|count| {
        let left = &outcome.survivors;
        let measured =
            if left.is_empty() { "0".to_owned() } else { format!("{}: {}", left.len(), left.join(", ")) };
        Row::new("survivors", count, measured, left.len() == count)
    }));
    rows.extend(over_within.map(|time| {
        let took = record.took();
        Row::new(
            "over_within",
            time,
            format!("{took:.1} s"),
            outcome.code.is_some() && took <= time.0.as_secs_f64(),
        )
    }));
    rows
}

/// A fault that did not strike proves nothing.
fn steps(plan: &Plan, outcome: &Outcome) -> Row {
    let refused = outcome.record.entries.iter().find_map(|entry| match &entry.seen {
        Seen::Refused(why) => Some(why),
        _ => None,
    });
    let (taken, all) = (outcome.steps_taken, plan.steps.len());
    let measured = match (refused, outcome.mishaps_left) {
        (Some(why), _) => format!("{taken} of {all}; then: {why}"),
        (None, 0) => format!("{taken} of {all}"),
        (None, left) => format!("{taken} of {all}, and {left} answers of the server left to spoil"),
    };
    let holds = taken == all && refused.is_none() && outcome.mishaps_left == 0;
    Row::new("steps", "all taken", measured, holds)
}

fn seen(record: &Record) -> Row {
    let missed: u64 = record
        .events()
        .map(|(_, event)| match event.what {
            What::Missed { events } => events,
            _ => 0,
        })
        .sum();
    let count = record.events().count();
    Row::new("events", "none missed", format!("{count} read, {missed} missed"), missed == 0 && count > 0)
}

fn jobs(jobs: Jobs, outcome: &Outcome) -> Row {
    let found = &outcome.found;
    let done = outcome.record.files_done();
    let twice = done.values().filter(|times| **times > 1).count();
    if let Some(why) = &found.no_journal {
        return Row::new("jobs", "a journal", why, false);
    }
    let all = found.files;
    match jobs {
        Jobs::All | Jobs::AllOnce => {
            // A program that is killed has not told the last that it did.
            let told = if outcome.record.was_killed() { done.len() <= all } else { done.len() == all };
            let holds = found.right == all && found.done == all && found.jobs == all && told;
            let (expected, holds) = match jobs {
                Jobs::AllOnce => ("all done once", holds && twice == 0),
                _ => ("all done", holds),
            };
            let measured = format!(
                "of {all}: {} right on disk, {} done in the journal, {} by the events, {twice} twice",
                found.right,
                found.done,
                done.len()
            );
            Row::new("jobs", expected, measured, holds)
        }
        Jobs::NoneLost => {
            let holds = found.wrong == 0 && found.done_and_not_right == 0 && found.jobs == all;
            let measured = format!(
                "of {all}: {} right on disk, {} wrong; the journal has {}, {} of them done",
                found.right, found.wrong, found.jobs, found.done
            );
            Row::new("jobs", "none lost", measured, holds)
        }
    }
}

fn is_another_life(event: &Event) -> bool {
    matches!(event.what, What::Started) && event.incarnation > 1
}

/// The parts that there were, at first or later; some of them several times.
fn known(record: &Record) -> impl Iterator<Item = &str> {
    let started = record.events().filter(|(_, event)| matches!(event.what, What::Started));
    record.parts.iter().map(|path| &**path).chain(started.map(|(_, event)| &*event.path))
}

fn restarted(patterns: &[Pattern], record: &Record) -> Row {
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, event) in record.events().filter(|(_, event)| is_another_life(event)) {
        *times.entry(&event.path).or_default() += 1;
    }
    // Each part that fits, not just one of them: the first lives say which there are.
    let meant = |path: &str| patterns.iter().any(|pattern| pattern.fits(path));
    let mut never: Vec<_> = known(record).filter(|path| meant(path) && !times.contains_key(path)).collect();
    never.sort_unstable();
    never.dedup();
    let were: Vec<_> = times
        .iter()
        .filter(|(path, _)| meant(path))
        .map(|(path, times)| format!("{path} {times}x"))
        .collect();
    let measured = match (were.is_empty(), never.is_empty()) {
        (_, true) => were.join(", "),
        (true, false) => format!("not {}", never.join(", ")),
        (false, false) => format!("{}; not {}", were.join(", "), never.join(", ")),
    };
    Row::new("restarted", listed(patterns), measured, !were.is_empty() && never.is_empty())
}

fn untouched(patterns: &[Pattern], record: &Record) -> Row {
    let mut touched: Vec<_> = record
        .events()
        .filter(|(_, event)| is_another_life(event) || matches!(event.what, What::Exited { .. }))
        .map(|(_, event)| &*event.path)
        .filter(|path| patterns.iter().any(|pattern| pattern.fits(path)))
        .collect();
    touched.sort_unstable();
    touched.dedup();
    let mut first: Vec<_> =
        known(record).filter(|path| patterns.iter().any(|pattern| pattern.fits(path))).collect();
    first.sort_unstable();
    first.dedup();
    let measured = match touched.is_empty() {
        true if first.len() == 1 => "1 part in its first life".to_owned(),
        true => format!("{} parts in their first life", first.len()),
        false => format!("touched: {}", touched.join(", ")),
    };
    Row::new("untouched", listed(patterns), measured, touched.is_empty() && !first.is_empty())
}

fn ended(ending: &Ending, record: &Record) -> Row {
    let Ending { pattern, kind } = ending;
    let mut others = Vec::new();
    let mut times = 0;
    for (_, event) in record.events().filter(|(_, event)| pattern.fits(&event.path)) {
        if let What::Exited { reason, .. } = &event.what {
            match reason.kind == *kind {
                true => times += 1,
                false => others.push(reason.kind.as_str()),
            }
        }
    }
    others.sort_unstable();
    others.dedup();
    let measured = match (times, others.is_empty()) {
        (0, true) => "it did not end".to_owned(),
        (0, false) => format!("no; it {}", others.join(", ")),
        (times, _) => format!("{times}x"),
    };
    Row::new("ended", format!("{pattern} {kind}"), measured, times > 0)
}

/// From each failure to the next life of the same part.
fn recovered(time: Time, record: &Record) -> Row {
    let mut down: BTreeMap<(usize, &str), f64> = BTreeMap::new();
    let mut slowest: Option<(f64, &str)> = None;
    for (entry, event) in record.events() {
        match event.what {
            // The first of several failures without a life between them counts.
            What::Exited { .. } => drop(down.entry((entry.life, &event.path)).or_insert(event.at)),
            What::Started => {
                if let Some(since) = down.remove(&(entry.life, &*event.path)) {
                    let took = (event.at - since).max(0.0);
                    slowest = slowest.filter(|(most, _)| *most >= took).or(Some((took, &event.path)));
                }
            }
            _ => {}
        }
    }
    let (measured, holds) = match (down.keys().next(), slowest) {
        (Some((_, path)), _) => (format!("{path} was not up again"), false),
        (None, None) => ("nothing failed".to_owned(), false),
        (None, Some((took, path))) => {
            (format!("{:.0} ms at most ({path})", took * 1000.0), took <= time.0.as_secs_f64())
        }
    };
    Row::new("recovered_within", time, measured, holds)
}

fn budget(most: u32, record: &Record) -> Row {
    let used = record.events().filter_map(|(_, event)| match &event.what {
        What::Restarting { budget, .. } => Some((
            budget.used,
            budget.intensity,
            event.path.rsplit_once('/').map_or("", |(parent, _)| parent),
        )),
        What::GaveUp { budget, .. } => Some((budget.used, budget.intensity, &*event.path)),
        _ => None,
    });
    let most_used = used.max();
    let measured = most_used
        .map_or_else(|| "0".to_owned(), |(used, intensity, path)| format!("{used} of {intensity} ({path})"));
    Row::new("budget_used_at_most", most, measured, most_used.is_none_or(|(used, ..)| used <= most))
}

fn gives_up(patterns: &[Pattern], record: &Record) -> Row {
    let gave_up: Vec<_> = record
        .events()
        .filter(|(_, event)| matches!(event.what, What::GaveUp { .. }))
        .map(|(_, event)| &*event.path)
        .collect();
    let each = patterns.iter().all(|pattern| gave_up.iter().any(|path| pattern.fits(path)));
    let only = gave_up.iter().all(|path| patterns.iter().any(|pattern| pattern.fits(path)));
    let nobody = |names: String| if names.is_empty() { "nobody".to_owned() } else { names };
    Row::new("gives_up", nobody(listed(patterns)), nobody(gave_up.join(", ")), each && only)
}

/// Of each life that ended after a fault was put into it.
fn incidents(record: &Record) -> Row {
    let mut faults: BTreeMap<(usize, &str, u64), &str> = BTreeMap::new();
    let (mut all, mut told) = (0, 0);
    for (entry, event) in record.events() {
        let life = (entry.life, &*event.path, event.incarnation);
        match &event.what {
            What::Injected { fault } => drop(faults.insert(life, fault)),
            What::Exited { .. } => {
                let Some(fault) = faults.remove(&life) else { continue };
                all += 1;
                let incident = event.incident.and_then(|id| record.incidents.get(&(entry.life, id)));
                let tells = incident.and_then(|incident| incident.injected.as_deref()) == Some(fault);
                told += usize::from(tells);
            }
            _ => {}
        }
    }
    let measured = format!("{told} of {all} faults that ended a life");
    Row::new("incidents", "tell of each fault", measured, all > 0 && told == all)
}

/// They are counted by part, and told at every doubling; the last that was told of each is the count.
fn dead_letters(record: &Record) -> u64 {
    let mut totals: BTreeMap<(usize, &str), u64> = BTreeMap::new();
    for (entry, event) in record.events() {
        if let What::DeadLetter { total, .. } = event.what {
            totals.insert((entry.life, &event.path), total);
        }
    }
    totals.values().sum()
}

fn listed(patterns: &[Pattern]) -> String {
    patterns.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
