//! What befalls a downloader on purpose is what a network and a disk do; and the next file is whole.
#![cfg(feature = "download")]

mod support;

use std::fs;
use std::path::Path;

use actix::prelude::*;
use latido::actors::downloader::{Downloader, Fetch, FetchError, Fetched};
use latido::fault::{Fault, Injection};
use latido::prelude::*;
use support::download::{IMPATIENT, files_in};
use support::server::{Server, Step, head, ok, send};
use tempfile::tempdir;

const CONTENT: &str = "1234567890";

struct Broken {
    tree: Tree,
    events: Events,
    downloader: Addr<Downloader>,
}

impl Broken {
    fn new() -> Self {
        let spec = Downloader::breakable(ChildSpec::new("downloader", || Downloader::new(IMPATIENT)));
        let downloader = spec.addr();
        let tree = SupervisorSpec::new("app").child(spec).start().unwrap();
        Self { events: tree.subscribe(), tree, downloader }
    }

    /// Fetches with a fault that strikes the first bytes.
    async fn fetch(&mut self, fault: &str, url: String, target: &Path) -> Result<Fetched, FetchError> {
        self.tree.inject("app/downloader", fault.parse::<Injection>().unwrap()).unwrap();
        let told = |event: &Event| matches!(event.kind, EventKind::Injected(Fault::Own { .. }));
        self.events.until("app/downloader", told).await.unwrap();
        self.downloader.send(Fetch::new(url, target).sha256()).await.unwrap()
    }

    async fn fetch_whole(&mut self, url: String, target: &Path) -> Fetched {
        self.downloader.send(Fetch::new(url, target).sha256()).await.unwrap().unwrap()
    }
}

#[actix::test]
async fn a_cut_closes_the_connection_and_the_next_file_comes_by_another() {
    let halves = || vec![head("200 OK", &[("content-length", "10")]), send("12345"), Step::Stall];
    let server = Server::start(move |request| if request.path == "cut" { halves() } else { ok(CONTENT) });
    let (dir, mut broken) = (tempdir().unwrap(), Broken::new());
    let target = dir.path().join("file");
    broken.fetch_whole(server.url("before"), &target).await.publish().unwrap();
    let error = broken.fetch("cut", server.url("cut"), &target).await.unwrap_err();
    assert_eq!((error.to_string().as_str(), error.is_transient()), ("connection reset", true));
    broken.fetch_whole(server.url("after"), &target).await.publish().unwrap();
    assert_eq!(fs::read_to_string(&target).unwrap(), CONTENT);
    let connections: Vec<_> = server.requests().iter().map(|request| request.connection).collect();
    assert_eq!(connections, [1, 1, 2], "the one that was cut is not used again");
    assert_eq!(files_in(&dir), ["file"]);
}

#[actix::test]
async fn a_wrong_bit_is_in_the_file_and_the_digest_tells() {
    let server = Server::start(|_| ok(CONTENT));
    let (dir, mut broken) = (tempdir().unwrap(), Broken::new());
    let wrong = broken.fetch("corrupt", server.url("file"), &dir.path().join("wrong")).await.unwrap();
    let right = broken.fetch_whole(server.url("file"), &dir.path().join("right")).await;
    assert_ne!(wrong.sha256(), right.sha256());
    let bytes = fs::read(wrong.part()).unwrap();
    let bits = bytes.iter().zip(CONTENT.as_bytes()).map(|(is, was)| (is ^ was).count_ones()).sum::<u32>();
    assert_eq!((bytes.len(), bits), (CONTENT.len(), 1));
    assert_eq!(fs::read_to_string(right.part()).unwrap(), CONTENT);
}

#[actix::test]
async fn a_stall_is_found_by_the_limit_of_silence() {
    let server = Server::start(|_| ok(CONTENT));
    let (dir, mut broken) = (tempdir().unwrap(), Broken::new());
    let error = broken.fetch("stall", server.url("file"), &dir.path().join("file")).await.unwrap_err();
    assert_eq!(error.to_string(), "no bytes for 0.2 s");
    assert!(files_in(&dir).is_empty());
    drop(broken.fetch_whole(server.url("file"), &dir.path().join("file")).await);
}

#[actix::test]
async fn a_disk_that_takes_nothing_says_what_a_disk_says_and_leaves_nothing() {
    let server = Server::start(|_| ok(CONTENT));
    let (dir, mut broken) = (tempdir().unwrap(), Broken::new());
    for (name, words) in [("EIO", "input/output error"), ("ENOSPC", "no space left on device")] {
        let fault = format!("write-error:{name}");
        let error = broken.fetch(&fault, server.url("file"), &dir.path().join("file")).await.unwrap_err();
        assert!(error.to_string().to_lowercase().contains(words), "{error}");
        assert!(files_in(&dir).is_empty());
    }
    let whole = broken.fetch_whole(server.url("file"), &dir.path().join("file")).await;
    assert_eq!(fs::read_to_string(whole.part()).unwrap(), CONTENT);
    assert!(broken.tree.incidents().iter().all(|it| it.reason.is_none()), "the actor itself is whole");
}
