//! What happens to a journal while it is in use, and what the program makes of it.

use std::fs;
use std::path::Path;

use nix::sys::signal::Signal;
use tempfile::tempdir;

use crate::files::{Files, not_found};
use crate::latido::{Ended, Running};
use crate::server::Server;

/// Runs with a journal to which `harm` is done while the server holds the answers back.
fn run_and(harm: impl FnOnce(&Path), faults: &[&str]) -> (Ended, tempfile::TempDir, Files) {
    let files = Files::some(3);
    let good = files.clone();
    let gate = std::sync::Arc::new(std::sync::Barrier::new(2));
    let held = gate.clone();
    let server = Server::start(move |request| match &*request.path {
        "gate" => {
            held.wait();
            held.wait();
            not_found()
        }
        _ => good.answer(request),
    });
    let dir = tempdir().unwrap();
    let list = format!("{}\n{}", server.url("gate"), files.list(&server));
    fs::write(dir.path().join("list"), list).unwrap();
    let args = ["fetch", "-i", "list", "-d", "new", "--journal", "jobs", "-j", "1"];
    let run = Running::start(dir.path(), [&args, faults].concat());
    gate.wait();
    harm(&dir.path().join("jobs"));
    gate.wait();
    let ended = run.end();
    files.assert_none_wrong_in(&dir.path().join("new"));
    (ended, dir, files)
}

#[test]
fn a_journal_that_is_gone_is_no_success() {
    // One job failed, and nobody can read that in the journal any more.
    let (ended, ..) = run_and(|journal| fs::remove_file(journal).unwrap(), &[]);
    let ended = ended.with_code(3);
    let line = ended.stderr.lines().last().unwrap();
    assert!(
        line.contains("journal") && line.contains("jobs") && line.contains("run the same command"),
        "{line}"
    );
}

#[test]
fn a_ledger_that_cannot_start_again_makes_the_tree_give_up() {
    let harm = |journal: &Path| {
        for file in ["jobs", "jobs-wal", "jobs-shm"] {
            let _ = fs::remove_file(journal.with_file_name(file));
        }
        fs::create_dir(journal).unwrap();
    };
    let faults = ["--fault", "latido/ledger=panic@2"];
    let (ended, ..) = run_and(harm, &faults);
    let ended = ended.with_code(3);
    let line = ended.stderr.lines().find(|line| line.starts_with("latido: ")).unwrap();
    assert!(line.contains("gave up") && line.contains("latido/ledger") && line.contains("jobs\""), "{line}");
}

/// Between two ledgers the database is nobody's; the run still is.
#[test]
fn a_journal_belongs_to_a_run_also_while_its_ledger_is_down() {
    let server = Server::start(|_| vec![crate::server::Step::Stall]);
    let dir = tempdir().unwrap();
    let url = server.url("x");
    // Restarts that come ever later, so that the ledger is down for most of the time.
    let faults = ["fail"; 5].map(|fault| format!("--fault=latido/ledger={fault}"));
    let args = [&["fetch".to_owned(), url.clone()], &faults[..]].concat();
    let first = Running::start(dir.path(), args);
    first.wait_for_line("failure 5 in a row");
    for _ in 0..5 {
        let second = crate::latido::latido(dir.path(), ["fetch", &url]).with_code(2);
        assert!(second.stderr.contains("another latido is working"), "{}", second.stderr);
    }
    first.signal(Signal::SIGINT);
    first.end().with_code(130);
}
