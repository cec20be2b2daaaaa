//! `latido fetch`: the files that were asked for, and the life of each.
//!
//! | file | idea |
//! |---|---|
//! | [`intake`] | everything that was asked for, checked |
//! | [`entry`], [`entries`], [`input`], [`lines`] | what a list or the command line asks for |
//! | [`sums`] | what files must be, by their names |
//! | [`target`], [`placing`], [`renaming`] | where a file may go |
//! | [`request`], [`checksum`] | one file to get, and what it must be |
//! | [`cause`] | why a try failed, to be counted |
//! | [`job`] | the stages of a job, as a pure function of its answers |
//! | [`journal`] | the jobs on disk, for the next run |
//! | [`dry_run`] | what would be fetched, said and not done |
//! | [`hosts`] | servers that are to be spared, and the files that wait for them |
//! | [`mirrors`] | which of several places a file is got from |
//! | [`door`] | for those who look in from outside |
//! | [`exec`] | the command that is run on each file |
//! | [`hung`] | which of them are replaced when they hang |
//! | [`tree`], [`ledger`] | the actors, and the one that owns the jobs |
//! | [`text`] | other people's text, fit to be shown |
//! | `outside` | what holds of all that is read from outside, for the tests and `fuzz/` |
//! | [`board`], [`report`] | what the ledger tells those who watch |
//! | [`run`], [`summary`] | a run from its arguments to its end |

use std::fmt::Display;

use crate::cli::FetchArgs;
use crate::exit::Exit;
use crate::signals::Signals;
use crate::view::{self, Detail, Json, Screen};

pub(crate) mod board;
pub(crate) mod cause;
pub(crate) mod checksum;
pub(crate) mod door;
mod dry_run;
mod entries;
mod entry;
mod error;
pub(crate) mod exec;
pub(crate) mod hosts;
pub(crate) mod hung;
mod input;
pub(crate) mod intake;
pub(crate) mod job;
pub(crate) mod journal;
pub(crate) mod ledger;
mod lines;
mod mirrors;
#[cfg(test)]
mod outside;
mod placing;
mod renaming;
pub(crate) mod report;
pub(crate) mod request;
pub(crate) mod run;
pub(crate) mod summary;
pub(crate) mod sums;
pub(crate) mod target;
pub(crate) mod text;
pub(crate) mod tree;

use intake::Intake;
use run::{End, Ready, Run};
use summary::Summary;

/// `latido fetch`.
pub(crate) async fn command(args: &FetchArgs, screen: &Screen) -> anyhow::Result<Exit> {
    if args.dry_run {
        return dry_run::show(args, screen);
    }
    let ready = Ready::new(args)?;
    if !args.quiet {
        ready.warnings.iter().for_each(|warning| screen.line(warning));
    }
    ready.refused.lines().iter().for_each(|line| screen.line(line));
    let refused = ready.refused.count();
    let mut signals = Signals::listen()?;
    let running = ready.start()?;
    let run = running.run();
    let say = |words: &dyn Display| screen.line(words.to_string());
    let door = door::open("latido fetch", &running.tree, &run, args.door(), say);
    door::show(&door, screen);
    let detail = if args.quiet { Detail::Quiet } else { Detail::Normal };
    let events = running.tree.subscribe();
    let view = actix::spawn(view::show(events, run.board.clone(), screen.clone(), detail));
    let json = match args.json {
        false => None,
        true => {
            let events = running.tree.subscribe();
            let json = Json::begin(run.journal(), run.jobs()).await?;
            Some(actix::spawn(json.tell(events, running.tree.clone(), run.board.clone())))
        }
    };
    let end = running.end(&mut signals).await;
    if matches!(end, End::Interrupted(_)) {
        screen.line("stopping in order; what is done is kept (once more to stop at once)");
    }
    running.stop(&mut signals).await;
    view.await?;
    let json = match json {
        Some(telling) => Some(telling.await?),
        None => None,
    };

    if let End::GaveUp(reason) = &end {
        screen.line(format!("latido: the supervision tree {reason}; run the same command again to go on"));
    }
    let (exit, summary) = conclude(&run, &end, refused, screen);
    match (json, &summary) {
        (Some(json), summary) => json.end(view::End::new(exit, summary.as_ref())).await,
        (None, Some(summary)) if !args.quiet => view::say(summary),
        (None, _) => {}
    }
    Ok(exit)
}

/// What the run comes to, and what was done, if that can be known.
fn conclude(run: &Run, end: &End, refused: usize, screen: &Screen) -> (Exit, Option<Summary>) {
    let tally = match (run.tally(), end.interruption()) {
        (Ok(tally), _) => tally,
        // A ledger that is stuck still has the journal. What it has written is kept.
        (Err(_), Some(exit)) => return (exit, None),
        (Err(error), None) => {
            screen.line(format!("latido: nobody knows what was done: {error}"));
            return (Exit::GaveUp, None);
        }
    };
    let found = run.board.found();
    let summary = Summary { tally, found, refused, elapsed: run.started.elapsed() };
    let exit = match end {
        End::Interrupted(exit) => *exit,
        End::GaveUp(_) => Exit::GaveUp,
        End::Finished if summary.is_complete() => Exit::Ok,
        End::Finished => Exit::Failed,
    };
    (exit, Some(summary))
}
