//! Which part of a file comes by which connection. No clock and no file is touched here.
//!
//! There is one rule: who has nothing to do takes a range that nobody has; or half of what the connection that needs
//! longest has left; or all of it, if that one is much slower. So a file begins with one connection, the others take
//! their halves, and whoever is fast gets more.

use std::ops::Range;
use std::time::Duration;

/// Who is slower by this factor loses all that it has left.
const MUCH: f64 = 4.0;
/// What a new request costs, or may.
const REQUEST: Duration = Duration::from_secs(1);
/// A rate is taken over the last one to two such times.
const WINDOW: Duration = Duration::from_secs(1);

/// What of a file is missing, and who is getting it.
#[derive(Debug)]
pub(super) struct Segments {
    length: u64,
    /// A connection is not given less than this of what another one is getting.
    min_split: u64,
    /// Nobody is getting these.
    free: Vec<Range<u64>>,
    /// By connection.
    streams: Vec<Stream>,
}

/// One connection's.
#[derive(Clone, Debug, Default)]
struct Stream {
    range: Range<u64>,
    /// Where it would end if nobody had taken of it.
    reach: u64,
    /// Whether it has an answer that brings its range.
    has_begun: bool,
    rate: Rate,
}

/// Who takes over what.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Claim {
    pub(super) range: Range<u64>,
    /// Has lost all it had, and need not go on.
    pub(super) relieved: Option<usize>,
}

impl Segments {
    pub(super) fn new(length: u64, missing: Vec<Range<u64>>, streams: usize, min_split: u64) -> Self {
        let streams = (0..streams).map(|_| Stream::default()).collect();
        Self { length, min_split: min_split.max(1), free: missing, streams }
    }

    /// Something to do for a connection that has nothing left. `now` counts from any moment.
    pub(super) fn claim(&mut self, stream: usize, now: Duration) -> Option<Claim> {
        debug_assert!(self.streams[stream].range.is_empty());
        let claim = self.free_range().or_else(|| self.share(stream, now))?;
        self.streams[stream].range = claim.range.clone();
        self.streams[stream].reach = claim.range.end;
        self.streams[stream].has_begun = false;
        self.streams[stream].rate.start(now);
        Some(claim)
    }

    /// The first of those that nobody has, so that the file becomes whole from its beginning.
    fn free_range(&mut self) -> Option<Claim> {
        let first = (0..self.free.len()).min_by_key(|n| self.free[*n].start)?;
        Some(Claim { range: self.free.swap_remove(first), relieved: None })
    }

    fn share(&mut self, stream: usize, now: Duration) -> Option<Claim> {
        let mine = self.streams[stream].rate.lately;
        let rest = |stream: &Stream| stream.range.end - stream.range.start;
        let time = |stream: &Stream| rest(stream) as f64 / stream.rate.at(now).max(1.0);
        let busy = (0..self.streams.len()).filter(|n| rest(&self.streams[*n]) > 0);
        let slowest = busy.max_by(|a, b| time(&self.streams[*a]).total_cmp(&time(&self.streams[*b])))?;
        let other = &mut self.streams[slowest];
        let (rest, time) = (rest(other), time(other));
        if rest >= 2 * self.min_split {
            let end = other.range.end;
            other.range.end = other.range.start + rest / 2;
            return Some(Claim { range: other.range.end..end, relieved: None });
        }
        let is_much_slower =
            mine.is_some_and(|mine| time > MUCH * (rest as f64 / mine) + REQUEST.as_secs_f64());
        (is_much_slower && now.saturating_sub(other.rate.began) >= REQUEST).then(|| {
            other.rate.lately = Some(other.rate.at(now));
            Claim { range: std::mem::take(&mut other.range), relieved: Some(slowest) }
        })
    }

    /// What a connection has left. Another may take of it whenever this one waits.
    pub(super) fn left(&self, stream: usize) -> Range<u64> {
        self.streams[stream].range.clone()
    }

    /// The connection has brought the next bytes of what it has left.
    pub(super) fn brought(&mut self, stream: usize, bytes: u64, now: Duration) {
        let stream = &mut self.streams[stream];
        stream.range.start += bytes;
        debug_assert!(stream.range.start <= stream.range.end);
        stream.rate.add(bytes, now);
    }

    /// The connection has an answer that brings its range.
    pub(super) fn begun(&mut self, stream: usize) {
        self.streams[stream].has_begun = true;
    }

    /// A connection that has come to where another was to go on, and that one has not begun: it goes on itself. Answers
    /// who is relieved by that.
    pub(super) fn go_on(&mut self, stream: usize) -> Option<usize> {
        let Stream { range, reach, .. } = self.streams[stream].clone();
        let is_next = |other: &Stream| {
            !other.range.is_empty() && other.range.start == range.end && other.range.end <= reach
        };
        let other = self.streams.iter().position(|other| is_next(other) && !other.has_begun)?;
        self.streams[stream].range.end = std::mem::take(&mut self.streams[other].range).end;
        Some(other)
    }

    /// The connection does not bring the rest. Who brings what is before it goes on, if that was his.
    pub(super) fn give_back(&mut self, stream: usize) {
        let rest = std::mem::take(&mut self.streams[stream].range);
        if rest.is_empty() {
            return;
        }
        self.free.push(rest);
        for stream in self.streams.iter_mut().filter(|stream| !stream.range.is_empty()) {
            let is_next = |free: &Range<u64>, end| free.start == end && free.end <= stream.reach;
            while let Some(next) = self.free.iter().position(|free| is_next(free, stream.range.end)) {
                stream.range.end = self.free.swap_remove(next).end;
            }
        }
    }

    /// In order, none empty, no two touching.
    pub(super) fn missing(&self) -> Vec<Range<u64>> {
        let taken = self.streams.iter().map(|stream| stream.range.clone());
        let mut ranges: Vec<_> =
            taken.chain(self.free.iter().cloned()).filter(|range| !range.is_empty()).collect();
        ranges.sort_by_key(|range| range.start);
        ranges.dedup_by(|next, range| {
            let touches = range.end == next.start;
            if touches {
                range.end = next.end;
            }
            touches
        });
        ranges
    }

    /// So much is there from the beginning on.
    pub(super) fn whole_until(&self) -> u64 {
        let taken = self.streams.iter().map(|stream| &stream.range);
        let starts = taken.chain(&self.free).filter(|range| !range.is_empty()).map(|range| range.start);
        starts.min().unwrap_or(self.length)
    }
}

/// Bytes a second.
#[derive(Clone, Debug, Default)]
struct Rate {
    /// The range.
    began: Duration,
    /// The window.
    since: Duration,
    bytes: u64,
    /// The window before.
    before: Option<(u64, Duration)>,
    /// When something came last, be it of another range.
    lately: Option<f64>,
}

impl Rate {
    fn start(&mut self, now: Duration) {
        *self = Self { began: now, since: now, lately: self.lately, ..Self::default() };
    }

    fn add(&mut self, bytes: u64, now: Duration) {
        self.bytes += bytes;
        self.lately = Some(self.at(now));
        let elapsed = now.saturating_sub(self.since);
        if elapsed >= WINDOW {
            self.before = Some((self.bytes, elapsed));
            (self.since, self.bytes) = (now, 0);
        }
    }

    fn at(&self, now: Duration) -> f64 {
        let (bytes, time) = self.before.unwrap_or_default();
        let time = time + now.saturating_sub(self.since);
        (bytes + self.bytes) as f64 / time.as_secs_f64().max(1e-3)
    }
}

#[cfg(test)]
mod tests;
