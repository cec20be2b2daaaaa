//! Downloads that are gone on with. The rule: two states of a file are never mixed, and what is there is not fetched again.
#![cfg(feature = "download")]

mod support;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix::prelude::*;
use latido::actors::cpu_pool::CpuPool;
use latido::actors::digest::Sha256;
use latido::actors::downloader::{Downloader, Fetch, FetchError, Fetched, Progress};
use support::download::{IMPATIENT, files_in};
use support::ranges::{LARGE, Ranged, range_of};
use support::server::{Request, Server, Step, head, ok, send};
use tempfile::{TempDir, tempdir};

/// What is sent before a first answer breaks off.
const HALF: usize = 7_000_000;

fn resuming(server: &Server, target: &Path) -> Fetch {
    Fetch::new(server.url("file"), target).resume()
}

async fn fetch(fetch: Fetch) -> Result<Fetched, FetchError> {
    Downloader::new(IMPATIENT).start().send(fetch).await.unwrap()
}

/// Breaks off after [`HALF`] of `file`; what is asked next is answered by `then`.
fn breaks_off_once(
    file: &Ranged,
    then: impl Fn(&Request) -> Vec<Step> + Send + Sync + 'static,
) -> (Server, TempDir) {
    let file = file.clone();
    let server = Server::start(move |request| match request.number {
        1 => file.first(HALF, Step::Close),
        _ => then(request),
    });
    (server, tempdir().unwrap())
}

async fn break_off(server: &Server, dir: &TempDir) {
    let failure = fetch(resuming(server, &dir.path().join("file"))).await.unwrap_err();
    assert_eq!(failure.to_string(), format!("the body ended after {HALF} of {LARGE} bytes"));
    assert_eq!(files_in(dir), [".file.part"]);
}

#[track_caller]
fn assert_is(fetched: Fetched, file: &Ranged, dir: &TempDir) {
    assert!(fs::read(fetched.part()).unwrap() == *file.bytes);
    fetched.publish().unwrap();
    assert_eq!(files_in(dir), ["file"]);
}

#[actix::test]
async fn what_is_there_is_not_fetched_again() {
    let file = Ranged::of(LARGE, 1);
    let proper = file.clone();
    let (server, dir) = breaks_off_once(&file, move |request| proper.answer(request));
    break_off(&server, &dir).await;
    let progress = Arc::new(Progress::default());
    let again = resuming(&server, &dir.path().join("file")).progress(progress.clone());
    let fetched = fetch(again).await.unwrap();
    assert_eq!(range_of(&server.requests()[1]), Some(HALF..LARGE));
    assert_eq!((progress.received(), progress.total()), (LARGE as u64, Some(LARGE as u64)));
    assert!(fetched.is_pieced());
    assert_is(fetched, &file, &dir);
}

#[actix::test]
async fn the_hash_is_that_of_what_is_on_disk() {
    let file = Ranged::of(LARGE, 1);
    let proper = file.clone();
    let (server, dir) = breaks_off_once(&file, move |request| proper.answer(request));
    break_off(&server, &dir).await;
    // Behind its back, so that it can be seen who reads what.
    let part = dir.path().join(".file.part");
    let mut bytes = fs::read(&part).unwrap();
    bytes[5] ^= 1;
    fs::write(&part, &bytes).unwrap();
    bytes[HALF..LARGE].copy_from_slice(&file.bytes[HALF..]);
    let downloader = Downloader::new(IMPATIENT).hash_on(CpuPool::new(1).start()).start();
    let again = resuming(&server, &dir.path().join("file")).sha256();
    let fetched = downloader.send(again).await.unwrap().unwrap();
    let digest = <sha2::Sha256 as sha2::Digest>::digest(&bytes[..LARGE]);
    assert_eq!(fetched.sha256(), Some(Sha256(digest.into())));
}

/// Each of these servers must be noticed, and give the right file all the same.
#[actix::test]
async fn a_file_that_cannot_be_gone_on_with_is_fetched_anew() {
    let (old, new) = (Ranged::of(LARGE, 1), Ranged::of(LARGE, 2));
    let same_tag = Ranged { tag: old.tag.clone(), ..Ranged::of(LARGE + 1, 3) };
    type Answer = Box<dyn Fn(&Request) -> Vec<Step> + Send + Sync>;
    let lies = |said: &'static str, file: &Ranged| -> Answer {
        let file = file.clone();
        Box::new(move |request| match range_of(request) {
            Some(range) => {
                let length = range.end - range.start;
                vec![file.part_head_that_says(said, length), send(&file.bytes[range])]
            }
            None => file.answer(request),
        })
    };
    let answers = |file: &Ranged, answer: fn(&Ranged, &Request) -> Vec<Step>| -> Answer {
        let file = file.clone();
        Box::new(move |request| answer(&file, request))
    };
    let cases: Vec<(&str, &Ranged, Answer)> = vec![
        ("it has changed", &new, answers(&new, Ranged::answer)),
        (
            "it has changed, and parts are served nevertheless",
            &new,
            answers(&new, |file, request| {
                range_of(request).map_or_else(|| file.answer(request), |range| file.part(range))
            }),
        ),
        ("it has another length under the same tag", &same_tag, answers(&same_tag, Ranged::answer)),
        ("parts are not served", &old, answers(&old, |file, _| vec![file.head(), send(&file.bytes[..])])),
        ("it begins one byte too early", &old, lies("bytes 6999999-12582911/12582912", &old)),
        ("it begins one byte too late", &old, lies("bytes 7000001-12582911/12582912", &old)),
        ("it has another length", &old, lies("bytes 7000000-12582911/12582913", &old)),
        ("its length is not told", &old, lies("bytes 7000000-12582911/*", &old)),
        ("it is not said which part it is", &old, lies("", &old)),
        (
            "more comes than is announced",
            &old,
            answers(&old, |file, request| match range_of(request) {
                Some(range) => {
                    let headers = [("content-range", "bytes 7000000-7000003/12582912"), ("etag", &*file.tag)];
                    vec![head("206 Partial Content", &headers), send(&file.bytes[range]), Step::Close]
                }
                None => file.answer(request),
            }),
        ),
        (
            "the server knows of no such part",
            &old,
            answers(&old, |file, request| match range_of(request) {
                Some(_) => vec![head("416 Range Not Satisfiable", &[("content-length", "0")])],
                None => file.answer(request),
            }),
        ),
    ];
    for (name, file, answer) in cases {
        let (server, dir) = breaks_off_once(&old, answer);
        break_off(&server, &dir).await;
        let fetched = fetch(resuming(&server, &dir.path().join("file"))).await.expect(name);
        assert!(range_of(&server.requests()[1]).is_some(), "{name}");
        assert!(!fetched.is_pieced(), "{name}");
        assert!(fs::read(fetched.part()).unwrap() == *file.bytes, "{name}");
        assert_is(fetched, file, &dir);
    }
}

#[actix::test]
async fn a_server_that_fails_meanwhile_costs_nothing() {
    let file = Ranged::of(LARGE, 1);
    let proper = file.clone();
    let (server, dir) = breaks_off_once(&file, move |request| match request.number {
        2 => vec![head("503 Service Unavailable", &[("content-length", "0")]), Step::Close],
        3 => vec![proper.part_head(HALF..LARGE), send(&proper.bytes[HALF..HALF + 2_000_000]), Step::Reset],
        _ => proper.answer(request),
    });
    break_off(&server, &dir).await;
    let target = dir.path().join("file");
    let failure = fetch(resuming(&server, &target)).await.unwrap_err();
    assert_eq!(failure.to_string(), "the server answered 503 Service Unavailable");
    fetch(resuming(&server, &target)).await.unwrap_err();
    assert_eq!(files_in(&dir), [".file.part"]);
    let fetched = fetch(resuming(&server, &target)).await.unwrap();
    // What was under way when the connection was reset may be lost.
    let last = range_of(&server.requests()[3]).unwrap();
    assert!((HALF..=HALF + 2_000_000).contains(&last.start), "{last:?}");
    assert_is(fetched, &file, &dir);
}

#[actix::test]
async fn what_is_not_worth_it_or_cannot_be_told_apart_is_not_kept() {
    let file = Ranged::of(LARGE, 1);
    let length = LARGE.to_string();
    let nameless =
        vec![head("200 OK", &[("content-length", &length)]), send(&file.bytes[..HALF]), Step::Close];
    let weak = [("etag", "W/\"1\""), ("content-length", &*length)];
    let weak = vec![head("200 OK", &weak), send(&file.bytes[..HALF]), Step::Close];
    let endless = vec![head("200 OK", &[("etag", "\"1\"")]), send(&file.bytes[..HALF]), Step::Reset];
    let small = Ranged::of(1 << 20, 1).first(1000, Step::Close);
    let nothing = file.first(0, Step::Close);
    for steps in [nameless, weak, endless, small, nothing] {
        let server = Server::start(move |_| steps.clone());
        let dir = tempdir().unwrap();
        fetch(resuming(&server, &dir.path().join("file"))).await.unwrap_err();
        assert_eq!(files_in(&dir), [""; 0]);
    }
}

#[actix::test]
async fn a_part_of_something_else_is_not_gone_on_with() {
    let file = Ranged::of(LARGE, 1);
    let proper = file.clone();
    // Not told by the connection: there may be one more than there are fetches.
    let breaks = Arc::new(AtomicBool::new(false));
    let now = breaks.clone();
    let server = Server::start(move |request| match now.load(Ordering::SeqCst) {
        true => proper.first(HALF, Step::Close),
        false => [proper.answer(request), vec![Step::Close]].concat(),
    });
    let dir = tempdir().unwrap();
    let (part, linked) = (dir.path().join(".file.part"), dir.path().join("linked"));
    let overwrite_the_notes = || {
        let mut bytes = fs::read(&part).unwrap();
        bytes[LARGE..].fill(7);
        fs::write(&part, bytes).unwrap();
    };
    let cut = || fs::File::options().write(true).open(&part).unwrap().set_len(HALF as u64).unwrap();
    let harms: [(&str, &dyn Fn()); 4] = [
        ("other", &|| {}),
        // Under that name nobody expects it to change.
        ("file", &|| fs::hard_link(&part, &linked).unwrap()),
        ("file", &cut),
        ("file", &overwrite_the_notes),
    ];
    for (path, harm) in harms {
        let target = dir.path().join("file");
        breaks.store(true, Ordering::SeqCst);
        fetch(Fetch::new(server.url(path), &target).resume()).await.unwrap_err();
        breaks.store(false, Ordering::SeqCst);
        assert!(part.exists());
        harm();
        let fetched = fetch(resuming(&server, &target)).await.unwrap();
        assert_eq!(range_of(server.requests().last().unwrap()), None);
        assert!(fs::read(fetched.part()).unwrap() == *file.bytes);
    }
    assert!(fs::read(linked).unwrap()[..HALF] == file.bytes[..HALF]);
    assert_eq!(files_in(&dir), ["linked"]);
}

#[actix::test]
async fn one_that_ends_with_its_sender_is_gone_on_with() {
    let file = Ranged::of(LARGE, 1);
    let proper = file.clone();
    let server = Server::start(move |request| match request.number {
        1 => proper.first(HALF, Step::Stall),
        _ => proper.answer(request),
    });
    let dir = tempdir().unwrap();
    let progress = Arc::new(Progress::default());
    let first = resuming(&server, &dir.path().join("file")).progress(progress.clone());
    let answer = actix::spawn(Downloader::default().start().send(first));
    while progress.received() < HALF as u64 {
        tokio::task::yield_now().await;
    }
    answer.abort();
    while Arc::strong_count(&progress) > 1 {
        tokio::task::yield_now().await;
    }
    let fetched = fetch(resuming(&server, &dir.path().join("file"))).await.unwrap();
    assert_eq!(range_of(&server.requests()[1]), Some(HALF..LARGE));
    assert_is(fetched, &file, &dir);
}

#[actix::test]
async fn who_does_not_ask_for_it_leaves_nothing_and_finds_nothing() {
    let file = Ranged::of(LARGE, 1);
    let proper = file.clone();
    let (server, dir) = breaks_off_once(&file, move |request| match request.number {
        2 => [ok("small"), vec![Step::Close]].concat(),
        _ => proper.first(HALF, Step::Close),
    });
    break_off(&server, &dir).await;
    let plain = || Fetch::new(server.url("file"), dir.path().join("file"));
    let fetched = fetch(plain()).await.unwrap();
    assert_eq!(fs::read(fetched.part()).unwrap(), b"small");
    drop(fetched);
    fetch(plain()).await.unwrap_err();
    assert_eq!(files_in(&dir), [""; 0]);
}
