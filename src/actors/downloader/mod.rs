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

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix::prelude::*;
use reqwest::header::{CONTENT_ENCODING, HeaderMap};
use reqwest::{Response, StatusCode};

pub use self::error::FetchError;
pub use self::progress::Progress;

use self::client::Clients;
use self::part::Part;

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
        Self {
            url: url.into(),
            target: target.into(),
            part: None,
            progress: Arc::default(),
        }
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

/// Downloads over HTTP. Each [`Fetch`] runs at once and beside the others; the sender decides how many. All of
/// them end with the actor, and leave no part file behind.
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
        Self {
            connect: Duration::from_secs(30),
            silence: Duration::from_secs(60),
            rate: 100,
        }
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
    type Result = ResponseActFuture<Self, Result<Fetched, FetchError>>;

    fn handle(&mut self, fetch: Fetch, _: &mut Context<Self>) -> Self::Result {
        let limits = self.limits;
        let clients = client::of_this_thread(limits);
        Box::pin(async move { transfer(&clients, limits, fetch).await }.into_actor(self))
    }
}

// ===== one transfer =====

async fn transfer(clients: &Clients, limits: Limits, fetch: Fetch) -> Result<Fetched, FetchError> {
    let Fetch {
        url,
        target,
        part,
        progress,
    } = fetch;
    let url = error::parse_url(&url)?;
    // Before the request: a server need not be asked for what has no place to go.
    let mut part = Part::create(part.map_or_else(|| part::beside(&target), Ok)?)?;
    let mut response = clients
        .get(url)
        .await
        .map_err(|error| error::of_request(&error, limits))?;
    let announced = check_head(&response)?;
    progress.start(announced);

    let mut bytes = 0;
    let mut pace = Pace::new(limits);
    loop {
        let chunk = response.chunk().await;
        let Some(chunk) = chunk.map_err(|error| error::of_body(&error, limits, bytes, announced))? else {
            break;
        };
        part.write(&chunk)?;
        bytes += chunk.len() as u64;
        progress.add(chunk.len() as u64);
        pace.check(bytes)?;
    }
    // The client holds a server to its content-length, but not one that sends chunks as well.
    match announced {
        Some(announced) if bytes < announced => {
            return Err(FetchError::Short {
                received: bytes,
                announced: Some(announced),
            });
        }
        Some(announced) if bytes > announced => return Err(FetchError::Long { announced }),
        _ => {}
    }
    part.check_length(bytes)?;
    Ok(Fetched { part, target, bytes })
}

/// Lets nothing pass but the bare and whole file; answers its length, if the server told it.
fn check_head(response: &Response) -> Result<Option<u64>, FetchError> {
    let headers = response.headers();
    if response.status() != StatusCode::OK {
        return Err(error::of_status(response.status(), headers));
    }
    let encodings = || header_values(headers, CONTENT_ENCODING.as_str());
    if let Some(encoding) = encodings().find(|encoding| !encoding.eq_ignore_ascii_case("identity")) {
        return Err(FetchError::Encoding(encoding.to_owned()));
    }
    Ok(header_values(headers, "content-length").find_map(|length| length.parse().ok()))
}

fn header_values<'a>(headers: &'a HeaderMap, name: &'static str) -> impl Iterator<Item = &'a str> {
    let values = headers.get_all(name).into_iter();
    values.flat_map(|value| value.to_str().unwrap_or("unreadable").split(',').map(str::trim))
}

/// Notices a trickle.
struct Pace {
    limits: Limits,
    since: Instant,
    bytes_then: u64,
}

impl Pace {
    fn new(limits: Limits) -> Self {
        Self {
            limits,
            since: Instant::now(),
            bytes_then: 0,
        }
    }

    fn check(&mut self, bytes: u64) -> Result<(), FetchError> {
        let elapsed = self.since.elapsed();
        if elapsed < self.limits.silence {
            return Ok(());
        }
        if ((bytes - self.bytes_then) as f64) < self.limits.rate as f64 * elapsed.as_secs_f64() {
            return Err(FetchError::Slow {
                rate: self.limits.rate,
                period: self.limits.silence,
            });
        }
        self.since = Instant::now();
        self.bytes_then = bytes;
        Ok(())
    }
}
