//! Servers that fail, for a while or for good.

use std::fs;

use tempfile::tempdir;

use crate::files::{Files, OURS, checksum, names_in, not_found};
use crate::latido::{latido, with_input};
use crate::server::{Request, Server, Step, head, ok, send};

#[test]
fn what_is_not_there_is_in_the_summary_with_url_and_reason() {
    let server = Server::start(|_| not_found());
    let dir = tempdir().unwrap();
    let ended = latido(dir.path(), ["fetch", &server.url("gone")]).with_code(1);
    assert!(ended.stdout.starts_with("1 file: 0 done and verified (0 B), 1 failed, in "), "{}", ended.stdout);
    assert!(ended.stdout.contains("the server answered 404 Not Found (after 1 try)"), "{}", ended.stdout);
    assert!(ended.stdout.contains(&server.url("gone")), "{}", ended.stdout);
    assert_eq!(names_in(dir.path()), OURS);
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn several_failures_are_counted_by_cause_the_most_frequent_first() {
    let server = Server::start(|request| if request.path == "other" { ok("wrong") } else { not_found() });
    let dir = tempdir().unwrap();
    let wrong = format!("{}\n checksum={}\n", server.url("other"), checksum(b"right"));
    let list = format!("{wrong}{}\n{}\nhttp://127.0.0.1:1/refused\n", server.url("a"), server.url("b"));
    let ended = with_input(dir.path(), ["fetch", "-i", "-", "--max-tries", "1"], &list).with_code(1);
    let rows: Vec<Vec<_>> = ended.stdout.lines().map(|line| line.split_whitespace().collect()).collect();
    let table = rows.iter().position(|row| row[..] == ["failed", "cause"]).unwrap();
    assert_eq!(rows[table + 1], ["2", "http-404"]);
    let mut once = rows[table + 2..table + 4].to_vec();
    once.sort();
    assert_eq!(once, [["1", "checksum"], ["1", "connection"]]);
    assert!(rows[table + 4].is_empty(), "{}", ended.stdout);
}

#[test]
fn wrong_content_is_never_under_the_name() {
    let server = Server::start(|_| ok("wrong"));
    let dir = tempdir().unwrap();
    let args = ["fetch", "--max-tries", "2", "--checksum", &checksum(b"right"), &server.url("x")];
    let ended = latido(dir.path(), args).with_code(1);
    let reason = format!("the file is {}, not {} (after 2 tries)", checksum(b"wrong"), checksum(b"right"));
    assert!(ended.stdout.contains(&reason), "{}", ended.stdout);
    assert_eq!(names_in(dir.path()), OURS);
    assert_eq!(server.requests().len(), 2);
    assert!(ended.stderr.contains(": again in 1."), "{}", ended.stderr);
}

#[test]
fn a_failure_is_an_error_even_with_quiet() {
    let server = Server::start(|_| not_found());
    let dir = tempdir().unwrap();
    let ended = latido(dir.path(), ["fetch", "-q", &server.url("gone")]).with_code(1);
    assert_eq!(ended.stdout, "");
    assert!(ended.stderr.contains("gone: failed: the server answered 404 Not Found"), "{}", ended.stderr);
}

/// The first answer for each path is broken in a way of its own, the others are right.
#[test]
fn broken_answers_are_asked_for_again() {
    let broken = |request: &Request| {
        let length = [("content-length", "7")];
        match &*request.path {
            "unavailable" => vec![head("503 Service Unavailable", &[("content-length", "0")])],
            "later" => vec![head("429 Too Many Requests", &[("retry-after", "1"), ("content-length", "0")])],
            "reset" => vec![head("200 OK", &length), send("con"), Step::Reset],
            "short" => vec![head("200 OK", &length), send("con"), Step::Close],
            "flipped" => ok("cantent"),
            "dumb" => vec![send("what?\r\n\r\n"), Step::Close],
            _ => vec![Step::Close],
        }
    };
    let asked = std::sync::Mutex::new(std::collections::HashMap::<String, u32>::new());
    let server = Server::start(move |request| {
        let mut asked = asked.lock().unwrap();
        let times = asked.entry(request.path.clone()).or_default();
        *times += 1;
        // A request that dies with its connection is repeated at once on a new one; that is no try.
        match *times {
            1 => broken(request),
            2 if matches!(&*request.path, "dumb" | "closed") => broken(request),
            _ => ok("content"),
        }
    });
    let names = ["unavailable", "later", "reset", "short", "flipped", "dumb", "closed"];
    let list: String =
        names.map(|name| format!("{}\n checksum={}\n", server.url(name), checksum(b"content"))).concat();
    let dir = tempdir().unwrap();
    with_input(dir.path(), ["fetch", "-i", "-"], &list).with_code(0);
    for name in names {
        assert_eq!(fs::read(dir.path().join(name)).unwrap(), b"content", "{name}");
    }
    assert_eq!(names_in(dir.path()).len(), names.len() + OURS.len());
}

/// One address never answers until all others have been asked for: were the others held up, it never would.
#[test]
fn one_bad_address_holds_nobody_up() {
    let files = Files::some(20);
    let good = files.clone();
    let server = Server::start(move |request| match &*request.path {
        "stalled" => vec![Step::Stall],
        _ => good.answer(request),
    });
    let list = format!(
        "{}\n{}\nhttp://127.0.0.1:1/refused\n{}",
        server.url("stalled"),
        server.url("gone"),
        files.list(&server)
    );
    let dir = tempdir().unwrap();
    fs::write(dir.path().join("list"), list).unwrap();
    let args = ["fetch", "-i", "list", "-d", "new", "-j", "2", "--max-tries", "1"];
    let run = crate::latido::Running::start(dir.path(), args);
    server.wait_for_requests(22);
    crate::files::until(|| files.0.iter().all(|(name, _)| dir.path().join("new").join(name).exists()));
    run.signal(nix::sys::signal::Signal::SIGINT);
    let ended = run.end().with_code(130);
    files.assert_all_in(&dir.path().join("new"));
    assert!(ended.stdout.starts_with("23 files: 20 done and verified ("), "{}", ended.stdout);
    assert!(ended.stdout.contains("), 2 failed, 1 left for the next run, in "), "{}", ended.stdout);
}

#[test]
fn nobody_else_speaks_to_the_terminal() {
    let server = Server::start(|_| ok("content"));
    let dir = tempdir().unwrap();
    let exec = r"sh -c 'printf \\033[2J >&2; exit 1'";
    let args = ["fetch", &server.url("a%1B%5B31mb"), "--exec", exec];
    let ended = latido(dir.path(), args).with_code(1);
    assert!(!(ended.stdout.clone() + &ended.stderr).contains('\x1b'), "{ended:?}");
    assert!(ended.stdout.contains(r"a\u{1b}[31mb"), "{ended:?}");
}

#[test]
fn a_file_that_one_place_does_not_have_is_got_from_another() {
    let files = Files::some(2);
    let server = files.serve();
    let (gone, name, content) = (server.url("gone"), &files.0[1].0, &files.0[1].1);
    let line = |checksum| format!("{gone}\t{}\n  out={name}\n  checksum={checksum}\n", server.url(name));
    let dir = tempdir().unwrap();
    with_input(dir.path(), ["fetch", "-i", "-"], &line(checksum(content))).with_code(0);
    assert_eq!(fs::read(dir.path().join(name)).unwrap(), *content);

    let args = ["fetch", "-i", "-", "--max-tries", "2"];
    let ended = with_input(dir.path(), args, &line(checksum(b"other"))).with_code(1);
    assert!(ended.stdout.contains("(after 2 tries)"), "{}", ended.stdout);
}

/// It was not there when the list was checked.
#[test]
fn a_directory_that_gets_in_the_way_fails_its_file_alone_and_at_once() {
    let files = Files::with_large(6);
    let good = files.clone();
    let dir = tempdir().unwrap();
    let new = dir.path().join("new");
    let (small, large) = (new.join("file-003"), new.join("file-004"));
    let server = Server::start(move |request| {
        if let Some(path) = [&small, &large].into_iter().find(|path| path.ends_with(&request.path)) {
            fs::create_dir_all(path.join("full")).unwrap();
        }
        good.answer(request)
    });
    files.list_in(dir.path(), &server);
    let ended = latido(dir.path(), ["fetch", "-i", "list", "-d", "new"]).with_code(1);
    assert!(ended.stdout.starts_with("6 files: 4 done and verified ("), "{}", ended.stdout);
    for name in ["file-003", "file-004"] {
        assert!(ended.stdout.contains(&format!("{name}`: Is a directory")), "{}", ended.stdout);
    }
    assert!(ended.stdout.contains("(after 1 try)"), "{}", ended.stdout);
    assert_eq!(server.requests().len(), 6, "to fetch it again is no help");
    assert_eq!(names_in(&new).len(), 6 + OURS.len(), "{:?}", names_in(&new));
}

/// Two places, of which the first has wrong bytes for one file: it is asked no more for that one, and last for the others.
#[test]
fn a_place_that_serves_wrong_bytes_is_set_aside() {
    let files = Files::some(6);
    let good = files.clone();
    let wrong = Server::start(|_| ok("wrong"));
    let right = Server::start(move |request| match (request.nth, request.connection) {
        // It fails, too, but never with wrong bytes.
        (1, 1) => vec![head("503 Service Unavailable", &[("content-length", "0")])],
        _ => good.answer(request),
    });
    let line = |(name, bytes): &(String, Vec<u8>)| {
        format!("{}\t{}\n  checksum={}\n", wrong.url(name), right.url(name), checksum(bytes))
    };
    let list: String = files.0.iter().map(line).collect();
    let dir = tempdir().unwrap();
    with_input(dir.path(), ["fetch", "-i", "-", "-d", "new", "-j", "1"], &list).with_code(0);
    files.assert_exactly_in(&dir.path().join("new"));
    assert_eq!(wrong.requests().len(), 1);
    assert_eq!(right.requests().len(), 7);
}
