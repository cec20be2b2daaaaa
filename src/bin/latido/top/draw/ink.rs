//! How things look: the terminal's own colours and the first eight, never the only sign of anything.

use console::truncate_str;
use latido::control::wire::State;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};

use crate::fetch::text::presentable;

#[derive(Clone, Copy)]
pub(super) struct Ink {
    pub(super) colour: bool,
}

impl Ink {
    pub(super) fn plain(self) -> Style {
        Style::new()
    }

    pub(super) fn strong(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    pub(super) fn faint(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    /// What is chosen: as bright as the terminal's own two colours, the other way round.
    pub(super) fn chosen(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    pub(super) fn coloured(self, colour: Color) -> Style {
        match self.colour {
            true => Style::new().fg(colour),
            false => Style::new(),
        }
    }

    pub(super) fn state(self, state: State) -> Style {
        match state {
            State::Running => self.coloured(Color::Green),
            State::Waiting | State::Starting | State::Stopping => self.coloured(Color::Yellow),
            State::Down => self.coloured(Color::Red).add_modifier(Modifier::BOLD),
            State::Finished | State::Unknown => self.faint(),
        }
    }

    pub(super) fn level(self, level: &str) -> Style {
        match level {
            "error" => self.coloured(Color::Red).add_modifier(Modifier::BOLD),
            "warn" => self.coloured(Color::Yellow),
            _ => self.plain(),
        }
    }

    /// Writes into the first row of `area`, and shows by dots that there is more.
    pub(super) fn put(self, buffer: &mut Buffer, area: Rect, text: &str, style: Style) {
        if area.is_empty() || !buffer.area.contains(area.as_position()) {
            return;
        }
        let text = presentable(text);
        let text = truncate_str(&text, usize::from(area.width), "..");
        buffer.set_stringn(area.x, area.y, text, usize::from(area.width), style);
    }

    /// A line with a title in it.
    pub(super) fn rule(self, buffer: &mut Buffer, area: Rect, title: &str) {
        let width = usize::from(area.width);
        let title = presentable(title);
        let title = truncate_str(&title, width.saturating_sub(4), "..");
        buffer.set_stringn(area.x, area.y, "─".repeat(width), width, self.faint());
        if !title.is_empty() {
            let title = format!(" {title} ");
            buffer.set_stringn(area.x + 1, area.y, title, width.saturating_sub(1), self.strong());
        }
    }
}

/// The row `n` of an area, if it has as many.
pub(super) fn row(area: Rect, n: u16) -> Rect {
    match n < area.height {
        true => Rect { y: area.y + n, height: 1, ..area },
        false => Rect { height: 0, ..area },
    }
}

/// Breaks a text where it is too long for a row; what follows is indented as the line was, and a little more.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for line in text.lines() {
        let line = presentable(line);
        let indent = line.len() - line.trim_start().len();
        let mut current = " ".repeat(indent);
        for word in line.trim_start().split(' ') {
            let length = |text: &str| console::measure_text_width(text);
            if length(&current) + length(word) + 1 > width && !current.trim().is_empty() {
                lines.push(current);
                current = " ".repeat(indent + 2);
            }
            if !current.trim().is_empty() {
                current.push(' ');
            }
            current.push_str(word);
        }
        lines.push(current);
    }
    lines
}
