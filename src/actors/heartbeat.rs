//! The daemon that says the system is alive: a beat at an interval, each one an event and a line in a bounded file.
//!
//! It belongs on a thread of its own ([`Heartbeat::spec`] sees to that): on a shared arbiter a neighbour that computes
//! for a second makes every beat up to a second late.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use actix::prelude::*;
use jiff::Timestamp;

use crate::event::Report;
use crate::reporter::Reporter;
use crate::supervision::{ChildSpec, Placement};

/// One beat. As text it is a line of `name=value` pairs:
/// `time=2026-11-21T13:24:24Z seq=7 uptime=7.002 memory=10485760 alive=12 jobs_done=40`.
#[derive(Clone, Debug)]
pub struct Beat {
    /// When, by the wall clock.
    pub at: SystemTime,
    /// Counts from 1, and goes on when the heartbeat is restarted.
    pub seq: u64,
    /// Since the heartbeat was first made.
    pub uptime: Duration,
    /// Resident memory of this process in bytes; `None` where the system does not tell.
    pub memory: Option<u64>,
    /// Children of the tree that are up, supervisors not counted.
    pub alive: usize,
    /// What else was asked for, see [`Heartbeat::gauge`].
    pub gauges: Vec<(&'static str, u64)>,
}

impl Report for Beat {
    #[cfg(feature = "control")]
    fn data(&self) -> serde_json::Value {
        let Self { seq, uptime, memory, alive, gauges, .. } = self;
        let gauges: serde_json::Map<_, _> =
            gauges.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
        serde_json::json!({
            "event": "beat", "seq": seq, "uptime": uptime.as_secs_f64(), "memory": memory, "alive": alive, "gauges": gauges,
        })
    }
}

type Gauge = Arc<dyn Fn() -> u64 + Send + Sync>;
type Hook = Arc<dyn Fn(&Beat) + Send + Sync>;

/// The actor, and its own recipe: a clone goes on with the same sequence.
///
/// ```
/// use std::time::Duration;
/// use latido::actors::heartbeat::Heartbeat;
/// use latido::supervision::SupervisorSpec;
///
/// let heartbeat = Heartbeat::every(Duration::from_secs(1)).file("heartbeat.log").gauge("answer", || 42);
/// let tree = SupervisorSpec::new("app").child(heartbeat.spec("heartbeat"));
/// ```
#[derive(Clone)]
pub struct Heartbeat {
    interval: Duration,
    file: Option<PathBuf>,
    file_limit: u64,
    gauges: Vec<(&'static str, Gauge)>,
    hooks: Vec<Hook>,
    seq: Arc<AtomicU64>,
    born: Instant,
    reporter: Reporter,
}

impl Heartbeat {
    /// A heartbeat with this much time from beat to beat. The first beat comes when it starts.
    pub fn every(interval: Duration) -> Self {
        let (seq, reporter) = (Arc::default(), Reporter::current());
        let file_limit = 1 << 20;
        let (gauges, hooks, born) = (Vec::new(), Vec::new(), Instant::now());
        Self { interval, file: None, file_limit, gauges, hooks, seq, born, reporter }
    }

    /// Writes each beat to this file too. The file is bounded: at a mebibyte it is renamed to `NAME.1`, in place of the
    /// one before, and begun anew.
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.file = Some(path.into());
        self
    }

    /// Begins the file anew at this many bytes instead.
    pub fn file_limit(mut self, bytes: u64) -> Self {
        self.file_limit = bytes;
        self
    }

    /// Adds a number to each beat. `read` is called on the heartbeat's thread: it must not block.
    pub fn gauge(mut self, name: &'static str, read: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        self.gauges.push((name, Arc::new(read)));
        self
    }

    /// Calls `hook` at each beat, on the heartbeat's thread, after everything else that a beat does: for signs of life to
    /// somebody outside, such as an init system. It must not block. Should it panic, that is a crash of the heartbeat.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use latido::actors::heartbeat::Heartbeat;
    /// Heartbeat::every(Duration::from_secs(1)).on_beat(|beat| println!("alive for {:?}", beat.uptime));
    /// ```
    pub fn on_beat(mut self, hook: impl Fn(&Beat) + Send + Sync + 'static) -> Self {
        self.hooks.push(Arc::new(hook));
        self
    }

    /// A child that beats on a thread of its own.
    pub fn spec(self, id: impl Into<String>) -> ChildSpec<Self> {
        ChildSpec::new(id, move || self.clone()).on(Placement::OwnThread)
    }

    fn beat(&mut self) {
        let beat = Beat {
            at: SystemTime::now(),
            seq: self.seq.fetch_add(1, Ordering::Relaxed) + 1,
            uptime: self.born.elapsed(),
            memory: resident_memory(),
            alive: self.reporter.alive(),
            gauges: self.gauges.iter().map(|(name, read)| (*name, read())).collect(),
        };
        // A full disk must not stop the heart: the beat is still an event.
        if let Some(path) = &self.file
            && let Err(error) = append_bounded(path, &format!("{beat}\n"), self.file_limit)
        {
            log::warn!("heartbeat file {}: {error}", path.display());
        }
        self.reporter.report(beat.clone());
        self.hooks.iter().for_each(|hook| hook(&beat));
    }
}

impl Actor for Heartbeat {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        self.reporter = Reporter::current();
        self.beat();
        ctx.run_interval(self.interval, |heartbeat, _| heartbeat.beat());
    }
}

/// Appends a line to a file that is bounded, as that of a heartbeat is: before it would have more than `limit` bytes, it
/// is renamed to `NAME.1`, in place of the one before, and begun anew. Says whether it was.
///
/// The line is one write, so that a reader never sees half of it. The file is opened each time: it may be moved away by
/// others, too. One that is appended to by several at the same time may lose a `NAME.1`.
///
/// ```
/// use latido::actors::heartbeat::append_bounded;
///
/// let dir = tempfile::tempdir()?;
/// let log = dir.path().join("log");
/// assert!(!append_bounded(&log, "one\n", 6)?);
/// assert!(append_bounded(&log, "two\n", 6)?);
/// assert_eq!(std::fs::read_to_string(log)?, "two\n");
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// If the file cannot be opened, renamed or written to.
pub fn append_bounded(path: &Path, line: &str, limit: u64) -> io::Result<bool> {
    let mut file = open(path)?;
    let is_full = file.metadata()?.len() + line.len() as u64 > limit;
    if is_full {
        let mut old = path.to_owned().into_os_string();
        old.push(".1");
        fs::rename(path, old)?;
        file = open(path)?;
    }
    file.write_all(line.as_bytes())?;
    Ok(is_full)
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

/// The second field of `/proc/self/statm`, in pages of 4 KiB (the size on every platform that Rust calls tier 1 with a
/// `/proc`, but for some arm64 kernels).
fn resident_memory() -> Option<u64> {
    let statm = fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * 4096)
}

impl fmt::Display for Beat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = Timestamp::try_from(self.at).unwrap_or_default();
        write!(f, "time={time:.0} seq={} uptime={:.3}", self.seq, self.uptime.as_secs_f64())?;
        if let Some(memory) = self.memory {
            write!(f, " memory={memory}")?;
        }
        write!(f, " alive={}", self.alive)?;
        self.gauges.iter().try_for_each(|(name, value)| write!(f, " {name}={value}"))
    }
}

impl fmt::Debug for Heartbeat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Heartbeat")
            .field("interval", &self.interval)
            .field("file", &self.file)
            .finish_non_exhaustive()
    }
}
