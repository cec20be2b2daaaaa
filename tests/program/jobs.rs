//! `latido jobs`: what the journal has, read and changed from outside of a run.

use std::fs;

use nix::sys::signal::Signal;
use serde_json::Value;
use tempfile::{TempDir, tempdir};

use crate::files::{Files, checksum};
use crate::latido::{Running, latido, with_input};
use crate::server::{Server, Step};

/// A run of three files that are there and one that is not, with its server and its list.
fn ran() -> (TempDir, Files, Server, String) {
    let files = Files::some(3);
    let server = files.serve();
    let dir = tempdir().unwrap();
    let list = format!("{}{}\n  out=sub/gone\n", files.list(&server), server.url("gone"));
    with_input(dir.path(), ["fetch", "-i", "-"], &list).with_code(1);
    (dir, files, server, list)
}

#[test]
fn jobs_are_listed_with_state_tries_size_checksum_and_the_cause_of_the_failure() {
    let (dir, files, server, _) = ran();
    let text = latido(dir.path(), ["jobs"]).with_code(0).stdout;
    let line = |part: &str| {
        text.lines().find(|line| line.contains(part)).unwrap_or_else(|| panic!("{part}: {text}"))
    };
    assert_eq!(line("file-001").split_whitespace().take(3).collect::<Vec<_>>(), ["2", "done", "0"]);
    assert_eq!(
        line("sub/gone").split_whitespace().collect::<Vec<_>>(),
        ["4", "failed", "1", "-", "sub/gone"]
    );
    assert_eq!(line("http-404").trim(), "http-404: the server answered 404 Not Found");
    assert_eq!(line("http://").trim(), server.url("gone"));
    assert_eq!(text.lines().last(), Some("4 jobs: 3 done, 1 failed"));
    assert!(text.contains(&checksum(&files.0[1].1)), "{text}");
    assert!(text.lines().all(|line| line.len() <= 80), "{text}");

    let failed = latido(dir.path(), ["jobs", "list", "--state", "failed"]).with_code(0).stdout;
    assert!(failed.contains("gone") && !failed.contains("file-"), "{failed}");
}

#[test]
fn programs_get_a_line_of_json_for_each_job() {
    let (dir, files, server, _) = ran();
    let text = latido(dir.path(), ["jobs", "--json"]).with_code(0).stdout;
    let jobs: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(jobs.len(), 4);
    let (one, gone) = (&jobs[1], &jobs[3]);
    assert_eq!((&one["schema"], &one["state"]), (&1.into(), &"done".into()));
    assert_eq!(
        (&one["bytes"], &one["checksum"]),
        (&files.0[1].1.len().into(), &checksum(&files.0[1].1).into())
    );
    assert_eq!((&gone["cause"], &gone["tries"]), (&"http-404".into(), &1.into()));
    assert_eq!(gone["urls"][0], server.url("gone"));
}

#[test]
fn a_job_that_is_to_be_retried_is_fetched_anew_although_it_was_done() {
    let (dir, _, server, list) = ran();
    let before = server.requests().len();
    let said = latido(dir.path(), ["jobs", "retry", "file-002", "1"]).with_code(0).stdout;
    assert!(said.starts_with("2 jobs to be fetched anew") && said.contains("file-000"), "{said}");
    with_input(dir.path(), ["fetch", "-i", "-"], &list).with_code(1);
    let mut asked: Vec<_> = server.requests().drain(before..).map(|request| request.path).collect();
    asked.sort();
    assert_eq!(asked, ["file-000", "file-002", "gone"]);
}

#[test]
fn what_is_forgotten_leaves_the_journal_and_no_file_is_touched() {
    let (dir, files, ..) = ran();
    latido(dir.path(), ["jobs", "forget", "file-00*", "sub/gone"]).with_code(0);
    assert_eq!(latido(dir.path(), ["jobs"]).with_code(0).stdout, "no jobs\n");
    files.assert_all_in(dir.path());
}

#[test]
fn a_job_that_is_not_there_is_named_and_nothing_is_changed() {
    let (dir, ..) = ran();
    let before = latido(dir.path(), ["jobs", "--json"]).with_code(0).stdout;
    for action in ["retry", "forget"] {
        let ended = latido(dir.path(), ["jobs", action, "file-001", "nobody", "99"]).with_code(2);
        assert!(ended.stderr.contains("has no job nobody, 99"), "{}", ended.stderr);
        let ended = latido(dir.path(), ["jobs", action]).with_code(2);
        assert!(ended.stderr.contains("say which jobs"), "{}", ended.stderr);
    }
    assert_eq!(latido(dir.path(), ["jobs", "--json"]).with_code(0).stdout, before);
    let ended = latido(dir.path(), ["jobs", "-d", "sub"]).with_code(2);
    assert!(ended.stderr.contains("there is no journal"), "{}", ended.stderr);
    assert!(fs::read_dir(dir.path().join("sub")).unwrap().next().is_none(), "one was made");
}

#[test]
fn beside_a_run_nothing_is_read_or_changed_and_the_process_is_named() {
    let server = Server::start(|_| vec![Step::Stall]);
    let dir = tempdir().unwrap();
    let run = Running::start(dir.path(), ["fetch", &server.url("x")]);
    server.wait_for_requests(1);
    for args in [&["jobs"][..], &["jobs", "retry", "x"], &["jobs", "forget", "x"], &["fetch", "http://a/b"]] {
        let refused = latido(dir.path(), args).with_code(2).stderr;
        let who = format!(": process {} (", run.pid());
        assert!(refused.contains("another latido is working with") && refused.contains(&who), "{refused}");
        assert!(refused.contains(&server.url("x")), "the command line is told: {refused}");
    }
    run.signal(Signal::SIGINT);
    run.end().with_code(130);
    assert!(latido(dir.path(), ["jobs"]).with_code(0).stdout.ends_with("1 job: 1 queued\n"));
}
