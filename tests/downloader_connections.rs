//! One file by several connections. The rule: the right file whatever some of them do, and no byte twice.
#![cfg(feature = "download")]

mod support;

use std::fs;
use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use actix::prelude::*;
use latido::actors::cpu_pool::CpuPool;
use latido::actors::digest::Sha256;
use latido::actors::downloader::{Downloader, Fetch, Fetched, Limits};
use support::download::files_in;
use support::ranges::{LARGE, Ranged, range_of};
use support::server::{Request, Server, Step, head, send};
use tempfile::{TempDir, tempdir};

/// So long that a test hangs where nobody is relieved.
const PATIENT: Limits =
    Limits { connect: Duration::from_secs(10), silence: Duration::from_secs(3600), rate: 1 };

const CONNECTIONS: usize = 4;

fn by_four(server: &Server, target: &Path) -> Fetch {
    Fetch::new(server.url("file"), target).connections(CONNECTIONS).min_split(1 << 20).sha256()
}

async fn fetch(fetch: Fetch) -> Fetched {
    let downloader = Downloader::new(PATIENT).hash_on(CpuPool::new(2).start()).start();
    downloader.send(fetch).await.unwrap().unwrap()
}

/// Fetches from a server that answers so, and checks what comes.
async fn right(file: &Ranged, answer: impl Fn(&Request) -> Vec<Step> + Send + Sync + 'static) -> Server {
    let server = Server::start(answer);
    let dir = tempdir().unwrap();
    let fetched = fetch(by_four(&server, &dir.path().join("file"))).await;
    assert_is(fetched, file, &dir);
    server
}

#[track_caller]
fn assert_is(fetched: Fetched, file: &Ranged, dir: &TempDir) {
    assert!(fs::read(fetched.part()).unwrap() == *file.bytes);
    let digest = <sha2::Sha256 as sha2::Digest>::digest(&file.bytes);
    assert_eq!(fetched.sha256(), Some(Sha256(digest.into())));
    fetched.publish().unwrap();
    assert_eq!(files_in(dir), ["file"]);
}

/// What was asked for; the whole file is asked for without a range.
fn asked(server: &Server) -> Vec<Range<usize>> {
    server.requests().iter().map(|request| range_of(request).unwrap_or(0..LARGE)).collect()
}

/// How often all of it was asked for.
fn for_all_of_it(server: &Server) -> usize {
    server.requests().iter().filter(|request| range_of(request).is_none()).count()
}

#[actix::test]
async fn all_connections_take_part() {
    let file = Ranged::of(LARGE, 1);
    let proper = file.clone();
    // The first does not come to an end by itself, so that the others have to.
    let server = right(&file, move |request| match (request.connection, range_of(request)) {
        (1, _) => proper.first(LARGE / 8, Step::Stall),
        (2..=CONNECTIONS, Some(range)) if request.nth == 1 => {
            let (first, rest) = proper.bytes[range.clone()].split_at(500_000);
            vec![proper.part_head(range), send(first), Step::Until(CONNECTIONS), send(rest)]
        }
        _ => proper.answer(request),
    })
    .await;
    let connections = server.requests().iter().map(|request| request.connection).max();
    assert!(connections >= Some(CONNECTIONS), "{:?}", asked(&server));
}

#[actix::test]
async fn one_that_stands_still_is_taken_over() {
    let file = Ranged::of(LARGE, 1);
    let proper = file.clone();
    right(&file, move |request| match (request.connection, range_of(request)) {
        (2, Some(range)) => {
            let some = range.start..range.start + 100_000;
            vec![proper.part_head(range), send(&proper.bytes[some]), Step::Stall]
        }
        _ => proper.answer(request),
    })
    .await;
}

#[actix::test]
async fn one_that_never_answers_is_taken_over() {
    let file = Ranged::of(LARGE, 1);
    let proper = file.clone();
    right(&file, move |request| match request.connection {
        2 => vec![Step::Stall],
        _ => proper.answer(request),
    })
    .await;
}

/// The first answer, held back until the others have been asked for.
fn meanwhile(file: &Ranged, requests: usize) -> Vec<Step> {
    let (first, rest) = file.bytes.split_at(1_000_000);
    vec![file.head(), send(first), Step::Until(requests), send(rest)]
}

#[actix::test]
async fn a_server_that_wants_one_connection_gets_one() {
    let file = Ranged::of(LARGE, 1);
    let none = ("content-length", "0");
    // A request that dies with its connection is repeated on a new one.
    for (refusal, requests) in [
        (vec![head("503 Service Unavailable", &[none])], CONNECTIONS),
        (vec![head("429 Too Many Requests", &[none])], CONNECTIONS),
        (vec![Step::Reset], 2 * CONNECTIONS - 1),
        (vec![Step::Close], 2 * CONNECTIONS - 1),
    ] {
        let proper = file.clone();
        let server = right(&file, move |request| match request.connection {
            1 => meanwhile(&proper, requests),
            _ => refusal.clone(),
        })
        .await;
        assert_eq!(for_all_of_it(&server), 1);
    }
}

#[actix::test]
async fn the_others_bring_what_the_first_does_not() {
    let file = Ranged::of(LARGE, 1);
    let proper = file.clone();
    right(&file, move |request| match request.connection {
        1 => proper.first(1_000_000, Step::Reset),
        _ => proper.answer(request),
    })
    .await;
}

#[actix::test]
async fn a_server_that_does_not_offer_parts_is_not_asked_for_any() {
    let file = Ranged::of(LARGE, 1);
    let headers = [("content-length", &*LARGE.to_string()), ("etag", &*file.tag)];
    let steps = vec![head("200 OK", &headers), send(&file.bytes[..])];
    let server = right(&file, move |_| steps.clone()).await;
    assert_eq!((server.requests().len(), for_all_of_it(&server)), (1, 1));
}

#[actix::test]
async fn one_that_is_answered_with_the_whole_file_leaves_it_to_the_others() {
    let file = Ranged::of(LARGE, 1);
    let proper = file.clone();
    let server = right(&file, move |request| match request.connection {
        1 => meanwhile(&proper, CONNECTIONS),
        _ => vec![proper.head(), Step::Close],
    })
    .await;
    assert_eq!(for_all_of_it(&server), 1);
}

#[actix::test]
async fn a_server_that_contradicts_itself_is_asked_for_all_of_it_again() {
    let (old, new) = (Ranged::of(LARGE, 1), Ranged::of(LARGE, 2));
    // It changes while it comes; parts of the new one are served under the old one's conditions.
    for heeds_the_tag in [true, false] {
        let (first, then) = (old.clone(), new.clone());
        let server = right(&new, move |request| match (request.connection, range_of(request)) {
            (1, None) => first.first(1_000_000, Step::Stall),
            (_, Some(range)) if !heeds_the_tag => then.part(range),
            _ => then.answer(request),
        })
        .await;
        assert_eq!(for_all_of_it(&server), 2);
    }
    let lying = old.clone();
    let server = right(&old, move |request| match range_of(request) {
        Some(range) => {
            let said = format!("bytes {}-{}/{LARGE}", range.start + 1, range.end);
            let length = range.end - range.start;
            vec![lying.part_head_that_says(&said, length), send(&lying.bytes[range])]
        }
        None if request.connection == 1 => lying.first(1_000_000, Step::Stall),
        None => lying.answer(request),
    })
    .await;
    assert_eq!(for_all_of_it(&server), 2);
}

#[actix::test]
async fn what_several_have_left_is_gone_on_with() {
    let file = Ranged::of(LARGE, 1);
    let proper = file.clone();
    // Each of the first brings a megabyte, in four places, and breaks off.
    let server = Server::start(move |request| match (request.connection, range_of(request)) {
        (1..=CONNECTIONS, Some(range)) => {
            let some = range.start..range.start + 1_000_000;
            vec![proper.part_head(range), send(&proper.bytes[some]), Step::Close]
        }
        (1, None) => proper.first(1_000_000, Step::Close),
        _ => proper.answer(request),
    });
    let dir = tempdir().unwrap();
    let target = dir.path().join("file");
    let downloader = Downloader::default().hash_on(CpuPool::new(1).start()).start();
    let failure = downloader.send(by_four(&server, &target).resume()).await.unwrap().unwrap_err();
    assert!(failure.to_string().starts_with("the body ended after 1000000 of "), "{failure}");
    assert_eq!(files_in(&dir), [".file.part"]);
    let before = server.requests().len();
    let fetched = fetch(by_four(&server, &target).resume().connections(1)).await;
    let ranges: Vec<_> = asked(&server).split_off(before);
    let came: usize = ranges.iter().map(|range| range.end - range.start).sum();
    assert_eq!(came, LARGE - CONNECTIONS * 1_000_000, "{ranges:?}");
    assert_is(fetched, &file, &dir);
}
