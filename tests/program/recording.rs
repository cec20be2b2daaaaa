//! A run that is recorded.

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use latido::control::recorded;
use latido::control::wire::{Entry, Event, What};
use nix::sys::signal::Signal;
use serde_json::Value;
use tempfile::{TempDir, tempdir};

use crate::files::{not_found, until};
use crate::full_disk::Small;
use crate::latido::{BINARY, Ended, Running, latido};
use crate::server::{Server, ok};

fn demo(dir: &TempDir, record: &Path) -> Running {
    let mut command = Command::new(BINARY);
    command.args(["demo", "--endless", "--record"]).arg(record).current_dir(dir.path());
    command.env("TMPDIR", dir.path()).env("LATIDO_RUNTIME_DIR", dir.path().join("doors"));
    Running::of(command)
}

fn inject(dir: &TempDir, part: &str) {
    let mut command = Command::new(BINARY);
    command.args(["inject", part, "panic"]).env("LATIDO_RUNTIME_DIR", dir.path().join("doors"));
    Ended::of(command.output().unwrap()).with_code(0);
}

fn entries(path: &Path) -> Vec<Entry> {
    recorded(path).unwrap().map(|entry| entry.unwrap()).collect()
}

#[test]
fn what_a_run_that_is_killed_has_recorded_until_then_can_be_read() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("run.jsonl");
    let run = demo(&dir, &path);
    run.wait_for_line(": done, ");
    inject(&dir, "latido/cpu");
    let is_told = |entry: &Entry| matches!(entry, Entry::Incident(it) if it.path == "latido/cpu");
    until(|| entries(&path).iter().any(is_told));
    run.signal(Signal::SIGKILL);
    run.end().with_code(-9);
    let entries = entries(&path);
    assert!(matches!(&entries[0], Entry::Instance(it) if it.program == "latido demo"), "{:?}", entries[0]);
    assert!(entries.iter().any(is_told));
    let has_jobs =
        |entry: &Entry| matches!(entry, Entry::Extra(it) if it.name == "jobs" && it.value["total"] == 40);
    assert!(entries.iter().any(has_jobs));
}

#[test]
fn a_recording_that_cannot_be_begun_is_told_of_and_ends_nothing() {
    let dir = tempdir().unwrap();
    let run = demo(&dir, &dir.path().join("no/where"));
    run.wait_for_line("nothing is recorded: ");
    run.wait_for_line(": done, ");
    inject(&dir, "latido/cpu"); // the door is open all the same
    run.signal(Signal::SIGINT);
    run.end().with_code(0);
}

#[test]
fn a_disk_that_is_full_later_is_warned_of_ends_nothing_and_leaves_whole_lines() {
    let Some(disk) = Small::mount("64k") else { return };
    let dir = tempdir().unwrap();
    let path = disk.path().join("run.jsonl");
    let run = demo(&dir, &path);
    run.wait_for_line("cannot be recorded to: No space left");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.ends_with("}\n"), "{:?}", text.lines().last());
    assert_eq!(entries(&path).len(), text.lines().count());
    disk.grow("32m");
    run.wait_for_line("is recorded to again");
    run.signal(Signal::SIGINT);
    run.end().with_code(0);
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(entries(&path).len(), text.lines().count());
}

#[test]
fn programs_read_of_a_job_at_the_door_what_json_tells_of_it() {
    let server = Server::start(|request| match &*request.path {
        "gone" => not_found(),
        _ => ok("content"),
    });
    let dir = tempdir().unwrap();
    let (here, gone) = (server.url("here"), server.url("gone"));
    let ended = latido(
        dir.path(),
        ["fetch", "--json", "--record", "run.jsonl", "--exec", "echo much", "-d", "new", &here, &gone],
    );
    let lines = ended.with_code(1).stdout;
    let told: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|line| line["id"].is_i64() && line["event"] != "progress")
        .map(|mut line| {
            // The first two are of the line, the third may be long.
            for field in ["schema", "t", "output"] {
                line.as_object_mut().unwrap().remove(field);
            }
            line
        })
        .collect();
    let recorded: Vec<Value> = entries(&dir.path().join("run.jsonl"))
        .into_iter()
        .filter_map(|entry| match entry {
            Entry::Event(Event { path, what: What::Report { data, .. }, .. }) if path == "latido/ledger" => {
                Some(data)
            }
            _ => None,
        })
        .collect();
    assert_eq!(recorded, told);
    let kinds: BTreeSet<_> = told.iter().filter_map(|line| line["event"].as_str()).collect();
    assert_eq!(kinds, ["done", "failed", "started", "verified"].into());
}

#[test]
fn a_port_that_is_taken_costs_the_page_alone_and_a_file_that_cannot_be_written_the_recording() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = format!("--web={}", taken.local_addr().unwrap().port());
    let no_page = format!("there is no page: {} cannot be listened at", taken.local_addr().unwrap());
    for (web, record, has_page, is_recorded) in [
        (&*port, "run.jsonl", false, true),
        ("--web", "no/where", true, false),
        (&port, "no/where", false, false),
    ] {
        let dir = tempdir().unwrap();
        let path = dir.path().join(record);
        let mut command = Command::new(BINARY);
        command.args(["demo", "--endless", web, "--record"]).arg(&path).current_dir(dir.path());
        command.env("TMPDIR", dir.path()).env("LATIDO_RUNTIME_DIR", dir.path().join("doors"));
        let run = Running::of(command);
        run.wait_for_line(": done, ");
        inject(&dir, "latido/cpu"); // the door is open all the same
        run.wait_for_line("latido/cpu #1 panicked");
        run.signal(Signal::SIGINT);
        let said = run.end().with_code(0).stderr;
        assert_eq!(said.contains("/#token="), has_page, "{said}");
        assert_eq!(said.contains(&no_page), !has_page, "{said}");
        assert_eq!(said.contains("nothing is recorded: "), !is_recorded, "{said}");
        assert!(!said.contains("nobody can look in"), "{said}");
        let is_told = |entry: &Entry| matches!(entry, Entry::Incident(it) if it.path == "latido/cpu");
        assert!(!is_recorded || entries(&path).iter().any(is_told), "{said}");
    }
}
