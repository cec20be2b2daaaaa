//! A fetch in one line, and what it left on disk.

use std::fs;
use std::path::Path;
use std::time::Duration;

use actix::prelude::*;
use latido::actors::downloader::{Downloader, Fetch, FetchError, Fetched, Limits};
use tempfile::TempDir;

/// Short enough to wait for, long enough for a busy machine.
pub const IMPATIENT: Limits =
    Limits { connect: Duration::from_secs(10), silence: Duration::from_millis(200), rate: 1_000_000 };

/// Fetches on a downloader of its own.
pub async fn fetch_with(limits: Limits, url: String, target: &Path) -> Result<Fetched, FetchError> {
    let downloader = Downloader::new(limits).start();
    downloader.send(Fetch::new(url, target)).await.unwrap()
}

pub async fn fetch(url: String, target: &Path) -> Result<Fetched, FetchError> {
    fetch_with(Limits::default(), url, target).await
}

/// The names in a directory, sorted.
pub fn files_in(dir: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(dir.path()).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
