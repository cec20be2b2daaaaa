//! What a door says, for people.

use std::io::{self, Write};
use std::time::Duration;

use console::{Style, style};
use indicatif::HumanDuration;
use jiff::Timestamp;
use latido::control::wire::{Child, Event, FaultInfo, Instance, State, Tree};

use crate::fetch::text::presentable;

pub(super) fn program(out: &mut impl Write, instance: &Instance, tree: &Tree, first: bool) -> io::Result<()> {
    if first {
        writeln!(out, "{:>8}  {:<20}  {:<14}  {:>9}  ACTIONS", "PID", "PROGRAM", "SINCE", "PARTS UP")?;
    }
    let workers = || tree.children.iter().filter(|child| child.supervisor.is_none());
    let up =
        format!("{}/{}", workers().filter(|child| child.state == State::Running).count(), workers().count());
    let since = HumanDuration(Duration::from_secs_f64((tree.at - instance.since).max(0.0))).to_string();
    let actions = if instance.actions { "allowed" } else { "no" };
    writeln!(
        out,
        "{:>8}  {:<20}  {since:<14}  {up:>9}  {actions}",
        instance.pid,
        presentable(&instance.program)
    )
}

pub(super) fn tree(out: &mut impl Write, tree: &Tree) -> io::Result<()> {
    let depth = |child: &Child| child.path.matches('/').count();
    let name = |child: &Child| child.path.rsplit('/').next().unwrap_or_default().to_owned();
    let width =
        tree.children.iter().map(|child| 2 * depth(child) + name(child).chars().count()).max().unwrap_or(0);
    for child in &tree.children {
        let name = format!("{:indent$}{}", "", presentable(&name(child)), indent = 2 * depth(child));
        let state = colour(child.state).apply_to(format!("{:<8}", word(child.state)));
        write!(out, "{name:<width$}  {state}  #{:<3}", child.incarnation)?;
        match &child.supervisor {
            Some(supervisor) => write!(
                out,
                "  {}, {} of {} restarts used",
                supervisor.strategy.replace('_', "-"),
                supervisor.budget.used,
                supervisor.budget.intensity
            )?,
            None => write!(out, "  {}, {} handled", child.kind, child.messages.handled)?,
        }
        for (count, what) in [
            (child.messages.queued, "queued"),
            (child.messages.lost, "lost"),
            (child.messages.dropped, "dropped"),
        ] {
            if count > 0 {
                write!(out, ", {count} {what}")?;
            }
        }
        for (is_so, word) in [(child.paused, "paused"), (child.draining, "draining")] {
            if is_so {
                write!(out, ", {}", style(word).yellow())?;
            }
        }
        for injection in &child.armed {
            write!(out, ", armed with {}", presentable(injection))?;
        }
        match &child.last_exit {
            Some(exit) => writeln!(out, "; last {}", presentable(&exit.text))?,
            None => writeln!(out)?,
        }
    }
    match tree.abandoned_threads {
        0 => {}
        1 => writeln!(out, "1 thread was left behind, with an actor that blocks it")?,
        threads => writeln!(out, "{threads} threads were left behind, with actors that block them")?,
    }
    Ok(())
}

pub(super) fn event(out: &mut impl Write, event: &Event) -> io::Result<()> {
    let text = match &*event.level {
        "error" => style(presentable(&event.text)).red().bold(),
        "warn" => style(presentable(&event.text)).yellow(),
        _ => style(presentable(&event.text)),
    };
    writeln!(out, "{}  {text}", style(clock(event.at)).dim())
}

pub(super) fn faults(out: &mut impl Write, faults: &[FaultInfo]) -> io::Result<()> {
    let width = faults.iter().map(|fault| fault.usage.chars().count()).max().unwrap_or(0);
    for FaultInfo { usage, says, .. } in faults {
        writeln!(out, "{:<width$}  {}", presentable(usage), presentable(says))?;
    }
    Ok(())
}

/// The time of day, UTC, to the millisecond.
pub(crate) fn clock(at: f64) -> String {
    let at = Timestamp::from_millisecond((at * 1000.0) as i64).unwrap_or_default();
    at.strftime("%T%.3f").to_string()
}

/// What a part is doing, in one word.
pub(crate) fn doing(child: &Child) -> &'static str {
    match child.state {
        State::Running if child.draining => "draining",
        State::Running if child.paused => "paused",
        State::Finished if is_stopped(child) => "stopped",
        state => word(state),
    }
}

/// Whether somebody has had it stopped.
pub(crate) fn is_stopped(child: &Child) -> bool {
    child.state == State::Finished && child.last_exit.as_ref().is_some_and(|exit| exit.kind == "shutdown")
}

pub(crate) fn word(state: State) -> &'static str {
    match state {
        State::Down => "down",
        State::Starting => "starting",
        State::Running => "running",
        State::Stopping => "stopping",
        State::Waiting => "waiting",
        State::Finished => "finished",
        State::Unknown => "?",
    }
}

fn colour(state: State) -> Style {
    match state {
        State::Running => Style::new().green(),
        State::Waiting | State::Starting | State::Stopping => Style::new().yellow(),
        State::Down => Style::new().red(),
        State::Finished | State::Unknown => Style::new().dim(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_day() {
        assert_eq!(clock(0.0), "00:00:00.000");
        assert_eq!(clock(86_400.0 * 20_000.0 + 3_723.004_5), "01:02:03.004");
    }
}
