//! Lists of files to get, in the format of aria2's input files: a line of URLs, separated by tabs, and beneath
//! it indented lines `out=`, `dir=`, `checksum=`, and of our own `size=`. Lines that begin with `#` and blank lines mean nothing.

use std::fmt;
use std::io::{self, BufRead};
use std::ops::ControlFlow;
use std::rc::Rc;

use super::entries::Entries;
use super::entry::{Draft, EntryError, Origin};
use super::error::BadInput;
use super::lines;
use super::text::presentable;

mod metalink;

/// So many kinds of things that latido does not have are told: nobody reads more, and a list may make up a million.
const IGNORED_MAX: usize = 100;

/// What a list holds, the bad and the strange included: all of it is worth telling at once.
#[derive(Debug, Default)]
pub(crate) struct List {
    pub(crate) entries: Entries,
    pub(crate) errors: BadInput,
    pub(crate) ignored: Vec<Ignored>,
}

/// Something that latido does not have.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ignored {
    /// Such as "option `split`".
    pub(crate) what: String,
    /// Where it stands first.
    pub(crate) origin: Origin,
    /// On how many lines.
    pub(crate) count: usize,
}

/// Reads a list to its end, or a Metalink file if it begins like one. Errors of reading itself end it at once.
pub(crate) fn read(name: &str, mut from: impl BufRead) -> io::Result<List> {
    if metalink::is_xml(from.fill_buf()?) {
        return Ok(metalink::read(name, from));
    }
    let list: Rc<str> = name.into();
    let mut reading = List::default();
    let mut draft = None;
    let too_long = lines::each(&list, from, |origin, line| {
        match std::str::from_utf8(line) {
            Ok(line) => reading.line(&mut draft, origin, line),
            Err(_) => reading.errors.push(&origin, EntryError::NotUtf8),
        }
        ControlFlow::Continue(())
    })?;
    if let Some(origin) = too_long {
        reading.errors.push(&origin, EntryError::TooLong);
    }
    reading.finish(draft);
    Ok(reading)
}

/// Whether an argument is a Metalink file of this machine, by its name.
pub(crate) fn is_metalink(argument: &str) -> bool {
    !argument.contains("://") && [".meta4", ".metalink"].iter().any(|ending| argument.ends_with(ending))
}

impl List {
    pub(crate) fn append(&mut self, other: Self) {
        self.entries.extend(other.entries.iter().map(|(_, entry)| entry));
        self.errors.append(other.errors);
        self.ignored.extend(other.ignored);
    }

    fn line(&mut self, current: &mut Option<Draft>, origin: Origin, line: &str) {
        let text = line.trim();
        if text.is_empty() || text.starts_with('#') {
            return;
        }
        let taken = match current {
            current if !line.starts_with([' ', '\t']) => {
                self.finish(current.take());
                // kept even if its URLs are bad, so that its options are checked as well
                current.insert(Draft::new(origin.clone())).urls(text)
            }
            Some(draft) => self.option(draft, &origin, text).inspect_err(|_| draft.spoil()),
            None => Err(EntryError::NoUrlAbove(text.to_owned())),
        };
        if let Err(error) = taken {
            self.errors.push(&origin, error);
        }
    }

    fn option(&mut self, draft: &mut Draft, origin: &Origin, text: &str) -> Result<(), EntryError> {
        let (option, value) = text.split_once('=').ok_or_else(|| EntryError::NoOption(text.to_owned()))?;
        match option {
            "out" => draft.name(value),
            "dir" => draft.dir(value),
            "checksum" => draft.checksum(value.parse()?),
            "size" => draft.size(value.parse().map_err(|_| EntryError::Size(value.to_owned()))?),
            _ if ARIA2.binary_search(&option).is_ok() => {
                self.ignore(&format!("option `{option}`"), origin);
                Ok(())
            }
            _ => Err(EntryError::UnknownOption(option.to_owned())),
        }
    }

    fn ignore(&mut self, what: &str, origin: &Origin) {
        let is_full = self.ignored.len() == IGNORED_MAX;
        match self.ignored.iter_mut().find(|ignored| ignored.what == what) {
            Some(ignored) => ignored.count += 1,
            None if is_full => {}
            None => self.ignored.push(Ignored { what: what.to_owned(), origin: origin.clone(), count: 1 }),
        }
    }

    fn finish(&mut self, draft: Option<Draft>) {
        match draft.map_or(Ok(None), Draft::finish) {
            Ok(entry) => self.entries.extend(entry),
            Err((origin, error)) => self.errors.push(&origin, error),
        }
    }
}

impl fmt::Display for Ignored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, origin, count } = self;
        // It may be the word of a file from somewhere.
        write!(f, "{}", presentable(&format!("{origin}: {what} is not supported and has no effect")))?;
        match count {
            1 => Ok(()),
            _ => write!(f, " (it stands on {count} lines)"),
        }
    }
}

/// What else aria2 1.37 takes in a list, in order.
#[rustfmt::skip]
const ARIA2: &[&str] = &[
    "all-proxy", "all-proxy-passwd", "all-proxy-user", "allow-overwrite", "allow-piece-length-change",
    "always-resume", "async-dns", "auto-file-renaming", "bt-enable-hook-after-hash-check", "bt-enable-lpd",
    "bt-exclude-tracker", "bt-external-ip", "bt-force-encryption", "bt-hash-check-seed",
    "bt-load-saved-metadata", "bt-max-peers", "bt-metadata-only", "bt-min-crypto-level",
    "bt-prioritize-piece", "bt-remove-unselected-file", "bt-request-peer-speed-limit", "bt-require-crypto",
    "bt-save-metadata", "bt-seed-unverified", "bt-stop-timeout", "bt-tracker", "bt-tracker-connect-timeout",
    "bt-tracker-interval", "bt-tracker-timeout", "check-integrity", "conditional-get", "connect-timeout",
    "content-disposition-default-utf8", "continue", "dry-run", "enable-http-keep-alive",
    "enable-http-pipelining", "enable-mmap", "enable-peer-exchange", "file-allocation", "follow-metalink",
    "follow-torrent", "force-save", "ftp-passwd", "ftp-pasv", "ftp-proxy", "ftp-proxy-passwd",
    "ftp-proxy-user", "ftp-reuse-connection", "ftp-type", "ftp-user", "gid", "hash-check-only", "header",
    "http-accept-gzip", "http-auth-challenge", "http-no-cache", "http-passwd", "http-proxy",
    "http-proxy-passwd", "http-proxy-user", "http-user", "https-proxy", "https-proxy-passwd",
    "https-proxy-user", "index-out", "lowest-speed-limit", "max-connection-per-server", "max-download-limit",
    "max-file-not-found", "max-mmap-limit", "max-resume-failure-tries", "max-tries", "max-upload-limit",
    "metalink-base-uri", "metalink-enable-unique-protocol", "metalink-language", "metalink-location",
    "metalink-os", "metalink-preferred-protocol", "metalink-version", "min-split-size",
    "no-file-allocation-limit", "no-netrc", "no-proxy", "parameterized-uri", "pause", "pause-metadata",
    "piece-length", "proxy-method", "realtime-chunk-checksum", "referer", "remote-time",
    "remove-control-file", "retry-wait", "reuse-uri", "rpc-save-upload-metadata", "seed-ratio", "seed-time",
    "select-file", "split", "ssh-host-key-md", "stream-piece-selector", "timeout", "uri-selector", "use-head",
    "user-agent",
];

#[cfg(test)]
mod tests;
