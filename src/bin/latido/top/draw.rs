//! A view on a screen.

mod ink;
mod panes;
mod popup;
mod tree;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};

use super::view::View;
use ink::Ink;

/// From so many columns on there are two columns of panes.
const WIDE: u16 = 120;
/// Below this nothing can be read.
const SMALLEST: (u16, u16) = (40, 10);

pub(super) fn draw(frame: &mut Frame, view: &mut View) {
    let area = frame.area();
    let ink = Ink { colour: view.colour };
    let buffer = frame.buffer_mut();
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        ink.put(buffer, area, "too small a window", ink.plain());
        return;
    }
    let [head, body, word, keys] = Layout::vertical([
        Constraint::Length(2),
        Constraint::Min(1),
        Constraint::Length(1),
        Constraint::Length(1),
    ])
    .areas(area);
    panes::head(buffer, head, view, ink);
    if view.picture.is_none() {
        ink.put(buffer, body, "waiting for the first picture ...", ink.faint());
    } else if area.width >= WIDE {
        // The story stands beside the tree, and the events have the whole width for their words.
        let [upper, events] = split(body, view, STORY);
        let [rows, details] =
            Layout::horizontal([Constraint::Fill(3), Constraint::Fill(2)]).spacing(1).areas(upper);
        tree::draw(buffer, rows, view, ink);
        panes::details(buffer, details, view, ink);
        panes::events(buffer, events, view, ink);
    } else {
        let [upper, details] =
            Layout::vertical([Constraint::Min(1), Constraint::Length(DETAILS)]).areas(body);
        let [rows, events] = split(upper, view, 0);
        tree::draw(buffer, rows, view, ink);
        panes::events(buffer, events, view, ink);
        panes::details(buffer, details, view, ink);
    }
    panes::foot(buffer, word, keys, view, ink);
    popup::draw(buffer, body, view, ink);
}

/// The details' rows where there is little room, their title included.
const DETAILS: u16 = 4;
/// The rows of a story beside the tree.
const STORY: u16 = 24;

/// The tree gets what it needs and `least`, but leaves a third to the events.
fn split(area: Rect, view: &View, least: u16) -> [Rect; 2] {
    let wanted = u16::try_from(view.rows().len() + 1).unwrap_or(u16::MAX).max(least);
    let events = (area.height / 3).max(4).min(area.height / 2);
    let rows = wanted.min(area.height - events);
    Layout::vertical([Constraint::Length(rows), Constraint::Min(1)]).areas(area)
}

#[cfg(test)]
mod tests;
