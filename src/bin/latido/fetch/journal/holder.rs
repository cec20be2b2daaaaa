//! Who has a journal, for people who wonder why they may not. The system knows: nothing is written for it, so nothing
//! can be out of date.

use std::fmt;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::fetch::text::presentable;

/// A process that has locked a journal.
#[derive(Debug)]
pub(crate) struct Holder {
    pid: u32,
    command: String,
}

impl Holder {
    /// `None` where the system does not tell: it is another user's, or in another container.
    pub(super) fn of(journal: &Path) -> Option<Self> {
        let inode = fs::metadata(journal).ok()?.ino();
        let locks = fs::read_to_string("/proc/locks").ok()?;
        let holder = |line| lock(line).filter(|(_, locked)| *locked == inode).map(|(pid, _)| pid);
        // Another file system may have a file of the same number.
        let pid = locks.lines().filter_map(holder).find(|pid| has_open(*pid, journal))?;
        let words = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        let words = String::from_utf8_lossy(&words);
        let command = presentable(words.trim_end_matches('\0').replace('\0', " ").as_str());
        Some(Self { pid, command })
    }
}

/// Who has locked which file: `1: FLOCK  ADVISORY  WRITE 1234 08:01:131 0 EOF`.
fn lock(line: &str) -> Option<(u32, u64)> {
    let words: Vec<_> = line.split_whitespace().collect();
    let [_, _, _, _, pid, file, ..] = words[..] else { return None };
    Some((pid.parse().ok()?, file.rsplit(':').next()?.parse().ok()?))
}

fn has_open(pid: u32, file: &Path) -> bool {
    let open = fs::read_dir(format!("/proc/{pid}/fd"));
    open.into_iter().flatten().flatten().any(|entry| fs::read_link(entry.path()).is_ok_and(|to| to == file))
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: String = self.command.chars().take(80).collect();
        let more = if shown.len() < self.command.len() { " ..." } else { "" };
        write!(f, "process {} ({shown}{more})", self.pid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_systems_list_names_process_and_file() {
        assert_eq!(lock("3: FLOCK  ADVISORY  WRITE 1234 08:01:131 0 EOF"), Some((1234, 131)));
        assert_eq!(lock("4: OFDLCK ADVISORY  READ -1 00:1a:7 128 128"), None);
        assert_eq!(lock("3: -> FLOCK  ADVISORY  WRITE 9 08:01:131 0 EOF"), None, "that one waits");
    }
}
