//! `--auto-rename`: other names for files whose names are taken. The same list gives the same names again, so a second
//! run goes on with the files of the first: what is on disk plays no part, but for directories.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::target::NAME_MAX;

/// Gives each target a name of its own that is not `blocked`: the first has the name as it is, the others
/// `NAME.1.EXT`, `NAME.2.EXT`, as aria2 has it. Answers those that are renamed, by where they stand.
pub(crate) fn set_apart(targets: &[Box<Path>], blocked: impl Fn(&OsStr) -> bool) -> BTreeMap<usize, PathBuf> {
    // A number is no excuse to take a name that another was given in so many words.
    let wanted: HashSet<&OsStr> = targets.iter().map(|target| target.as_os_str()).collect();
    let mut taken = HashSet::new();
    let mut numbers = HashMap::<&Path, u32>::new();
    let mut renamed = BTreeMap::new();
    for (n, target) in targets.iter().enumerate() {
        if !blocked(target.as_os_str()) && taken.insert(target.to_path_buf()) {
            continue;
        }
        let number = numbers.entry(target).or_default();
        let other = loop {
            *number += 1;
            let other = numbered(target, *number);
            if !wanted.contains(other.as_os_str())
                && !blocked(other.as_os_str())
                && taken.insert(other.clone())
            {
                break other;
            }
        };
        renamed.insert(n, other);
    }
    renamed
}

fn numbered(target: &Path, number: u32) -> PathBuf {
    let mut ending = OsString::from(format!(".{number}"));
    if let Some(extension) = target.extension() {
        ending.push(".");
        ending.push(extension);
    }
    let stem = target.file_stem().unwrap_or_default().as_bytes();
    let mut length = stem.len().min(NAME_MAX.saturating_sub(ending.len()));
    // Not in the middle of a character.
    while stem.get(length).is_some_and(|byte| byte & 0xc0 == 0x80) {
        length -= 1;
    }
    let mut name = OsStr::from_bytes(&stem[..length]).to_owned();
    name.push(ending);
    target.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(targets: &[&str], blocked: &[&str]) -> Vec<String> {
        let targets: Vec<Box<Path>> = targets.iter().map(|target| Path::new(target).into()).collect();
        let renamed = set_apart(&targets, |target| blocked.iter().any(|blocked| *blocked == target));
        let name = |(n, target)| renamed.get(&n).map_or(target, |other| &**other);
        targets
            .iter()
            .map(|target| &**target)
            .enumerate()
            .map(name)
            .map(|path| path.to_str().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn the_first_keeps_its_name_and_the_others_are_numbered_before_the_extension() {
        assert_eq!(
            names(&["/d/a.iso", "/d/a.iso", "/e/a.iso", "/d/a.iso"], &[]),
            ["/d/a.iso", "/d/a.1.iso", "/e/a.iso", "/d/a.2.iso"]
        );
        assert_eq!(names(&["/d/a", "/d/a", "/d/.x", "/d/.x"], &[]), ["/d/a", "/d/a.1", "/d/.x", "/d/.x.1"]);
    }

    #[test]
    fn no_number_takes_a_name_that_was_asked_for_or_is_blocked() {
        assert_eq!(names(&["/d/a", "/d/a", "/d/a.1"], &[]), ["/d/a", "/d/a.2", "/d/a.1"]);
        assert_eq!(names(&["/d/a", "/d/a"], &["/d/a", "/d/a.1"]), ["/d/a.2", "/d/a.3"]);
    }

    #[test]
    fn a_number_does_not_make_a_name_too_long() {
        let long = format!("/d/{}.iso", "é".repeat(125));
        let other = &names(&[&long, &long], &[])[1];
        assert_eq!(*other, format!("/d/{}.1.iso", "é".repeat(124)));
    }
}
