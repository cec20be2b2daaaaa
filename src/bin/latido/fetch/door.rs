//! The door of a run, for `latido tree` and its like.

use std::fmt::Display;
use std::net::SocketAddr;
use std::path::Path;

use latido::control::{Door, DoorError, OpenDoor};
use latido::supervision::Tree;
use serde_json::json;

use super::job::Stage;
use super::run::Run;
use crate::view::Screen;

/// What of a door is the user's choice.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Terms<'a> {
    /// Whoever looks in may also break, restart and stop parts.
    pub(crate) may_act: bool,
    /// Where to serve the page.
    pub(crate) web: Option<SocketAddr>,
    /// Where to write what can be seen.
    pub(crate) record: Option<&'a Path>,
}

/// Opens it, without what of it cannot be had. That there is no page, no recording or no door at all is to be said, and no
/// reason not to fetch.
pub(crate) fn open(
    program: &str,
    tree: &Tree,
    run: &Run,
    mut terms: Terms,
    say: impl Fn(&dyn Display),
) -> Option<OpenDoor> {
    loop {
        match door(program, tree, run, terms).open() {
            Ok(door) => return Some(door),
            Err(DoorError::Port(error)) => {
                say(&format_args!("there is no page: {error}"));
                terms.web = None;
            }
            Err(DoorError::Record(error)) => {
                say(&format_args!("nothing is recorded: {error}"));
                terms.record = None;
            }
            Err(error) => {
                let page = if terms.web.is_some() { ", there is no page" } else { "" };
                let recording = if terms.record.is_some() { ", nothing is recorded" } else { "" };
                say(&format_args!("nobody can look in with `latido tree`{page}{recording}: {error}"));
                return None;
            }
        }
    }
}

fn door(program: &str, tree: &Tree, run: &Run, terms: Terms) -> Door {
    let (board, journal) = (run.board.clone(), run.journal().to_owned());
    let door = Door::new(tree).program(program).extra("jobs", move || {
        let count = |stage| board.count(stage);
        json!({
            "journal": journal.to_string_lossy(),
            "total": board.total(),
            "queued": count(Stage::Queued),
            "fetching": count(Stage::Fetching),
            "verifying": count(Stage::Verifying),
            "processing": count(Stage::Processing),
            "done": count(Stage::Done),
            "failed": count(Stage::Failed),
            "bytes": board.bytes(),
        })
    });
    let door = terms.web.into_iter().fold(door, Door::tcp);
    let door = terms.record.into_iter().fold(door, Door::record);
    if terms.may_act { door.allow_actions() } else { door }
}

/// Says where its page is, if it has one.
pub(crate) fn show(door: &Option<OpenDoor>, screen: &Screen) {
    if let Some(url) = door.as_ref().and_then(|door| door.card().url()) {
        invite(&url, screen);
    }
}

/// Says where a page is.
pub(crate) fn invite(url: &str, screen: &Screen) {
    screen.line(format!("open this in a browser:\n\n  {url}\n"));
}
