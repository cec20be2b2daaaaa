//! The downloader: its files, its connections, its end. What it makes of broken servers is in
//! `downloader_faults.rs`.
#![cfg(feature = "download")]

mod support;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use latido::actors::cpu_pool::CpuPool;
use latido::actors::digest::Sha256;
use latido::actors::downloader::{Downloader, Fetch, FetchError, Progress};
use latido::fault::Injection;
use latido::supervision::{ChildSpec, Placement, SupervisorSpec};
use support::download::{IMPATIENT, fetch, files_in};
use support::server::{Request, Server, Step, head, ok, send, whole};
use tempfile::tempdir;

// ===== what goes well =====

#[actix::test]
async fn a_file_appears_under_its_name_when_published_and_not_before() {
    let server = Server::start(|_| ok("the right bytes"));
    let dir = tempdir().unwrap();
    let target = dir.path().join("file");

    let fetched = fetch(server.url("file"), &target).await.unwrap();
    assert_eq!(files_in(&dir), [".file.part"]);
    assert_eq!(fs::read(fetched.part()).unwrap(), b"the right bytes");
    assert_eq!((fetched.target(), fetched.bytes()), (&*target, 15));

    fetched.publish().unwrap();
    assert_eq!(files_in(&dir), ["file"]);
    assert_eq!(fs::read(&target).unwrap(), b"the right bytes");
    let asked = server.requests()[0].head.to_lowercase();
    assert!(asked.contains("accept-encoding: identity\r\n"), "{asked}");
}

#[actix::test]
async fn a_download_dropped_unpublished_leaves_nothing() {
    let server = Server::start(|_| ok("bytes"));
    let dir = tempdir().unwrap();
    drop(fetch(server.url("file"), &dir.path().join("file")).await.unwrap());
    assert!(files_in(&dir).is_empty());
}

#[actix::test]
async fn good_answers_of_every_shape_give_the_right_file() {
    let cases: Vec<(&str, Vec<Step>)> = vec![
        ("empty", ok("")),
        (
            "chunked",
            vec![
                head("200 OK", &[("transfer-encoding", "chunked")]),
                send("3\r\nabc\r\n"),
                send("2\r\nde\r\n0\r\n\r\n"),
            ],
        ),
        (
            "chunked, its length told as well",
            vec![
                head("200 OK", &[("transfer-encoding", "chunked"), ("content-length", "5")]),
                send("5\r\nabcde\r\n0\r\n\r\n"),
            ],
        ),
        ("until the close", vec![head("200 OK", &[]), send("abcde"), Step::Close]),
        (
            "identity",
            vec![head("200 OK", &[("content-encoding", "Identity"), ("content-length", "5")]), send("abcde")],
        ),
        ("early hints first", [vec![head("103 Early Hints", &[])], ok("abcde")].concat()),
    ];
    for (name, steps) in cases {
        let server = Server::start(move |_| steps.clone());
        let dir = tempdir().unwrap();
        let target = dir.path().join("file");
        fetch(server.url("file"), &target).await.expect(name).publish().unwrap();
        let expected: &[u8] = if name == "empty" { b"" } else { b"abcde" };
        assert_eq!(fs::read(&target).unwrap(), expected, "{name}");
    }
}

#[actix::test]
async fn redirects_absolute_and_relative_are_followed() {
    let server = Server::start(|request: &Request| match &*request.path {
        "a/start" => vec![head("302 Found", &[("location", "next?x=1"), ("content-length", "0")])],
        "a/next?x=1" => {
            let host = request.head.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
            let absolute = format!("http://{host}/end");
            vec![head("301 Moved Permanently", &[("location", &absolute), ("content-length", "0")])]
        }
        "end" => ok("there"),
        other => panic!("asked for {other}"),
    });
    let dir = tempdir().unwrap();
    let fetched = fetch(server.url("a/start"), &dir.path().join("file")).await.unwrap();
    assert_eq!(fs::read(fetched.part()).unwrap(), b"there");
}

#[actix::test]
async fn two_downloads_at_once_on_one_actor_do_not_mix() {
    let body = |path: &str| path.repeat(100_000);
    let server = Server::start(move |request: &Request| ok(body(&request.path)));
    let dir = tempdir().unwrap();
    let downloader = Downloader::default().start();
    let one = downloader.send(Fetch::new(server.url("one"), dir.path().join("one")));
    let two = downloader.send(Fetch::new(server.url("two"), dir.path().join("two")));
    let (one, two) = futures::join!(one, two);
    one.unwrap().unwrap().publish().unwrap();
    two.unwrap().unwrap().publish().unwrap();
    assert_eq!(fs::read_to_string(dir.path().join("one")).unwrap(), body("one"));
    assert_eq!(fs::read_to_string(dir.path().join("two")).unwrap(), body("two"));
}

#[actix::test]
async fn progress_can_be_read_while_the_download_runs() {
    let server =
        Server::start(|_| vec![head("200 OK", &[("content-length", "10")]), send("12345"), Step::Stall]);
    let dir = tempdir().unwrap();
    let progress = Arc::new(Progress::default());
    let fetch = Fetch::new(server.url("file"), dir.path().join("file")).progress(progress.clone());
    let failure = Downloader::new(IMPATIENT).start().send(fetch).await.unwrap().unwrap_err();
    assert_eq!(failure.to_string(), "no bytes for 0.2 s");
    assert_eq!((progress.received(), progress.total()), (5, Some(10)));
}

// ===== the hash =====

const MEGABYTES: usize = 3 << 20;

fn sha256(bytes: &[u8]) -> Sha256 {
    Sha256(<sha2::Sha256 as sha2::Digest>::digest(bytes).into())
}

#[actix::test]
async fn the_hash_is_that_of_the_bytes_wherever_it_is_made() {
    let large: Vec<u8> = (0..MEGABYTES).map(|n| ((n * n) >> 7) as u8).collect();
    for body in [&b""[..], b"small", &large[..1 << 20], &large[..(1 << 20) + 1], &large] {
        let answer = body.to_vec();
        let server = Server::start(move |request| match &*request.path {
            "whole" => ok(&answer),
            _ => vec![head("200 OK", &[]), send(answer.clone()), Step::Close],
        });
        let dir = tempdir().unwrap();
        let pool = CpuPool::new(2).start();
        for downloader in [Downloader::default(), Downloader::default().hash_on(pool)] {
            let downloader = downloader.start();
            for path in ["whole", "until-the-close"] {
                let fetch = Fetch::new(server.url(path), dir.path().join("file")).sha256();
                let fetched = downloader.send(fetch).await.unwrap().unwrap();
                assert_eq!(fetched.sha256(), Some(sha256(body)), "{} bytes", body.len());
                assert_eq!(fetched.modified(), fs::metadata(fetched.part()).unwrap().modified().unwrap());
            }
        }
    }
}

#[actix::test]
async fn nobody_hashes_what_nobody_wants_to_know() {
    let server = Server::start(|_| ok("bytes"));
    let dir = tempdir().unwrap();
    assert_eq!(fetch(server.url("file"), &dir.path().join("file")).await.unwrap().sha256(), None);
}

#[actix::test]
async fn a_pool_that_is_lost_costs_the_hash_and_not_the_file() {
    let body = vec![7; MEGABYTES];
    let answer = body.clone();
    let server = Server::start(move |_| ok(&answer));
    let dir = tempdir().unwrap();
    let arbiter = Arbiter::new();
    let pool = CpuPool::start_in_arbiter(&arbiter.handle(), |_| CpuPool::new(1));
    arbiter.stop();
    arbiter.join().unwrap();
    let fetch = Fetch::new(server.url("file"), dir.path().join("file")).sha256();
    let fetched = Downloader::default().hash_on(pool).start().send(fetch).await.unwrap().unwrap();
    assert_eq!(fetched.sha256(), None);
    assert!(fs::read(fetched.part()).unwrap() == body);
}

#[actix::test]
async fn a_pool_that_hangs_over_a_file_keeps_nobody_waiting() {
    let body = vec![7; MEGABYTES];
    let answer = body.clone();
    let server = Server::start(move |_| ok(&answer));
    let dir = tempdir().unwrap();
    let cpu = ChildSpec::new("cpu", || CpuPool::new(1)).on(Placement::OwnThread);
    let cpu = cpu.watchdog(Duration::from_millis(200));
    let pool = cpu.actor_ref();
    let tree = SupervisorSpec::new("app").child(cpu).start().unwrap();
    tree.inject("app/cpu", "block:1000@1".parse::<Injection>().unwrap()).unwrap();
    let fetch = Fetch::new(server.url("file"), dir.path().join("file")).sha256();
    let fetched = Downloader::default().hash_on(pool).start().send(fetch).await.unwrap().unwrap();
    assert_eq!(fetched.sha256(), None, "it is read once more");
    assert!(fs::read(fetched.part()).unwrap() == body);
    tree.stop(Duration::from_secs(30)).await;
}

// ===== connections that die under a request =====

#[actix::test]
async fn a_kept_connection_that_dies_under_a_request_is_not_a_failure() {
    for death in [Step::Close, Step::Reset] {
        let server = Server::start(move |request: &Request| match (request.connection, request.nth) {
            (1, 2) => vec![death.clone()],
            _ => ok(&request.path),
        });
        let dir = tempdir().unwrap();
        let downloader = Downloader::default().start();
        for name in ["one", "two"] {
            let fetch = Fetch::new(server.url(name), dir.path().join(name));
            downloader.send(fetch).await.unwrap().unwrap().publish().unwrap();
            assert_eq!(fs::read_to_string(dir.path().join(name)).unwrap(), name);
        }
        let seen: Vec<_> = server.requests().iter().map(|r| (r.connection, r.nth)).collect();
        assert_eq!(seen, [(1, 1), (1, 2), (2, 1)]);
    }
}

#[actix::test]
async fn bytes_after_the_announced_length_never_reach_the_next_file() {
    let server = Server::start(|request: &Request| match request.connection {
        1 => vec![send([whole("right"), whole("wrong")].concat())],
        _ => ok("right"),
    });
    let dir = tempdir().unwrap();
    let downloader = Downloader::default().start();
    for name in ["one", "two"] {
        let fetch = Fetch::new(server.url(name), dir.path().join(name));
        let fetched = downloader.send(fetch).await.unwrap().unwrap();
        assert_eq!(fs::read(fetched.part()).unwrap(), b"right");
    }
}

// ===== the part file =====

#[actix::test]
async fn a_file_that_is_to_be_on_its_disk_is_the_right_one_too() {
    let server = Server::start(|_| ok("bytes"));
    let dir = tempdir().unwrap();
    let target = dir.path().join("file");
    let fetched = Downloader::default().start().send(Fetch::new(server.url("file"), &target).synced()).await;
    fetched.unwrap().unwrap().publish().unwrap();
    assert_eq!(fs::read(&target).unwrap(), b"bytes");
}

#[actix::test]
async fn a_directory_that_does_not_exist_is_named() {
    let server = Server::start(|_| ok("bytes"));
    let dir = tempdir().unwrap();
    let failure = fetch(server.url("file"), &dir.path().join("missing/file")).await.unwrap_err();
    assert!(!failure.is_transient());
    assert!(
        matches!(&failure, FetchError::Disk { path, .. } if *path == dir.path().join("missing/.file.part"))
    );
    assert!(failure.to_string().contains("missing/.file.part`: No such file"), "{failure}");
    assert!(server.requests().is_empty());
}

#[actix::test]
async fn a_leftover_part_file_is_replaced_and_not_written_through() {
    let server = Server::start(|_| ok("new"));
    let dir = tempdir().unwrap();
    let (part, other_name) = (dir.path().join(".file.part"), dir.path().join("linked"));
    fs::write(&part, "half of the old").unwrap();
    fs::hard_link(&part, &other_name).unwrap();
    let fetched = fetch(server.url("file"), &dir.path().join("file")).await.unwrap();
    assert_eq!(fs::read(&part).unwrap(), b"new");
    assert_eq!(fs::read(&other_name).unwrap(), b"half of the old");
    drop(fetched);
}

#[actix::test]
async fn what_is_no_part_file_is_left_alone() {
    let server = Server::start(|_| ok("bytes"));
    let dir = tempdir().unwrap();
    let (part, precious) = (dir.path().join("part"), dir.path().join("precious"));
    fs::write(&precious, "precious").unwrap();
    let obstacles: [fn(&Path, &Path); 3] = [
        |part, precious| symlink(precious, part).unwrap(),
        |part, _| symlink("nowhere", part).unwrap(),
        |part, _| fs::create_dir(part).unwrap(),
    ];
    for put in obstacles {
        put(&part, &precious);
        let before = part.symlink_metadata().unwrap().file_type();
        let fetch = Fetch::new(server.url("file"), dir.path().join("file")).part(&part);
        let failure = Downloader::default().start().send(fetch).await.unwrap().unwrap_err();
        assert!(failure.to_string().contains("in the way"), "{failure}");
        assert_eq!(part.symlink_metadata().unwrap().file_type(), before);
        assert_eq!(files_in(&dir), ["part", "precious"]);
        assert_eq!(fs::read(&precious).unwrap(), b"precious");
        fs::remove_file(&part).or_else(|_| fs::remove_dir(&part)).unwrap();
    }
}

#[actix::test]
async fn publishing_replaces_a_link_and_fails_on_a_directory() {
    let server = Server::start(|_| ok("bytes"));
    let dir = tempdir().unwrap();
    let target = dir.path().join("file");
    fs::write(dir.path().join("precious"), "precious").unwrap();
    symlink("precious", &target).unwrap();
    fetch(server.url("file"), &target).await.unwrap().publish().unwrap();
    assert!(target.symlink_metadata().unwrap().is_file());
    assert_eq!(fs::read(dir.path().join("precious")).unwrap(), b"precious");

    fs::remove_file(&target).unwrap();
    fs::create_dir(&target).unwrap();
    let failure = fetch(server.url("file"), &target).await.unwrap().publish().unwrap_err();
    assert!(matches!(&failure, FetchError::Disk { path, .. } if *path == target));
    assert_eq!(files_in(&dir), ["file", "precious"]);
}

#[actix::test]
async fn a_part_file_has_one_download_at_a_time_until_it_is_published() {
    let server = Server::start(|_| ok("bytes"));
    let dir = tempdir().unwrap();
    let target = dir.path().join("file");
    let first = fetch(server.url("file"), &target).await.unwrap();
    let failure = fetch(server.url("file"), &target).await.unwrap_err();
    assert!(matches!(&failure, FetchError::Busy { path } if *path == dir.path().join(".file.part")));
    assert!(failure.is_transient());
    first.publish().unwrap();
    fetch(server.url("file"), &target).await.unwrap().publish().unwrap();
    assert_eq!(files_in(&dir), ["file"]);
}

// ===== the end of the actor =====

#[test]
fn a_download_ends_with_its_arbiter_and_leaves_nothing() {
    System::new().block_on(async {
        let server =
            Server::start(|_| vec![head("200 OK", &[("content-length", "10")]), send("12345"), Step::Stall]);
        let dir = tempdir().unwrap();
        let arbiter = Arbiter::new();
        let downloader = Downloader::start_in_arbiter(&arbiter.handle(), |_| Downloader::default());
        let answer = downloader.send(Fetch::new(server.url("file"), dir.path().join("file")));
        let stop = async {
            server.stalled().await;
            assert_eq!(files_in(&dir), [".file.part"]);
            arbiter.stop();
        };
        let (answer, ()) = futures::join!(answer, stop);
        assert!(matches!(answer, Err(MailboxError::Closed)));
        arbiter.join().unwrap();
        assert!(files_in(&dir).is_empty());
    });
}

#[actix::test]
async fn a_download_nobody_waits_for_leaves_nothing() {
    let server = Server::start(|_| ok("bytes"));
    let dir = tempdir().unwrap();
    let progress = Arc::new(Progress::default());
    let fetch = Fetch::new(server.url("file"), dir.path().join("file")).progress(progress.clone());
    Downloader::default().start().do_send(fetch);
    while Arc::strong_count(&progress) > 1 {
        tokio::task::yield_now().await;
    }
    assert_eq!(progress.received(), 5);
    assert!(files_in(&dir).is_empty());
}

#[actix::test]
async fn a_transfer_ends_when_its_sender_stops_waiting() {
    let server =
        Server::start(|_| vec![head("200 OK", &[("content-length", "9")]), send("half"), Step::Stall]);
    let dir = tempdir().unwrap();
    let progress = Arc::new(Progress::default());
    let fetch = Fetch::new(server.url("file"), dir.path().join("file")).progress(progress.clone());
    let answer = actix::spawn(Downloader::default().start().send(fetch));
    server.stalled().await;
    assert_eq!(files_in(&dir), [".file.part"]);
    answer.abort();
    // The transfer holds the counter, and gives it back when it is dropped.
    while Arc::strong_count(&progress) > 1 {
        tokio::task::yield_now().await;
    }
    assert!(files_in(&dir).is_empty());
}
