//! Servers that want to be left alone, and servers that are to be spared: who waits for them, and who does not.

use std::fs;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use tempfile::tempdir;

use crate::files::{Files, until};
use crate::latido::{Running, latido};
use crate::server::{Request, Server, Step, head, ok};

fn busy(after: &str) -> Vec<Step> {
    vec![head("429 Too Many Requests", &[("retry-after", after), ("content-length", "0")])]
}

#[test]
fn nobody_is_waited_for_longer_than_the_user_wants() {
    let server = Server::start(|request: &Request| match request.nth {
        1 => busy("86400"),
        _ => ok("bytes"),
    });
    let dir = tempdir().unwrap();
    let ended = latido(dir.path(), ["fetch", &server.url("x"), "--max-retry-wait", "0.1"]).with_code(0);
    assert!(
        ended.stderr.contains(": again in 100.0ms: the server answered 429 Too Many Requests"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_server_that_wants_a_rest_gets_it_and_no_other_file_loses_a_try_on_it() {
    const REST: Duration = Duration::from_secs(1);
    let files = Files::some(30);
    let good = files.clone();
    let first = Mutex::new(None);
    let sent_away = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = sent_away.clone();
    let server = Server::start(move |request| {
        // The program hears of the first later than this, so whoever keeps the rest comes when it is over.
        if first.lock().unwrap().get_or_insert_with(Instant::now).elapsed() < REST {
            count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            return busy("1");
        }
        good.answer(request)
    });
    let dir = tempdir().unwrap();
    let list = files.list_in(dir.path(), &server);
    latido(dir.path(), ["fetch", "-i", &list, "-d", "new", "-j", "2", "--max-tries", "2"]).with_code(0);
    files.assert_exactly_in(&dir.path().join("new"));
    // One by each downloader, before the first was heard of.
    let sent_away = sent_away.load(std::sync::atomic::Ordering::Relaxed);
    assert!((1..=2).contains(&sent_away), "{sent_away}");
}

#[test]
fn a_server_at_its_limit_holds_up_no_other() {
    let silent = Server::start(|_| vec![Step::Stall]);
    let files = Files::some(10);
    let server = files.serve();
    let waiting: String = (0..2_000).map(|n| format!("{}\n", silent.url(&n.to_string()))).collect();
    let dir = tempdir().unwrap();
    fs::write(dir.path().join("list"), waiting + &files.list(&server)).unwrap();
    let args = ["fetch", "-i", "list", "-d", "new", "-j", "4", "--max-per-host", "2"];
    let run = Running::start(dir.path(), args);
    until(|| files.0.iter().all(|(name, _)| dir.path().join("new").join(name).exists()));
    run.signal(Signal::SIGINT);
    let ended = run.end().with_code(130);
    assert!(ended.stdout.contains("2000 left for the next run"), "{}", ended.stdout);
    assert_eq!(silent.requests().len(), 2);
}

#[test]
fn every_file_of_a_spared_server_has_its_turn_also_when_parts_crash() {
    let files = Files::some(60);
    let server = files.serve();
    let dir = tempdir().unwrap();
    let list = files.list_in(dir.path(), &server);
    let faults = ["--fault", "latido/downloaders/*=panic@3", "--fault", "latido/ledger=panic@2"];
    let args = ["fetch", "-i", &list, "-d", "new", "-j", "6", "-x", "1"];
    latido(dir.path(), [&args[..], &faults].concat()).with_code(0);
    files.assert_exactly_in(&dir.path().join("new"));
}

#[test]
fn the_same_wrong_file_twice_is_not_fetched_a_third_time() {
    let server = Server::start(|_| ok("wrong"));
    let dir = tempdir().unwrap();
    let args = [
        "fetch",
        &server.url("x"),
        "--checksum",
        &crate::files::checksum(b"right"),
        "--max-retry-wait",
        "0.1",
    ];
    let ended = latido(dir.path(), args).with_code(1);
    assert!(ended.stdout.contains("(after 2 tries)"), "{}", ended.stdout);
    assert_eq!(server.requests().len(), 2);
}
