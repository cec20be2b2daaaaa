//! One transfer: what an earlier one left, the request, the head that must be right, the bytes, the count, and the hash
//! if it is wanted.

use std::cell::Cell;
use std::iter;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, IF_MODIFIED_SINCE};

use super::client::{Answer, BrokenOff, Clients, Way};
use super::hashing::{Hashing, HashingPool};
use super::hold::{Owners, take_from_the_gone};
use super::mishap::Mishaps;
use super::part::{self, Part};
use super::pieces::{self, Plan, Trouble};
use super::range::{Whole, check_whole};
use super::record::Record;
use super::{Fetch, FetchError, Fetched, Limits, Progress, RateLimit, disposition, error, room, times};
use crate::Reporter;

/// What comes within a moment need not be gone on with, and costs as little as it can.
const LARGE: u64 = 8 << 20;

/// What transfers have in common.
#[derive(Clone)]
pub(super) struct Means {
    pub(super) clients: Clients,
    pub(super) limits: Limits,
    pub(super) rate_limit: Option<RateLimit>,
    pub(super) pool: Option<HashingPool>,
    pub(super) mishaps: Arc<Mishaps>,
}

/// Where a file comes from.
pub(super) struct Source<'a> {
    clients: &'a Clients,
    url: &'a str,
    /// For the first request. To find it takes time that a small file has not.
    way: Cell<Option<Way>>,
    pub(super) limits: Limits,
    rate_limit: Option<&'a RateLimit>,
    mishaps: &'a Mishaps,
    /// When the file was last changed on the server, if that is wanted and told.
    changed: Option<Cell<Option<SystemTime>>>,
    /// What the server calls it.
    name: Cell<Option<Box<str>>>,
}

impl Source<'_> {
    pub(super) async fn get(&self, more: &HeaderMap) -> Result<Answer, FetchError> {
        let way = self.way.take().map_or_else(|| self.clients.way(self.url), Ok)?;
        let answer = self.clients.get(self.url, way, more).await?;
        if let Some(changed) = &self.changed {
            changed.set(times::last_modified(answer.headers()));
        }
        self.name.set(disposition::name(answer.headers()));
        Ok(answer)
    }

    /// The next bytes of an answer's body; `None` at its end.
    pub(super) async fn chunk(&self, answer: &mut Answer) -> Result<Option<Bytes>, BrokenOff> {
        self.mishaps.chunk(answer, self.limits.silence).await
    }

    pub(super) fn write(&self, part: &Part, bytes: &[u8], at: u64) -> Result<(), FetchError> {
        self.mishaps.of_write().map_err(|error| FetchError::disk(part.path(), error))?;
        part.write(bytes, at)
    }

    /// Waits until so many bytes more may come.
    pub(super) async fn pay(&self, bytes: usize, pace: &mut Pace) {
        if let Some(limit) = self.rate_limit {
            pace.excuse(limit.pay(bytes).await);
        }
    }
}

pub(super) async fn run(means: &Means, fetch: Fetch) -> Result<Fetched, FetchError> {
    let Fetch {
        url,
        target,
        part,
        progress,
        sha256,
        since,
        server_time,
        resume,
        connections,
        min_split,
        synced,
        asker,
    } = fetch;
    let Means { clients, limits, rate_limit, pool, mishaps } = means;
    let way = Cell::new(Some(clients.way(&url)?));
    // Before the request: a server need not be asked for what has no place to go.
    let part = part.map_or_else(|| part::beside(&target), Ok)?;
    take_from_the_gone(&part).await;
    let owners = Owners { asker, downloader: Reporter::current() };
    let (part, record) = match resume {
        true => Part::take_up(part, &url, owners)?,
        false => (Part::create(part, owners)?, None),
    };
    let mut transfer = Transfer {
        source: Source {
            clients,
            url: &url,
            way,
            limits: *limits,
            rate_limit: rate_limit.as_ref(),
            mishaps,
            changed: server_time.then(Cell::default),
            name: Cell::default(),
        },
        part,
        hashing: sha256.then(|| Hashing::new(pool.clone())),
        progress: progress.as_deref(),
        resume,
        since,
        plan: Plan { connections, min_split },
    };
    let (bytes, pieced) = transfer.bring(record).await?;
    let Transfer { source, part, hashing, .. } = transfer;
    let suggested_name = source.name.into_inner();
    if let Some(time) = source.changed.and_then(Cell::into_inner) {
        part.set_modified(time)?;
    }
    let modified = part.check(bytes)?;
    if synced {
        part.sync().await?;
    }
    let sha256 = match hashing {
        Some(hashing) => hashing.finish(bytes, &part).await,
        None => None,
    };
    Ok(Fetched { part, target, bytes, modified, sha256, pieced, suggested_name })
}

struct Transfer<'a> {
    source: Source<'a>,
    part: Part,
    hashing: Option<Hashing>,
    progress: Option<&'a Progress>,
    resume: bool,
    since: Option<SystemTime>,
    plan: Plan,
}

impl Transfer<'_> {
    /// Answers the length of the file, and whether more than one answer had to do with it.
    async fn bring(&mut self, record: Option<Record>) -> Result<(u64, bool), FetchError> {
        if let Some(record) = record {
            let length = record.known.length;
            let missing = record.missing.iter().map(|range| range.end - range.start).sum();
            room::check(self.part.path(), missing)?;
            if self.bring_pieces(record, self.plan, None).await? {
                return Ok((length, true));
            }
        }
        let (answer, whole) = self.ask().await?;
        let plan = if whole.takes_ranges { self.plan } else { Plan { connections: 1, ..self.plan } };
        let known = whole.known().filter(|known| known.length >= LARGE);
        let Some(known) = known.filter(|_| self.resume || plan.connections > 1) else {
            return Ok((self.bring_whole(answer, whole.length).await?, false));
        };
        room::check(self.part.path(), known.length)?;
        if self.resume {
            self.part.keep(known.clone(), self.source.url)?;
        }
        let length = known.length;
        let record = Record { known, missing: iter::once(0..length).collect() };
        if self.bring_pieces(record, plan, Some(answer)).await? {
            return Ok((length, plan.connections > 1));
        }
        let (answer, whole) = self.ask().await?;
        Ok((self.bring_whole(answer, whole.length).await?, false))
    }

    async fn ask(&self) -> Result<(Answer, Whole), FetchError> {
        let since = self.since.map(|since| (IF_MODIFIED_SINCE, times::header(since)));
        let answer = self.source.get(&HeaderMap::from_iter(since)).await?;
        if self.since.is_some() && answer.status() == StatusCode::NOT_MODIFIED {
            return Err(FetchError::NotModified);
        }
        let whole = check_whole(&answer)?;
        Ok((answer, whole))
    }

    /// Whether that was possible. If not, the part is empty again.
    async fn bring_pieces(
        &mut self,
        record: Record,
        plan: Plan,
        answer: Option<Answer>,
    ) -> Result<bool, FetchError> {
        let Self { source, part, hashing, progress, .. } = self;
        let why = match pieces::bring(source, part, hashing.as_mut(), *progress, record, plan, answer).await {
            Ok(()) => return Ok(true),
            Err(Trouble::Failed(error)) => return Err(error),
            Err(Trouble::Contradiction(why)) => why,
            Err(Trouble::Ignored) => "the server sends no parts",
        };
        log::info!("{} is fetched anew: {why}", source.url);
        part.begin_anew()?;
        if let Some(hashing) = hashing {
            hashing.begin_anew();
        }
        Ok(false)
    }

    /// What comes is the file, from its beginning to its end. Answers its length.
    async fn bring_whole(&mut self, mut answer: Answer, announced: Option<u64>) -> Result<u64, FetchError> {
        if let Some(progress) = self.progress {
            progress.start(announced);
        }
        let limits = self.source.limits;
        let mut bytes = 0;
        let mut pace = Pace::new(limits);
        loop {
            let chunk = self.source.chunk(&mut answer).await;
            let Some(chunk) = chunk.map_err(|error| error::of_body(error, limits, bytes, announced))? else {
                break;
            };
            self.source.write(&self.part, &chunk, bytes)?;
            let at = bytes;
            bytes += chunk.len() as u64;
            if let Some(hashing) = &mut self.hashing {
                hashing.update(&chunk, at, bytes, &self.part);
            }
            if let Some(progress) = self.progress {
                progress.add(chunk.len() as u64);
            }
            pace.check(bytes)?;
            self.source.pay(chunk.len(), &mut pace).await;
        }
        // The client holds a server to its content-length, but not one that sends chunks as well.
        match announced {
            Some(announced) if bytes < announced => {
                Err(FetchError::Short { received: bytes, announced: Some(announced) })
            }
            Some(announced) if bytes > announced => Err(FetchError::Long { announced }),
            _ => Ok(bytes),
        }
    }
}

/// Notices a trickle.
pub(super) struct Pace {
    limits: Limits,
    since: Instant,
    bytes_then: u64,
}

impl Pace {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, since: Instant::now(), bytes_then: 0 }
    }

    /// We held the server up for so long ourselves.
    fn excuse(&mut self, time: Duration) {
        self.since += time;
    }

    pub(super) fn check(&mut self, bytes: u64) -> Result<(), FetchError> {
        let elapsed = self.since.elapsed();
        if elapsed < self.limits.silence {
            return Ok(());
        }
        if ((bytes - self.bytes_then) as f64) < self.limits.rate as f64 * elapsed.as_secs_f64() {
            return Err(FetchError::Slow { rate: self.limits.rate, period: self.limits.silence });
        }
        self.since = Instant::now();
        self.bytes_then = bytes;
        Ok(())
    }
}
