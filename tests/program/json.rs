//! `latido fetch --json`, as `docs/json.md` describes it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::tempdir;

use crate::files::{Files, checksum, not_found};
use crate::latido::{BINARY, latido};
use crate::server::{Server, Step, head, ok, send};

type Keys = BTreeMap<String, BTreeSet<String>>;

fn keys(line: &Value) -> BTreeSet<String> {
    line.as_object().unwrap().keys().cloned().collect()
}

/// The kinds of events that the page has an example of, and the fields of each.
fn documented() -> Keys {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/json.md")).unwrap();
    let examples = page.lines().filter(|line| line.starts_with("{\"schema\"") && line.contains("\"event\""));
    let examples = examples.map(|line| serde_json::from_str::<Value>(line).unwrap());
    let kinds: Keys =
        examples.map(|line| (line["event"].as_str().unwrap().to_owned(), keys(&line))).collect();
    for kind in kinds.keys() {
        assert!(page.contains(&format!("| `{kind}` |")), "{kind} is not explained");
    }
    kinds
}

/// Reads lines of a run, each of which must be as documented, until `enough`.
fn read(lines: &mut impl Iterator<Item = Value>, known: &Keys, mut enough: impl FnMut(&Value) -> bool) {
    for line in lines {
        assert_eq!(line["schema"], 1);
        let kind = line["event"].as_str().unwrap();
        assert_eq!(Some(&keys(&line)), known.get(kind), "{line}");
        if enough(&line) {
            return;
        }
    }
}

fn start(dir: &std::path::Path, args: &[String]) -> (Child, impl Iterator<Item = Value> + use<>) {
    let mut command = Command::new(BINARY);
    command.args(["fetch", "--json", "-d", "new"]).args(args).current_dir(dir);
    let mut run = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let lines = BufReader::new(run.stdout.take().unwrap()).lines();
    (run, lines.map(|line| serde_json::from_str(&line.unwrap()).expect("every line is json")))
}

#[test]
fn every_kind_of_event_that_is_documented_is_told_and_every_line_is_json() {
    let server = Server::start(|request| match &*request.path {
        "gone" => not_found(),
        "busy" => vec![head("503 Service Unavailable", &[("content-length", "0")])],
        "slow" => vec![head("200 OK", &[("content-length", "100")]), send("half"), Step::Stall],
        _ => ok("content"),
    });
    let dir = tempdir().unwrap();
    let known = documented();
    let mut seen = BTreeMap::<String, Value>::new();
    let mut note = |line: &Value| {
        seen.insert(line["event"].as_str().unwrap().to_owned(), line.clone());
        seen.len()
    };

    let args = [server.url("x"), server.url("gone"), server.url("busy"), server.url("slow")];
    let fault = "--fault=latido/downloaders/0=panic@1".to_owned();
    let (mut run, mut lines) = start(dir.path(), &[&args[..], &[fault]].concat());
    // All but those that end a run, and the one for readers that are too slow.
    read(&mut lines, &known, |line| note(line) == known.len() - 3);
    kill(Pid::from_raw(run.id().cast_signed()), Signal::SIGINT).unwrap();
    read(&mut lines, &known, |line| {
        note(line);
        false
    });
    assert_eq!(run.wait().unwrap().code(), Some(130));

    let faults = vec!["--fault=latido/heartbeat=fail".to_owned(); 20];
    let (mut run, mut lines) = start(dir.path(), &[&[server.url("slow")], &faults[..]].concat());
    read(&mut lines, &known, |line| {
        note(line);
        false
    });
    assert_eq!(run.wait().unwrap().code(), Some(3));
    assert_eq!(seen["end"]["exit"], 3);
    assert_eq!(seen["gave_up"]["child"], "latido/heartbeat");

    let told: BTreeSet<_> = seen.keys().map(String::as_str).chain(["missed"]).collect();
    assert_eq!(told, known.keys().map(String::as_str).collect::<BTreeSet<_>>());
    assert_eq!((&seen["failed"]["cause"], &seen["retry"]["cause"]), (&"http-404".into(), &"http-503".into()));
    assert_eq!((&seen["progress"]["received"], &seen["progress"]["total"]), (&4.into(), &100.into()));
    assert_eq!(seen["verified"]["checksum"], checksum(b"content"));
}

#[test]
fn standard_output_has_nothing_but_lines_that_begin_and_end_and_count_each_file() {
    let files = Files::some(5);
    let server = files.serve();
    let dir = tempdir().unwrap();
    let list = format!("{}{}\n", files.list(&server), server.url("gone"));
    fs::write(dir.path().join("list"), list).unwrap();
    let ended = latido(dir.path(), ["fetch", "--json", "-i", "list", "-d", "new"]).with_code(1);
    let lines: Vec<Value> = ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (first, last) = (&lines[0], lines.last().unwrap());
    assert_eq!((&first["event"], &first["jobs"]), (&"begin".into(), &6.into()));
    assert_eq!((&last["event"], &last["exit"]), (&"end".into(), &1.into()));
    let summary = &last["summary"];
    assert_eq!((&summary["done"], &summary["failed"], &summary["left"]), (&5.into(), &1.into(), &0.into()));
    assert_eq!(summary["causes"], serde_json::json!({"http-404": 1}));
    let done = lines.iter().filter(|line| line["event"] == "done").map(|line| line["id"].as_i64().unwrap());
    assert_eq!(done.collect::<BTreeSet<_>>().len(), 5);
    assert!(ended.stderr.contains("gone: failed"), "{}", ended.stderr);
    files.assert_exactly_in(&dir.path().join("new"));
}

#[test]
fn a_reader_that_goes_away_after_a_line_changes_nothing_about_the_run() {
    let files = Files::some(20);
    let server = files.serve();
    let dir = tempdir().unwrap();
    files.list_in(dir.path(), &server);
    let line = format!("{{ {BINARY} fetch --json -q -i list -d new; echo $? > code; }} | head -1");
    let output = Command::new("sh").args(["-c", &line]).current_dir(dir.path()).output().unwrap();
    assert_eq!(output.stdout.iter().filter(|byte| **byte == b'\n').count(), 1);
    crate::files::until(|| fs::read_to_string(dir.path().join("code")).is_ok_and(|code| code == "0\n"));
    files.assert_exactly_in(&dir.path().join("new"));
    assert_eq!(output.stderr, b"");
}
