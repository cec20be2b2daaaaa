//! The files of the inbox. What is there under a complete name is a list; it stays there until the journal has what it asks
//! for, so whoever is killed in between takes it in once more, which changes nothing.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// What the names of lists from `latido add` end with. They are complete: they came by a rename.
const ADDED: &str = ".added";
/// So many lists that people have put there are kept.
const KEPT: usize = 100;

#[derive(Debug)]
pub(super) struct Spool {
    dir: PathBuf,
    /// What lists of people looked like last time.
    seen: HashMap<PathBuf, (u64, SystemTime)>,
}

impl Spool {
    pub(super) fn new(dir: PathBuf) -> Self {
        Self { dir, seen: HashMap::new() }
    }

    /// The lists that are complete, the oldest first. Of one that somebody has put there nobody knows that: it is, once it
    /// was the same in two looks and nobody has it open to write.
    pub(super) fn look(&mut self) -> io::Result<Vec<PathBuf>> {
        let (mut complete, mut seen) = (Vec::new(), HashMap::new());
        for entry in fs::read_dir(&self.dir)?.flatten() {
            let path = entry.path();
            let Ok(found) = fs::metadata(&path) else { continue };
            let Ok(modified) = found.modified() else { continue };
            if !found.is_file() || is_draft(&entry.file_name()) {
                continue;
            }
            let looks = (found.len(), modified);
            if is_added(&path) || (self.seen.get(&path) == Some(&looks) && !is_being_written(&found)) {
                complete.push((modified, path));
            } else {
                seen.insert(path, looks);
            }
        }
        self.seen = seen;
        complete.sort();
        Ok(complete.into_iter().map(|(_, path)| path).collect())
    }

    /// The journal has it.
    pub(super) fn accept(&self, list: &Path) -> io::Result<()> {
        if is_added(list) {
            return fs::remove_file(list);
        }
        let accepted = self.shelf("accepted")?;
        fs::rename(list, free(&accepted, list))?;
        let mut kept: Vec<_> = fs::read_dir(&accepted)?
            .filter_map(|entry| {
                entry.ok().and_then(|entry| Some((entry.metadata().ok()?.ctime(), entry.path())))
            })
            .collect();
        kept.sort();
        let too_many = kept.len().saturating_sub(KEPT);
        kept.iter().take(too_many).try_for_each(|(_, path)| fs::remove_file(path))
    }

    /// It cannot be taken in. Nothing is lost: it is kept, with what is wrong beside it. Answers where.
    pub(super) fn reject(&self, list: &Path, why: &str) -> io::Result<PathBuf> {
        let place = free(&self.shelf("rejected")?, list);
        let mut errors = place.clone().into_os_string();
        errors.push(".errors");
        fs::write(errors, format!("{why}\n"))?;
        fs::rename(list, &place)?;
        Ok(place)
    }

    fn shelf(&self, name: &str) -> io::Result<PathBuf> {
        let shelf = self.dir.join(name);
        match fs::create_dir(&shelf) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
            _ => Ok(shelf),
        }
    }
}

/// Puts a list into an inbox: whole, or not at all, and not undone by a loss of power.
pub(super) fn put(dir: &Path, list: &str) -> io::Result<()> {
    let stem = format!("{:020}-{:08x}", nanoseconds(), fastrand::u32(..));
    let (draft, place) = (dir.join(format!(".{stem}")), dir.join(format!("{stem}{ADDED}")));
    let write = || {
        let mut file = File::options().write(true).create_new(true).mode(0o600).open(&draft)?;
        io::Write::write_all(&mut file, list.as_bytes())?;
        file.sync_all()?;
        fs::rename(&draft, &place)?;
        File::open(dir)?.sync_all()
    };
    write().inspect_err(|_| drop(fs::remove_file(&draft)))
}

/// So that lists are taken in the order in which they were put there.
fn nanoseconds() -> u128 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_nanos())
}

fn is_added(path: &Path) -> bool {
    path.as_os_str().as_bytes().ends_with(ADDED.as_bytes())
}

/// What editors and copying programs call files that are not complete.
fn is_draft(name: &OsStr) -> bool {
    let name = name.as_bytes();
    name.starts_with(b".") || [&b".part"[..], b".tmp", b"~"].iter().any(|end| name.ends_with(end))
}

/// A name of its own for a list among others.
fn free(dir: &Path, list: &Path) -> PathBuf {
    let name = list.file_name().unwrap_or_default();
    let place = dir.join(name);
    if !place.exists() {
        return place;
    }
    let mut other = name.to_owned();
    other.push(format!(".{}", nanoseconds()));
    dir.join(other)
}

/// Whether a process that can be looked into has a file open to write.
fn is_being_written(file: &Metadata) -> bool {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut processes = processes.filter(|entry| entry.file_name().as_bytes().iter().all(u8::is_ascii_digit));
    processes.any(|process| {
        let open = fs::read_dir(process.path().join("fd")).into_iter().flatten().flatten();
        open.into_iter().any(|fd| {
            let is_it = fs::metadata(fd.path())
                .is_ok_and(|found| (found.dev(), found.ino()) == (file.dev(), file.ino()));
            is_it && is_open_to_write(&process.path().join("fdinfo").join(fd.file_name()))
        })
    })
}

/// By the access mode among the `flags`, which are octal.
fn is_open_to_write(info: &Path) -> bool {
    let info = fs::read_to_string(info).unwrap_or_default();
    let flags = info.lines().find_map(|line| line.strip_prefix("flags:")).unwrap_or_default();
    u32::from_str_radix(flags.trim(), 8).is_ok_and(|flags| flags & 3 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(found: Vec<PathBuf>) -> Vec<String> {
        found.iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn a_list_is_complete_when_it_has_not_changed_and_nobody_writes_it() {
        let dir = tempfile::tempdir().unwrap();
        let mut spool = Spool::new(dir.path().to_owned());
        for name in [".hidden", "a.part", "a.tmp", "a~", "list"] {
            fs::write(dir.path().join(name), "x").unwrap();
        }
        fs::create_dir(dir.path().join("accepted")).unwrap();
        assert_eq!(names(spool.look().unwrap()), [""; 0]);
        let mut writer = File::options().append(true).open(dir.path().join("list")).unwrap();
        assert_eq!(names(spool.look().unwrap()), [""; 0], "somebody has it open");
        assert_eq!(names(spool.look().unwrap()), [""; 0]);
        io::Write::write_all(&mut writer, b"y").unwrap();
        drop(writer);
        assert_eq!(names(spool.look().unwrap()), [""; 0], "it is longer than it was");
        let reader = File::open(dir.path().join("list")).unwrap();
        assert_eq!(names(spool.look().unwrap()), ["list"], "readers do not count");
        drop(reader);
        put(dir.path(), "http://a/x").unwrap();
        put(dir.path(), "http://a/y").unwrap();
        let added = spool.look().unwrap();
        let texts: Vec<_> = added
            .iter()
            .filter(|path| is_added(path))
            .map(|path| fs::read_to_string(path).unwrap())
            .collect();
        assert_eq!(texts, ["http://a/x", "http://a/y"], "at once, and in order");
    }

    #[test]
    fn lists_of_people_are_kept_up_to_a_bound_and_bad_ones_for_ever() {
        let dir = tempfile::tempdir().unwrap();
        let spool = Spool::new(dir.path().to_owned());
        let list = |text: &str| {
            let path = dir.path().join("list");
            fs::write(&path, text).unwrap();
            path
        };
        for n in 0..KEPT + 5 {
            spool.accept(&list(&n.to_string())).unwrap();
        }
        assert_eq!(fs::read_dir(dir.path().join("accepted")).unwrap().count(), KEPT);
        for n in 0..3 {
            let place = spool.reject(&list("bad"), &format!("error {n}")).unwrap();
            let errors = fs::read_to_string(format!("{}.errors", place.display())).unwrap();
            assert_eq!(
                (fs::read_to_string(place).unwrap(), errors),
                ("bad".to_owned(), format!("error {n}\n"))
            );
        }
        assert_eq!(fs::read_dir(dir.path().join("rejected")).unwrap().count(), 6);
    }
}
