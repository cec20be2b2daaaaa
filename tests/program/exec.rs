//! `--exec` and `--exec-batch`: what commands are given, what becomes of what they say, and of files they fail on.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::{TempDir, tempdir};

use crate::files::{Files, checksum};
use crate::latido::{Ended, latido};
use crate::server::{Server, ok};

/// A directory with a list of these files, and scripts by their names.
fn set_up(files: &Files, scripts: &[(&str, &str)]) -> (TempDir, Server) {
    let server = files.serve();
    let dir = tempdir().unwrap();
    files.list_in(dir.path(), &server);
    for (name, script) in scripts {
        fs::write(dir.path().join(name), script).unwrap();
    }
    (dir, server)
}

fn fetch(dir: &TempDir, more: &[&str]) -> Ended {
    latido(dir.path(), [&["fetch", "-i", "list", "-d", "new"], more].concat())
}

fn jobs(dir: &TempDir) -> Vec<Value> {
    let text = latido(dir.path(), ["jobs", "-d", "new", "--json"]).with_code(0).stdout;
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn lines(dir: &TempDir, name: &str) -> Vec<String> {
    fs::read_to_string(dir.path().join(name)).unwrap().lines().map(str::to_owned).collect()
}

// ===== what a command is given =====

#[test]
fn a_command_is_given_what_is_known_of_its_file_as_arguments_and_in_its_environment() {
    let files = Files(vec![("a b.tar.gz".into(), b"content".to_vec())]);
    let script = r#"for x; do echo "$x"; done
        for x in PATH NAME DIR STEM DIGEST CHECKSUM SIZE URL; do eval echo "\"\$LATIDO_$x\""; done"#;
    let server = Server::start(|_| ok("content"));
    let dir = tempdir().unwrap();
    fs::write(dir.path().join("list"), format!("{}\n  out=a b.tar.gz\n", server.url("x"))).unwrap();
    fs::write(dir.path().join("show"), script).unwrap();
    let exec = "sh show {path} {name} {dir} {stem} {digest} {checksum} {size} {url}";
    fetch(&dir, &["--exec", exec]).with_code(0);
    files.assert_exactly_in(&dir.path().join("new"));

    let new = dir.path().join("new").canonicalize().unwrap();
    let path = new.join("a b.tar.gz");
    let checksum = checksum(b"content");
    let wanted = [
        path.to_str().unwrap(),
        "a b.tar.gz",
        new.to_str().unwrap(),
        "a b.tar",
        checksum.split_once('=').unwrap().1,
        &checksum,
        "7",
        &server.url("x"),
    ];
    let said = jobs(&dir)[0]["output"].as_str().unwrap().to_owned();
    assert_eq!(said.lines().collect::<Vec<_>>(), [wanted, wanted].concat());
}

#[test]
fn a_name_that_looks_like_an_option_is_none() {
    let files = Files(vec![("-rf".into(), b"content\n".to_vec())]);
    let (dir, _server) = set_up(&files, &[]);
    for form in ["--exec", "--exec-batch"] {
        fetch(&dir, &[form, "wc -c"]).with_code(0);
    }
    files.assert_all_in(&dir.path().join("new"));
}

// ===== what it says, and how it fails =====

#[test]
fn what_a_command_says_is_kept_for_its_file_and_shown() {
    let files =
        Files(vec![("bad".into(), b"1".to_vec()), ("good".into(), b"2".to_vec()), ("mute".into(), vec![])]);
    let script = r#"case $1 in *mute) exit;; *bad) echo no good; printf 'really\033 not\n' >&2; exit 3;; esac; seq 9999"#;
    let (dir, _server) = set_up(&files, &[("say", script)]);
    let ended = fetch(&dir, &["--exec", "sh say"]).with_code(1);
    assert!(ended.stdout.contains("latido jobs output --state failed"), "{}", ended.stdout);
    assert!(ended.stdout.contains("exited with code 3; last words: really"), "{}", ended.stdout);

    let jobs = jobs(&dir);
    let said = |n: usize| jobs[n]["output"].as_str();
    assert_eq!(said(0), Some("no good\nreally\u{1b} not\n"));
    assert_eq!((jobs[0]["cause"].as_str(), &jobs[0]["tries"]), (Some("command"), &1.into()));
    let good = said(1).unwrap();
    assert!(good.len() == 4096 && good.ends_with("\n9998\n9999\n"), "{good}");
    assert_eq!(said(2), None);

    let shown = latido(dir.path(), ["jobs", "-d", "new", "output", "--state", "failed"]).with_code(0).stdout;
    assert_eq!(shown, "1 bad (failed)\n  | no good\n  | really\\u{1b} not\n");
    let shown = latido(dir.path(), ["jobs", "-d", "new", "output", "--json"]).with_code(0).stdout;
    assert_eq!(shown.lines().count(), 2);
}

#[test]
fn a_command_that_takes_too_long_fails_its_file_and_nothing_of_it_is_left() {
    let files = Files::some(2);
    let script = "echo $$ > pid; echo still here; case $1 in *0) exec sleep 1000;; esac";
    let (dir, _server) = set_up(&files, &[("slow", script)]);
    let ended = fetch(&dir, &["-j", "1", "--exec", "sh slow", "--exec-timeout", "3"]).with_code(1);
    assert!(ended.stdout.contains("1 done") && ended.stdout.contains("no end within 3s"), "{}", ended.stdout);
    let jobs = jobs(&dir);
    let slow = (jobs[0]["cause"].as_str(), jobs[0]["output"].as_str());
    assert_eq!(slow, (Some("command-timeout"), Some("still here\n")));
    let pid = fs::read_to_string(dir.path().join("pid")).unwrap();
    assert!(!Path::new("/proc").join(pid.trim()).exists());
}

#[test]
fn a_command_that_fails_gets_as_many_tries_as_it_may_have_and_no_more() {
    let files = Files::some(2);
    let script = r#"echo "$LATIDO_NAME" >> log; case $1 in *0) exit 1;; esac; test $(grep -c 001 log) -ge 2"#;
    let (dir, server) = set_up(&files, &[("moody", script)]);
    let run = || fetch(&dir, &["--exec", "sh moody", "--exec-tries", "2"]).with_code(1);
    let ended = run();
    assert!(ended.stdout.contains("exited with code 1 (after 2 tries)"), "{}", ended.stdout);
    assert!(ended.stderr.contains(": again in 1."), "{}", ended.stderr);
    let log = |name: &str| lines(&dir, "log").iter().filter(|line| *line == name).count();
    assert_eq!((log("file-000"), log("file-001")), (2, 2));
    // All its tries again, for what has failed alone, and no download.
    run();
    assert_eq!((log("file-000"), log("file-001")), (4, 2));
    assert_eq!(server.requests().len(), 2);
}

// ===== what it does to its file =====

#[test]
fn what_a_command_moves_away_or_changes_is_neither_fetched_nor_processed_again() {
    for command in ["mv {} moved-{name}", "sh -c 'echo more >> $1' sh {}"] {
        let files = Files::some(3);
        let (dir, server) = set_up(&files, &[]);
        for _ in 0..2 {
            fetch(&dir, &["--exec", command]).with_code(0);
        }
        assert_eq!(server.requests().len(), 3, "{command}");
        // Without the command the files themselves are wanted.
        fetch(&dir, &[]).with_code(0);
        files.assert_exactly_in(&dir.path().join("new"));
        assert_eq!(server.requests().len(), 6, "{command}");
    }
}

#[test]
fn a_command_never_gets_a_file_that_it_has_written_to_and_failed() {
    let files = Files::some(4);
    let script = r#"sha256sum < "$1" | cut -c1-64 >> seen; echo dirt >> "$1"; exit 1"#;
    let (dir, server) = set_up(&files, &[("dirty", script)]);
    fetch(&dir, &["--exec", "sh dirty", "--exec-tries", "2"]).with_code(1);
    fetch(&dir, &["--exec", "sh dirty"]).with_code(1);
    assert_eq!(server.requests().len(), 3 * 4);
    let seen = lines(&dir, "seen");
    let right: BTreeSet<_> = files.0.iter().map(|(_, bytes)| checksum(bytes)).collect();
    assert_eq!(seen.len(), 3 * 4);
    assert!(seen.iter().all(|digits| right.contains(&format!("sha-256={digits}"))), "{seen:?}");
    fetch(&dir, &[]).with_code(0);
    files.assert_exactly_in(&dir.path().join("new"));
}

// ===== batches =====

/// Writes how many files it was given, and which.
const COUNT: &str = r#"echo $# >> counts; for x; do basename "$x" >> seen; done"#;

#[test]
fn a_batch_gives_many_files_to_one_child_and_each_file_once() {
    let files = Files::some(40);
    let (dir, server) = set_up(&files, &[("count", COUNT)]);
    for _ in 0..2 {
        fetch(&dir, &["--exec-batch", "sh count {}...", "--exec-batch-size", "16"]).with_code(0);
    }
    files.assert_exactly_in(&dir.path().join("new"));
    let counts: Vec<usize> = lines(&dir, "counts").iter().map(|count| count.parse().unwrap()).collect();
    assert_eq!(counts.iter().sum::<usize>(), 40, "{counts:?}");
    // Three if the files come within a second of each other; a batch does not wait for longer.
    assert!(counts.len() < 20 && *counts.iter().max().unwrap() <= 16, "{counts:?}");
    let mut seen = lines(&dir, "seen");
    seen.sort();
    assert_eq!(seen, files.0.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>());
    assert_eq!(server.requests().len(), 40);
}

#[test]
fn a_file_that_a_batch_fails_on_is_found_and_fails_alone() {
    let files = Files::some(33);
    let script = r#"for x; do case $x in */file-007|*/file-032) echo "no $x" >&2; exit 1; esac; done"#;
    let script = format!("{COUNT}\n{script}");
    let (dir, _server) = set_up(&files, &[("count", &script)]);
    let ended = fetch(&dir, &["--exec-batch", "sh count", "--exec-batch-size", "64"]).with_code(1);
    assert!(ended.stdout.starts_with("33 files: 31 done and verified ("), "{}", ended.stdout);
    let jobs = jobs(&dir);
    for job in &jobs {
        let path = job["path"].as_str().unwrap();
        let is_bad = ["7", "32"].iter().any(|n| path.ends_with(&format!("file-{n:0>3}")));
        assert_eq!(job["state"], if is_bad { "failed" } else { "done" });
        assert_eq!(job["output"].as_str().map(str::to_owned), is_bad.then(|| format!("no {path}\n")));
    }
    let before = lines(&dir, "counts").len();
    assert!(before < 33, "{before} runs");
    // The next run has to do with those alone.
    fetch(&dir, &["--exec-batch", "sh count", "--exec-batch-size", "64"]).with_code(1);
    assert!(lines(&dir, "counts").len() <= before + 3);
}

/// Names so long that a hundred of them are too much for one command line.
#[test]
fn a_batch_is_no_longer_than_a_command_line_may_be() {
    let file = |n: usize| (format!("{n:03}{}", "x".repeat(240)), vec![n as u8]);
    let files = Files((0..700).map(file).collect());
    let (dir, _server) = set_up(&files, &[("count", COUNT)]);
    fetch(&dir, &["--exec-batch", "sh count {} {} {}", "--exec-batch-size", "10000"]).with_code(0);
    let counts: Vec<usize> = lines(&dir, "counts").iter().map(|count| count.parse().unwrap()).collect();
    assert_eq!(counts.iter().sum::<usize>(), 3 * 700);
    assert!(*counts.iter().max().unwrap() <= 3 * 180, "{counts:?}");
}

/// The third file comes only when the first two are processed: were they to wait for it, it never would.
#[test]
fn a_batch_does_not_wait_for_ever_for_what_does_not_come() {
    let files = Files::some(3);
    let good = files.clone();
    let dir = tempdir().unwrap();
    let counts = dir.path().join("counts");
    let server = Server::start(move |request| {
        if request.path == "file-002" {
            crate::files::until(|| counts.exists());
        }
        good.answer(request)
    });
    files.list_in(dir.path(), &server);
    fs::write(dir.path().join("count"), COUNT).unwrap();
    fetch(&dir, &["--exec-batch", "sh count"]).with_code(0);
    let counts: Vec<usize> = lines(&dir, "counts").iter().map(|count| count.parse().unwrap()).collect();
    assert_eq!(counts.iter().sum::<usize>(), 3);
    assert!(counts.len() > 1, "{counts:?}");
}
