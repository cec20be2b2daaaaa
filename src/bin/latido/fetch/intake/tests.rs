use std::fs;

use clap::Parser;

use super::*;
use crate::cli::{Cli, Command};

/// What `latido fetch` with these arguments would do, in a directory of its own.
fn intake(dir: &Path, args: &[&str]) -> Result<Intake, String> {
    let dir = dir.to_str().unwrap();
    let line = ["latido", "fetch", "-d", dir].into_iter().chain(args.iter().copied());
    match Cli::try_parse_from(line).unwrap().command {
        Command::Fetch(args) => Intake::new(&args).map_err(|error| error.to_string()),
        _ => panic!("not fetch"),
    }
}

fn with_list(dir: &Path, list: &str) -> Result<Intake, String> {
    let path = dir.join("list.txt");
    fs::write(&path, list).unwrap();
    intake(&dir.join("files"), &["-i", path.to_str().unwrap()])
}

#[test]
fn urls_and_lists_become_requests_in_the_directory() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().canonicalize().unwrap();
    let hex = format!("sha-256={}", "00".repeat(32));
    let one = intake(&dir, &["http://a/b/x", "-o", "sub/y", "--checksum", &hex]).unwrap();
    let wanted = [Request::new("http://a/b/x", dir.join("sub/y"), Some(hex.parse().unwrap()))];
    assert!(one.requests().eq(wanted));
    assert_eq!(one.journal, dir.join(".latido.db"));

    let many = with_list(&dir, "http://a/x\n dir=d\n split=2\nhttp://a/y\n").unwrap();
    let targets: Vec<_> = many.requests().map(|request| request.target).collect();
    assert_eq!(targets, [dir.join("files/d/x").into(), dir.join("files/y").into()]);
    assert_eq!(many.warnings.len(), 1);
}

#[test]
fn two_files_with_one_name_are_refused_with_both_places_and_urls() {
    let temp = tempfile::tempdir().unwrap();
    fs::create_dir_all(temp.path().join("files/real")).unwrap();
    std::os::unix::fs::symlink("real", temp.path().join("files/alias")).unwrap();
    let error =
        with_list(temp.path(), "http://a/x\nhttp://b/x\nhttp://a/y\n dir=real\nhttp://b/y\n dir=alias\n")
            .unwrap_err();
    let lines: Vec<_> = error.lines().collect();
    assert_eq!(lines.len(), 2, "{error}");
    for (line, part) in [(0, "list.txt:2: http://b/x and http://a/x ("), (0, "list.txt:1)"), (1, "real/y")] {
        assert!(lines[line].contains(part), "{error}");
    }
}

#[test]
fn a_list_with_an_error_leaves_no_trace() {
    let temp = tempfile::tempdir().unwrap();
    let error = with_list(temp.path(), "http://a/x\n dir=d\nhttp://a/y\n out=../y\n").unwrap_err();
    assert!(error.contains("list.txt:4"), "{error}");
    assert!(!temp.path().join("files").exists());
}

#[test]
fn a_file_cannot_take_the_place_of_a_directory_or_of_the_journal() {
    let temp = tempfile::tempdir().unwrap();
    let error = with_list(temp.path(), "http://a/x\nhttp://a/y\n dir=x\n").unwrap_err();
    assert!(error.contains("list.txt:1: ") && error.contains("is a directory"), "{error}");

    let journal = temp.path().join("jobs.db");
    for name in ["jobs.db", "jobs.db-wal"] {
        let args = ["http://a/x", "-o", name, "--journal", journal.to_str().unwrap()];
        assert!(intake(temp.path(), &args).unwrap_err().contains("latido's own"));
    }
}

#[test]
fn a_list_that_is_not_there_and_options_for_one_of_many_are_errors() {
    let temp = tempfile::tempdir().unwrap();
    let missing = intake(temp.path(), &["-i", "/nowhere/list"]).unwrap_err();
    assert!(missing.contains("\"/nowhere/list\" cannot be read"), "{missing}");
    let many = intake(temp.path(), &["http://a/x", "http://a/y", "-o", "z"]).unwrap_err();
    assert!(many.starts_with("command line: -o and --checksum are for a single URL"), "{many}");
}
