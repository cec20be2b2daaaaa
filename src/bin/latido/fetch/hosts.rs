//! Servers that are to be spared: no more than so many downloaders at one, and none while it wants to be left alone.
//! Files that have to wait for that wait here, and not in the hands of a downloader. No clock is read here.
//!
//! A downloader fetches its portion one file after the other, so it counts once for each server in it.

use std::collections::{HashMap, VecDeque};
use std::mem;
use std::time::{Duration, Instant};

/// How servers are to be treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Manners {
    /// How many downloaders may be busy with one at a time.
    pub(crate) max_per_host: Option<usize>,
    /// The longest wait between two tries, whatever a server says.
    pub(crate) max_wait: Duration,
}

#[derive(Debug)]
pub(super) struct Hosts {
    max: usize,
    is_limited: bool,
    /// Those at which downloaders are busy if there is a limit, those that rest, and those that something waits for.
    hosts: HashMap<Box<str>, Host>,
    /// By downloader, if there is a limit.
    busy_with: Vec<Vec<Box<str>>>,
}

#[derive(Debug, Default)]
struct Host {
    downloaders: usize,
    rests_until: Option<Instant>,
    waiting: VecDeque<i64>,
}

/// The server of a URL: what stands before its path, without the name and password of a user.
pub(super) fn host(url: &str) -> Box<str> {
    let (scheme, rest) = url.split_once("//").unwrap_or(("", url));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    [scheme, host].concat().into()
}

impl Hosts {
    pub(super) fn new(manners: Manners, downloaders: usize) -> Self {
        Self {
            max: manners.max_per_host.unwrap_or(usize::MAX),
            is_limited: manners.max_per_host.is_some(),
            hosts: HashMap::new(),
            busy_with: vec![Vec::new(); if manners.max_per_host.is_some() { downloaders } else { 0 }],
        }
    }

    /// Whether none has to be spared: then nothing else need be asked.
    pub(super) fn are_free(&self) -> bool {
        !self.is_limited && self.hosts.is_empty()
    }

    /// Whether a downloader may be given this file, which counts from then on. If not, the file waits here.
    pub(super) fn admit(&mut self, downloader: usize, url: &str, id: i64, now: Instant) -> bool {
        let name = host(url);
        let is_busy_with = self.busy_with.get(downloader).is_some_and(|hosts| hosts.contains(&name));
        if !self.is_limited && !self.hosts.contains_key(&name) {
            return true;
        }
        let host = self.hosts.entry(name.clone()).or_default();
        let rests = host.rests_until.is_some_and(|until| until > now);
        if rests || (!is_busy_with && host.downloaders >= self.max) {
            host.waiting.push_back(id);
            return false;
        }
        if self.is_limited && !is_busy_with {
            host.downloaders += 1;
            self.busy_with[downloader].push(name);
        }
        true
    }

    /// The downloader is busy with no server but, perhaps, that of this URL. Answers files whose turn it may be, at most
    /// `most` for each server that it left.
    pub(super) fn leave(&mut self, downloader: usize, but: Option<&str>, most: usize) -> Vec<i64> {
        let Some(busy_with) = self.busy_with.get_mut(downloader) else { return Vec::new() };
        let but = but.map(host);
        let (stays, left): (Vec<_>, Vec<_>) =
            mem::take(busy_with).into_iter().partition(|name| Some(name) == but.as_ref());
        *busy_with = stays;
        let mut next = Vec::new();
        for name in left {
            if let Some(host) = self.hosts.get_mut(&name) {
                host.downloaders -= 1;
                if host.rests_until.is_none() {
                    let count = host.waiting.len().min(most);
                    next.extend(host.waiting.drain(..count));
                }
            }
            self.tidy(&name);
        }
        next
    }

    /// The server of this URL wants to be left alone until then.
    pub(super) fn rest(&mut self, url: &str, until: Instant) {
        let host = self.hosts.entry(host(url)).or_default();
        host.rests_until = host.rests_until.max(Some(until));
    }

    /// Answers the files that wait for the server of this URL, if it has had its rest.
    pub(super) fn wake(&mut self, url: &str, now: Instant) -> VecDeque<i64> {
        let name = host(url);
        let Some(host) = self.hosts.get_mut(&name) else { return VecDeque::new() };
        if host.rests_until.is_some_and(|until| until > now) {
            return VecDeque::new();
        }
        host.rests_until = None;
        let waiting = mem::take(&mut host.waiting);
        self.tidy(&name);
        waiting
    }

    fn tidy(&mut self, name: &str) {
        let is_free =
            |host: &Host| host.downloaders == 0 && host.rests_until.is_none() && host.waiting.is_empty();
        if self.hosts.get(name).is_some_and(is_free) {
            self.hosts.remove(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "http://a/x";
    const B: &str = "http://b/x";

    fn hosts(max_per_host: Option<usize>) -> Hosts {
        Hosts::new(Manners { max_per_host, max_wait: Duration::MAX }, 4)
    }

    #[test]
    fn a_server_is_a_scheme_a_host_and_a_port() {
        for (url, name) in [
            ("http://a/x?y", "http:a"),
            ("https://me@a:81?x", "https:a:81"),
            ("http://u:p@b@a#", "http:a"),
            ("http://a", "http:a"),
        ] {
            assert_eq!(&*host(url), name);
        }
    }

    #[test]
    fn so_many_downloaders_are_busy_with_a_server_and_the_next_file_waits_for_one_to_leave() {
        let (mut hosts, now) = (hosts(Some(2)), Instant::now());
        assert!(hosts.admit(0, A, 1, now) && hosts.admit(1, A, 2, now));
        assert!(hosts.admit(0, A, 3, now), "a downloader counts once");
        assert!(!hosts.admit(2, A, 4, now) && !hosts.admit(3, A, 5, now) && !hosts.admit(3, A, 6, now));
        assert!(hosts.admit(3, B, 7, now) && !hosts.are_free());
        assert_eq!(hosts.leave(3, None, 9), [0; 0]);
        assert_eq!(hosts.leave(0, Some(A), 9), [0; 0]);
        assert_eq!(hosts.leave(0, Some(B), 2), [4, 5]);
        assert!(hosts.admit(2, A, 4, now) && !hosts.admit(3, A, 5, now));
        assert_eq!(hosts.leave(1, None, 9), [6, 5]);
        assert_eq!(hosts.leave(2, None, 9), [0; 0]);
        assert!(hosts.hosts.is_empty());
    }

    #[test]
    fn a_server_that_rests_gets_nothing_until_it_has_rested() {
        for max in [None, Some(1)] {
            let (mut hosts, now) = (hosts(max), Instant::now());
            let at = |seconds| now + Duration::from_secs(seconds);
            assert!(hosts.admit(0, A, 1, now));
            hosts.rest(A, at(2));
            hosts.rest(A, at(1));
            assert!(!hosts.are_free() && !hosts.admit(0, A, 2, now) && !hosts.admit(1, A, 3, at(1)));
            assert!(hosts.admit(1, B, 4, now));
            assert_eq!(hosts.leave(0, None, 9), [0; 0]);
            assert_eq!(hosts.leave(1, None, 9), [0; 0]);
            assert_eq!(hosts.wake(A, at(1)), [0; 0]);
            assert_eq!(hosts.wake(A, at(2)), [2, 3]);
            assert!(hosts.hosts.is_empty() && hosts.admit(0, A, 2, at(2)));
        }
    }
}
