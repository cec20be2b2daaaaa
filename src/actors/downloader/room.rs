//! Whether there is room for a file.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::statvfs;

use super::FetchError;

/// How many bytes may still be written to the file system that has this file or directory.
///
/// Fails if there is no such file, or its file system does not tell.
pub fn free_space(path: &Path) -> io::Result<u64> {
    let told = statvfs(path)?;
    Ok(told.f_bavail.saturating_mul(told.f_frsize))
}

/// Lets a download begin only if what it needs has room now. A file system that tells nothing is tried.
pub(super) fn check(part: &Path, needed: u64) -> Result<(), FetchError> {
    match free_space(part) {
        Ok(available) if available < needed => Err(full(part, Some(needed))),
        _ => Ok(()),
    }
}

pub(super) fn full(part: &Path, needed: Option<u64>) -> FetchError {
    FetchError::Full {
        path: part.to_owned(),
        file_system: mounted_at(part).unwrap_or_else(|| part.to_owned()),
        available: free_space(part).unwrap_or(0),
        needed,
    }
}

fn mounted_at(path: &Path) -> Option<PathBuf> {
    let path = path.parent()?.canonicalize().ok()?;
    let device = path.metadata().ok()?.dev();
    let on_it = |dir: &&Path| dir.metadata().is_ok_and(|found| found.dev() == device);
    path.ancestors().take_while(on_it).last().map(Path::to_owned)
}
