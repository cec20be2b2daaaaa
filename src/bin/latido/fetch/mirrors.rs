//! Which of several places a file is got from: the one that has done best in this run, of those that have failed least with
//! this file. A place that has served wrong bytes comes last for that file, and late for all others.

use std::collections::HashMap;

use super::request::Request;

/// What is known of the places. Files that are in one place only are no concern of it.
#[derive(Debug, Default)]
pub(crate) struct Mirrors {
    /// By scheme, host and port.
    servers: HashMap<Box<str>, Standing>,
    /// By job: the same of its URLs, in their order.
    files: HashMap<i64, Vec<Standing>>,
}

/// So often the other places may fail with a file before one is asked for it that has served wrong bytes for another.
const ASIDE: u32 = 2;

#[derive(Clone, Copy, Debug, Default)]
struct Standing {
    /// It said that it does not have the file, or will not give it.
    gone: bool,
    wrong: u32,
    /// In succession.
    failures: u32,
}

/// How a try with one of the places ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Right,
    Failed,
    /// The whole file came, and was not the right one.
    Wrong,
}

impl Mirrors {
    /// Which of its URLs a job is to try now, by its place among them.
    pub(crate) fn choose(&self, id: i64, request: &Request) -> usize {
        if !request.has_mirrors() {
            return 0;
        }
        let rank = |(turn, url): &(usize, &str)| {
            let of_file = self.files.get(&id).map(|urls| urls[*turn]).unwrap_or_default();
            let of_server = self.servers.get(server(url)).copied().unwrap_or_default();
            let set_aside = if of_server.wrong > 0 { ASIDE } else { 0 };
            (of_file.gone, of_file.wrong, of_file.failures + set_aside, of_server.failures)
        };
        // The first of equals.
        request.urls().enumerate().min_by_key(rank).map_or(0, |(turn, _)| turn)
    }

    /// That one of its URLs has failed for good. Answers whether there is another that has not.
    pub(crate) fn gone(&mut self, id: i64, request: &Request, turn: usize) -> bool {
        if !request.has_mirrors() {
            return false;
        }
        let urls = || vec![Standing::default(); request.urls().count()];
        let urls = self.files.entry(id).or_insert_with(urls);
        if let Some(url) = urls.get_mut(turn) {
            url.gone = true;
        }
        urls.iter().any(|url| !url.gone)
    }

    /// The job has tried that one of its URLs.
    pub(crate) fn tried(&mut self, id: i64, request: &Request, turn: usize, outcome: Outcome) {
        let Some(url) = request.urls().nth(turn).filter(|_| request.has_mirrors()) else { return };
        self.servers.entry(server(url).into()).or_default().count(outcome);
        match outcome {
            Outcome::Right => drop(self.files.remove(&id)),
            _ => {
                let urls = || vec![Standing::default(); request.urls().count()];
                self.files.entry(id).or_insert_with(urls)[turn].count(outcome);
            }
        }
    }

    /// The job is over.
    pub(crate) fn forget(&mut self, id: i64) {
        self.files.remove(&id);
    }
}

impl Standing {
    fn count(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Right => self.failures = 0,
            Outcome::Failed => self.failures += 1,
            Outcome::Wrong => self.wrong += 1,
        }
    }
}

/// `http://host:port` of a URL.
fn server(url: &str) -> &str {
    let host = url.find("://").map_or(0, |scheme| scheme + 3);
    let end = url[host..].find('/').map_or(url.len(), |path| host + path);
    &url[..end]
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn request(file: &str) -> Request {
        let urls = ["http://a", "http://b", "https://b:1"].map(|server| format!("{server}/{file}"));
        Request::new(&urls.join("\t"), Path::new("/d/x"), None)
    }

    #[test]
    fn the_first_is_first_and_who_fails_comes_after_the_others() {
        let (mut mirrors, x) = (Mirrors::default(), request("x"));
        let mut tried = Vec::new();
        for _ in 0..7 {
            let turn = mirrors.choose(1, &x);
            mirrors.tried(1, &x, turn, Outcome::Failed);
            tried.push(turn);
        }
        assert_eq!(tried, [0, 1, 2, 0, 1, 2, 0]);
    }

    #[test]
    fn a_place_that_has_failed_for_good_is_left_until_all_have() {
        let (mut mirrors, x) = (Mirrors::default(), request("x"));
        assert!(mirrors.gone(1, &x, 0));
        for _ in 0..5 {
            mirrors.tried(1, &x, 1, Outcome::Wrong);
        }
        mirrors.tried(1, &x, 2, Outcome::Failed);
        assert_eq!(mirrors.choose(1, &x), 2);
        assert!(mirrors.gone(1, &x, 2));
        assert_eq!(mirrors.choose(1, &x), 1);
        assert!(!mirrors.gone(1, &x, 1));
        assert!(!mirrors.gone(2, &Request::new("http://a/x", Path::new("/d/x"), None), 0));
    }

    #[test]
    fn other_files_are_got_where_the_last_ones_went_well() {
        let (mut mirrors, x, y) = (Mirrors::default(), request("x"), request("y"));
        mirrors.tried(1, &x, 0, Outcome::Failed);
        mirrors.tried(1, &x, 1, Outcome::Right);
        assert_eq!(mirrors.choose(2, &y), 1);
        // Its own failures count first.
        mirrors.tried(2, &y, 1, Outcome::Failed);
        mirrors.tried(2, &y, 2, Outcome::Failed);
        assert_eq!(mirrors.choose(2, &y), 0);
        mirrors.tried(2, &y, 0, Outcome::Right);
        assert_eq!(mirrors.choose(3, &y), 0);
    }

    #[test]
    fn who_serves_wrong_bytes_is_set_aside() {
        let (mut mirrors, x, y) = (Mirrors::default(), request("x"), request("y"));
        mirrors.tried(1, &x, 0, Outcome::Wrong);
        for turn in [1, 2, 1, 2] {
            assert_eq!(mirrors.choose(1, &x), turn);
            mirrors.tried(1, &x, turn, Outcome::Failed);
        }
        mirrors.tried(2, &y, 0, Outcome::Right);
        assert_ne!(mirrors.choose(3, &y), 0, "to have done well once is not enough");
        mirrors.tried(1, &x, 1, Outcome::Wrong);
        mirrors.tried(1, &x, 2, Outcome::Wrong);
        assert_eq!(mirrors.choose(1, &x), 0, "there is no other");
    }

    #[test]
    fn what_is_over_or_has_one_place_only_is_not_remembered() {
        let mut mirrors = Mirrors::default();
        let single = Request::new("http://a/x", Path::new("/d/x"), None);
        mirrors.tried(1, &single, 0, Outcome::Failed);
        mirrors.tried(2, &request("x"), 0, Outcome::Failed);
        mirrors.forget(2);
        mirrors.tried(3, &request("x"), 0, Outcome::Failed);
        mirrors.tried(3, &request("x"), 1, Outcome::Right);
        assert_eq!((mirrors.files.len(), mirrors.servers.len()), (0, 2));
    }
}
