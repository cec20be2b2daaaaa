//! One transfer: the request, the head that must be right, the bytes, the count, and the hash if it is wanted.

use std::time::{Duration, Instant};

use actix::prelude::*;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap, HeaderName, TRANSFER_ENCODING};

use super::client::{Answer, Clients};
use super::hashing::Hashing;
use super::part::{self, Part};
use super::{Fetch, FetchError, Fetched, Limits, RateLimit, error, times};
use crate::actors::cpu_pool::CpuPool;

/// What transfers have in common.
#[derive(Clone)]
pub(super) struct Means {
    pub(super) clients: Clients,
    pub(super) limits: Limits,
    pub(super) rate_limit: Option<RateLimit>,
    pub(super) pool: Option<Addr<CpuPool>>,
}

pub(super) async fn run(means: &Means, fetch: Fetch) -> Result<Fetched, FetchError> {
    let Fetch { url, target, part, progress, sha256, since, server_time } = fetch;
    let Means { clients, limits, rate_limit, pool } = means;
    let limits = *limits;
    let way = clients.way(&url)?;
    // Before the request: a server need not be asked for what has no place to go.
    let mut part = Part::create(part.map_or_else(|| part::beside(&target), Ok)?)?;
    let mut response = clients.get(&url, way, since.map(times::header)).await?;
    if since.is_some() && response.status() == StatusCode::NOT_MODIFIED {
        return Err(FetchError::NotModified);
    }
    let announced = check_head(&response)?;
    if let Some(progress) = &progress {
        progress.start(announced);
    }

    let mut hashing = sha256.then(|| Hashing::new(pool.clone()));
    let mut bytes = 0;
    let mut pace = Pace::new(limits);
    loop {
        let chunk = response.chunk().await;
        let Some(chunk) = chunk.map_err(|error| error::of_body(error, limits, bytes, announced))? else {
            break;
        };
        part.write(&chunk)?;
        bytes += chunk.len() as u64;
        if let Some(hashing) = &mut hashing {
            hashing.update(&chunk).await;
        }
        if let Some(progress) = &progress {
            progress.add(chunk.len() as u64);
        }
        pace.check(bytes)?;
        if let Some(limit) = rate_limit {
            pace.excuse(limit.pay(chunk.len()).await);
        }
    }
    // The client holds a server to its content-length, but not one that sends chunks as well.
    match announced {
        Some(announced) if bytes < announced => {
            return Err(FetchError::Short { received: bytes, announced: Some(announced) });
        }
        Some(announced) if bytes > announced => return Err(FetchError::Long { announced }),
        _ => {}
    }
    if let Some(time) = times::last_modified(response.headers()).filter(|_| server_time) {
        part.set_modified(time)?;
    }
    let modified = part.check(bytes)?;
    let sha256 = match hashing {
        Some(hashing) => hashing.finish().await,
        None => None,
    };
    Ok(Fetched { part, target, bytes, modified, sha256 })
}

/// Lets nothing pass but the bare and whole file; answers its length, if the server told it.
fn check_head(response: &Answer) -> Result<Option<u64>, FetchError> {
    let headers = response.headers();
    if response.status() != StatusCode::OK {
        return Err(error::of_status(response.status(), headers));
    }
    let is = |name: &str, encoding: &str| encoding.eq_ignore_ascii_case(name);
    let content = header_values(headers, CONTENT_ENCODING).find(|encoding| !is("identity", encoding));
    // The client undoes no other than these.
    let bare = |encoding: &&str| !is("chunked", encoding) && !is("identity", encoding);
    if let Some(encoding) = content.or_else(|| header_values(headers, TRANSFER_ENCODING).find(bare)) {
        return Err(FetchError::Encoding(encoding.to_owned()));
    }
    // The client takes chunks apart if they are the outermost coding, and no other one.
    let travels: Vec<_> = header_values(headers, TRANSFER_ENCODING).collect();
    match travels[..] {
        [] => {}
        [one] if ["chunked", "identity"].iter().any(|known| one.eq_ignore_ascii_case(known)) => {}
        _ => return Err(FetchError::Encoding(travels.join(", "))),
    }
    Ok(header_values(headers, CONTENT_LENGTH).find_map(|length| length.parse().ok()))
}

fn header_values(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
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
        Self { limits, since: Instant::now(), bytes_then: 0 }
    }

    /// We held the server up for so long ourselves.
    fn excuse(&mut self, time: Duration) {
        self.since += time;
    }

    fn check(&mut self, bytes: u64) -> Result<(), FetchError> {
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
