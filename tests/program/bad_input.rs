//! What is wrong with what was asked for is said at once, in one line each, and nothing has been done.

use std::fs;
use std::path::Path;

use tempfile::tempdir;

use crate::files::{Files, names_in};
use crate::latido::{Running, latido, with_input};
use crate::server::{Server, Step};

/// Runs with bad input in a directory that must stay as it is. `-d new/er` is given unless there is another, and must
/// not come to be.
#[track_caller]
fn refused(args: &[&str], list: &str, words: &[&str]) {
    let dir = tempdir().unwrap();
    fs::write(dir.path().join("list"), list).unwrap();
    fs::write(dir.path().join("file"), "just a file").unwrap();
    let place: &[&str] = if args.contains(&"-d") { &[] } else { &["-d", "new/er"] };
    let ended = latido(dir.path(), [&["fetch"], place, args].concat()).with_code(2);
    assert_said(&ended.stderr, words);
    assert_eq!(ended.stdout, "");
    assert_eq!(names_in(dir.path()), ["file", "list"], "after {args:?}");
    assert_eq!(fs::read(dir.path().join("file")).unwrap(), b"just a file");
}

/// A line for each of `words`, and each says what and what to do instead.
#[track_caller]
fn assert_said(stderr: &str, words: &[&str]) {
    let lines: Vec<_> = stderr.lines().collect();
    assert_eq!(lines.len(), words.len(), "{stderr}");
    for (line, words) in lines.iter().zip(words) {
        for word in words.split(" ... ") {
            assert!(line.contains(word), "`{word}` is not in `{line}`");
        }
        assert!(!line.contains("panicked"), "{line}");
    }
}

const URL: &str = "http://127.0.0.1:9/name";
const ZEROS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

#[test]
fn a_bad_command_line_changes_nothing() {
    let long = format!("sha-256={ZEROS}0");
    #[rustfmt::skip] // a table
    let cases: &[(&[&str], &str)] = &[
        (&["ftp://127.0.0.1/a"], "\"ftp://127.0.0.1/a\" ... `ftp` ... use http or https"),
        (&["name"], "\"name\" is no URL ... write it in full"),
        (&["-i", "no-such-list"], "no-such-list ... cannot be read"),
        (&["-i", "."], "\".\" cannot be read"),
        (&[URL, "--checksum", "sha-256=abc"], "sha-256=abc ... 3 hex digits ... needs 64"),
        (&[URL, "--checksum", &long], "65 hex digits ... needs 64"),
        (&[URL, "--checksum", "crc=00"], "`crc` is not supported; md5 ... sha-512 and blake3 are"),
        (&[URL, "--checksum", ZEROS], "names no algorithm; write sha-256=HEX"),
        (&[URL, "--exec", "no-such-program {}"], "`no-such-program` ... install it"),
        (&[URL, "--exec", "./file"], "`./file` is not executable ... chmod +x"),
        (&[URL, "--exec", "echo 'a"], "close the quotes"),
        (&[URL, "-o", "../name"], "\"../name\" has `..` ... write the path without"),
        (&[URL, "-o", "/tmp/name"], "\"/tmp/name\" is absolute ... relative"),
        (&[URL, "-o", "a//b"], "\"a//b\" ... empty part ... write the path without"),
        (&[URL, "-o", ".latido.db"], "\".latido.db\" is a name for latido's own files ... choose another"),
        (&[URL, "-o", ""], "the name is empty; write one"),
        (&["http://127.0.0.1:9/..%2Fname"], "\"../name\" ... has a slash in it ... out="),
        (&["http://127.0.0.1:9/a%00b"], "NUL ... choose another with out="),
        (&[URL, "http://127.0.0.1:9/b", "-o", "x"], "-o and --checksum are for a single URL; write a list"),
        (&[URL, "http://127.0.0.2:9/name"], "http://127.0.0.1:9/name ... http://127.0.0.2:9/name ... both become ... out="),
        (&[URL, "--fault", "latido/nobody=panic"], "there is no latido/nobody; there are ... latido/ledger"),
        (&[URL, "--fault", "latido/exec/0=panic"], "there is no latido/exec/0; there are ... latido/cpu"),
        (&[URL, "--fault", "latido/cpu=sneeze"], "latido/cpu has no fault `sneeze`; it has panic"),
        (&[URL, "--fault", "latido/cpu=panic@0"], "`0` is no rule; write a message's number from 1 on"),
        (&[URL, "--fault", "panic"], "no PATH=FAULT; write for example"),
        (&[URL, "-j", "0"], "'0' ... --jobs"),
        (&[URL, "--max-tries", "none"], "'none' ... --max-tries"),
        (&[URL, "-d", "file"], "\"file\" cannot be created or written to ... -d"),
        (&[URL, "-d", "file/below"], "\"file/below\" cannot be created or written to ... -d"),
        (&[URL, "-d", "/proc"], "\"/proc\" cannot be created or written to ... -d"),
        (&[URL, "--journal", "file"], "file\" is damaged ... move it away"),
        (&[URL, "--journal", "no/journal"], "no/journal\" ... --journal"),
        (&[URL, "--journal", "."], "Is a directory ... choose another --journal"),
        (&[URL, "--journal", "new/er/name"], "a name for latido's own files; choose another"),
        (&[URL, "--journal", "new/er/jobs", "-o", "jobs.heartbeat"], "a name for latido's own files; choose another"),
    ];
    for (args, words) in cases {
        refused(args, "", &[words]);
    }
}

#[test]
fn every_bad_line_of_a_list_is_told_and_nothing_is_done() {
    let list = format!(
        "http://127.0.0.1:9/good\n\
         gopher://127.0.0.1/bad\n\
         {URL}\n  checksum=sha-256=12\n\
         http://127.0.0.1:9/other\n  out=../../etc/passwd\n  colour=red\n\
         http://127.0.0.1:9/deep\n  out=a/b/c\n"
    );
    refused(
        &["-i", "list"],
        &list,
        &[
            "list:2: ... `gopher` ... use http or https",
            "list:4: ... 2 hex digits ... needs 64",
            "list:6: ... `..` ... write the path without",
            "list:7: ... `colour` is not known; out, dir and checksum are",
        ],
    );
    // Only seen once the directories are there.
    let list = format!("{URL}\n  out=a/b/c\n{URL}\n  out=a/b\n{URL}\n  dir=x\n{URL}\n  dir=x\n");
    refused(&["-i", "list"], &list, &["list:3: ... is a directory", "list:7: ... list:5 ... both become"]);
}

#[test]
fn a_list_on_standard_input_is_named() {
    let dir = tempdir().unwrap();
    let ended =
        with_input(dir.path(), ["fetch", "-d", "new", "-i", "-"], "file:///etc/passwd\n").with_code(2);
    assert_said(&ended.stderr, &["standard input:1: ... `file` ... use http or https"]);
    assert!(names_in(dir.path()).is_empty());
}

#[test]
fn a_database_of_somebody_else_is_left_alone() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("other.db");
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE songs (title)").unwrap();
    drop(other);
    let before = fs::read(&path).unwrap();
    let ended = latido(dir.path(), ["fetch", "-d", "new", URL, "--journal", "other.db"]).with_code(2);
    assert_said(&ended.stderr, &["no journal of latido's; choose another --journal"]);
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(names_in(dir.path()), ["other.db"]);
}

#[test]
fn two_runs_do_not_share_a_journal() {
    let files = Files::some(1);
    let server = Server::start(|_| vec![Step::Stall]);
    let dir = tempdir().unwrap();
    let list = files.list_in(dir.path(), &server);
    let first = Running::start(dir.path(), ["fetch", "-i", &list]);
    server.wait_for_requests(1);
    let before = names_in(dir.path());
    let second = latido(dir.path(), ["fetch", "-i", &list]).with_code(2);
    assert_said(&second.stderr, &["another latido ... .latido.db ... wait until it has ended"]);
    assert_eq!(names_in(dir.path()), before);
    drop(first);
}

#[test]
fn nothing_is_written_through_a_link_that_leads_out() {
    let (dir, outside) = (tempdir().unwrap(), tempdir().unwrap());
    std::os::unix::fs::symlink(outside.path(), dir.path().join("link")).unwrap();
    let ended = latido(dir.path(), ["fetch", URL, "-o", "link/name"]).with_code(2);
    assert_said(&ended.stderr, &["link\" is a link that leads out of ... dir="]);
    assert!(names_in(outside.path()).is_empty());
    assert_eq!(names_in(Path::new(dir.path())), ["link"]);
}

/// What is good is fetched; what is not is told and counts as failed, whatever is wrong with it.
#[test]
fn with_keep_going_bad_lines_are_told_and_left_out_and_the_rest_is_fetched() {
    let files = Files::some(4);
    let server = files.serve();
    let dir = tempdir().unwrap();
    fs::create_dir_all(dir.path().join("new/taken")).unwrap();
    let url = server.url("file-001");
    let list = format!(
        "gopher://127.0.0.1/bad\n\
         {url}\n  checksum=sha-256=12\n  out=unchecked\n\
         {url}\n  colour=red\n  out=red\n\
         {url}\n  out=../up\n\
         {url}\n  out=taken\n\
         {}{url}\n",
        files.list(&server)
    );
    fs::write(dir.path().join("list"), list).unwrap();
    let args = ["fetch", "-q", "-i", "list", "-d", "new", "--keep-going"];
    let said = [
        "list:1: ... `gopher`",
        "list:3: ... needs 64",
        "list:6: ... `colour` is not known",
        "list:9: ... `..`",
        "list:10: ... is a directory",
        "list:20: ... both become",
    ];
    for _ in 0..2 {
        let ended = latido(dir.path(), args).with_code(1);
        assert_said(&ended.stderr, &said);
    }
    fs::remove_dir(dir.path().join("new/taken")).unwrap();
    files.assert_exactly_in(&dir.path().join("new"));
    assert_eq!(server.requests().len(), 4);
    let loud = latido(dir.path(), [&args[..1], &args[2..]].concat()).with_code(1);
    assert!(loud.stdout.starts_with("5 files: 5 done"), "now nothing is in the way: {}", loud.stdout);
    assert!(loud.stdout.contains(", 5 left out because the list is wrong there"), "{}", loud.stdout);
}

#[test]
fn with_keep_going_a_list_of_which_nothing_is_good_is_refused() {
    refused(&["-i", "list", "--keep-going"], "gopher://127.0.0.1/bad\n", &["list:1: ... `gopher`"]);
    refused(&[URL, "-o", "../up", "--keep-going"], "", &["`..`"]);
}
