//! The demo: it keeps what it promises, and leaves nothing behind.

use std::fs;
use std::process::Command;

use nix::sys::signal::Signal;
use tempfile::tempdir;

use crate::files::{names_in, until};
use crate::latido::{BINARY, Ended, Running, latido};

/// The lines in which the demo says what it breaks, without the time.
fn announced(ended: &Ended) -> Vec<&str> {
    ended.stderr.lines().filter(|line| line.starts_with("  --- ")).collect()
}

#[test]
fn the_demo_passes_and_its_seed_says_what_happens() {
    let dir = tempdir().unwrap();
    let first = latido(dir.path(), ["demo", "--seed", "7", "--keep", "kept"]).with_code(0);
    assert!(first.stdout.ends_with("verdict   PASS: nothing was lost\n"), "{}", first.stdout);
    let line = |ended: &Ended, name: &str| {
        let found = ended.stdout.lines().find(|line| line.starts_with(name));
        found.unwrap_or_else(|| panic!("no {name} in\n{}", ended.stdout)).to_owned()
    };
    let restarts = line(&first, "restarts");
    for kind in ["downloader", "CPU pool", "heartbeat", "process"] {
        let (_, count) = restarts.split_once(kind).unwrap();
        let count = count.trim_start().split(',').next().unwrap();
        assert!(count.parse::<u32>().unwrap() >= 1, "{restarts}");
    }
    assert!(first.stdout.contains("0 lost, 0 corrupt, 0 not processed"), "{}", first.stdout);
    let kept = names_in(&dir.path().join("kept"));
    assert_eq!(kept.iter().filter(|name| name.ends_with(".bin")).count(), 40, "{kept:?}");
    assert_eq!(kept.iter().filter(|name| name.ends_with(".bin.gz")).count(), 40, "{kept:?}");
    assert!(!kept.iter().any(|name| name.ends_with(".part")), "{kept:?}");

    let second = latido(dir.path(), ["demo", "--seed", "7"]).with_code(0);
    assert_eq!(line(&first, "files"), line(&second, "files"));
    assert_eq!(line(&first, "faults"), line(&second, "faults"));
    assert_eq!(announced(&first).len(), 5, "{}", first.stderr);
    assert_eq!(announced(&first), announced(&second));
    assert_eq!(names_in(dir.path()), ["kept"]);
}

#[test]
fn the_demo_can_be_ended_at_any_moment_and_leaves_no_directory() {
    let events = ["latido demo: ", "latido/heartbeat #1 started", ": done, ", "the CPU pool panics"];
    for event in events {
        for (signal, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
            let temporary = tempdir().unwrap();
            let mut command = Command::new(BINARY);
            command.args(["demo", "--seed", "1"]).env("TMPDIR", temporary.path());
            let elsewhere = tempdir().unwrap();
            command.env("LATIDO_RUNTIME_DIR", elsewhere.path().join("doors"));
            let run = Running::of(command);
            run.wait_for_line(event);
            run.signal(signal);
            let ended = run.end().with_code(code);
            assert!(ended.stdout.ends_with("verdict   none: interrupted\n"), "{}", ended.stdout);
            assert!(
                !ended.stdout.contains(" lost"),
                "what was not fetched yet is not lost: {}",
                ended.stdout
            );
            assert_eq!(names_in(temporary.path()), [""; 0], "after {event}");
        }
    }
}

#[test]
fn a_signal_as_soon_as_the_demo_has_a_directory_ends_it_cleanly_too() {
    let temporary = tempdir().unwrap();
    let mut command = Command::new(BINARY);
    command.args(["demo"]).env("TMPDIR", temporary.path());
    let elsewhere = tempdir().unwrap();
    command.env("LATIDO_RUNTIME_DIR", elsewhere.path().join("doors"));
    let run = Running::of(command);
    until(|| fs::read_dir(temporary.path()).unwrap().next().is_some());
    run.signal(Signal::SIGINT);
    run.end().with_code(130);
    assert_eq!(names_in(temporary.path()), [""; 0]);
}

#[test]
fn an_endless_demo_goes_on_whatever_is_broken_until_it_is_ended_and_has_lost_nothing() {
    let temporary = tempdir().unwrap();
    let doors = temporary.path().join("doors");
    let asked = |words: &[&str]| {
        let mut command = Command::new(BINARY);
        command.args(words).env("LATIDO_RUNTIME_DIR", &doors);
        Ended::of(command.output().unwrap())
    };
    let files = temporary.path().join("files");
    fs::create_dir(&files).unwrap();
    let mut command = Command::new(BINARY);
    command.args(["demo", "--endless"]).env("TMPDIR", &files).env("LATIDO_RUNTIME_DIR", &doors);
    let run = Running::of(command);
    run.wait_for_line(": done, ");
    for part in ["latido/downloaders/*", "latido/supply", "latido/ledger"] {
        asked(&["inject", part, "panic"]).with_code(0);
    }
    run.wait_for_line("latido/ledger #1 panicked");
    // Not of the first list: it was brought in by the supply.
    let stage = fs::read_dir(&files).unwrap().next().unwrap().unwrap().path();
    let round = stage.join("round-0001");
    until(|| round.is_dir() && names_in(&round).iter().any(|name| name.ends_with(".bin.gz")));
    run.signal(Signal::SIGINT);
    let ended = run.end().with_code(0);
    assert!(ended.stdout.contains(" and 0 corrupt"), "{}", ended.stdout);
    assert!(ended.stdout.contains("faults    6 injected"), "{}", ended.stdout);
    assert!(ended.stdout.ends_with("verdict   PASS: nothing was lost\n"), "{}", ended.stdout);
    assert_eq!(names_in(&files), [""; 0]);
}

#[test]
fn a_demo_without_a_place_for_its_files_says_so() {
    let dir = tempdir().unwrap();
    let output = Command::new(BINARY).arg("demo").env("TMPDIR", "/proc/nowhere").current_dir(&dir).output();
    let ended = Ended::of(output.unwrap()).with_code(2);
    assert!(ended.stderr.contains("/proc/nowhere"), "{}", ended.stderr);
    fs::write(dir.path().join("file"), "").unwrap();
    let ended = latido(dir.path(), ["demo", "--keep", "file"]).with_code(2);
    assert!(ended.stderr.contains("\"file\""), "{}", ended.stderr);
}
