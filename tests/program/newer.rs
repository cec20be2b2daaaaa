//! Files that may have changed on their servers.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use tempfile::tempdir;

use crate::files::checksum;
use crate::latido::{Ended, latido};
use crate::server::{Request, Server, Step, head, send};

const FIRST: &str = "Wed, 21 Oct 2015 07:28:00 GMT";
const SECOND: &str = "Thu, 22 Oct 2015 07:28:00 GMT";

fn since(request: &Request) -> Option<&str> {
    request.head.lines().find_map(|line| line.strip_prefix("if-modified-since: "))
}

fn version(body: &str, modified: &str) -> Vec<Step> {
    let length = body.len().to_string();
    vec![head("200 OK", &[("last-modified", modified), ("content-length", &length)]), send(body)]
}

/// `new` has changed when it is asked for with a condition, `old` has not, and `dumb` knows no conditions.
fn server() -> Server {
    Server::start(|request: &Request| match (&*request.path, since(request)) {
        ("old", Some(FIRST)) => vec![head("304 Not Modified", &[])],
        ("new", Some(FIRST)) => version("second", SECOND),
        ("new", Some(SECOND)) => vec![head("304 Not Modified", &[])],
        ("to/old", _) => vec![head("302 Found", &[("location", "/old"), ("content-length", "0")])],
        _ => version("first", FIRST),
    })
}

fn fetch(dir: &Path, server: &Server, more: &[&str]) -> Ended {
    let urls = ["old", "new", "dumb"].map(|name| server.url(name));
    let args = [&["fetch", "-j", "1"], &urls.each_ref().map(|url| &**url)[..], more].concat();
    latido(dir, args)
}

/// What was asked for since, with which condition.
fn asked(server: &Server, from: usize) -> Vec<(String, Option<String>)> {
    let requests = server.requests();
    let mut asked: Vec<_> = requests[from..]
        .iter()
        .map(|request| (request.path.clone(), since(request).map(str::to_owned)))
        .collect();
    asked.sort();
    asked
}

fn with(conditions: [(&str, Option<&str>); 3]) -> Vec<(String, Option<String>)> {
    conditions.map(|(path, since)| (path.to_owned(), since.map(str::to_owned))).to_vec()
}

#[test]
fn only_what_has_changed_on_the_server_is_fetched_again() {
    let server = server();
    let dir = tempdir().unwrap();
    fetch(dir.path(), &server, &["--newer"]).with_code(0);
    assert_eq!(asked(&server, 0), with([("dumb", None), ("new", None), ("old", None)]));
    let read = |name| fs::read_to_string(dir.path().join(name)).unwrap();
    let modified = |name| fs::metadata(dir.path().join(name)).unwrap().modified().unwrap();
    let day = SystemTime::UNIX_EPOCH + Duration::from_secs(1_445_412_480);
    assert_eq!((read("new"), modified("new")), ("first".to_owned(), day));

    let ended = fetch(dir.path(), &server, &["--newer"]).with_code(0);
    assert!(ended.stdout.starts_with("3 files: 3 done ("), "{}", ended.stdout);
    assert_eq!(asked(&server, 3), with([("dumb", Some(FIRST)), ("new", Some(FIRST)), ("old", Some(FIRST))]));
    assert_eq!((read("new"), modified("new")), ("second".to_owned(), day + Duration::from_secs(86_400)));
    assert_eq!((read("old"), modified("old")), ("first".to_owned(), day));

    fetch(dir.path(), &server, &["--newer", "--exec", "test -f"]).with_code(0);
    fetch(dir.path(), &server, &["--newer", "--exec", "test -f"]).with_code(0);
    assert_eq!(asked(&server, 6), with([("dumb", Some(FIRST)), ("new", Some(SECOND)), ("old", Some(FIRST))]));
    fetch(dir.path(), &server, &["--exec", "test -f"]).with_code(0);
    assert_eq!(server.requests().len(), 9, "without --newer nothing is asked");
}

#[test]
fn a_file_that_somebody_has_touched_or_removed_is_fetched_without_a_condition() {
    let server = server();
    let dir = tempdir().unwrap();
    fetch(dir.path(), &server, &["--newer"]).with_code(0);
    fs::write(dir.path().join("old"), "other").unwrap();
    fs::remove_file(dir.path().join("new")).unwrap();
    fetch(dir.path(), &server, &["--newer"]).with_code(0);
    assert_eq!(asked(&server, 3), with([("dumb", Some(FIRST)), ("new", None), ("old", None)]));
    assert_eq!(fs::read_to_string(dir.path().join("old")).unwrap(), "first");
}

#[test]
fn a_server_that_cannot_be_asked_is_a_failure_and_the_file_stays() {
    let works = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    let is_up = works.clone();
    let server = Server::start(move |request| {
        match (is_up.load(std::sync::atomic::Ordering::SeqCst), since(request)) {
            (false, _) => vec![head("503 Service Unavailable", &[("content-length", "0")])],
            (true, None) => version("first", FIRST),
            (true, Some(_)) => vec![head("304 Not Modified", &[])],
        }
    });
    let dir = tempdir().unwrap();
    let args = ["fetch", &server.url("x"), "--newer", "--max-tries", "2", "--max-retry-wait", "0.01"];
    latido(dir.path(), args).with_code(0);
    works.store(false, std::sync::atomic::Ordering::SeqCst);
    latido(dir.path(), args).with_code(1);
    assert_eq!(fs::read_to_string(dir.path().join("x")).unwrap(), "first");
    works.store(true, std::sync::atomic::Ordering::SeqCst);
    latido(dir.path(), args).with_code(0);
    let conditions: Vec<_> = server.requests().iter().map(|request| since(request).is_some()).collect();
    assert_eq!(conditions, [false, true, true, true], "also after a failed try the condition is kept");
}

#[test]
fn what_has_a_checksum_is_not_asked_for_again() {
    let server = server();
    let dir = tempdir().unwrap();
    let args = ["fetch", &server.url("old"), "--newer", "--checksum", &checksum(b"first")];
    latido(dir.path(), args).with_code(0);
    latido(dir.path(), args).with_code(0);
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn the_condition_goes_along_with_a_redirect() {
    let server = server();
    let dir = tempdir().unwrap();
    let args = ["fetch", &server.url("to/old"), "--newer"];
    latido(dir.path(), args).with_code(0);
    latido(dir.path(), args).with_code(0);
    assert_eq!(since(server.requests().last().unwrap()), Some(FIRST));
    assert_eq!(fs::read_to_string(dir.path().join("old")).unwrap(), "first");
}
