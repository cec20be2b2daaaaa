//! Files of checksums as `sha256sum` and its relatives write them: `HEX  name`, `HEX *name`, `SHA512 (name) = HEX`; a
//! backslash in front of a line says that its name is escaped. What `b3sum` and `openssl dgst` write is alike, and a
//! signature around it all, as Fedora's, is passed over.
//!
//! A line names its algorithm, or the user did, or the length of the digest does.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;
use std::convert::Infallible;
use std::ffi::OsString;
use std::io::{self, BufRead};
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::str::FromStr;

use latido::actors::digest::{Algorithm, UnknownAlgorithm};
use reqwest::Url;

use super::checksum::{Checksum, ChecksumError};
use super::entry::Entry;
use super::error::BadInput;
use super::lines;
use super::target;

/// Checksums by the names of their files.
#[derive(Debug)]
pub(crate) struct Sums {
    pub(crate) list: Rc<str>,
    pub(crate) errors: BadInput,
    /// Whether somebody signed it, which is not looked at here.
    pub(crate) is_signed: bool,
    /// With the line.
    by_name: HashMap<OsString, (Checksum, usize)>,
}

#[derive(Debug, thiserror::Error)]
enum SumsError {
    #[error("{0:?} is no checksum and name; write HEX, two spaces and the name, as sha256sum does")]
    NoLine(String),
    #[error("{0} hex digits are no checksum's; md5 has 32, sha-1 40, sha-256 and blake3 64, sha-512 128")]
    Length(usize),
    #[error("{name:?} has another {algorithm} in line {line}; remove the wrong one")]
    Twice { name: OsString, algorithm: Algorithm, line: usize },
    #[error("the line does not end within 64 KiB; is this a file of checksums?")]
    TooLong,
    #[error("the name has a backslash before {0:?}, where only \\\\, \\n and \\r are; write the line anew")]
    Escape(char),
    #[error(transparent)]
    Algorithm(#[from] UnknownAlgorithm),
    #[error(transparent)]
    Checksum(#[from] ChecksumError),
}

/// Why a file of the list has no checksum.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PinError {
    #[error("{name:?} has no checksum in {list}; add it there, or write checksum=sha-256=HEX")]
    Missing { name: PathBuf, list: Rc<str> },
    #[error("{own} is not what {list}:{line} says; remove the wrong one")]
    Contradiction { own: Checksum, list: Rc<str>, line: usize },
}

/// `FILE`, or `blake3=FILE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SumsFile {
    pub(crate) algorithm: Option<Algorithm>,
    pub(crate) path: PathBuf,
}

impl FromStr for SumsFile {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        let named = text.split_once('=').and_then(|(name, path)| Some((name.parse().ok()?, path)));
        Ok(match named {
            Some((algorithm, path)) => Self { algorithm: Some(algorithm), path: path.into() },
            None => Self { algorithm: None, path: text.into() },
        })
    }
}

/// Reads checksums to their end. `algorithm` is the user's word for lines that name none.
pub(crate) fn read(name: &str, algorithm: Option<Algorithm>, from: impl BufRead) -> io::Result<Sums> {
    let list: Rc<str> = name.into();
    let mut sums =
        Sums { list: list.clone(), errors: BadInput::default(), is_signed: false, by_name: HashMap::new() };
    let algorithm = algorithm.or_else(|| named(name));
    let mut is_head = false;
    let too_long = lines::each(&list, from, |origin, line| {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match line {
            b"-----BEGIN PGP SIGNED MESSAGE-----" => (sums.is_signed, is_head) = (true, true),
            b"-----BEGIN PGP SIGNATURE-----" if sums.is_signed => return ControlFlow::Break(()),
            b"" => is_head = false,
            _ if is_head || line.starts_with(b"#") => {}
            _ => {
                let taken = parse(line, algorithm).and_then(|(name, sum)| sums.add(name, sum, origin.line()));
                if let Err(error) = taken {
                    sums.errors.push(&origin, error);
                }
            }
        }
        ControlFlow::Continue(())
    })?;
    if let Some(origin) = too_long {
        sums.errors.push(&origin, SumsError::TooLong);
    }
    Ok(sums)
}

impl Sums {
    /// Gives a file its checksum. One that it has already must not say otherwise; of two the stronger counts.
    pub(crate) fn pin(&self, entry: &mut Entry) -> Result<(), PinError> {
        match (self.of(entry), &entry.checksum) {
            (None, None) => {
                return Err(PinError::Missing { name: entry.name.clone(), list: self.list.clone() });
            }
            (Some((sum, line)), Some(own)) if sum.algorithm() == own.algorithm() && sum != own => {
                return Err(PinError::Contradiction { own: own.clone(), list: self.list.clone(), line });
            }
            (Some((sum, _)), own) if own.as_ref().is_none_or(|own| own.algorithm() < sum.algorithm()) => {
                entry.checksum = Some(sum.clone());
            }
            _ => {}
        }
        Ok(())
    }

    /// By the name that the file gets, or else by that which it has on its server: `x/y/z`, `y/z` or `z`.
    fn of(&self, entry: &Entry) -> Option<(&Checksum, usize)> {
        let find = |name: &Path| self.by_name.get(name.as_os_str()).map(|(sum, line)| (sum, *line));
        let own = entry.dir.as_ref().and_then(|dir| find(&dir.join(&entry.name)));
        own.or_else(|| find(&entry.name)).or_else(|| {
            let url = Url::parse(entry.urls.split('\t').next()?).ok()?;
            let path = target::percent_decoded(url.path());
            let mut rest = Path::new(&path).components();
            while rest.next().is_some() {
                if let Some(found) = find(rest.as_path()) {
                    return Some(found);
                }
            }
            find(Path::new(entry.name.file_name()?))
        })
    }

    /// Of several checksums of one file the strongest counts.
    fn add(&mut self, name: OsString, sum: Checksum, number: usize) -> Result<(), SumsError> {
        match self.by_name.entry(name) {
            Slot::Vacant(slot) => drop(slot.insert((sum, number))),
            Slot::Occupied(mut slot) => {
                let (known, line) = slot.get();
                let (algorithm, line) = (sum.algorithm(), *line);
                if algorithm == known.algorithm() && sum != *known {
                    return Err(SumsError::Twice { name: slot.key().clone(), algorithm, line });
                }
                if algorithm > known.algorithm() {
                    slot.insert((sum, number));
                }
            }
        }
        Ok(())
    }
}

/// The algorithm that a file's own name tells, where the length of a digest would not.
fn named(file: &str) -> Option<Algorithm> {
    let file = file.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    ["b3", "blake3"].iter().any(|name| file.contains(name)).then_some(Algorithm::Blake3)
}

fn parse(line: &[u8], algorithm: Option<Algorithm>) -> Result<(OsString, Checksum), SumsError> {
    let (line, is_escaped) = line.strip_prefix(b"\\").map_or((line, false), |line| (line, true));
    let (name, sum) = match tagged(line) {
        Some((tag, name, hex)) => (name, Checksum::from_hex(tag.parse()?, hex, hex)?),
        None => plain(line, algorithm)?,
    };
    let name = if is_escaped { unescaped(name)? } else { name.to_vec() };
    // `find . -type f` is what many such files are made of.
    let name = name.strip_prefix(b"./").map_or(name.clone(), <[u8]>::to_vec);
    Ok((OsString::from_vec(name), sum))
}

/// `SHA512 (name) = HEX`; `openssl` leaves the spaces out.
fn tagged(line: &[u8]) -> Option<(&str, &[u8], &str)> {
    let open = line.iter().position(|&byte| byte == b'(')?;
    let close = line.iter().rposition(|&byte| byte == b')').filter(|close| *close > open)?;
    let tag = str::from_utf8(&line[..open]).ok()?;
    let tag = tag.strip_suffix(' ').unwrap_or(tag);
    let hex = str::from_utf8(&line[close + 1..]).ok()?.trim().strip_prefix('=')?.trim();
    // Another space before the bracket ends a digest: it is a plain line whose name has brackets.
    (!tag.is_empty() && !tag.contains(' ')).then_some((tag, &line[open + 1..close], hex))
}

/// `HEX  name` or `HEX *name`.
fn plain(line: &[u8], algorithm: Option<Algorithm>) -> Result<(&[u8], Checksum), SumsError> {
    let no_line = || SumsError::NoLine(String::from_utf8_lossy(line).into_owned());
    let space = line.iter().position(|&byte| byte == b' ').ok_or_else(no_line)?;
    let (hex, rest) = line.split_at(space);
    let [b' ', b' ' | b'*', name @ ..] = rest else { return Err(no_line()) };
    let hex = str::from_utf8(hex).map_err(|_| no_line())?;
    if name.is_empty() || hex.is_empty() || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(no_line());
    }
    let by_length = || {
        // SHA-256 stands before BLAKE3, whose digests are as long.
        let mut known = Algorithm::ALL.into_iter();
        known.find(|known| 2 * known.bytes() == hex.len()).ok_or(SumsError::Length(hex.len()))
    };
    let algorithm = algorithm.map_or_else(by_length, Ok)?;
    Ok((name, Checksum::from_hex(algorithm, hex, hex)?))
}

fn unescaped(name: &[u8]) -> Result<Vec<u8>, SumsError> {
    let mut plain = Vec::with_capacity(name.len());
    let mut bytes = name.iter();
    while let Some(&byte) = bytes.next() {
        plain.push(match byte {
            b'\\' => match bytes.next() {
                Some(b'\\') => b'\\',
                Some(b'n') => b'\n',
                Some(b'r') => b'\r',
                other => return Err(SumsError::Escape(other.map_or(' ', |&byte| char::from(byte)))),
            },
            byte => byte,
        });
    }
    Ok(plain)
}

#[cfg(test)]
mod tests;
