//! One file to get, as a list or the command line asks for it.

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;
use std::rc::Rc;

use latido::actors::downloader::redacted;
use reqwest::Url;

use super::checksum::{Checksum, ChecksumError};
use super::target::{TargetError, checked_dir, checked_name, name_of};

/// Where something was asked for, for the errors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    CommandLine,
    Line { list: Rc<str>, number: usize },
}

/// One file to get, as it was asked for: checked, but without a place on disk yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) origin: Origin,
    /// Separated by tabs.
    pub(crate) urls: String,
    pub(crate) name: PathBuf,
    pub(crate) dir: Option<PathBuf>,
    pub(crate) checksum: Option<Checksum>,
    /// Its length in bytes.
    pub(crate) size: Option<u64>,
}

impl Origin {
    /// The number of its line; 0 on the command line.
    pub(crate) fn line(&self) -> usize {
        match self {
            Self::CommandLine => 0,
            Self::Line { number, .. } => *number,
        }
    }
}

impl Entry {
    /// The first of its URLs, as it may be shown.
    pub(crate) fn url(&self) -> Cow<'_, str> {
        redacted(self.urls.split('\t').next().unwrap_or_default())
    }
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum EntryError {
    #[error("{0:?} is no URL: {1}; write it in full, such as https://example.org/file")]
    NoUrl(String, String),
    #[error("{0:?} has the scheme `{1}`, which is not supported; use http or https")]
    Scheme(String, String),
    #[error("{0:?} is indented, but no URL stands above it")]
    NoUrlAbove(String),
    #[error("{0:?} is no option; write out=NAME, dir=DIR or checksum=sha-256=HEX")]
    NoOption(String),
    #[error("option `{0}` is not known; out, dir and checksum are")]
    UnknownOption(String),
    #[error("option `{0}` is given twice for one file")]
    Twice(&'static str),
    #[error("size={0:?} is no number of bytes")]
    Size(String),
    #[error("the line is no UTF-8; convert the list")]
    NotUtf8,
    #[error("the line does not end within 64 KiB; is this a list?")]
    TooLong,
    #[error(transparent)]
    Checksum(#[from] ChecksumError),
    #[error(transparent)]
    Target(#[from] TargetError),
}

/// An entry while its options are read.
#[derive(Debug)]
pub(crate) struct Draft {
    origin: Origin,
    urls: Vec<Url>,
    name: Option<PathBuf>,
    dir: Option<PathBuf>,
    checksum: Option<Checksum>,
    size: Option<u64>,
    is_spoiled: bool,
}

impl Draft {
    pub(crate) fn new(origin: Origin) -> Self {
        Self {
            origin,
            urls: Vec::new(),
            name: None,
            dir: None,
            checksum: None,
            size: None,
            is_spoiled: false,
        }
    }

    /// Takes a line of URLs, separated by tabs.
    pub(crate) fn urls(&mut self, line: &str) -> Result<(), EntryError> {
        let texts = line.split('\t').map(str::trim).filter(|text| !text.is_empty());
        self.urls = texts.map(parse_url).collect::<Result<_, _>>()?;
        Ok(())
    }

    /// Adds one more URL for the same file.
    pub(crate) fn url(&mut self, text: &str) -> Result<(), EntryError> {
        self.urls.push(parse_url(text)?);
        Ok(())
    }

    pub(crate) fn name(&mut self, name: &str) -> Result<(), EntryError> {
        match self.name.replace(checked_name(name.into())?) {
            None => Ok(()),
            Some(_) => Err(EntryError::Twice("out")),
        }
    }

    pub(crate) fn dir(&mut self, dir: &str) -> Result<(), EntryError> {
        match self.dir.replace(checked_dir(dir.into())?) {
            None => Ok(()),
            Some(_) => Err(EntryError::Twice("dir")),
        }
    }

    pub(crate) fn checksum(&mut self, checksum: Checksum) -> Result<(), EntryError> {
        match self.checksum.replace(checksum) {
            None => Ok(()),
            Some(_) => Err(EntryError::Twice("checksum")),
        }
    }

    pub(crate) fn size(&mut self, size: u64) -> Result<(), EntryError> {
        match self.size.replace(size) {
            None => Ok(()),
            Some(_) => Err(EntryError::Twice("size")),
        }
    }

    /// Something about it was wrong, so there is no telling what was meant: no entry comes of it.
    pub(crate) fn spoil(&mut self) {
        self.is_spoiled = true;
    }

    /// The entry, named after its first URL if by nothing else; `None` if it never got one, or was spoiled.
    pub(crate) fn finish(self) -> Result<Option<Entry>, (Origin, EntryError)> {
        let Some(first) = self.urls.first().filter(|_| !self.is_spoiled) else {
            return Ok(None);
        };
        let name = match self.name.map_or_else(|| name_of(first), Ok) {
            Ok(name) => name,
            Err(error) => return Err((self.origin, error.into())),
        };
        let urls: Vec<_> = self.urls.iter().map(Url::as_str).collect();
        Ok(Some(Entry {
            origin: self.origin,
            urls: urls.join("\t"),
            name,
            dir: self.dir,
            checksum: self.checksum,
            size: self.size,
        }))
    }
}

fn parse_url(text: &str) -> Result<Url, EntryError> {
    let url =
        Url::parse(text).map_err(|error| EntryError::NoUrl(redacted(text).into(), error.to_string()))?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        scheme => Err(EntryError::Scheme(redacted(text).into(), scheme.to_owned())),
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CommandLine => f.write_str("command line"),
            Self::Line { list, number } => write!(f, "{list}:{number}"),
        }
    }
}
