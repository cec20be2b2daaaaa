//! What stands above the rest for a while.

use latido::control::wire::FaultInfo;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Rect};
use ratatui::style::Style;
use ratatui::widgets::{Block, Clear, Widget};

use super::ink::{Ink, row, wrapped};
use super::panes::event_row;
use crate::fetch::text::presentable;
use crate::remote::is_stopped;
use crate::top::faults::ready;
use crate::top::keys::{HELP, Mode};
use crate::top::view::View;

pub(super) fn draw(buffer: &mut Buffer, area: Rect, view: &mut View, ink: Ink) {
    match view.mode.clone() {
        Mode::Faults { chosen, text } => faults(buffer, area, view, chosen, &text, ink),
        Mode::Why { scroll } => why(buffer, area, view, scroll, ink),
        Mode::Help => {
            let lines = HELP.iter().map(|(keys, what)| (format!("{keys:<12}  {what}"), Style::new()));
            lines_in(buffer, area, "keys", lines.collect(), ink);
        }
        Mode::Tree | Mode::Stop | Mode::Filter => {}
    }
}

fn faults(buffer: &mut Buffer, area: Rect, view: &View, chosen: usize, text: &str, ink: Ink) {
    let style = |n| if n == chosen { ink.chosen() } else { Style::new() };
    let offered = view.offered();
    let word = |fault: &FaultInfo| presentable(ready(fault).unwrap_or(&fault.usage));
    let width = offered.iter().map(|fault| word(fault).chars().count()).max().unwrap_or(0);
    let line = |(n, fault): (usize, &FaultInfo)| {
        (format!("{:<width$}  {}", word(fault), presentable(&fault.says)), style(n))
    };
    let mut lines: Vec<(String, Style)> = offered.iter().enumerate().map(line).collect();
    let own = match chosen == offered.len() {
        true => format!("{text}_"),
        false => "or write one yourself".to_owned(),
    };
    lines.push((own, style(offered.len())));
    let title = format!("break {}", view.selected.as_deref().unwrap_or_default());
    // Of a list that is too long, those up to the chosen one are seen at least.
    let room = usize::from(area.height.saturating_sub(2));
    lines_in(buffer, area, &title, lines.split_off((chosen + 1).saturating_sub(room)), ink);
}

const STOPPED: &str = "it was stopped on purpose, and stays down until it is restarted (r)";
/// So many failures before the last are named.
const EARLIER: usize = 5;

/// The story of the last failure of a part, and what happened around it.
fn why(buffer: &mut Buffer, area: Rect, view: &mut View, scroll: u16, ink: Ink) {
    let (Some(picture), Some(path)) = (&view.picture, &view.selected) else { return };
    let inner = frame(buffer, area, &format!("why {path}"), ink);
    let width = usize::from(inner.width);
    let is_stopped = view.part().is_some_and(|part| is_stopped(&part.child));
    let Some(incident) = picture.incident(path) else {
        let text = if is_stopped { STOPPED } else { "it has not failed, and nothing below it has" };
        ink.put(buffer, inner, text, Style::new());
        return;
    };
    let mut story = wrapped(&incident.story, width);
    if is_stopped {
        story.splice(0..0, [STOPPED.to_owned(), "before that:".to_owned(), String::new()]);
    }
    let earlier = picture.incidents.iter().rev().filter(|it| it.befell(path) && it.id < incident.id);
    let earlier: Vec<_> = earlier.take(EARLIER).filter_map(|it| it.story.lines().next()).collect();
    if !earlier.is_empty() {
        story.extend([String::new(), "earlier, the last first:".to_owned()]);
        story.extend(earlier.iter().flat_map(|line| wrapped(line, width)));
    }
    let (from, to) = (incident.at - 0.5, incident.at + incident.down.unwrap_or(0.0) + 2.0);
    let mut around: Vec<_> = picture.notable.iter().filter(|event| (from..to).contains(&event.at)).collect();
    around.reverse();
    let lines = story.len() + 2 + around.len();
    let most = lines.saturating_sub(usize::from(inner.height));
    let scroll = usize::from(scroll).min(most);
    for n in 0..inner.height {
        let line = row(inner, n);
        match usize::from(n) + scroll {
            n if n < story.len() => {
                let style = if n == 0 { ink.strong() } else { Style::new() };
                ink.put(buffer, line, &story[n], style);
            }
            n if n == story.len() => {}
            n if n == story.len() + 1 => ink.put(buffer, line, "what happened around it:", ink.strong()),
            n => {
                if let Some(event) = around.get(n - story.len() - 2) {
                    event_row(buffer, line, event, Some(path), ink);
                }
            }
        }
    }
    if let Mode::Why { scroll: now } = &mut view.mode {
        *now = u16::try_from(scroll).unwrap_or(u16::MAX);
    }
}

fn lines_in(buffer: &mut Buffer, area: Rect, title: &str, lines: Vec<(String, Style)>, ink: Ink) {
    let width = lines.iter().map(|(line, _)| line.chars().count()).max().unwrap_or(0).max(title.len() + 2);
    let width = u16::try_from(width + 4).unwrap_or(u16::MAX).min(area.width);
    let height = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX).min(area.height);
    let inner =
        frame(buffer, area.centered(Constraint::Length(width), Constraint::Length(height)), title, ink);
    for (n, (line, style)) in (0..).zip(lines) {
        ink.put(buffer, row(inner, n), &line, style);
    }
}

/// A frame with nothing in it yet.
fn frame(buffer: &mut Buffer, area: Rect, title: &str, ink: Ink) -> Rect {
    Clear.render(area, buffer);
    let block = Block::bordered().border_style(ink.strong());
    let inner = block.inner(area);
    block.render(area, buffer);
    let title_area = Rect { x: area.x + 2, width: area.width.saturating_sub(4), height: 1, ..area };
    ink.put(buffer, title_area, &format!(" {title} "), ink.strong());
    Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner }
}
