//! A large file and a server that serves parts of it, which a test makes lie.

use std::ops::Range;
use std::sync::Arc;

use super::server::{Request, Step, head, send};

/// Large enough to be kept, and to be shared by connections.
pub const LARGE: usize = 12 << 20;

/// A file as a server has it.
#[derive(Clone)]
pub struct Ranged {
    pub bytes: Arc<[u8]>,
    pub tag: String,
}

impl Ranged {
    /// A file of which no two pages are alike.
    pub fn of(length: usize, seed: u64) -> Self {
        let mut bytes = vec![0; length];
        fastrand::Rng::with_seed(seed).fill(&mut bytes);
        Self { bytes: bytes.into(), tag: format!("\"{seed}\"") }
    }

    /// What a proper server answers.
    pub fn answer(&self, request: &Request) -> Vec<Step> {
        match self.asked(request) {
            Some(range) => self.part(range),
            None => vec![self.head(), send(&self.bytes[..])],
        }
    }

    /// Which part is asked for, if this still is the file that is meant.
    pub fn asked(&self, request: &Request) -> Option<Range<usize>> {
        let header =
            |name: &str| request.head.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        if header("if-range:").is_some_and(|tag| tag != self.tag) {
            return None;
        }
        range_of(request)
    }

    /// The head of the answer with all of it.
    pub fn head(&self) -> Step {
        let length = self.bytes.len().to_string();
        head("200 OK", &[("accept-ranges", "bytes"), ("etag", &self.tag), ("content-length", &length)])
    }

    /// The head of the answer with a part of it.
    pub fn part_head(&self, Range { start, end }: Range<usize>) -> Step {
        let said = format!("bytes {start}-{}/{}", end - 1, self.bytes.len());
        self.part_head_that_says(&said, end - start)
    }

    pub fn part_head_that_says(&self, content_range: &str, length: usize) -> Step {
        let length = length.to_string();
        let headers = [("content-range", content_range), ("etag", &self.tag), ("content-length", &length)];
        head("206 Partial Content", &headers)
    }

    pub fn part(&self, range: Range<usize>) -> Vec<Step> {
        vec![self.part_head(range.clone()), send(&self.bytes[range])]
    }

    /// All of it up to there, and then this.
    pub fn first(&self, bytes: usize, then: Step) -> Vec<Step> {
        vec![self.head(), send(&self.bytes[..bytes]), then]
    }
}

/// Which part is asked for.
pub fn range_of(request: &Request) -> Option<Range<usize>> {
    let range = request.head.lines().find_map(|line| line.strip_prefix("range: bytes="))?;
    let (first, last) = range.trim().split_once('-')?;
    Some(first.parse().ok()?..last.parse::<usize>().ok()? + 1)
}
