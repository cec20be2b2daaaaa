//! What is known of a part file that is to be gone on with: of which file it is a part, and what is missing.
//!
//! It is kept behind the file's bytes, where they will never be, so that one cannot be without the other. There are two
//! places for it, written in turn: a write that is cut short harms one of them, and the other still says something true,
//! if not the latest. What a record says is written was written before it. The page cache survives a killed program, but
//! not a power cut, so a record from before the last boot is not believed.

use std::fs::{self, File};
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::LazyLock;

use sha2::{Digest, Sha256};

use super::range::{Known, Validator};

const PLACE: u64 = 4096;
/// What a part file is longer than its file.
const ROOM: u64 = 2 * PLACE;
const TITLE: &str = "latido part 1";
const DIGEST: usize = 64;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) known: Known,
    /// In order, none empty, no two touching.
    pub(super) missing: Vec<Range<u64>>,
}

/// Writes the records of one file.
#[derive(Debug)]
pub(super) struct Notes {
    known: Known,
    /// What the URL comes to: it may be long.
    source: String,
    turn: u64,
}

/// Which start of this machine this is.
static BOOT: LazyLock<Option<String>> = LazyLock::new(|| {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(id.trim().to_owned()).filter(|id| !id.is_empty())
});

impl Notes {
    pub(super) fn new(known: Known, url: &str) -> Self {
        Self { known, source: hex(url.as_bytes()), turn: 0 }
    }

    /// Writes that so much is missing now.
    pub(super) fn write(&mut self, file: &File, missing: &[Range<u64>]) -> io::Result<()> {
        let Some(boot) = &*BOOT else { return Err(io::ErrorKind::Unsupported.into()) };
        self.turn += 1;
        let text = encode(&self.known, &self.source, boot, self.turn, missing);
        if text.len() as u64 > PLACE {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let mut place = vec![0; PLACE as usize];
        place[..text.len()].copy_from_slice(text.as_bytes());
        file.write_all_at(&place, self.known.length + PLACE * (self.turn % 2))
    }
}

impl Record {
    /// Reads the latest record in a part file of what is at `url`, if there is one that can be believed.
    pub(super) fn read(file: &File, url: &str) -> Option<Self> {
        let boot = BOOT.as_ref()?;
        let length = file.metadata().ok()?.len().checked_sub(ROOM)?;
        let mut places = [[0; PLACE as usize]; 2];
        for (place, offset) in places.iter_mut().zip([length, length + PLACE]) {
            file.read_exact_at(place, offset).ok()?;
        }
        let read = places.iter().filter_map(|place| decode(place, &hex(url.as_bytes()), boot));
        let (_, latest) = read.max_by_key(|(turn, _)| *turn)?;
        (latest.known.length == length).then_some(latest)
    }
}

fn encode(known: &Known, source: &str, boot: &str, turn: u64, missing: &[Range<u64>]) -> String {
    let Known { length, validator } = known;
    let ranges: String = missing.iter().map(|range| format!(" {}-{}", range.start, range.end)).collect();
    let validator = validator.as_str();
    let text = format!(
        "{TITLE}\nsource {source}\nboot {boot}\nlength {length}\nvalidator {validator}\nturn {turn}\nmissing{ranges}\n"
    );
    hex(text.as_bytes()) + "\n" + &text
}

fn decode(place: &[u8], source: &str, boot: &str) -> Option<(u64, Record)> {
    let text = place.split(|byte| *byte == 0).next()?;
    let (digest, text) = std::str::from_utf8(text).ok()?.split_at_checked(DIGEST)?;
    let text = text.strip_prefix('\n')?;
    if digest != hex(text.as_bytes()) {
        return None;
    }
    let mut lines = text.lines();
    let is_ours = lines.next()? == TITLE
        && lines.next()?.strip_prefix("source ")? == source
        && lines.next()?.strip_prefix("boot ")? == boot;
    let length = lines.next()?.strip_prefix("length ")?.parse().ok()?;
    let validator = Validator::of_text(lines.next()?.strip_prefix("validator ")?)?;
    let turn = lines.next()?.strip_prefix("turn ")?.parse().ok()?;
    let missing = lines.next()?.strip_prefix("missing")?.split_whitespace().map(|range| {
        let (start, end) = range.split_once('-')?;
        Some(start.parse().ok()?..end.parse().ok()?)
    });
    let missing: Vec<Range<u64>> = missing.collect::<Option<_>>()?;
    let mut so_far = None;
    let is_sound = missing.iter().all(|range| {
        let is_behind = so_far.is_none_or(|so_far| range.start > so_far);
        so_far = Some(range.end);
        is_behind && range.start < range.end && range.end <= length
    });
    (is_ours && is_sound).then_some((turn, Record { known: Known { length, validator }, missing }))
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
