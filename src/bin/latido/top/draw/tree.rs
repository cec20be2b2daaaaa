//! The tree, a row for each part.

use console::measure_text_width;
use latido::control::wire::Budget;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};

use super::ink::{Ink, row};
use crate::fetch::text::presentable;
use crate::picture::Part;
use crate::remote::doing;
use crate::top::view::View;

const HEAD: &str = "STATE     LIFE  QUEUE  MSG/S  RESTARTS USED, LAST EXIT";
/// The columns between the name and the last one.
const NUMBERS: u16 = 32;
/// Marks the part that is told of, also where nothing can be reversed.
const MARK: u16 = 1;

pub(super) fn draw(buffer: &mut Buffer, area: Rect, view: &mut View, ink: Ink) {
    let rows = view.rows();
    let name = name_width(&rows, area.width);
    let numbers = Rect { x: area.x + MARK + name + 1, width: area.width - MARK - name - 1, ..area };
    ink.put(buffer, row(numbers, 0), HEAD, ink.strong());
    let room = usize::from(area.height).saturating_sub(1);
    let is_selected = |part: &Part| Some(&part.child.path) == view.selected.as_ref();
    let selected = rows.iter().position(|part| is_selected(part)).unwrap_or(0);
    let scroll = scrolled(view.scroll, selected, room, rows.len());
    let title = match (&*view.filter, rows.len() > room) {
        ("", false) => "PART".to_owned(),
        ("", true) => format!("PART {} of {}", selected + 1, rows.len()),
        (filter, _) => format!("PART /{filter}"),
    };
    ink.put(buffer, Rect { x: area.x + MARK, width: name, height: 1, ..area }, &title, ink.strong());
    for (n, part) in rows.iter().enumerate().skip(scroll).take(room) {
        let line = row(area, u16::try_from(n - scroll + 1).unwrap_or(u16::MAX));
        let chosen = if n == selected { ink.chosen() } else { Style::new() };
        buffer.set_style(line, chosen);
        if n == selected {
            ink.put(buffer, Rect { width: MARK, ..line }, ">", chosen);
        }
        let label = Rect { x: line.x + MARK, width: name, ..line };
        ink.put(buffer, label, &label_of(part), chosen);
        part_row(buffer, Rect { x: numbers.x, width: numbers.width, ..line }, part, chosen, ink);
    }
    if rows.is_empty() {
        ink.put(buffer, row(area, 1), " no part has these letters in its path; esc shows all", ink.faint());
    }
    view.scroll = scroll;
}

fn label_of(part: &Part) -> String {
    format!("{:indent$}{}", "", presentable(part.name()), indent = 2 * part.depth().min(8))
}

/// As wide as the longest name, within reason.
fn name_width(rows: &[&Part], width: u16) -> u16 {
    let longest = rows.iter().map(|part| 2 * part.depth().min(8) + measure_text_width(part.name())).max();
    let longest = u16::try_from(longest.unwrap_or(0)).unwrap_or(u16::MAX);
    let most = width.saturating_sub(NUMBERS + 2).max(12) * 2 / 3;
    longest.clamp(12, most.max(12))
}

/// The first row that is shown, so that the one that is told of is among them.
fn scrolled(before: usize, selected: usize, room: usize, rows: usize) -> usize {
    let least = (selected + 1).saturating_sub(room);
    before.clamp(least, selected.max(least)).min(rows.saturating_sub(room))
}

fn part_row(buffer: &mut Buffer, area: Rect, part: &Part, chosen: Style, ink: Ink) {
    let child = &part.child;
    let state = match chosen == Style::new() {
        true => ink.state(child.state),
        // Its colour might not be seen on the other's ground.
        false => chosen,
    };
    let mut x = area.x;
    let mut put = |width: u16, text: &str, style: Style| {
        let left = (area.x + area.width).saturating_sub(x);
        ink.put(buffer, Rect { x, width: width.min(left), ..area }, text, style);
        x = x.saturating_add(width).min(area.x + area.width);
    };
    put(10, doing(child), state);
    put(5, &format!("#{}", child.incarnation), chosen);
    match child.supervisor {
        Some(_) => put(14, "", chosen),
        None => {
            put(6, &format!("{:>6}", short(child.messages.queued as f64)), chosen);
            put(7, &format!("{:>7}", part.rate.map_or_else(|| "-".to_owned(), short)), chosen);
            put(1, "", chosen);
        }
    }
    put(1, "", chosen);
    const REST: u16 = u16::MAX;
    match (&child.supervisor, &child.last_exit) {
        (Some(supervisor), _) => {
            let text = format!("{} {}", bar(&supervisor.budget), supervisor.strategy.replace('_', "-"));
            let is_tight =
                supervisor.budget.used + 1 >= supervisor.budget.intensity && supervisor.budget.used > 0;
            let style = match is_tight && chosen == Style::new() {
                true => ink.coloured(Color::Red).add_modifier(Modifier::BOLD),
                false => chosen,
            };
            put(REST, &text, style);
        }
        (None, Some(exit)) => put(REST, &exit.text, chosen),
        (None, None) => {}
    }
}

/// How much of its restarts a supervisor has used: `[###-------] 3/10`.
pub(super) fn bar(budget: &Budget) -> String {
    const WIDTH: u32 = 10;
    let used = match budget.intensity {
        0 => 0,
        // Who has used some shows some.
        intensity => (budget.used * WIDTH).div_ceil(intensity).min(WIDTH),
    };
    let bar = "#".repeat(used as usize) + &"-".repeat((WIDTH - used) as usize);
    format!("[{bar}] {}/{}", budget.used, budget.intensity)
}

/// A number in a few characters.
pub(super) fn short(number: f64) -> String {
    match number {
        n if n >= 999_950.0 => format!("{:.1}M", n / 1e6),
        n if n >= 9_999.5 => format!("{:.1}k", n / 1e3),
        n if n >= 99.95 || n.fract() == 0.0 => format!("{n:.0}"),
        n => format!("{n:.1}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::samples::budget;

    #[test]
    fn the_row_that_is_told_of_is_always_shown() {
        for (before, selected, first) in
            [(0, 0, 0), (0, 9, 0), (0, 10, 1), (5, 3, 3), (95, 99, 90), (0, 99, 90)]
        {
            assert_eq!(scrolled(before, selected, 10, 100), first, "{before} {selected}");
        }
        assert_eq!(scrolled(50, 2, 10, 5), 0);
        assert_eq!(scrolled(0, 7, 0, 10), 8);
    }

    #[test]
    fn numbers_are_short_and_bars_show_the_first_restart() {
        let cases =
            [(0.0, "0"), (0.25, "0.2"), (12.34, "12.3"), (123.4, "123"), (12_345.0, "12.3k"), (4e6, "4.0M")];
        for (number, text) in cases {
            assert_eq!(short(number), text);
        }
        assert_eq!(bar(&budget(0)), "[----------] 0/5");
        assert_eq!(bar(&budget(1)), "[##--------] 1/5");
        assert_eq!(bar(&Budget { intensity: 100, ..budget(1) }), "[#---------] 1/100");
        assert_eq!(bar(&budget(6)), "[##########] 6/5");
    }
}
