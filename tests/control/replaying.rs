//! A recording that is served.

use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};

use latido::EventKind;
use latido::control::wire::{Entry, Instance};
use latido::control::{OpenReplay, Replay, recorded};
use latido::fault::Fault;
use tempfile::{TempDir, tempdir};

use crate::support::{door, status, talk_to, tree};

fn entries(path: &Path) -> Vec<Entry> {
    recorded(path).unwrap().map(|entry| entry.unwrap()).collect()
}

/// Two runs, the first of which was put aside.
async fn recording() -> (TempDir, PathBuf) {
    let mut watched = tree().await;
    let dir = tempdir().unwrap();
    let path = dir.path().join("run.jsonl");
    for _ in 0..2 {
        let _open = door(&watched.tree).record(&path).open().unwrap();
        watched.tree.inject("app/two", Fault::Panic).unwrap();
        watched.events.until("app/two", |event| matches!(event.kind, EventKind::Started)).await.unwrap();
    }
    (dir, path)
}

fn token(replay: &OpenReplay) -> String {
    let (_, token) = replay.url().split_once("/#token=").unwrap();
    token.to_owned()
}

/// What is answered, whole: an answer of HTTP/1.0 is not cut into pieces.
fn get(replay: &OpenReplay, path: &str) -> (String, String) {
    let headers = format!("Host: {}\r\nAuthorization: Bearer {}\r\n", replay.address(), token(replay));
    let answer = talk_to(replay.address(), &format!("GET {path} HTTP/1.0\r\n{headers}\r\n"));
    assert_eq!(status(&answer), 200, "{answer}");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

#[actix::test]
async fn every_entry_is_served_as_it_was_written_and_what_was_put_aside_first() {
    let (dir, path) = recording().await;
    // The program before was killed within a line, and later ones know more than this one.
    let aside = dir.path().join("run.jsonl.1");
    let text = fs::read_to_string(&aside).unwrap();
    fs::write(&aside, text.trim_end()).unwrap();
    let mut file = OpenOptions::new().append(true).open(&path).unwrap();
    let moons = "{\"extra\":{\"name\":\"moons\",\"at\":1.5,\"value\":2,\"of\":\"Mars\"}}\n";
    write!(file, "{{\"moon\":{{}}}}\nhello\n{moons}{{\"tree\":{{\"at\":").unwrap();

    let replay = Replay::new(&path).open().unwrap();
    let written = entries(&path);
    assert!(matches!(written.last(), Some(Entry::Extra(extra)) if extra.name == "moons"));
    let heads = written.iter().filter(|entry| matches!(entry, Entry::Instance(_))).count();
    assert_eq!(heads, 2, "each file begins with who wrote it");
    let (head, body) = get(&replay, "/v1/record");
    assert!(head.contains("content-type: application/x-ndjson"), "{head}");
    let served: Vec<Entry> = body.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(served, written);
    assert!(body.starts_with(text.lines().next().unwrap()), "the first run is first");
    assert!(body.ends_with(moons), "what this version does not know is handed on");

    let (_, body) = get(&replay, "/v1");
    let instance: Instance = serde_json::from_str(&body).unwrap();
    let Some(Entry::Instance(last)) = written.iter().rfind(|entry| matches!(entry, Entry::Instance(_)))
    else {
        panic!("{written:?}")
    };
    assert_eq!(instance, Instance { actions: false, replay: Some("run.jsonl".to_owned()), ..last.clone() });
    let (_, body) = get(&replay, "/v1/openapi.json");
    let api: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert!(api["paths"]["/v1/record"]["get"].is_object());
    assert!(get(&replay, "/").1.contains("<title>latido</title>"));
}

#[actix::test]
async fn who_may_not_look_at_a_recording_is_refused_and_nothing_is_done_to_it() {
    let (_dir, path) = recording().await;
    let (replay, other) = (Replay::new(&path).open().unwrap(), Replay::new(&path).open().unwrap());
    let host = format!("Host: {}\r\n", replay.address());
    let bearer = |replay| format!("Authorization: Bearer {}\r\n", token(replay));
    let known = bearer(&replay);
    let foreign = "Host: example.org\r\n".to_owned();
    let page = "Origin: http://example.org\r\n".to_owned();
    let inject = r#"{"path":"app/one","fault":"panic"}"#;
    for (what, expected, head, headers) in [
        ("no token", 401, "GET /v1/record", vec![&host]),
        ("no token, to know who it was", 401, "GET /v1", vec![&host]),
        ("the token of another", 401, "GET /v1/record", vec![&host, &bearer(&other)]),
        ("no host", 403, "GET /v1/record", vec![&known]),
        ("a foreign host", 403, "GET /v1/record", vec![&foreign, &known]),
        ("the page, by a foreign name", 403, "GET /", vec![&foreign]),
        ("a foreign page", 403, "GET /v1/record", vec![&host, &known, &page]),
        ("a fault", 404, "POST /v1/inject", vec![&host, &known]),
        ("a fault, without the token", 401, "POST /v1/inject", vec![&host]),
        ("to look by POST", 405, "POST /v1/record", vec![&host, &known]),
        ("to delete it", 405, "DELETE /v1/record", vec![&host, &known]),
        ("what only a program has", 404, "GET /v1/tree", vec![&host, &known]),
        ("its file", 404, "GET /run.jsonl", vec![&host, &known]),
    ] {
        let headers: String = headers.into_iter().map(String::as_str).collect();
        let rest = format!("Content-Length: {}\r\nConnection: close\r\n\r\n{inject}", inject.len());
        let answer = talk_to(replay.address(), &format!("{head} HTTP/1.1\r\n{headers}{rest}"));
        assert_eq!(status(&answer), expected, "{what}: {answer}");
        for part in ["no-store", r#"{"error":""#] {
            assert!(answer.contains(part), "{what}: {answer}");
        }
        assert!(!answer.contains("app/two"), "{what}: {answer}");
    }
    assert_eq!(get(&replay, "/v1/record").1.lines().count(), entries(&path).len());
}

#[actix::test]
async fn what_cannot_be_shown_is_not_served_and_named() {
    let (dir, path) = recording().await;
    let text = fs::read_to_string(&path).unwrap();
    let put = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
    put("empty", "");
    put("letter", "dear reader\n");
    put("short", text.lines().next().unwrap());
    // Of who wrote it last there is nothing to show.
    put("later", &text.lines().next().unwrap().replace("\"since\":", "\"since\":1"));
    fs::copy(&path, dir.path().join("later.1")).unwrap();
    for (name, why) in [
        ("nowhere", "No such file"),
        (".", "it is no file"),
        ("empty", "nothing is recorded there"),
        ("letter", "it is no recording"),
        ("short", "nothing is recorded there"),
        ("later", "nothing is recorded there"),
    ] {
        let path = dir.path().join(name);
        let error = Replay::new(&path).open().unwrap_err().to_string();
        assert!(error.starts_with(&*path.to_string_lossy()) && error.contains(why), "{name}: {error}");
    }
    let error = Replay::new(&path).tcp("0.0.0.0:0".parse().unwrap()).open().unwrap_err().to_string();
    assert!(error.contains("0.0.0.0:0 is open to other machines"), "{error}");
    let replay = Replay::new(&path).open().unwrap();
    let error = Replay::new(&path).tcp(replay.address()).open().unwrap_err().to_string();
    assert!(error.contains(&format!("{} cannot be listened at", replay.address())), "{error}");

    // What is gone later is not taken for one that is empty.
    fs::remove_file(&path).unwrap();
    let headers = format!("Host: {}\r\nAuthorization: Bearer {}\r\n", replay.address(), token(&replay));
    let answer = talk_to(replay.address(), &format!("GET /v1/record HTTP/1.0\r\n{headers}\r\n"));
    assert!(status(&answer) == 500 && answer.contains("No such file"), "{answer}");
}

#[actix::test]
async fn one_that_reads_nothing_of_a_long_recording_holds_nobody_up() {
    let (_dir, path) = recording().await;
    let whole = fs::read_to_string(&path).unwrap();
    let tree = whole.lines().find(|line| line.starts_with("{\"tree\"")).unwrap();
    let mut file = OpenOptions::new().append(true).open(&path).unwrap();
    // More than the system holds ready for a reader.
    let many = (16 << 20) / tree.len();
    file.write_all(format!("{tree}\n").repeat(many).as_bytes()).unwrap();
    let replay = Replay::new(&path).open().unwrap();
    let headers = format!("Host: {}\r\nAuthorization: Bearer {}\r\n", replay.address(), token(&replay));
    let mut idle = TcpStream::connect(replay.address()).unwrap();
    write!(idle, "GET /v1/record HTTP/1.0\r\n{headers}\r\n").unwrap();
    idle.read_exact(&mut [0; 12]).unwrap();
    assert!(get(&replay, "/v1/record").1.lines().count() > many, "others are answered");
    drop(replay);
    let mut rest = Vec::new();
    // Whether by an end or by a reset: it is broken off, and the thread was joined.
    let _ = idle.read_to_end(&mut rest);
    assert!(rest.len() < 16 << 20, "{} bytes", rest.len());
}
