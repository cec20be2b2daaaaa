//! Everything that was asked for, read and checked, before anything is done.

use std::borrow::Cow;
use std::fs::File;
use std::io::{BufReader, stdin};
use std::mem;
use std::path::{Path, PathBuf, absolute};

use latido::actors::downloader::Credentials;

use super::entries::Entries;
use super::entry::{Draft, Entry, EntryError, Origin};
use super::error::BadInput;
use super::input::{self, List};
use super::placing::place;
use super::request::Request;
use super::sums::{self, Sums, SumsFile};
use super::target::{self, Directories};
use crate::cli::FetchArgs;

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
    /// What was wrong and is left out, with `--keep-going`.
    pub(crate) refused: BadInput,
}

impl Intake {
    /// What there is to get; there is time to make each anew, and not the memory to keep them all. A request is kept in
    /// the journal, and shown: it has no password in its URLs.
    pub(crate) fn requests(&self) -> impl Iterator<Item = Request> {
        self.entries.iter().map(|(_, entry)| {
            let target = self.directories.placed(entry.dir.as_deref(), &entry.name);
            let target = target.expect("every entry has its place");
            let urls = without_passwords(&entry.urls, &mut Credentials::none());
            Request::new(&urls, target, entry.checksum).with_size(entry.size)
        })
    }

    /// The passwords that are missing in the requests.
    pub(crate) fn credentials(&self) -> Credentials {
        let mut credentials = Credentials::none();
        if !self.entries.contain(b'@') {
            return credentials;
        }
        for (_, entry) in self.entries.iter() {
            without_passwords(&entry.urls, &mut credentials);
        }
        credentials
    }

    /// The first URL that has a password in it, as it may be shown.
    pub(crate) fn with_password(&self) -> Option<String> {
        let has_one = |urls: &str| without_passwords(urls, &mut Credentials::none()) != urls;
        self.entries.iter().find(|(_, entry)| has_one(&entry.urls)).map(|(_, entry)| entry.url().into_owned())
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
        let sums = args.sums.as_ref().map(read_sums).transpose()?;
        let mut warnings: Vec<_> = list.ignored.iter().map(ToString::to_string).collect();
        if let Some(sums) = &sums {
            pin(&mut list, sums);
            if sums.is_signed {
                warnings.push(format!("{}: it is signed; the signature is not checked", sums.list));
            }
        }
        let mut refused = list.errors;
        if !args.keep_going {
            mem::take(&mut refused).or(())?;
        }

        let open = if args.dry_run { Directories::imagine } else { Directories::open };
        let mut directories = open(&args.dir).map_err(on_command_line)?;
        let journal = match &args.journal {
            Some(journal) => absolute(journal).map_err(on_command_line)?,
            None => directories.base().join(format!("{}.db", target::OURS)),
        };
        let renamed = args.auto_rename.then_some(&mut warnings);
        let (entries, errors) = place(list.entries, &mut directories, &journal, renamed);
        refused.append(errors);
        if !args.keep_going || entries.len() == 0 {
            mem::take(&mut refused).or(())?;
        }
        Ok(Self { entries, directories, journal, warnings, refused })
    }
}

/// URLs, separated by tabs, whose passwords are remembered elsewhere.
fn without_passwords<'a>(urls: &'a str, credentials: &mut Credentials) -> Cow<'a, str> {
    if !urls.contains('@') {
        return urls.into();
    }
    let each = urls.split('\t').map(|url| credentials.remember(url).unwrap_or_else(|| url.to_owned()));
    each.collect::<Vec<_>>().join("\t").into()
}

fn read_list(path: &Path) -> Result<List, BadInput> {
    let read = match path.to_str() {
        Some("-") => input::read("standard input", stdin().lock()),
        _ => File::open(path).and_then(|file| input::read(&path.to_string_lossy(), BufReader::new(file))),
    };
    read.map_err(|error| on_command_line(format_args!("list {path:?} cannot be read: {error}")))
}

fn read_sums(SumsFile { algorithm, path }: &SumsFile) -> Result<Sums, BadInput> {
    let read = match path.to_str() {
        Some(url) if url.contains("://") => {
            let error =
                format_args!("checksums {url:?} cannot be read from there; fetch them into a file first");
            return Err(on_command_line(error));
        }
        Some("-") => sums::read("standard input", *algorithm, stdin().lock()),
        name => File::open(path).and_then(|file| {
            let name = name.map_or_else(|| path.to_string_lossy(), Into::into);
            sums::read(&name, *algorithm, BufReader::new(file))
        }),
    };
    let mut sums =
        read.map_err(|error| on_command_line(format_args!("checksums {path:?} cannot be read: {error}")))?;
    mem::take(&mut sums.errors).or(sums)
}

/// Gives every file its checksum from those that are on record.
fn pin(list: &mut List, sums: &Sums) {
    let List { entries, errors, .. } = list;
    let pinned = |(_, mut entry): (_, Entry)| match sums.pin(&mut entry) {
        Ok(()) => Some(entry),
        Err(error) => {
            errors.push(&entry.origin, error);
            None
        }
    };
    *entries = entries.iter().filter_map(pinned).collect();
}

impl List {
    fn add_command_line(&mut self, args: &FetchArgs) {
        if args.urls.len() > 1 && (args.out.is_some() || args.checksum.is_some()) {
            self.errors.push(
                &Origin::CommandLine,
                "-o and --checksum are for a single URL; write a list and give it with -i",
            );
        }
        let (metalinks, urls): (Vec<_>, Vec<_>) = args.urls.iter().partition(|url| input::is_metalink(url));
        for path in metalinks {
            if args.out.is_some() || args.checksum.is_some() {
                let error = format_args!("-o and --checksum are for a single URL; {path:?} has its own");
                self.errors.push(&Origin::CommandLine, error);
            }
            match read_list(Path::new(path)) {
                Ok(list) => self.append(list),
                Err(error) => self.errors.append(error),
            }
        }
        for url in urls {
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
    if let Some(checksum) = &args.checksum {
        draft.checksum(checksum.clone())?;
    }
    draft.finish().map_err(|(_, error)| error)
}

fn on_command_line(error: impl std::fmt::Display) -> BadInput {
    let mut bad = BadInput::default();
    bad.push(&Origin::CommandLine, error);
    bad
}

#[cfg(test)]
mod tests;
