//! A place on disk for every file, and no two the same.

use std::collections::hash_map::RandomState;
use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::hash::BuildHasher;
use std::mem;
use std::path::Path;

use super::entries::Entries;
use super::entry::Entry;
use super::error::BadInput;
use super::journal;
use super::renaming::set_apart;
use super::target::{Directories, TargetError};
use super::text::presentable;

/// As many renamed files are told; the others are counted.
const TOLD: usize = 10;

/// Gives every entry its place. Those whose place is taken get other names, which are told to `renamed`; if there is no
/// such ear, they are errors. Those that can have no place are left out, and told in the errors.
pub(crate) fn place(
    mut entries: Entries,
    directories: &mut Directories,
    journal: &Path,
    renamed: Option<&mut Vec<String>>,
) -> (Entries, BadInput) {
    let mut errors = BadInput::default();
    let mut bad = HashSet::new();
    for (place, entry) in entries.iter() {
        if let Err(error) = directories.place(entry.dir.as_deref(), &entry.name) {
            errors.push(&entry.origin, error);
            bad.insert(place);
        }
    }
    entries = entries.without(&mem::take(&mut bad));
    // as strings: paths compare part by part, which is slow, and these have one spelling each
    let ours = journal::files(journal);
    let is_ours = |target: &OsStr| ours.iter().any(|file| file.as_os_str() == target);
    let occupied = directories.occupied();
    let placed = |entry: &Entry| directories.placed(entry.dir.as_deref(), &entry.name);
    if let Some(told) = renamed {
        let targets: Vec<_> = entries.iter().filter_map(|(_, entry)| placed(&entry)).collect();
        let others = set_apart(&targets, |target| occupied.contains(target) || is_ours(target));
        let mut all = entries.iter().map(|(_, entry)| entry).enumerate().map(|(n, mut entry)| {
            if let Some(name) = others.get(&n).and_then(|other| other.file_name()) {
                entry.name.set_file_name(name);
                told.extend((told.len() < TOLD).then(|| renaming(&entry, &targets[n])));
            }
            entry
        });
        let renamed = all.by_ref().collect();
        drop(all);
        if others.len() > TOLD {
            told.push(format!("... and {} more are called otherwise", others.len() - TOLD));
        }
        entries = renamed;
    }
    // By a hash of the path, which takes less room than the path; those of one hash are looked at.
    let hash = RandomState::new();
    let mut taken = HashMap::with_capacity(entries.len());
    for (place, entry) in entries.iter() {
        let Some(target) = placed(&entry) else { continue };
        if occupied.contains(target.as_os_str()) {
            errors.push(&entry.origin, TargetError::IsADirectory(target.to_path_buf()));
            bad.insert(place);
        }
        if is_ours(target.as_os_str()) {
            errors.push(&entry.origin, TargetError::Ours(target.to_path_buf()));
            bad.insert(place);
        }
        let other = taken.insert(hash.hash_one(target.as_os_str()), place);
        let other = other.map(|other| entries.at(other));
        if let Some(other) = other.filter(|other| placed(other).as_ref() == Some(&target)) {
            bad.insert(place);
            errors.push(
                &entry.origin,
                format_args!(
                    "{} and {} ({}) would both become {target:?}; name one of them with out=, or give --auto-rename",
                    entry.url(),
                    other.url(),
                    other.origin
                ),
            );
        }
    }
    (entries.without(&bad), errors)
}

fn renaming(entry: &Entry, taken: &Path) -> String {
    let name = entry.name.file_name().unwrap_or_default().to_string_lossy();
    presentable(&format!("{}: {taken:?} is taken, so the file is called {name}", entry.origin))
}
