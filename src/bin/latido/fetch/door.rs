//! The door of a run, for `latido tree` and its like.

use std::io;
use std::net::SocketAddr;

use latido::control::{Door, OpenDoor};
use latido::supervision::Tree;
use serde_json::json;

use super::job::Stage;
use super::run::Run;
use crate::view::Screen;

/// Opens it. That nobody can look in from outside is to be told, and no reason not to fetch.
pub(crate) fn open(
    program: &str,
    tree: &Tree,
    run: &Run,
    may_act: bool,
    web: Option<SocketAddr>,
) -> io::Result<OpenDoor> {
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
    let door = if may_act { door.allow_actions() } else { door };
    let door = web.into_iter().fold(door, Door::tcp);
    door.open().map_err(|error| {
        io::Error::new(error.kind(), format!("nobody can look in with `latido tree`: {error}"))
    })
}

/// Says where its page is, if it has one.
pub(crate) fn show(door: &io::Result<OpenDoor>, screen: &Screen) {
    match door {
        Err(error) => screen.line(error.to_string()),
        Ok(door) => {
            door.card().url().inspect(|url| screen.line(format!("open this in a browser:\n\n  {url}\n")));
        }
    }
}
