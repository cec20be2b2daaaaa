//! Metalink 4 (RFC 5854): for each file its name, its length, its hashes and the places that have it, the best first.
//!
//! Read piece by piece, as a list is. Elements of other namespaces mean nothing, and neither do those that are for people.

use std::borrow::Cow;
use std::io::BufRead;
use std::rc::Rc;

use latido::actors::digest::Algorithm;
use quick_xml::encoding::EncodingError;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};
use quick_xml::reader::NsReader;

use super::super::checksum::{Checksum, ChecksumError};
use super::List;
use crate::fetch::entry::{Draft, EntryError, Origin};

const NAMESPACE: Namespace<'_> = Namespace(b"urn:ietf:params:xml:ns:metalink");
const VERSION_3: Namespace<'_> = Namespace(b"http://www.metalinker.org/");

/// A file that is deeper is none that people publish, and takes the longer to read the deeper it is.
const DEEPEST: usize = 64;

/// A larger file is none that people publish.
const MOST: u64 = 256 << 20;

#[derive(Debug, thiserror::Error)]
enum MetalinkError {
    #[error("this is not XML as it should be: {0}; fetch the file anew")]
    Xml(#[from] quick_xml::Error),
    #[error("the file ends in the middle, or is larger than 256 MiB; fetch it anew")]
    Truncated,
    #[error("this is Metalink 3; only Metalink 4 is read, whose files are mostly called .meta4")]
    Version3,
    #[error("<{0}> is no <metalink> of RFC 5854; is this a Metalink file?")]
    NoMetalink(String),
    #[error("`&{0};` stands for nothing here; write the text itself")]
    Entity(String),
    #[error("a <file> has no name; add name=\"NAME\"")]
    NoName,
    #[error("the file has no http or https URL; add a <url>")]
    NoUrl,
    #[error("a <hash> has no type; write <hash type=\"sha-256\">")]
    NoType,
    #[error("the file has another {0} already; remove the wrong one")]
    TwoHashes(Algorithm),
    #[error("`{0}` is given twice for one element; remove the wrong one")]
    TwoAttributes(&'static str),
    #[error("more than {DEEPEST} elements are in one another; is this a Metalink file?")]
    TooDeep,
    #[error("`{text}` is no {what}; write a number")]
    NoNumber { text: String, what: &'static str },
    #[error(transparent)]
    Checksum(#[from] ChecksumError),
    #[error(transparent)]
    Entry(#[from] EntryError),
}

/// Whether what begins like this is XML.
pub(super) fn is_xml(head: &[u8]) -> bool {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    head.trim_ascii_start().starts_with(b"<")
}

/// Reads a Metalink file to its end, or to where it is no XML any more.
pub(super) fn read(name: &str, from: impl BufRead) -> List {
    let mut reading = Reading { name: name.into(), line: 1, ..Reading::default() };
    let mut reader = NsReader::from_reader(from.take(MOST));
    reader.config_mut().expand_empty_elements = true;
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        let (is_ours, event) = match reader.read_resolved_event_into(&mut buffer) {
            Ok((ResolveResult::Bound(VERSION_3), Event::Start(_))) => {
                reading.fail(MetalinkError::Version3);
                break;
            }
            Ok((namespace, event)) => (namespace == ResolveResult::Bound(NAMESPACE), event),
            Err(error) => {
                reading.fail(error.into());
                break;
            }
        };
        let lines = event.iter().filter(|byte| **byte == b'\n').count();
        let taken = match event {
            Event::Eof => break,
            Event::Start(start) => reading.start(&start, is_ours),
            Event::End(_) => reading.end(),
            Event::Text(text) => reading.text(text.decode()),
            Event::CData(text) => reading.text(text.decode()),
            Event::GeneralRef(entity) => match entity.resolve_char_ref() {
                Ok(Some(c)) => reading.text(Ok(c.to_string().into())),
                _ => reading.entity(&String::from_utf8_lossy(&entity)),
            },
            Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => Ok(()),
        };
        let is_over = matches!(taken, Err(MetalinkError::NoMetalink(_) | MetalinkError::TooDeep));
        if let Err(error) = taken {
            reading.fail(error);
        }
        if is_over {
            return reading.list;
        }
        reading.line += lines;
    }
    if reading.list.errors.count() == 0 && (!reading.path.is_empty() || !reading.has_root) {
        reading.fail(MetalinkError::Truncated);
    }
    reading.list
}

#[derive(Default)]
struct Reading {
    list: List,
    name: Rc<str>,
    line: usize,
    has_root: bool,
    /// The elements that are open; those that mean nothing have no name.
    path: Vec<&'static str>,
    file: Option<File>,
    /// Of the element that is open, and what its attribute says.
    text: String,
    attribute: Option<String>,
}

struct File {
    draft: Draft,
    /// The best first, once they are sorted; with the line.
    urls: Vec<(u32, String, Origin)>,
    hashes: Vec<Checksum>,
}

/// What means something, and the attribute that does.
const ELEMENTS: [(&str, &str); 6] = [
    ("metalink", ""),
    ("file", "name"),
    ("size", ""),
    ("hash", "type"),
    ("url", "priority"),
    ("metaurl", ""),
];

impl Reading {
    fn origin(&self) -> Origin {
        Origin::Line { list: self.name.clone(), number: self.line }
    }

    fn fail(&mut self, error: MetalinkError) {
        let origin = self.origin();
        self.list.errors.push(&origin, error);
        if let Some(file) = &mut self.file {
            file.draft.spoil();
        }
    }

    fn start(&mut self, start: &BytesStart<'_>, is_ours: bool) -> Result<(), MetalinkError> {
        let local = start.local_name();
        let known = ELEMENTS.iter().find(|(name, _)| is_ours && name.as_bytes() == local.as_ref());
        let (element, attribute) = known.copied().unwrap_or_default();
        if self.path.is_empty() && element != "metalink" {
            return Err(MetalinkError::NoMetalink(String::from_utf8_lossy(local.as_ref()).into_owned()));
        }
        if self.path.len() == DEEPEST {
            return Err(MetalinkError::TooDeep);
        }
        self.has_root = true;
        self.path.push(element);
        self.text.clear();
        self.attribute = None;
        // Each compared with the others would take for ever where somebody has written a million of them.
        for found in start.attributes().with_checks(false) {
            let found = found.map_err(quick_xml::Error::from)?;
            if found.key.as_ref() == attribute.as_bytes()
                && self.attribute.replace(found.unescape_value()?.into()).is_some()
            {
                return Err(MetalinkError::TwoAttributes(attribute));
            }
        }
        match &self.path[..] {
            ["metalink", "file"] => {
                let mut draft = Draft::new(self.origin());
                let name = self.attribute.take().ok_or(MetalinkError::NoName);
                let named = name.and_then(|name| Ok(draft.name(&name)?));
                // Kept even if its name is bad, so that the rest is checked as well.
                self.file = Some(File { draft, urls: Vec::new(), hashes: Vec::new() });
                named
            }
            _ => Ok(()),
        }
    }

    fn text(&mut self, text: Result<Cow<'_, str>, EncodingError>) -> Result<(), MetalinkError> {
        let text = text.map_err(quick_xml::Error::from)?;
        if self.path.len() == 3 {
            self.text.push_str(&text);
        }
        Ok(())
    }

    fn entity(&mut self, name: &str) -> Result<(), MetalinkError> {
        match resolve_predefined_entity(name) {
            Some(text) => self.text(Ok(text.into())),
            None => Err(MetalinkError::Entity(name.to_owned())),
        }
    }

    fn end(&mut self) -> Result<(), MetalinkError> {
        let origin = self.origin();
        let taken = match (&self.path[..], &mut self.file) {
            (["metalink", "file"], _) => self.finish(),
            (["metalink", "file", element], Some(file)) => match (*element, self.text.trim()) {
                ("size", text) => number(text, "size").and_then(|size| Ok(file.draft.size(size)?)),
                ("url", text) => {
                    let priority =
                        self.attribute.as_deref().map_or(Ok(u32::MAX), |text| number(text, "priority"));
                    priority.map(|priority| file.urls.push((priority, text.to_owned(), origin)))
                }
                ("hash", text) => match self.attribute.as_deref().map(|name| (name, name.parse())) {
                    None => Err(MetalinkError::NoType),
                    Some((_, Ok(algorithm))) => file.hash(algorithm, text),
                    Some((name, Err(_))) => {
                        self.list.ignore(&format!("hash `{name}`"), &origin);
                        Ok(())
                    }
                },
                ("metaurl", _) => {
                    self.list.ignore("<metaurl>", &origin);
                    Ok(())
                }
                _ => Ok(()),
            },
            _ => Ok(()),
        };
        self.path.pop();
        taken
    }

    fn finish(&mut self) -> Result<(), MetalinkError> {
        let Some(File { mut draft, mut urls, hashes }) = self.file.take() else { return Ok(()) };
        urls.sort_by_key(|(priority, ..)| *priority);
        let mut usable = 0;
        for (_, text, origin) in urls {
            match draft.url(&text) {
                Ok(()) => usable += 1,
                Err(EntryError::Scheme(_, scheme)) => {
                    self.list.ignore(&format!("a URL with the scheme `{scheme}`"), &origin);
                }
                Err(error) => {
                    usable += 1;
                    draft.spoil();
                    self.list.errors.push(&origin, error);
                }
            }
        }
        if usable == 0 {
            return Err(MetalinkError::NoUrl);
        }
        if let Some(strongest) = hashes.into_iter().max_by_key(Checksum::algorithm) {
            draft.checksum(strongest)?;
        }
        self.list.finish(Some(draft));
        Ok(())
    }
}

impl File {
    fn hash(&mut self, algorithm: Algorithm, hex: &str) -> Result<(), MetalinkError> {
        let hash = Checksum::from_hex(algorithm, hex, hex)?;
        if self.hashes.iter().any(|known| known.algorithm() == algorithm && *known != hash) {
            return Err(MetalinkError::TwoHashes(algorithm));
        }
        self.hashes.push(hash);
        Ok(())
    }
}

fn number<T: std::str::FromStr>(text: &str, what: &'static str) -> Result<T, MetalinkError> {
    text.trim().parse().map_err(|_| MetalinkError::NoNumber { text: text.to_owned(), what })
}

#[cfg(test)]
mod tests;
