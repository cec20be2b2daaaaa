//! What stands around the tree.

use std::sync::Arc;

use console::measure_text_width;
use indicatif::HumanBytes;
use latido::control::wire::{Event, State};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};

use super::ink::{Ink, row, wrapped};
use super::tree::short;
use crate::picture::{Part, Picture};
use crate::remote::{clock, doing};
use crate::top::keys::Mode;
use crate::top::view::{Source, View};

pub(super) fn head(buffer: &mut Buffer, area: Rect, view: &View, ink: Ink) {
    let Some(picture) = &view.picture else { return };
    let workers = || picture.parts.iter().filter(|part| part.child.supervisor.is_none());
    let up = workers().filter(|part| part.child.state == State::Running).count();
    let restarts: u64 = picture.parts.iter().map(Part::restarts).sum();
    let instance = &picture.instance;
    let s = |count: u64| if count == 1 { "" } else { "s" };
    let mut text = format!(
        " {} {} | {up}/{} parts up | {restarts} restart{} | up {}",
        instance.program,
        instance.pid,
        workers().count(),
        s(restarts),
        duration(picture.at - instance.since)
    );
    let threads = picture.abandoned_threads;
    if threads > 0 {
        text += &format!(" | {threads} thread{} left behind", s(threads as u64));
    }
    let (when, style) = when(view, picture, ink);
    let width = u16::try_from(measure_text_width(&when)).unwrap_or(0) + 1;
    let left = Rect { width: area.width.saturating_sub(width + 1), ..row(area, 0) };
    ink.put(buffer, left, &text, ink.strong());
    let x = area.x + area.width.saturating_sub(width);
    ink.put(buffer, Rect { x, width: area.right() - x, ..row(area, 0) }, &when, style);
    ink.put(buffer, row(area, 1), &jobs(picture), ink.plain());
}

/// Which moment is shown.
fn when(view: &View, picture: &Picture, ink: Ink) -> (String, ratatui::style::Style) {
    let past = ink.coloured(Color::Magenta).add_modifier(Modifier::BOLD);
    match (&view.source, view.at) {
        (Source::Live { gone: Some(_) }, None) => {
            ("GONE".to_owned(), ink.coloured(Color::Red).add_modifier(Modifier::BOLD))
        }
        (Source::Live { .. }, None) => {
            ("LIVE".to_owned(), ink.coloured(Color::Green).add_modifier(Modifier::BOLD))
        }
        (Source::Live { .. }, Some(_)) => {
            let (_, last) = view.past.span().unwrap_or_default();
            (format!("PAUSED {}, {} ago", clock(picture.at), duration(last - picture.at)), past)
        }
        (Source::Recording { .. }, _) => {
            let (first, last) = view.past.span().unwrap_or_default();
            let word = if view.plays { "PLAYS" } else { "PAUSED" };
            let (at, all) = (duration(picture.at - first), duration(last - first));
            (format!("{word} {}, {at} of {all}", clock(picture.at)), past)
        }
    }
}

fn jobs(picture: &Picture) -> String {
    let Some(jobs) = &picture.jobs else { return String::new() };
    let count = |name: &str| jobs.value[name].as_u64().unwrap_or(0);
    let stages = ["queued", "fetching", "verifying", "processing", "done", "failed"];
    // These two are rare.
    let is_shown = |stage: &&&str| count(stage) > 0 || !["verifying", "failed"].contains(stage);
    let stages: Vec<_> =
        stages.iter().filter(is_shown).map(|stage| format!("{} {stage}", count(stage))).collect();
    let mut text = format!(" jobs {}: {} | {}", count("total"), stages.join(" "), HumanBytes(count("bytes")));
    if let Some(speed) = jobs.speed {
        text += &format!(" {}/s", HumanBytes(speed as u64));
    }
    text
}

pub(super) fn events(buffer: &mut Buffer, area: Rect, view: &View, ink: Ink) {
    let Some(picture) = &view.picture else { return };
    let title = match view.all_events {
        true => "everything that happened (e: only failures and what came of them)",
        false => "failures and what came of them (e: everything)",
    };
    ink.rule(buffer, row(area, 0), title);
    let events = if view.all_events { &picture.events } else { &picture.notable };
    let room = usize::from(area.height.saturating_sub(1));
    let mut shown: Vec<&Arc<Event>> =
        events.iter().filter(|event| view.passes(&event.path)).take(room).collect();
    shown.reverse();
    if shown.is_empty() {
        ink.put(buffer, row(area, 1), " nothing yet", ink.faint());
    }
    for (n, event) in (1..).zip(shown) {
        event_row(buffer, row(area, n), event, view.selected.as_deref(), ink);
    }
}

/// An event in one row; those of the part that is told of stand out.
pub(super) fn event_row(buffer: &mut Buffer, line: Rect, event: &Event, selected: Option<&str>, ink: Ink) {
    let is_meant = selected == Some(&*event.path);
    let mark = if is_meant { ">" } else { " " };
    ink.put(buffer, line, &format!("{mark}{}", clock(event.at)), ink.faint());
    let text = Rect { x: line.x + 15, width: line.width.saturating_sub(15), ..line };
    let style = ink.level(&event.level);
    let style = if is_meant { style.add_modifier(Modifier::BOLD) } else { style };
    ink.put(buffer, text, &event.text, style);
}

/// All that is known of one part, and the story of its last failure as far as there is room.
pub(super) fn details(buffer: &mut Buffer, area: Rect, view: &View, ink: Ink) {
    let (Some(picture), Some(part)) = (&view.picture, view.part()) else { return };
    ink.rule(buffer, row(area, 0), &part.child.path);
    let width = usize::from(area.width.saturating_sub(1));
    let is_low = area.height < 10;
    let mut lines = about(part, picture.at);
    match picture.incident(&part.child.path) {
        Some(incident) if is_low => {
            // Its beginning and its end; w has all of it.
            let mut story = incident.story.lines();
            lines = vec![lines[..2].join(", "), story.next().unwrap_or_default().to_owned()];
            lines.extend(story.next_back().map(ToOwned::to_owned));
            let text = Rect { x: area.x + 1, width: area.width.saturating_sub(1), ..area };
            for (n, line) in (1..).zip(lines) {
                ink.put(buffer, row(text, n), &line, ink.plain());
            }
            return;
        }
        Some(incident) => {
            lines.push(String::new());
            lines.extend(incident.story.lines().map(ToOwned::to_owned));
        }
        None if view.can_act() => {
            lines.push("it has not failed; p lets it panic, i breaks it in other ways".to_owned());
        }
        None => lines.push("it has not failed".to_owned()),
    }
    let lines = lines.iter().flat_map(|line| match line.is_empty() {
        true => vec![String::new()],
        false => wrapped(line, width),
    });
    for (n, line) in (1..area.height).zip(lines) {
        let line_area = row(area, n);
        let area = Rect { x: line_area.x + 1, width: line_area.width.saturating_sub(1), ..line_area };
        ink.put(buffer, area, &line, ink.plain());
    }
}

fn about(part: &Part, at: f64) -> Vec<String> {
    let child = &part.child;
    let mut lines = vec![format!("{}, life #{}, {}", doing(child), child.incarnation, child.kind)];
    if !child.armed.is_empty() {
        lines[0] += &format!(", armed with {}", child.armed.join(" "));
    }
    if let Some(supervisor) = &child.supervisor {
        let budget = &supervisor.budget;
        lines.push(format!(
            "{}: {} of {} restarts used in {}",
            supervisor.strategy.replace('_', "-"),
            budget.used,
            budget.intensity,
            duration(budget.period)
        ));
    } else {
        let counts = &child.messages;
        let mut text = format!(
            "{} message{} handled, {} queued",
            counts.handled,
            if counts.handled == 1 { "" } else { "s" },
            counts.queued
        );
        for (count, what) in [(counts.lost, "lost"), (counts.dropped, "dropped")] {
            if count > 0 {
                text += &format!(", {count} {what}");
            }
        }
        if let Some(rate) = part.rate {
            text += &format!(", {} a second", short(rate));
        }
        lines.push(text);
    }
    if let Some(exit) = &child.last_exit {
        lines.push(format!("last {}", exit.text));
    }
    if let Some((when, event)) = &part.said {
        let said = event.text.split_once(": ").map_or(&*event.text, |(_, said)| said);
        lines.push(format!("said {} ago: {said}", duration(at - when)));
    }
    lines
}

/// What is to be said, and what the keys are for.
pub(super) fn foot(buffer: &mut Buffer, word: Rect, keys: Rect, view: &View, ink: Ink) {
    let path = view.selected.as_deref().unwrap_or_default();
    let (text, style) = match (&view.mode, &view.word, &view.source) {
        (Mode::Filter, ..) => (format!(" /{}_", view.filter), ink.strong()),
        (Mode::Stop, ..) => {
            (format!(" stop {path}, until it is restarted? y does it, any other key does not"), ink.strong())
        }
        (_, Some(word), _) => {
            let style = match word.is_refusal {
                true => ink.coloured(Color::Red).add_modifier(Modifier::BOLD),
                false => ink.strong(),
            };
            (format!(" {}", word.text), style)
        }
        (_, None, Source::Live { gone: Some(why) }) => {
            (format!(" {why}; shown again as soon as it is started anew"), ink.strong())
        }
        _ => (String::new(), ink.plain()),
    };
    ink.put(buffer, word, &text, style);
    let hints = match &view.mode {
        Mode::Filter => " enter keeps the filter, esc drops it",
        Mode::Faults { .. } => " enter breaks it, esc goes back",
        Mode::Why { .. } => " up and down if there is more, any other key goes back",
        Mode::Help => " any key goes back",
        Mode::Tree | Mode::Stop => match view.source {
            Source::Live { .. } => {
                " up/down choose  p panic  i break  r restart  s stop  w why  / find  space pause  ? help  q quit"
            }
            Source::Recording { .. } => {
                " up/down choose  w why  space pause, play  left/right time  [ ] events  ? help  q quit"
            }
        },
    };
    let hints = match usize::from(keys.width) < hints.len() {
        true => hints.replace("up/down choose  ", ""),
        false => hints.to_owned(),
    };
    ink.put(buffer, keys, &hints, ink.chosen());
    let filled = Rect { height: 1, ..keys };
    buffer.set_style(filled, ink.chosen());
}

/// A length of time in a few characters.
pub(super) fn duration(seconds: f64) -> String {
    let seconds = seconds.max(0.0);
    match seconds {
        s if s < 0.9995 && s > 0.0 => format!("{:.0}ms", s * 1e3),
        s if s < 59.95 => format!("{s:.1}s"),
        s if s < 3_600.0 => format!("{}m{:02}s", s as u64 / 60, s as u64 % 60),
        s => format!("{}h{:02}m", s as u64 / 3_600, s as u64 / 60 % 60),
    }
}
