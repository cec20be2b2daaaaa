//! Every part of the tree is broken in every way, in the middle of a run that must not notice.

use std::collections::BTreeSet;
use std::fs;

use tempfile::tempdir;

use crate::files::Files;
use crate::latido::{Ended, with_input};
use crate::server::{Server, Step};

pub const EXEC: &str = r#"sh -c 'grep -q "" "$1" || test ! -s "$1" && basename "$1" >> log' sh"#;

/// Every file is right and was given to `--exec` at least once.
fn survives(faults: &[&str]) -> Ended {
    survives_by("4", faults)
}

/// The same, with so many files at a time.
fn survives_by(jobs: &str, faults: &[&str]) -> Ended {
    survives_with(&["--exec", EXEC, "-j", jobs], faults)
}

pub fn survives_with(args: &[&str], faults: &[&str]) -> Ended {
    let files = Files::with_large(24);
    let server = files.serve();
    let dir = tempdir().unwrap();
    let args = [&["fetch", "-d", "new", "-i", "-"], args].concat();
    let faults: Vec<_> = faults.iter().flat_map(|fault| ["--fault", fault]).collect();
    let ended = with_input(dir.path(), [&args[..], &faults].concat(), &files.list(&server)).with_code(0);
    files.assert_exactly_in(&dir.path().join("new"));
    let log = fs::read_to_string(dir.path().join("log")).unwrap();
    let processed: BTreeSet<_> = log.lines().collect();
    let wanted: BTreeSet<_> = files.0.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(processed, wanted);
    ended
}

/// Breaks one part in all four ways, and sees that each fault did strike.
fn survives_all_faults_of(path: &str, when: &str) {
    // A file is hashed by the pool if no other comes to its thread.
    let jobs = if path == "latido/cpu" { "1" } else { "4" };
    for fault in ["panic", "fail", "stop", "block:0.2"] {
        let ended = survives_by(jobs, &[&format!("{path}={fault}{when}")]);
        let struck = format!("gets a fault on purpose: {fault}");
        assert!(ended.stderr.contains(&struck), "{path}={fault}{when}\n{}", ended.stderr);
        let restarted = ended.stderr.contains(" restarts ");
        assert_eq!(restarted, !fault.starts_with("block"), "{path}={fault}{when}\n{}", ended.stderr);
    }
}

#[test]
fn downloaders_may_fail() {
    survives_all_faults_of("latido/downloaders/*", "@2");
}

#[test]
fn the_cpu_pool_may_fail() {
    survives_all_faults_of("latido/cpu", "@3");
}

#[test]
fn the_ledger_may_fail() {
    survives_all_faults_of("latido/ledger", "@4");
}

#[test]
fn the_heartbeat_may_fail() {
    survives_all_faults_of("latido/heartbeat", "");
}

#[test]
fn those_who_run_commands_may_fail() {
    survives_all_faults_of("latido/exec/*", "@1");
}

/// What befalls the bytes on the wire is found by length, silence or checksum and costs a try; in the journal it costs a
/// ledger.
#[test]
fn the_wire_and_the_journal_may_fail() {
    for (fault, sign) in [
        ("latido/downloaders/*=cut@2", "connection reset"),
        ("latido/downloaders/*=corrupt@2", "the file is sha-256="),
        ("latido/ledger=write-error:EIO@3", "restarts"),
        ("latido/ledger=write-error:ENOSPC@3", "restarts"),
    ] {
        let ended = survives(&[fault]);
        assert!(ended.stderr.contains("gets a fault on purpose"), "{fault}\n{}", ended.stderr);
        assert!(ended.stderr.contains(sign), "{fault}: no {sign}\n{}", ended.stderr);
    }
}

#[test]
fn a_disk_that_takes_nothing_fails_its_files_and_the_same_command_makes_them_right() {
    let files = Files::with_large(8);
    let server = files.serve();
    for error in ["EIO", "ENOSPC"] {
        let dir = tempdir().unwrap();
        let args = ["fetch", "-d", "new", "-i", "-", "-j", "1"];
        let fault = format!("latido/downloaders/0=write-error:{error}@2");
        let list = files.list(&server);
        let ended = with_input(dir.path(), [&args[..], &["--fault", &fault]].concat(), &list).with_code(1);
        assert_eq!(ended.stderr.matches(": failed: ").count(), 1, "{}", ended.stderr);
        assert!(
            ended.stdout.contains("7 done and verified") && ended.stdout.contains("1 failed"),
            "{}",
            ended.stdout
        );
        let names = fs::read_dir(dir.path().join("new")).unwrap().map(|entry| entry.unwrap().file_name());
        assert_eq!(names.filter(|name| !name.to_string_lossy().starts_with('.')).count(), 7);
        with_input(dir.path(), args, &list).with_code(0);
        files.assert_exactly_in(&dir.path().join("new"));
    }
}

/// Any of them, often, and by chance; the same each time.
#[test]
fn whatever_may_fail_by_chance_does_and_nothing_is_lost() {
    let faults = [
        "latido/downloaders/*=panic@p=0.1,times=2",
        "latido/downloaders/*=slow:0.05@p=0.3",
        "latido/downloaders/*=drop:2@p=0.2",
        "latido/downloaders/*=cut@p=0.1,times=2",
        "latido/ledger=delay:0.02@for=2",
        "latido/cpu=flood:100@2",
        "latido/cpu=fail-starts:1",
    ];
    let ended = survives_with(&["--exec", EXEC, "-j", "4", "--fault-seed", "3"], &faults);
    for struck in ["panic", "slow:0.05", "drop:2", "delay:0.02"] {
        let told = format!("gets a fault on purpose: {struck}");
        assert!(ended.stderr.contains(&told), "no {struck}\n{}", ended.stderr);
    }
}

#[test]
fn whoever_has_a_batch_may_fail() {
    let script = r#"sh -c 'for x; do basename "$x" >> log; done' sh"#;
    let exec = ["--exec-batch", script, "--exec-batch-size", "7"];
    for fault in ["exec/*=panic@1", "exec/*=stop@1", "ledger=fail@1", "ledger=panic@2", "exec=panic"] {
        let ended = survives_with(&[&exec[..], &["-j", "4"]].concat(), &[&format!("latido/{fault}")]);
        assert!(ended.stderr.contains("gets a fault on purpose"), "{fault}\n{}", ended.stderr);
        assert!(ended.stderr.contains(" restarts "), "{fault}\n{}", ended.stderr);
    }
}

#[test]
fn supervisors_may_fail() {
    survives_all_faults_of("latido/downloaders", "");
    survives_all_faults_of("latido/exec", "");
}

#[test]
fn one_part_may_fail_in_all_ways_one_after_the_other() {
    for part in ["ledger", "cpu", "heartbeat", "downloaders", "exec"] {
        let faults = ["panic", "stop", "block:0.1", "stop", "fail"];
        let faults = faults.map(|fault| format!("latido/{part}={fault}"));
        survives(&faults.each_ref().map(String::as_str));
    }
}

#[test]
fn everything_may_fail_in_one_run() {
    let every =
        ["downloaders/*=panic@2", "downloaders/1=stop@3", "cpu=fail@2", "cpu=panic@5", "ledger=fail@5"];
    let every = every.map(|fault| format!("latido/{fault}"));
    let more = ["heartbeat=panic", "exec/*=panic@1", "exec/*=stop@2", "downloaders=fail", "cpu=block:0.2@7"];
    let more = more.map(|fault| format!("latido/{fault}"));
    let all: Vec<&str> = every.iter().chain(&more).map(String::as_str).collect();
    survives(&all);
}

/// A part that fails each time it starts is more than its supervisor is allowed to mend.
#[test]
fn a_part_that_keeps_failing_makes_the_tree_give_up() {
    let files = Files::some(3);
    let good = files.clone();
    let server = Server::start(move |request| match &*request.path {
        "stalled" => vec![Step::Stall],
        _ => good.answer(request),
    });
    let dir = tempdir().unwrap();
    let list = files.list(&server);
    let faults = [["--fault", "latido/cpu=panic"]; 40].concat();
    let args = [&["fetch", "-d", "new", "-i", "-"], &faults[..]].concat();
    let ended = with_input(dir.path(), args, &(server.url("stalled") + "\n" + &list)).with_code(3);
    files.assert_none_wrong_in(&dir.path().join("new"));
    let line = ended.stderr.lines().find(|line| line.starts_with("latido: ")).unwrap();
    assert!(line.contains("latido/cpu") && line.contains("run the same command again"), "{line}");

    with_input(dir.path(), ["fetch", "-d", "new", "-i", "-"], &list).with_code(0);
    files.assert_exactly_in(&dir.path().join("new"));
}

/// A crash of the ledger is no reason to try again what has failed for good.
#[test]
fn what_has_failed_stays_so_when_the_ledger_fails() {
    let files = Files::some(12);
    let server = files.serve();
    let dir = tempdir().unwrap();
    let list = server.url("gone") + "\n" + &files.list(&server);
    let args = ["fetch", "-d", "new", "-i", "-", "-j", "1", "--fault", "latido/ledger=fail@2"];
    let ended = with_input(dir.path(), args, &list).with_code(1);
    assert!(ended.stderr.contains("latido/ledger #2"), "{}", ended.stderr);
    assert!(ended.stdout.starts_with("13 files: 12 done and verified ("), "{}", ended.stdout);
    let asked = server.requests().iter().filter(|request| request.path == "gone").count();
    assert_eq!(asked, 1);
    files.assert_exactly_in(&dir.path().join("new"));
}
