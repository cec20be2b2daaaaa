//! Files with checksums of every kind, in every place where they may stand. The checksums are made by the system's tools.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::tempdir;

use crate::files::{Files, OURS, names_in};
use crate::latido::{Running, latido, with_input};
use crate::server::{Server, ok};

/// What a tool says of the files, as if it had been asked where they came from.
fn sums_by(tool: &[&str], files: &Files) -> String {
    let origin = tempdir().unwrap();
    for (name, bytes) in &files.0 {
        fs::write(origin.path().join(name), bytes).unwrap();
    }
    let names = files.0.iter().map(|(name, _)| name);
    let output =
        Command::new(tool[0]).args(&tool[1..]).args(names).current_dir(origin.path()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn urls(files: &Files, server: &Server) -> String {
    files.0.iter().fold(String::new(), |list, (name, _)| list + &server.url(name) + "\n")
}

#[test]
fn files_are_verified_by_what_each_tool_wrote_of_them() {
    let files = Files::with_large(4);
    let server = files.serve();
    for tool in [&["md5sum"][..], &["sha1sum", "-b"], &["sha256sum"], &["sha384sum"], &["sha512sum", "--tag"]]
    {
        let dir = tempdir().unwrap();
        fs::write(dir.path().join("SUMS"), sums_by(tool, &files)).unwrap();
        let run = || {
            with_input(
                dir.path(),
                ["fetch", "-i", "-", "--sums", "SUMS", "-d", "new"],
                &urls(&files, &server),
            )
        };
        assert!(run().with_code(0).stdout.starts_with("4 files: 4 done and verified ("), "{tool:?}");
        files.assert_exactly_in(&dir.path().join("new"));
        let asked = server.requests().len();
        run().with_code(0);
        assert_eq!(server.requests().len(), asked, "{tool:?}: the journal knows that they are right");
    }
}

#[test]
fn a_file_that_is_not_what_its_checksum_says_never_gets_its_name_whatever_the_algorithm() {
    let files = Files::with_large(2);
    let server = Server::start({
        let files = files.clone();
        move |request| {
            let mut bytes = files.0.iter().find(|(name, _)| *name == request.path).unwrap().1.clone();
            bytes.push(0);
            ok(&bytes)
        }
    });
    for tool in [&["md5sum"][..], &["sha1sum"], &["sha224sum"], &["sha512sum"]] {
        let dir = tempdir().unwrap();
        fs::write(dir.path().join("SUMS"), sums_by(tool, &files)).unwrap();
        let args = ["fetch", "-i", "-", "--sha256sums", "SUMS", "-d", "new", "--max-tries", "1"];
        let ended = with_input(dir.path(), args, &urls(&files, &server)).with_code(1);
        assert!(ended.stdout.contains("the file is ") && ended.stdout.contains(", not "), "{}", ended.stdout);
        assert_eq!(names_in(&dir.path().join("new")), OURS);
    }
}

#[test]
fn lists_and_the_command_line_take_checksums_of_any_algorithm() {
    let server = Server::start(|_| ok("abc"));
    let dir = tempdir().unwrap();
    let sha1 = "sha-1=a9993e364706816aba3e25717850c26c9cd0d89d";
    let blake3 = "blake3=6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85";
    let md5 = "md5=900150983CD24FB0D6963F7D28E17F72";
    let list = [sha1, blake3, md5].iter().enumerate().fold(String::new(), |mut list, (n, checksum)| {
        writeln!(list, "{}\n  checksum={checksum}", server.url(&n.to_string())).unwrap();
        list
    });
    let ended = with_input(dir.path(), ["fetch", "-i", "-"], &list).with_code(0);
    assert!(ended.stdout.starts_with("3 files: 3 done and verified ("), "{}", ended.stdout);
    latido(dir.path(), ["fetch", &server.url("x"), "--checksum", blake3]).with_code(0);

    fs::write(dir.path().join("y.sums"), format!("{}  y\n", &blake3[7..])).unwrap();
    let sums =
        |sums: &str| latido(dir.path(), ["fetch", &server.url("y"), "--max-tries", "1", "--sums", sums]);
    sums("y.sums").with_code(1);
    assert!(!dir.path().join("y").exists(), "it was taken for a SHA-256");
    sums("blake3=y.sums").with_code(0);
    assert!(dir.path().join("y").exists());
}

#[test]
fn the_pool_may_crash_over_a_checksum_and_it_is_made_again() {
    let files = Files::some(8);
    let server = files.serve();
    let dir = tempdir().unwrap();
    fs::write(dir.path().join("SUMS"), sums_by(&["sha512sum"], &files)).unwrap();
    fs::write(dir.path().join("list"), urls(&files, &server)).unwrap();
    let args = ["fetch", "-i", "list", "-d", "new", "--sums", "SUMS", "--fault", "latido/cpu=panic@2"];
    let ended = Running::start(dir.path(), args).end().with_code(0);
    files.assert_exactly_in(&dir.path().join("new"));
    assert!(ended.stderr.contains("lost while verifying, which is done again"), "{}", ended.stderr);
}

#[test]
fn what_is_wrong_with_checksums_is_said_with_its_line_and_nothing_is_done() {
    let dir = tempdir().unwrap();
    let path = |name: &str| Path::join(dir.path(), name);
    let url = "http://127.0.0.1:9/name";
    fs::write(path("html"), "<html>\n").unwrap();
    fs::write(path("other"), format!("{}  other\n", "00".repeat(32))).unwrap();
    fs::write(path("name"), format!("{}  name\n", "00".repeat(32))).unwrap();
    let own = format!("sha-256={}", "11".repeat(32));
    for (args, words) in [
        (&["--sums", "nowhere"][..], "checksums \"nowhere\" cannot be read"),
        (
            &["--sums", "https://h.invalid/SUMS"],
            "\"https://h.invalid/SUMS\" cannot be read from there; fetch them",
        ),
        (&["--sums", "html"], "html:1: \"<html>\" is no checksum and name; write HEX"),
        (&["--sums", "other"], "command line: \"name\" has no checksum in other; add it there"),
        (&["--sums", "name", "--checksum", &own], "is not what name:1 says; remove the wrong one"),
        (&["--sums", "sha-512=name"], "has 64 hex digits, sha-512 needs 128"),
    ] {
        let ended = latido(dir.path(), [&["fetch", url, "-d", "new"], args].concat()).with_code(2);
        assert!(ended.stderr.contains(words), "`{words}` is not in {}", ended.stderr);
        assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
        assert!(!path("new").exists());
    }
}
