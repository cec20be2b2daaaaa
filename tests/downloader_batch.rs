//! Several files in one message.
#![cfg(feature = "download")]

mod support;

use std::fs;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use actix::prelude::*;
use latido::actors::downloader::{Downloader, Early, Fetch, FetchAll, FetchError, Progress};
use support::download::{IMPATIENT, files_in};
use support::server::{Request, Server, Step, head, ok, send};
use tempfile::{TempDir, tempdir};

const SHORT: Duration = Duration::from_millis(50);
const LONG: Duration = Duration::from_secs(600);

fn fetches(server: &Server, dir: &TempDir, names: &[&str]) -> Vec<Fetch> {
    names.iter().map(|name| Fetch::new(server.url(name), dir.path().join(name))).collect()
}

/// Each body is its path; `gone` is not there, and `stalled` never comes.
fn answer(request: &Request) -> Vec<Step> {
    match &*request.path {
        "gone" => vec![head("404 Not Found", &[("content-length", "0")])],
        "stalled" => vec![head("200 OK", &[("content-length", "9")]), send("half"), Step::Stall],
        path => ok(path),
    }
}

#[actix::test]
async fn files_come_one_after_the_other_and_are_answered_in_their_order() {
    let server = Server::start(answer);
    let dir = tempdir().unwrap();
    let names = ["one", "gone", "two", "three"];
    let progress = Arc::new(Progress::default());
    let fetches = fetches(&server, &dir, &names).into_iter().map(|fetch| fetch.progress(progress.clone()));
    let ended = Downloader::default().start().send(FetchAll::new(fetches.collect())).await.unwrap();
    assert_eq!(ended.len(), 4);
    for (name, ended) in names.iter().zip(ended) {
        match ended {
            Ok(fetched) => {
                fetched.publish().unwrap();
                assert_eq!(fs::read_to_string(dir.path().join(name)).unwrap(), *name);
            }
            Err(error) => assert!(*name == "gone" && matches!(error, FetchError::Status { code: 404, .. })),
        }
    }
    assert_eq!(progress.begun(), 3);
    let asked: Vec<_> =
        server.requests().into_iter().map(|request| (request.path, request.connection)).collect();
    assert_eq!(asked, names.map(|name| (name.to_owned(), 1)), "all on one connection");
}

#[actix::test]
async fn who_loses_patience_hears_what_is_done_and_gets_back_what_is_not_begun() {
    let server = Server::start(answer);
    let dir = tempdir().unwrap();
    let (tell, told) = channel();
    let batch = FetchAll::new(fetches(&server, &dir, &["one", "stalled", "two", "three"]))
        .patience(SHORT, move |early| tell.send(early).unwrap());
    let mut last = Downloader::new(IMPATIENT).start().send(batch).await.unwrap();

    let Early { mut ended, given_back } = told.recv().unwrap();
    assert_eq!((ended.len(), given_back), (1, 2));
    ended.remove(0).unwrap().publish().unwrap();
    assert_eq!(last.len(), 1, "the file in hand goes on");
    assert!(matches!(last.remove(0), Err(FetchError::Silent(_))));
    assert_eq!(server.requests().len(), 2);
    assert_eq!(files_in(&dir), ["one"]);
    assert!(told.recv().is_err(), "it is told once");
}

#[actix::test]
async fn nothing_is_told_early_where_there_is_nothing_to_tell() {
    let server = Server::start(answer);
    let dir = tempdir().unwrap();
    let downloader = Downloader::new(IMPATIENT).start();
    for (names, patience) in [(&["one", "two"][..], LONG), (&["stalled"], SHORT), (&[], SHORT)] {
        let (tell, told) = channel();
        let batch = FetchAll::new(fetches(&server, &dir, names));
        let batch = batch.patience(patience, move |early| tell.send(early).unwrap());
        assert_eq!(downloader.send(batch).await.unwrap().len(), names.len());
        assert!(told.recv().is_err(), "{names:?}");
    }
}

#[actix::test]
async fn what_nobody_waits_for_ends_and_leaves_nothing() {
    let server = Server::start(answer);
    let dir = tempdir().unwrap();
    let progress = Arc::new(Progress::default());
    let fetches = fetches(&server, &dir, &["one", "stalled", "two"]).into_iter();
    let fetches = fetches.map(|fetch| fetch.progress(progress.clone())).collect();
    let answer = actix::spawn(Downloader::default().start().send(FetchAll::new(fetches)));
    server.stalled().await;
    assert_eq!(files_in(&dir), [".one.part", ".stalled.part"]);
    answer.abort();
    // Each of them holds the counter, and gives it back when it is dropped.
    while Arc::strong_count(&progress) > 1 {
        tokio::task::yield_now().await;
    }
    assert!(files_in(&dir).is_empty());
    assert_eq!(server.requests().len(), 2);
}
