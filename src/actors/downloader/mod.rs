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

mod batch;
mod client;
mod credentials;
mod disposition;
mod error;
mod hashing;
mod hold;
mod limit;
mod mishap;
mod netrc;
mod part;
mod pieces;
mod progress;
mod range;
mod record;
mod redact;
mod room;
mod segments;
mod settings;
mod silence;
mod times;
mod transfer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use actix::prelude::*;

pub use self::batch::{Early, FetchAll};
pub use self::credentials::Credentials;
pub use self::error::FetchError;
pub use self::hashing::HashingPool;
pub use self::limit::RateLimit;
pub use self::netrc::{Netrc, NetrcError};
pub use self::progress::Progress;
pub use self::redact::redacted;
pub use self::room::free_space;
pub use self::settings::{Limits, Settings, SettingsError};

use self::mishap::Mishaps;
use self::part::Part;
use self::transfer::Means;
use super::WhileWanted;
use super::digest::Sha256;
use crate::Reporter;

// ===== messages =====

/// Fetches what a URL names. The answer is the complete file, not yet under its final name.
#[derive(Debug, Message)]
#[rtype(result = "Result<Fetched, FetchError>")]
pub struct Fetch {
    url: String,
    target: PathBuf,
    part: Option<PathBuf>,
    progress: Option<Arc<Progress>>,
    sha256: bool,
    since: Option<SystemTime>,
    server_time: bool,
    resume: bool,
    connections: usize,
    min_split: u64,
    synced: bool,
    asker: Reporter,
}

impl Fetch {
    /// Fetches `url`, which is `http` or `https`, for `target`, by way of the part file `.NAME.part` beside it.
    pub fn new(url: impl Into<String>, target: impl Into<PathBuf>) -> Self {
        Self {
            url: url.into(),
            target: target.into(),
            part: None,
            progress: None,
            sha256: false,
            since: None,
            server_time: false,
            resume: false,
            connections: 1,
            min_split: 20 << 20,
            synced: false,
            asker: Reporter::default(),
        }
    }

    /// Uses another part file. It must be on the target's file system: publishing is a rename.
    pub fn part(mut self, path: impl Into<PathBuf>) -> Self {
        self.part = Some(path.into());
        self
    }

    /// Counts the bytes here as they come.
    pub fn progress(mut self, progress: Arc<Progress>) -> Self {
        self.progress = Some(progress);
        self
    }

    /// Asks for the file only if it has changed on the server since then. If not, the answer is
    /// [`FetchError::NotModified`]. A server that does not know sends the file.
    pub fn if_modified_since(mut self, time: SystemTime) -> Self {
        self.since = Some(time);
        self
    }

    /// Gives the file the time at which it was last changed on the server, if that is told.
    pub fn server_time(mut self) -> Self {
        self.server_time = true;
        self
    }

    /// Computes the file's SHA-256 while its bytes come, see [`Fetched::sha256`].
    pub fn sha256(mut self) -> Self {
        self.sha256 = true;
        self
    }

    /// Goes on where an earlier fetch of the same URL into the same part file ended, however it did: by a failure, its
    /// sender's or actor's end, or that of the program. The part file is then left for the next one, unless there is
    /// nothing worth it: of a file below 8 MiB, or one that the server gives no length of and no means to tell whether it
    /// has changed (a strong entity tag, or when it was last modified).
    ///
    /// What is left is gone on with only if the server serves parts and says that the file is still the same, and
    /// since the machine was started last; else the file is fetched anew. While it is incomplete, the part file is longer
    /// than the file by what is known of it, which stands at its end.
    ///
    /// ```no_run
    /// # use actix::prelude::*;
    /// # use latido::actors::downloader::{Downloader, Fetch};
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let downloader = Downloader::default().start();
    /// let disk = || Fetch::new("https://example.org/disk.iso", "disk.iso").resume().connections(4);
    /// let fetched = match downloader.send(disk()).await? {
    ///     Err(error) if error.is_transient() => downloader.send(disk()).await??,
    ///     ended => ended?,
    /// };
    /// fetched.publish()?;
    /// # Ok(()) }
    /// ```
    pub fn resume(mut self) -> Self {
        self.resume = true;
        self
    }

    /// Lets the file come by up to so many connections, 1 by default, if it is large and the server serves parts. Each of
    /// them begins with half of what the one that needs longest has left, and with another half when it is done, so who
    /// is fast does most. One that is slow by far, or stands still, is relieved of all that it has. A server that
    /// refuses some of them serves the file by the others.
    pub fn connections(mut self, connections: usize) -> Self {
        self.connections = connections.clamp(1, MAX_CONNECTIONS);
        self
    }

    /// Has the file on its disk, and not only with the system, before it is handed over: so that after a power cut no file is
    /// under its name without its content. That its name is there then takes a sync of the directory as well, after
    /// [`Fetched::publish`]. Without this, all of it survives the end of the program, and not that of the system.
    pub fn synced(mut self) -> Self {
        self.synced = true;
        self
    }

    /// Says whose life it is fetched for ([`Reporter::current`] of an actor's code). When that has ended, so has the fetch, and
    /// what came of it is nobody's: the next fetch into the same part file takes that away, although an actor that blocks
    /// its thread, and was left behind, still has it.
    pub fn asked_by(mut self, asker: Reporter) -> Self {
        self.asker = asker;
        self
    }

    /// No connection begins with less than so many bytes of what another is getting, 20 MiB by default.
    pub fn min_split(mut self, bytes: u64) -> Self {
        self.min_split = bytes;
        self
    }
}

/// The most connections that a file can come by.
pub const MAX_CONNECTIONS: usize = 16;

/// A complete download. Its part file is locked against other downloads, and is removed when this is dropped
/// without [`publish`](Self::publish).
#[derive(Debug)]
#[must_use = "dropped unpublished, it removes the file"]
pub struct Fetched {
    part: Part,
    target: PathBuf,
    bytes: u64,
    modified: SystemTime,
    sha256: Option<Sha256>,
    pieced: bool,
    suggested_name: Option<Box<str>>,
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

    /// When the file was last written to. A change of its name does not change that.
    pub fn modified(&self) -> SystemTime {
        self.modified
    }

    /// Whether more than one answer had to do with it: it was gone on with, or came by several connections. If it turns out
    /// to be wrong, it may be right when it comes in one piece.
    pub fn is_pieced(&self) -> bool {
        self.pieced
    }

    /// What was asked for with [`Fetch::sha256`]. `None` also if the pool that computed it crashed over it, or if the file
    /// did not come in one piece and there is no pool: then it has to be read again, see
    /// [`Sha256Of`](super::digest::Sha256Of).
    pub fn sha256(&self) -> Option<Sha256> {
        self.sha256
    }

    /// What the server calls the file (`Content-Disposition`), where that is the name of a file in a directory: no path,
    /// nothing hidden, no control characters.
    pub fn suggested_name(&self) -> Option<&str> {
        self.suggested_name.as_deref()
    }

    /// Gives the file another name than that of its target, on the same file system, atomically. Unlike
    /// [`publish`](Self::publish) it never takes the place of anything: then it fails with [`FetchError::Disk`] and
    /// [`AlreadyExists`](std::io::ErrorKind::AlreadyExists).
    ///
    /// After any failure the part file is gone.
    pub fn publish_as(self, name: &Path) -> Result<(), FetchError> {
        self.part.publish_new(name)
    }

    /// Gives the file its final name, atomically, in place of any file of that name. Nothing is synced, see
    /// [`Fetch::synced`].
    ///
    /// Fails with [`FetchError::Disk`], and then the part file is gone.
    pub fn publish(self) -> Result<(), FetchError> {
        self.part.publish(&self.target)
    }
}

// ===== the actor =====

/// Downloads over HTTP. Each [`Fetch`] runs at once and beside the others; the sender decides how many. One ends when
/// its sender stops waiting for it, all of them end with the actor, and none leaves a part file behind, but for those that
/// can be gone on with ([`Fetch::resume`]).
///
/// The downloaders of an arbiter share their connections. Files are written on the arbiter's own thread: give
/// downloaders an arbiter that nobody waits for.
#[derive(Clone, Debug, Default)]
pub struct Downloader {
    settings: Arc<Settings>,
    pool: Option<HashingPool>,
    mishaps: Arc<Mishaps>,
}

impl Downloader {
    /// A downloader with settings, or only limits, of its own.
    pub fn new(settings: impl Into<Arc<Settings>>) -> Self {
        Self { settings: settings.into(), ..Self::default() }
    }

    /// Lets `pool` hash what comes after the first mebibyte of a file, on another core, while more of it is received. It reads
    /// it from the part file. An address will do; the [`actor_ref`](crate::supervision::ChildSpec::actor_ref) of a pool in a
    /// tree keeps nobody waiting if the pool hangs.
    pub fn hash_on(mut self, pool: impl Into<HashingPool>) -> Self {
        self.pool = Some(pool.into());
        self
    }

    fn means(&self) -> Means {
        Means {
            clients: client::of_this_thread(&self.settings),
            limits: self.settings.limits,
            rate_limit: self.settings.rate_limit.clone(),
            pool: self.pool.clone(),
            mishaps: self.mishaps.clone(),
        }
    }
}

impl Actor for Downloader {
    type Context = Context<Self>;
}

impl Handler<Fetch> for Downloader {
    type Result = WhileWanted<Self, Result<Fetched, FetchError>>;

    fn handle(&mut self, fetch: Fetch, _: &mut Context<Self>) -> Self::Result {
        let (means, asker) = (self.means(), fetch.asker.clone());
        let run = async move { handed_over(transfer::run(&means, fetch).await) };
        WhileWanted::new(run.into_actor(self)).asked_by(asker)
    }
}

/// What came of a fetch is its asker's from now on, whatever becomes of the downloader.
fn handed_over(ended: Result<Fetched, FetchError>) -> Result<Fetched, FetchError> {
    ended.inspect(|fetched| fetched.part.hand_over())
}
