//! Many entries in little memory: a list may have millions, and they are all there at the same time before anything is
//! done. They are kept in one piece, and read one by one.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::rc::Rc;

use super::checksum::Checksum;
use super::entry::{Entry, Origin};

#[derive(Debug, Default)]
pub(crate) struct Entries {
    /// Where all of them are from that are not from the command line.
    list: Option<Rc<str>>,
    bytes: Vec<u8>,
    count: usize,
}

/// Where an entry begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place(usize);

const NO_CHECKSUM: u8 = 0;
const SHA256: u8 = 1;

impl Entries {
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    pub(crate) fn push(&mut self, entry: Entry) {
        let line = match entry.origin {
            Origin::CommandLine => 0,
            Origin::Line { list, number } => {
                self.list.get_or_insert(list);
                number
            }
        };
        self.put_number(line);
        self.put(entry.urls.as_bytes());
        self.put(entry.name.as_os_str().as_bytes());
        // No directory has an empty name.
        self.put(entry.dir.as_deref().map_or(b"", |dir| dir.as_os_str().as_bytes()));
        match entry.checksum {
            None => self.bytes.push(NO_CHECKSUM),
            Some(checksum) => {
                self.bytes.push(SHA256);
                self.bytes.extend(checksum.bytes());
            }
        }
        self.count += 1;
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Place, Entry)> {
        let mut next = 0;
        std::iter::from_fn(move || {
            let place = Place(next);
            (next < self.bytes.len()).then(|| (place, self.read(&mut next)))
        })
    }

    pub(crate) fn at(&self, Place(mut place): Place) -> Entry {
        self.read(&mut place)
    }

    fn read(&self, at: &mut usize) -> Entry {
        let line = self.number(at);
        let urls = String::from_utf8_lossy(self.take(at)).into_owned();
        let name = OsString::from_vec(self.take(at).to_vec()).into();
        let dir = Some(self.take(at)).filter(|dir| !dir.is_empty());
        let dir = dir.map(|dir| OsString::from_vec(dir.to_vec()).into());
        let has_checksum = self.piece(at, 1) == [SHA256];
        let checksum = has_checksum.then(|| {
            let mut digest = [0; 32];
            digest.copy_from_slice(self.piece(at, 32));
            Checksum::sha256(digest)
        });
        let origin = match (line, &self.list) {
            (1.., Some(list)) => Origin::Line { list: list.clone(), number: line },
            _ => Origin::CommandLine,
        };
        Entry { origin, urls, name, dir, checksum }
    }

    // ===== the pieces =====

    fn put(&mut self, piece: &[u8]) {
        self.put_number(piece.len());
        self.bytes.extend(piece);
    }

    /// Seven bits to a byte, the lowest first; the eighth says that there are more.
    fn put_number(&mut self, mut number: usize) {
        while number > 0x7f {
            self.bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
    }

    fn take(&self, at: &mut usize) -> &[u8] {
        let length = self.number(at);
        self.piece(at, length)
    }

    fn number(&self, at: &mut usize) -> usize {
        let (mut number, mut shift) = (0, 0);
        loop {
            let byte = self.piece(at, 1)[0];
            number |= usize::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                return number;
            }
        }
    }

    fn piece(&self, at: &mut usize, length: usize) -> &[u8] {
        let from = *at;
        *at += length;
        &self.bytes[from..*at]
    }
}

impl Extend<Entry> for Entries {
    fn extend<I: IntoIterator<Item = Entry>>(&mut self, entries: I) {
        entries.into_iter().for_each(|entry| self.push(entry));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_in_comes_out_in_order_and_by_its_place() {
        let list: Rc<str> = "list.txt".into();
        let line = |number| Origin::Line { list: list.clone(), number };
        let entry = |origin, urls: &str, name: &[u8], dir: Option<&str>, checksum| Entry {
            origin,
            urls: urls.to_owned(),
            name: OsString::from_vec(name.to_vec()).into(),
            dir: dir.map(Into::into),
            checksum,
        };
        let long = "x".repeat(100_000);
        let wanted = [
            entry(line(1), "http://a/x\thttp://b/x", b"x", None, None),
            entry(line(1 << 33), "http://a/y", b"sub/\xff\n", Some("d/e"), Some(Checksum::sha256([7; 32]))),
            entry(Origin::CommandLine, &long, b"z", Some("/abs"), Some(Checksum::sha256([0; 32]))),
        ];
        let mut entries = Entries::default();
        entries.extend(wanted.clone());
        assert_eq!(entries.len(), 3);
        let (places, found): (Vec<_>, Vec<_>) = entries.iter().unzip();
        assert_eq!(found, wanted);
        for (place, wanted) in places.into_iter().zip(wanted) {
            assert_eq!(entries.at(place), wanted);
        }
        assert_eq!(Entries::default().iter().count(), 0);
    }
}
