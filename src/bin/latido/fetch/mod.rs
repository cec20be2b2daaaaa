//! `latido fetch`: the files that were asked for, and the life of each.
//!
//! | file | idea |
//! |---|---|
//! | [`entry`], [`entries`], [`input`] | what a list or the command line asks for |
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
use std::collections::hash_map::RandomState;
use std::fs::File;
use std::hash::BuildHasher;
use std::io::{BufReader, stdin};
use std::path::{Path, PathBuf, absolute};

use crate::cli::FetchArgs;
use crate::exit::Exit;
use crate::signals::Signals;
use crate::view::{self, Detail, Json, Screen};

pub(crate) mod board;
pub(crate) mod cause;
pub(crate) mod checksum;
mod entries;
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

use entries::Entries;
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
    entries: Entries,
    /// Where they go; to be kept once nothing can go wrong any more.
    pub(crate) directories: Directories,
    /// The journal's file.
    pub(crate) journal: PathBuf,
    /// What the user should know, though it stops nothing.
    pub(crate) warnings: Vec<String>,
}

impl Intake {
    /// What there is to get; there is time to make each anew, and not the memory to keep them all.
    pub(crate) fn requests(&self) -> impl Iterator<Item = Request> {
        self.entries.iter().map(|(_, entry)| {
            let target = self.directories.placed(entry.dir.as_deref(), &entry.name);
            Request::new(&entry.urls, target.expect("every entry has its place"), entry.checksum)
        })
    }

    /// How many files there are to get.
    pub(crate) fn count(&self) -> usize {
        self.entries.len()
    }

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
            entries: place(entries, &mut directories, &journal)?,
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
fn place(entries: Entries, directories: &mut Directories, journal: &Path) -> Result<Entries, BadInput> {
    let mut errors = BadInput::default();
    for (_, entry) in entries.iter() {
        if let Err(error) = directories.place(entry.dir.as_deref(), &entry.name) {
            errors.push(&entry.origin, error);
        }
    }
    // as strings: paths compare part by part, which is slow, and these have one spelling each
    let ours = journal::files(journal);
    let occupied = directories.occupied();
    let placed = |entry: &Entry| directories.placed(entry.dir.as_deref(), &entry.name);
    // By a hash of the path, which takes less room than the path; those of one hash are looked at.
    let hash = RandomState::new();
    let mut taken = HashMap::with_capacity(entries.len());
    for (place, entry) in entries.iter() {
        let Some(target) = placed(&entry) else { continue };
        if occupied.contains(target.as_os_str()) {
            errors.push(&entry.origin, TargetError::IsADirectory(target.to_path_buf()));
        }
        if ours.iter().any(|file| file.as_os_str() == target.as_os_str()) {
            errors.push(&entry.origin, TargetError::Ours(target.to_path_buf()));
        }
        let other = taken.insert(hash.hash_one(target.as_os_str()), place);
        let other = other.map(|other| entries.at(other));
        if let Some(other) = other.filter(|other| placed(other).as_ref() == Some(&target)) {
            errors.push(
                &entry.origin,
                format_args!(
                    "{} and {} ({}) would both become {target:?}; name one of them with out=",
                    entry.url(),
                    other.url(),
                    other.origin
                ),
            );
        }
    }
    errors.or(entries)
}

fn on_command_line(error: impl std::fmt::Display) -> BadInput {
    let mut bad = BadInput::default();
    bad.push(&Origin::CommandLine, error);
    bad
}

#[cfg(test)]
mod tests;
