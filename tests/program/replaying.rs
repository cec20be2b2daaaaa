//! `latido replay FILE --web`: a recording in a browser.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;

use latido::control::recorded;
use latido::control::wire::Entry;
use nix::sys::signal::Signal;
use tempfile::{TempDir, tempdir};

use crate::latido::{BINARY, Ended, Running};

fn latido(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(BINARY);
    command.args(args).current_dir(dir);
    command.env("TMPDIR", dir).env("LATIDO_RUNTIME_DIR", dir.join("doors"));
    command
}

/// A run, in which something was broken.
fn recording() -> TempDir {
    let dir = tempdir().unwrap();
    let run = Running::of(latido(dir.path(), &["demo", "--endless", "--record", "run.jsonl"]));
    run.wait_for_line(": done, ");
    Ended::of(latido(dir.path(), &["inject", "latido/cpu", "panic"]).output().unwrap()).with_code(0);
    run.wait_for_line("latido/cpu #1 panicked");
    run.signal(Signal::SIGINT);
    run.end().with_code(0);
    dir
}

#[test]
fn a_recording_is_served_without_a_terminal_until_ctrl_c_and_is_no_program_that_runs() {
    let dir = recording();
    let replay = Running::of(latido(dir.path(), &["replay", "run.jsonl", "--web"]));
    replay.wait_for_line("open this in a browser:");
    replay.wait_for_line("/#token=");
    let ps = Ended::of(latido(dir.path(), &["ps"]).output().unwrap()).with_code(0);
    assert!(ps.stdout.is_empty() && ps.stderr.contains("nothing runs"), "{ps:?}");
    let said = replay.said();
    let link = said.iter().find_map(|line| line.trim().strip_prefix("http://")).unwrap();
    let (address, token) = link.split_once("/#token=").unwrap();
    let get = |path: &str| {
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\r\n")
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    assert!(get("/").contains("<title>latido</title>"));
    let answer = get("/v1/record");
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let served: Vec<Entry> = body.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let written: Vec<Entry> =
        recorded(&dir.path().join("run.jsonl")).unwrap().map(|entry| entry.unwrap()).collect();
    assert!(served == written && served.len() > 10, "{} of {} entries", served.len(), written.len());
    replay.signal(Signal::SIGINT);
    replay.end().with_code(130);
    assert!(TcpStream::connect(address).is_err(), "nobody is there any more");

    let replay = Running::of(latido(dir.path(), &["replay", "run.jsonl", "--web=0"]));
    replay.wait_for_line("/#token=");
    replay.signal(Signal::SIGTERM);
    replay.end().with_code(143);
}

#[test]
fn what_cannot_be_shown_in_a_browser_is_refused_before_a_link_is_said() {
    let dir = tempdir().unwrap();
    fs::write(dir.path().join("empty"), "").unwrap();
    fs::write(dir.path().join("letter"), "dear reader\n").unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = format!("--web={}", taken.local_addr().unwrap().port());
    for (file, web, words) in [
        ("nowhere", "--web", "latido: nowhere: No such file"),
        ("empty", "--web", "latido: empty: nothing is recorded there"),
        ("letter", "--web", "latido: letter: it is no recording"),
        ("letter", "--web=0.0.0.0:80", "0.0.0.0 is open to other machines"),
    ] {
        let ended = Ended::of(latido(dir.path(), &["replay", file, web]).output().unwrap()).with_code(2);
        assert!(ended.stderr.contains(words) && !ended.stderr.contains("browser"), "{}", ended.stderr);
    }
    let dir = recording();
    let ended = Ended::of(latido(dir.path(), &["replay", "run.jsonl", &port]).output().unwrap()).with_code(2);
    let words = format!("latido: {} cannot be listened at", taken.local_addr().unwrap());
    assert!(ended.stderr.contains(&words) && !ended.stderr.contains("browser"), "{}", ended.stderr);
    // Without a page, there has to be a terminal; and there is another way.
    let ended = Ended::of(latido(dir.path(), &["replay", "run.jsonl"]).output().unwrap()).with_code(2);
    assert!(ended.stderr.contains("needs a terminal") && ended.stderr.contains("--web"), "{}", ended.stderr);
}
