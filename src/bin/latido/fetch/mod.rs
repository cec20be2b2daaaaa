//! `latido fetch`: the files that were asked for, and the life of each.
//!
//! | file | idea |
//! |---|---|
//! | [`entry`], [`input`] | what a list or the command line asks for |
//! | [`target`] | where a file may go |
//! | [`request`], [`checksum`] | one file to get, and what it must be |
//! | [`cause`] | why a try failed, to be counted |
//! | [`job`] | the stages of a job, as a pure function of its answers |
//! | [`journal`] | the jobs on disk, for the next run |
//! | [`exec`] | the command that is run on each file |
//! | [`tree`], [`ledger`] | the actors, and the one that owns the jobs |
//! | [`text`] | other people's text, fit to be shown |
//! | [`board`], [`report`] | what the ledger tells those who watch |
//! | [`run`], [`summary`] | a run from its arguments to its end |

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, stdin};
use std::path::{Path, PathBuf, absolute};

use crate::cli::FetchArgs;
use crate::exit::Exit;
use crate::signals::Signals;
use crate::view::{self, Detail, Json, Screen};

pub(crate) mod board;
pub(crate) mod cause;
pub(crate) mod checksum;
mod entry;
mod error;
pub(crate) mod exec;
mod input;
pub(crate) mod job;
pub(crate) mod journal;
mod ledger;
pub(crate) mod report;
pub(crate) mod request;
pub(crate) mod run;
pub(crate) mod summary;
pub(crate) mod target;
pub(crate) mod text;
mod tree;

use error::BadInput;

use entry::{Draft, Entry, EntryError, Origin};
use input::List;
use request::Request;
use run::{End, Ready, Run};
use summary::Summary;
use target::{Directories, TargetError};

/// `latido fetch`.
pub(crate) async fn command(args: &FetchArgs, screen: &Screen) -> anyhow::Result<Exit> {
    let ready = Ready::new(args)?;
    if !args.quiet {
        ready.warnings.iter().for_each(|warning| screen.line(warning));
    }
    let mut signals = Signals::listen()?;
    let running = ready.start()?;
    let run = running.run();
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
    let (exit, summary) = conclude(&run, &end, screen);
    match (json, &summary) {
        (Some(json), summary) => json.end(view::End::new(exit, summary.as_ref())).await,
        (None, Some(summary)) if !args.quiet => view::say(summary),
        (None, _) => {}
    }
    Ok(exit)
}

/// What the run comes to, and what was done, if that can be known.
fn conclude(run: &Run, end: &End, screen: &Screen) -> (Exit, Option<Summary>) {
    let tally = match (run.tally(), end.interruption()) {
        (Ok(tally), _) => tally,
        // A ledger that is stuck still has the journal. What it has written is kept.
        (Err(_), Some(exit)) => return (exit, None),
        (Err(error), None) => {
            screen.line(format!("latido: nobody knows what was done: {error}"));
            return (Exit::GaveUp, None);
        }
    };
    let summary = Summary { tally, elapsed: run.started.elapsed() };
    let exit = match end {
        End::Interrupted(exit) => *exit,
        End::GaveUp(_) => Exit::GaveUp,
        End::Finished if summary.is_complete() => Exit::Ok,
        End::Finished => Exit::Failed,
    };
    (exit, Some(summary))
}

/// What a run has to do.
#[derive(Debug)]
pub(crate) struct Intake {
    pub(crate) requests: Vec<Request>,
    /// Where they go; to be kept once nothing can go wrong any more.
    pub(crate) directories: Directories,
    /// The journal's file.
    pub(crate) journal: PathBuf,
    /// What the user should know, though it stops nothing.
    pub(crate) warnings: Vec<String>,
}

impl Intake {
    /// Reads and checks everything that was asked for and makes the directories ready. Only when all of it is
    /// right is anything done.
    pub(crate) fn new(args: &FetchArgs) -> Result<Self, BadInput> {
        let mut list = match &args.input {
            Some(input) => read_list(input)?,
            None => List::default(),
        };
        list.add_command_line(args);
        let List { entries, errors, ignored } = list;
        let entries = errors.or(entries)?;

        let mut directories = Directories::open(&args.dir).map_err(on_command_line)?;
        let journal = match &args.journal {
            Some(journal) => absolute(journal).map_err(on_command_line)?,
            None => directories.base().join(format!("{}.db", target::OURS)),
        };
        Ok(Self {
            requests: place(entries, &mut directories, &journal)?,
            directories,
            journal,
            warnings: ignored.iter().map(ToString::to_string).collect(),
        })
    }
}

fn read_list(path: &Path) -> Result<List, BadInput> {
    let read = match path.to_str() {
        Some("-") => input::read("standard input", stdin().lock()),
        _ => File::open(path).and_then(|file| input::read(&path.to_string_lossy(), BufReader::new(file))),
    };
    read.map_err(|error| on_command_line(format_args!("list {path:?} cannot be read: {error}")))
}

impl List {
    fn add_command_line(&mut self, args: &FetchArgs) {
        if args.urls.len() > 1 && (args.out.is_some() || args.checksum.is_some()) {
            self.errors.push(
                &Origin::CommandLine,
                "-o and --checksum are for a single URL; write a list and give it with -i",
            );
        }
        for url in &args.urls {
            match from_argument(url, args) {
                Ok(entry) => self.entries.extend(entry),
                Err(error) => self.errors.push(&Origin::CommandLine, error),
            }
        }
    }
}

fn from_argument(url: &str, args: &FetchArgs) -> Result<Option<Entry>, EntryError> {
    let mut draft = Draft::new(Origin::CommandLine);
    draft.urls(url)?;
    if let Some(name) = &args.out {
        draft.name(name)?;
    }
    if let Some(checksum) = args.checksum {
        draft.checksum(checksum)?;
    }
    draft.finish().map_err(|(_, error)| error)
}

/// Gives every entry its place on disk, and no two the same.
fn place(
    entries: Vec<Entry>,
    directories: &mut Directories,
    journal: &Path,
) -> Result<Vec<Request>, BadInput> {
    let mut errors = BadInput::default();
    let mut origins = Vec::with_capacity(entries.len());
    let mut requests = Vec::with_capacity(entries.len());
    for entry in entries {
        match directories.place(entry.dir.as_deref(), &entry.name) {
            Ok(target) => {
                requests.push(Request::new(&entry.urls, target, entry.checksum));
                origins.push(entry.origin);
            }
            Err(error) => errors.push(&entry.origin, error),
        }
    }
    // as strings: paths compare part by part, which is slow, and these have one spelling each
    let ours = journal::files(journal);
    let occupied = directories.occupied();
    let mut taken = HashMap::with_capacity(requests.len());
    for (request, origin) in requests.iter().zip(&origins) {
        if occupied.contains(request.target.as_os_str()) {
            errors.push(origin, TargetError::IsADirectory(request.target.to_path_buf()));
        }
        if ours.iter().any(|file| file.as_os_str() == request.target.as_os_str()) {
            errors.push(origin, TargetError::Ours(request.target.to_path_buf()));
        }
        if let Some((other, url)) = taken.insert(request.target.as_os_str(), (origin, request.url())) {
            errors.push(
                origin,
                format_args!(
                    "{} and {url} ({other}) would both become {:?}; name one of them with out=",
                    request.url(),
                    request.target
                ),
            );
        }
    }
    errors.or(requests)
}

fn on_command_line(error: impl std::fmt::Display) -> BadInput {
    let mut bad = BadInput::default();
    bad.push(&Origin::CommandLine, error);
    bad
}

#[cfg(test)]
mod tests;
