//! Many entries in little memory: a list may have millions, and they are all there at the same time before anything is
//! done. They are kept in one piece, and read one by one.

use std::collections::HashSet;
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::rc::Rc;

use latido::actors::digest::Algorithm;

use super::checksum::Checksum;
use super::entry::{Entry, Origin};

#[derive(Debug, Default)]
pub(crate) struct Entries {
    /// Where they are from that are not from the command line.
    lists: Vec<Rc<str>>,
    bytes: Vec<u8>,
    count: usize,
}

/// Where an entry begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Place(usize);

impl Entries {
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// Whether this byte is anywhere in them; it is quicker to ask than to read them.
    pub(crate) fn contain(&self, byte: u8) -> bool {
        self.bytes.contains(&byte)
    }

    pub(crate) fn push(&mut self, entry: Entry) {
        match entry.origin {
            Origin::CommandLine => self.put_number(0),
            Origin::Line { list, number } => {
                let list = self.number_of(list);
                self.put_number(list);
                self.put_number(number);
            }
        }
        self.put(entry.urls.as_bytes());
        self.put(entry.name.as_os_str().as_bytes());
        // No directory has an empty name.
        self.put(entry.dir.as_deref().map_or(b"", |dir| dir.as_os_str().as_bytes()));
        match entry.checksum {
            None => self.put_number(0),
            Some(checksum) => {
                let known = Algorithm::ALL.iter().position(|known| *known == checksum.algorithm());
                self.put_number(1 + known.expect("all of them are there"));
                self.bytes.extend(checksum.bytes());
            }
        }
        match entry.size {
            None => self.bytes.push(0),
            Some(size) => {
                self.bytes.push(1);
                self.bytes.extend(size.to_le_bytes());
            }
        }
        self.count += 1;
    }

    /// Counted from 1.
    fn number_of(&mut self, list: Rc<str>) -> usize {
        // The last one, nearly always.
        let known = self.lists.iter().rposition(|known| *known == list);
        1 + known.unwrap_or_else(|| {
            self.lists.push(list);
            self.lists.len() - 1
        })
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Place, Entry)> {
        let mut next = 0;
        std::iter::from_fn(move || {
            let place = Place(next);
            (next < self.bytes.len()).then(|| (place, self.read(&mut next)))
        })
    }

    /// All but these.
    pub(crate) fn without(self, places: &HashSet<Place>) -> Self {
        if places.is_empty() {
            return self;
        }
        self.iter().filter(|(place, _)| !places.contains(place)).map(|(_, entry)| entry).collect()
    }

    pub(crate) fn at(&self, Place(mut place): Place) -> Entry {
        self.read(&mut place)
    }

    fn read(&self, at: &mut usize) -> Entry {
        let origin = match self.number(at) {
            0 => Origin::CommandLine,
            list => Origin::Line { list: self.lists[list - 1].clone(), number: self.number(at) },
        };
        let urls = String::from_utf8_lossy(self.take(at)).into_owned();
        let name = OsString::from_vec(self.take(at).to_vec()).into();
        let dir = Some(self.take(at)).filter(|dir| !dir.is_empty());
        let dir = dir.map(|dir| OsString::from_vec(dir.to_vec()).into());
        let algorithm = self.number(at).checked_sub(1).map(|known| Algorithm::ALL[known]);
        let checksum = algorithm.map(|algorithm| Checksum::new(algorithm, self.piece(at, algorithm.bytes())));
        let has_size = self.piece(at, 1) == [1];
        let size = has_size.then(|| self.piece(at, 8).try_into().map_or(0, u64::from_le_bytes));
        Entry { origin, urls, name, dir, checksum, size }
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

impl FromIterator<Entry> for Entries {
    fn from_iter<I: IntoIterator<Item = Entry>>(entries: I) -> Self {
        let mut all = Self::default();
        all.extend(entries);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_in_comes_out_in_order_and_by_its_place() {
        let line = |list: &str, number| Origin::Line { list: list.into(), number };
        let entry = |origin, urls: &str, name: &[u8], dir: Option<&str>, checksum, size| Entry {
            origin,
            urls: urls.to_owned(),
            name: OsString::from_vec(name.to_vec()).into(),
            dir: dir.map(Into::into),
            checksum,
            size,
        };
        let sha512 = Checksum::new(Algorithm::Sha512, &[9; 64]);
        let long = "x".repeat(100_000);
        let wanted = [
            entry(line("a", 1), "http://a/x\thttp://b/x", b"x", None, None, Some(u64::MAX)),
            entry(line("b", 1 << 33), "http://a/y", b"sub/\xff\n", Some("d/e"), Some(sha512), None),
            entry(line("a", 2), "http://a/y", b"y", None, None, Some(0)),
            entry(Origin::CommandLine, &long, b"z", Some("/abs"), Some(Checksum::sha256([0; 32])), None),
        ];
        let entries: Entries = wanted.iter().cloned().collect();
        assert_eq!(entries.len(), 4);
        let (places, found): (Vec<_>, Vec<_>) = entries.iter().unzip();
        assert_eq!(found, wanted);
        for (place, wanted) in places.into_iter().zip(wanted) {
            assert_eq!(entries.at(place), wanted);
        }
        assert_eq!(Entries::default().iter().count(), 0);
    }
}
