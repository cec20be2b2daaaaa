//! What a run shows: lines for what happens, and bars below them on a terminal.

mod bars;
mod json;
mod line;
mod screen;
mod sum;

use std::fmt::Display;
use std::io::{self, Write};
use std::iter;
use std::sync::Arc;
use std::time::Duration;

use console::Term;
use latido::{Event, Events};

pub(crate) use self::json::Json;
pub(crate) use self::line::{End, SCHEMA};
pub(crate) use self::screen::{Screen, wrap};
use crate::fetch::board::Board;
use crate::fetch::report::{JobReport, What};
use bars::Bars;

/// How much is said.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    /// Only what ends in failure.
    Quiet,
    /// Failures and restarts; where there are no bars, each finished file too.
    Normal,
    /// Everything the tree does.
    Everything,
}

/// From look to look at what has happened. Nobody sees a shorter time; and to be woken for each of ten thousand files
/// would cost more than to fetch them.
const LOOK: Duration = Duration::from_millis(25);
/// From picture to picture of the bars.
const DRAW: Duration = Duration::from_millis(100);

/// Shows a run until its tree has ended.
pub(crate) async fn show(mut events: Events, board: Arc<Board>, screen: Screen, detail: Detail) {
    let mut bars =
        (detail != Detail::Quiet).then(|| screen.bars().map(|multi| Bars::new(multi, &board))).flatten();
    let mut draw = tokio::time::interval(DRAW);
    loop {
        tokio::select! {
            event = events.next() => match event {
                Some(first) => {
                    for event in iter::once(first).chain(iter::from_fn(|| events.try_next())) {
                        if is_worth_a_line(&event, detail, bars.is_some()) {
                            screen.event(&event);
                        }
                    }
                    // At the end there is nothing to wait for.
                    let _ = tokio::time::timeout(LOOK, board.finished()).await;
                }
                None => break,
            },
            _ = draw.tick() => bars.iter_mut().for_each(|bars| bars.draw(&board)),
        }
    }
    if let Some(bars) = bars {
        bars.clear();
    }
}

/// Writes a result to standard output. A reader that has gone, as `head` does, changes nothing about the result.
pub(crate) fn say(result: impl Display) {
    let result = screen::fitted(&Term::stdout(), &result.to_string());
    let _ = writeln!(io::stdout(), "{result}");
}

fn is_worth_a_line(event: &Event, detail: Detail, has_bars: bool) -> bool {
    match (event.report::<JobReport>(), detail) {
        (Some(JobReport { what: What::Failed { .. }, .. }), _) => true,
        (_, Detail::Quiet) => false,
        (Some(JobReport { what: What::Done { .. }, .. }), _) => !has_bars,
        (Some(JobReport { what: What::Started { .. } | What::Verified { .. }, .. }), _) => false,
        (Some(_), _) => true,
        (None, Detail::Normal) => event.level() <= log::Level::Warn,
        (None, Detail::Everything) => event.level() <= log::Level::Info,
    }
}
