//! `latido fetch`: the files that were asked for, and the life of each.
//!
//! | file | idea |
//! |---|---|
//! | [`entry`], [`input`] | what a list or the command line asks for |
//! | [`target`] | where a file may go |
//! | [`request`], [`checksum`] | one file to get, and what it must be |
//! | [`job`] | the stages of a job, as a pure function of its answers |
//! | [`journal`] | the jobs on disk, for the next run |
//! | [`exec`] | the command that is run on each file |
//! | [`tree`], [`ledger`] | the actors, and the one that owns the jobs |
//! | [`board`], [`report`] | what the ledger tells those who watch |
//! | [`run`], [`summary`] | a run from its arguments to its end |

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::{BufReader, stdin};
use std::path::{Path, PathBuf, absolute};

use tokio::signal::unix::SignalKind;

use crate::cli::FetchArgs;
use crate::exit::Exit;
use crate::view::{self, Detail, Screen};

pub(crate) mod board;
pub(crate) mod checksum;
mod entry;
mod error;
pub(crate) mod exec;
mod input;
pub(crate) mod job;
mod journal;
mod ledger;
pub(crate) mod report;
mod request;
pub(crate) mod run;
mod summary;
mod target;
mod tree;

use error::BadInput;

use entry::{Draft, Entry, EntryError, Origin};
use input::List;
use request::Request;
use run::{End, Ready, Signals};
use summary::Summary;
use target::{Directories, TargetError};

/// `latido fetch`.
pub(crate) async fn command(args: &FetchArgs, screen: &Screen) -> anyhow::Result<Exit> {
    let running = Ready::new(args)?.start()?;
    let run = running.run();
    let detail = if args.quiet { Detail::Quiet } else { Detail::Normal };
    let events = running.tree.subscribe();
    let view = actix::spawn(view::show(events, run.board.clone(), screen.clone(), detail));
    let mut signals = Signals::listen()?;
    let end = running.end(&mut signals).await;
    if matches!(end, End::Interrupted(_)) {
        screen.line("stopping in order; what is done is kept (once more to stop at once)");
    }
    running.stop(&mut signals).await;
    view.await?;

    let summary = Summary {
        jobs: run.jobs()?,
        elapsed: run.started.elapsed(),
    };
    if !args.quiet {
        view::say(&summary);
    }
    Ok(match end {
        End::Interrupted(kind) if kind == SignalKind::terminate() => Exit::Terminated,
        End::Interrupted(_) => Exit::Interrupted,
        End::GaveUp(reason) => {
            screen.line(format!(
                "latido: the supervision tree {reason}; run the same command again to go on"
            ));
            Exit::GaveUp
        }
        End::Finished if summary.is_complete() => Exit::Ok,
        End::Finished => Exit::Failed,
    })
}

/// What a run has to do.
#[derive(Debug)]
pub(crate) struct Intake {
    pub(crate) requests: Vec<Request>,
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
        let List {
            entries,
            errors,
            ignored,
        } = list;
        let entries = errors.or(entries)?;

        let mut directories = Directories::open(&args.dir).map_err(on_command_line)?;
        let journal = match &args.journal {
            Some(journal) => absolute(journal).map_err(on_command_line)?,
            None => directories.base().join(format!("{}.db", target::OURS)),
        };
        Ok(Self {
            requests: place(entries, &mut directories, &journal)?,
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
    let ours = journal_files(journal);
    let occupied = directories.occupied();
    let mut taken = HashMap::with_capacity(requests.len());
    for (request, origin) in requests.iter().zip(&origins) {
        if occupied.contains(request.target.as_os_str()) {
            errors.push(origin, TargetError::IsADirectory(request.target.to_path_buf()));
        }
        if ours
            .iter()
            .any(|file| file.as_os_str() == request.target.as_os_str())
        {
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

/// The journal and what SQLite puts beside it, as paths without links.
fn journal_files(journal: &Path) -> Vec<PathBuf> {
    let (Some(parent), Some(name)) = (journal.parent(), journal.file_name()) else {
        return Vec::new();
    };
    let parent = parent.canonicalize().unwrap_or_else(|_| parent.to_owned());
    let beside = |suffix: &str| {
        let mut name = OsString::from(name);
        name.push(suffix);
        parent.join(name)
    };
    ["", "-wal", "-shm", "-journal"].map(beside).to_vec()
}

fn on_command_line(error: impl std::fmt::Display) -> BadInput {
    let mut bad = BadInput::default();
    bad.push(&Origin::CommandLine, error);
    bad
}

#[cfg(test)]
mod tests;
