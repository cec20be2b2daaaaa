//! What holds of everything that is read from outside, whatever it is: it is taken or refused in words, what is taken
//! stays in its directory, and no word of it speaks to the terminal. `fuzz/` looks for what breaks that; the tests here
//! try what it has found, and variations of it.

use std::io::Write;
use std::path::{Component, Path};

use latido::actors::digest::Algorithm;
use reqwest::Url;

use super::checksum::Checksum;
use super::entry::{Draft, Entry, Origin};
use super::input::{self, List};
use super::sums;
use super::target::{NAME_MAX, OURS};

/// A parser, by the name of its directory in `fuzz/corpus`.
pub(crate) type Parser = (&'static str, fn(&[u8]));

pub(crate) const PARSERS: [Parser; 5] =
    [("list", list), ("metalink", metalink), ("sums", read_sums), ("checksum", checksum), ("url", url)];

pub(crate) fn list(data: &[u8]) {
    assert_list_is_sound(&input::read("list", data).expect("memory can be read"));
}

/// The same, but all of it goes to the reader of Metalink files.
pub(crate) fn metalink(data: &[u8]) {
    list(&[b"<", data.strip_prefix(b"<").unwrap_or(data)].concat());
}

/// The first byte is the user's word for the algorithm.
pub(crate) fn read_sums(data: &[u8]) {
    let Some((&first, text)) = data.split_first() else { return };
    let algorithm = Algorithm::ALL.get(usize::from(first)).copied();
    let sums = sums::read("SUMS", algorithm, text).expect("memory can be read");
    assert_presentable(&sums.errors.to_string());
    for name in ["a", "b/c"] {
        let mut entry = entry_of(name).expect("a plain name is one");
        match sums.pin(&mut entry) {
            Ok(()) => assert_checksum_is_sound(entry.checksum.as_ref().expect("it was pinned")),
            Err(_) => assert_eq!(entry.checksum, None),
        }
    }
    if let Some(entry) = str::from_utf8(text).ok().and_then(entry_of) {
        assert_sums_are_found(&entry);
    }
}

pub(crate) fn checksum(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let Ok(checksum) = text.parse::<Checksum>() else { return };
    assert_checksum_is_sound(&checksum);
    let (_, hex) = text.split_once('=').expect("a checksum has one");
    assert!(checksum.to_string().ends_with(&hex.to_ascii_lowercase()), "{checksum}");
}

/// URLs as they stand on the command line; the last part of the first becomes a name.
pub(crate) fn url(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let mut draft = Draft::new(Origin::CommandLine);
    if draft.urls(text).is_ok()
        && let Ok(Some(entry)) = draft.finish()
    {
        assert_entry_is_sound(&entry);
        assert_eq!(entry.name.components().count(), 1, "{entry:?}");
    }
}

fn assert_list_is_sound(list: &List) {
    assert_presentable(&list.errors.to_string());
    for ignored in &list.ignored {
        assert_presentable(&ignored.to_string());
    }
    let mut count = 0;
    for (place, entry) in list.entries.iter() {
        assert_entry_is_sound(&entry);
        assert_eq!(list.entries.at(place), entry);
        count += 1;
    }
    assert_eq!(list.entries.len(), count);
}

fn assert_entry_is_sound(entry: &Entry) {
    let is_inside = |part: Component<'_>| match part {
        Component::Normal(part) => {
            let part = part.as_encoded_bytes();
            part.len() <= NAME_MAX && !part.contains(&0) && !part.starts_with(OURS.as_bytes())
        }
        _ => false,
    };
    let is_plain = |path: &Path| !path.as_os_str().is_empty() && path.components().all(is_inside);
    assert!(is_plain(&entry.name), "{entry:?}");
    if let Some(dir) = &entry.dir {
        let mut parts = dir.components();
        assert!(parts.all(|part| matches!(part, Component::RootDir | Component::CurDir) || is_inside(part)));
    }
    for text in entry.urls.split('\t') {
        let url = Url::parse(text).expect("a url was parsed before");
        assert!(url.as_str() == text && matches!(url.scheme(), "http" | "https"), "{text}");
    }
    entry.checksum.iter().for_each(assert_checksum_is_sound);
}

fn assert_checksum_is_sound(checksum: &Checksum) {
    assert_eq!(checksum.to_string().parse().as_ref(), Ok(checksum));
}

fn assert_presentable(text: &str) {
    assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{text:?}");
}

fn entry_of(name: &str) -> Option<Entry> {
    let mut draft = Draft::new(Origin::CommandLine);
    draft.url("http://h/").expect("it is a url");
    draft.name(name).ok()?;
    draft.finish().expect("it has a name")
}

/// What `sha256sum` and BSD's tools write for a file of this name is read as its checksum.
fn assert_sums_are_found(entry: &Entry) {
    let name = entry.name.to_str().expect("it was text");
    let escaped = name.replace('\\', r"\\").replace('\n', r"\n").replace('\r', r"\r");
    let backslash = if escaped == name { "" } else { "\\" };
    let hex = "5a".repeat(32);
    for line in [format!("{backslash}{hex}  {escaped}\n"), format!("{backslash}SHA256 ({escaped}) = {hex}\n")]
    {
        // Lines over the limit are refused, but no path that a system takes is as long.
        if line.len() > 4096 {
            continue;
        }
        let mut text = Vec::new();
        writeln!(text, "{}  another", "00".repeat(32)).expect("memory can be written to");
        text.extend(line.as_bytes());
        let sums = sums::read("SUMS", None, &*text).expect("memory can be read");
        assert_eq!(sums.errors.count(), 0, "{}: {line:?}", sums.errors);
        let mut entry = entry.clone();
        if name != "another" {
            sums.pin(&mut entry).unwrap_or_else(|error| panic!("{error}: {line:?}"));
            assert_eq!(entry.checksum, Some(Checksum::sha256([0x5a; 32])), "{line:?}");
        }
    }
}

#[cfg(test)]
mod tests;
