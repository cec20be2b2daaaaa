//! What would be fetched is said, as a list that can be fetched, and nothing is done.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use tempfile::tempdir;

use crate::files::{Files, names_in};
use crate::latido::{latido, with_input};

/// All that can be seen of a directory from outside, the time of its last change included.
fn traces(dir: &Path) -> (Vec<String>, i64, i64) {
    let directory = fs::metadata(dir).unwrap();
    (names_in(dir), directory.mtime(), directory.mtime_nsec())
}

#[test]
fn a_dry_run_says_everything_and_touches_nothing() {
    let dir = tempdir().unwrap();
    let elsewhere = tempdir().unwrap();
    let elsewhere = elsewhere.path().canonicalize().unwrap();
    let sha512 = format!("sha-512={}", "ab".repeat(64));
    fs::create_dir(dir.path().join("old")).unwrap();
    let before = (traces(dir.path()), traces(&dir.path().join("old")), traces(&elsewhere));
    let list = format!(
        "http://h.invalid/a\thttp://i.invalid/a\n  checksum={sha512}\nhttp://h.invalid/%41b\n  dir=x\n\
         http://h.invalid/c\n  dir={}\n  out=deep/c\n split=3\nhttp://h.invalid/d%0Ad\n",
        elsewhere.display()
    );
    for place in ["new/er", "old", "."] {
        let ended =
            with_input(dir.path(), ["fetch", "--dry-run", "-i", "-", "-d", place], &list).with_code(0);
        assert_eq!(
            ended.stdout,
            format!(
                "http://h.invalid/a\thttp://i.invalid/a\n  out=a\n  checksum={sha512}\nhttp://h.invalid/%41b\n  out=x/Ab\n\
                 http://h.invalid/c\n  dir={}/deep\n  out=c\nhttp://h.invalid/d%0Ad\n  out=d\\nd\n",
                elsewhere.display()
            )
        );
        assert!(ended.stderr.contains("option `split` is not supported"), "{}", ended.stderr);
        assert!(ended.stderr.contains("4 files would be fetched to /"), "{}", ended.stderr);
        assert!(ended.stderr.contains("3 of them without a checksum"), "{}", ended.stderr);
        assert_eq!((traces(dir.path()), traces(&dir.path().join("old")), traces(&elsewhere)), before);
    }
    let here = latido(dir.path(), ["fetch", "--dry-run", "http://h.invalid/a"]).with_code(0);
    let base = dir.path().canonicalize().unwrap();
    assert!(here.stderr.contains(&format!("to {}, 1", base.display())), "{}", here.stderr);
    let quiet = latido(dir.path(), ["fetch", "--dry-run", "-q", "http://h.invalid/a"]).with_code(0);
    assert_eq!((&*quiet.stdout, &*quiet.stderr), ("http://h.invalid/a\n  out=a\n", ""));
}

#[test]
fn what_a_dry_run_says_can_be_fetched() {
    let files = Files::some(5);
    let server = files.serve();
    let dir = tempdir().unwrap();
    let args = ["fetch", "-i", "-", "-d", "new"];
    let said =
        with_input(dir.path(), [&args[..], &["--dry-run"]].concat(), &files.list(&server)).with_code(0);
    assert!(server.requests().is_empty());
    let ended = with_input(dir.path(), args, &said.stdout).with_code(0);
    assert!(ended.stdout.starts_with("5 files: 5 done and verified ("), "{}", ended.stdout);
    files.assert_exactly_in(&dir.path().join("new"));
}

#[test]
fn a_dry_run_finds_what_is_wrong_with_the_input() {
    let dir = tempdir().unwrap();
    fs::write(dir.path().join("file"), "").unwrap();
    std::os::unix::fs::symlink("/", dir.path().join("out")).unwrap();
    let before = traces(dir.path());
    let url = "http://h.invalid/a";
    for (args, list, words) in [
        (&[][..], format!("{url}\n  out=../a\n"), "standard input:2: \"../a\" has `..`"),
        (&[], format!("{url}\n{url}\n"), "would both become"),
        (&[], format!("{url}\n  out=x\n{url}\n  out=x/y\n"), "standard input:1: ... is a directory"),
        (&[], format!("{url}\n  out=file/y\n"), "is no directory; move it away"),
        (&[], format!("{url}\n  out=out/y\n"), "is a link that leads out"),
        (&["-d", "file"], format!("{url}\n"), "\"file\" cannot be created or written to"),
        (&["-d", "file/sub"], format!("{url}\n"), "\"file/sub\" cannot be created or written to"),
    ] {
        let args = [&["fetch", "--dry-run", "-i", "-"], args].concat();
        let ended = with_input(dir.path(), args, &list).with_code(2);
        for word in words.split(" ... ") {
            assert!(ended.stderr.contains(word), "`{word}` is not in {}", ended.stderr);
        }
        assert_eq!((ended.stdout, traces(dir.path())), (String::new(), before.clone()));
    }
}
