//! Bytes from a URL to a file. A [`Downloader`] fetches into a part file and hands it over as a [`Fetched`],
//! so that the program can verify it first; the final name appears with [`Fetched::publish`], whole or not
//! at all.
//!
//! ```no_run
//! use actix::prelude::*;
//! use latido::actors::downloader::{Downloader, Fetch};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let downloader = Downloader::default().start();
//! let fetched = downloader.send(Fetch::new("https://example.org/a.iso", "a.iso")).await??;
//! println!("{} bytes", fetched.bytes());
//! fetched.publish()?;
//! # Ok(()) }
//! ```

mod client;
mod error;
mod part;
mod progress;
mod transfer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;

pub use self::error::FetchError;
pub use self::progress::Progress;

use self::part::Part;
use super::WhileWanted;

// ===== messages =====

/// Fetches what a URL names. The answer is the complete file, not yet under its final name.
#[derive(Debug, Message)]
#[rtype(result = "Result<Fetched, FetchError>")]
pub struct Fetch {
    url: String,
    target: PathBuf,
    part: Option<PathBuf>,
    progress: Arc<Progress>,
}

impl Fetch {
    /// Fetches `url`, which is `http` or `https`, for `target`, by way of the part file `.NAME.part` beside it.
    pub fn new(url: impl Into<String>, target: impl Into<PathBuf>) -> Self {
        Self { url: url.into(), target: target.into(), part: None, progress: Arc::default() }
    }

    /// Uses another part file. It must be on the target's file system: publishing is a rename.
    pub fn part(mut self, path: impl Into<PathBuf>) -> Self {
        self.part = Some(path.into());
        self
    }

    /// Counts the bytes here as they come.
    pub fn progress(mut self, progress: Arc<Progress>) -> Self {
        self.progress = progress;
        self
    }
}

/// A complete download. Its part file is locked against other downloads, and is removed when this is dropped
/// without [`publish`](Self::publish).
#[derive(Debug)]
#[must_use = "dropped unpublished, it removes the file"]
pub struct Fetched {
    part: Part,
    target: PathBuf,
    bytes: u64,
}

impl Fetched {
    /// Where the bytes are now.
    pub fn part(&self) -> &Path {
        self.part.path()
    }

    /// Where they will be.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// The length of the file.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Gives the file its final name, atomically, in place of any file of that name. Nothing is synced: a
    /// program that must survive a power cut syncs the part file before and the directory after.
    ///
    /// Fails with [`FetchError::Disk`], and then the part file is gone.
    pub fn publish(self) -> Result<(), FetchError> {
        self.part.publish(&self.target)
    }
}

// ===== the actor =====

/// Downloads over HTTP. Each [`Fetch`] runs at once and beside the others; the sender decides how many. One ends when
/// its sender stops waiting for it, all of them end with the actor, and none leaves a part file behind.
///
/// The downloaders of an arbiter share their connections. Files are written on the arbiter's own thread: give
/// downloaders an arbiter that nobody waits for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Downloader {
    limits: Limits,
}

/// How long a server may take. What exceeds it is a transient [`FetchError`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// For a connection, its TLS included. 30 s by default.
    pub connect: Duration,
    /// Without a byte, from the request on. 60 s by default.
    pub silence: Duration,
    /// The fewest bytes a second, taken over `silence` at a time: a trickle is never silent. 100 by default.
    pub rate: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connect: Duration::from_secs(30), silence: Duration::from_secs(60), rate: 100 }
    }
}

impl Downloader {
    /// A downloader with limits of its own.
    pub fn new(limits: Limits) -> Self {
        Self { limits }
    }
}

impl Actor for Downloader {
    type Context = Context<Self>;
}

impl Handler<Fetch> for Downloader {
    type Result = WhileWanted<Self, Result<Fetched, FetchError>>;

    fn handle(&mut self, fetch: Fetch, _: &mut Context<Self>) -> Self::Result {
        let limits = self.limits;
        let clients = client::of_this_thread(limits);
        WhileWanted::new(async move { transfer::run(&clients, limits, fetch).await }.into_actor(self))
    }
}
