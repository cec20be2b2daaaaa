//! Faults that need more than one file, or more than one run.

use std::fs;

use nix::sys::signal::Signal;
use tempfile::tempdir;

use super::row::{CONTENT, TEN, answer, right};
use crate::files::{OURS, checksum, names_in, not_found};
use crate::latido::{Running, latido, with_input};
use crate::server::{Server, Step, ok, send};

#[test]
fn one_bad_file_fails_the_run_wherever_it_stands_in_the_list() {
    let server = Server::start(|request| match &*request.path {
        "gone" => not_found(),
        _ => right(),
    });
    for bad in 0..3 {
        let mut names = vec!["a", "b"];
        names.insert(bad, "gone");
        let list: String = names
            .iter()
            .map(|name| format!("{}\n checksum={}\n", server.url(name), checksum(CONTENT)))
            .collect();
        for jobs in ["1", "3"] {
            let dir = tempdir().unwrap();
            let ended = with_input(dir.path(), ["fetch", "-i", "-", "-j", jobs], &list).with_code(1);
            assert!(ended.stdout.starts_with("3 files: 2 done and verified"), "{}", ended.stdout);
            assert_eq!(names_in(dir.path()), [&OURS[..], &["a", "b"]].concat());
        }
    }
}

/// Each run has a journal of its own, so nothing but the part keeps them apart.
#[test]
fn two_runs_for_one_file_do_not_write_into_each_other() {
    let server = Server::start(|_| answer(&[TEN], &[send("01234"), Step::Stall]));
    let dir = tempdir().unwrap();
    let url = server.url("file");
    let args = |journal| ["fetch", "--max-tries", "1", "--journal", journal, &*url].map(str::to_owned);
    let first = Running::start(dir.path(), args("first.db"));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(server.stalled());
    let second = latido(dir.path(), args("second.db")).with_code(1);
    assert!(second.stdout.contains("is in use by another download"), "{}", second.stdout);
    assert_eq!(server.requests().len(), 1, "the second need not ask");
    first.signal(Signal::SIGINT);
    first.end().with_code(130);
    assert!(!dir.path().join("file").exists());
    assert!(!names_in(dir.path()).iter().any(|name| name.ends_with(".part")), "{:?}", names_in(dir.path()));
}

/// They differ, so the parts do too: one of them is under the name in the end, and whole.
#[test]
fn of_two_runs_for_one_name_one_wins_and_its_file_is_whole() {
    let files = [vec![b'a'; 2 << 20], vec![b'b'; 2 << 20]];
    let served = files.clone();
    let server = Server::start(move |request| ok(&served[usize::from(request.path == "b")]));
    let dir = tempdir().unwrap();
    let runs = ["a", "b"].map(|path| {
        let journal = format!("{path}.db");
        Running::start(dir.path(), ["fetch", "-o", "file", "--journal", &*journal, &server.url(path)])
    });
    for run in runs {
        run.end().with_code(0);
    }
    assert!(files.contains(&fs::read(dir.path().join("file")).unwrap()));
}
