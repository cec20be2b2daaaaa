//! Metalink files: several places for each file, and what it must be.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use tempfile::tempdir;

use crate::files::{Files, OURS, checksum, names_in, not_found};
use crate::latido::{latido, with_input};
use crate::server::{Server, ok};

/// The files of a Metalink with a dead place before the good one.
fn metalink(files: &Files, server: &Server) -> String {
    let mut text = r#"<metalink xmlns="urn:ietf:params:xml:ns:metalink">"#.to_owned();
    for (name, bytes) in &files.0 {
        let hash = &checksum(bytes)[8..];
        let (dead, good) = (server.url("dead"), server.url(name));
        writeln!(
            text,
            "<file name=\"sub/{name}\"><size>{}</size><hash type=\"sha-256\">{hash}</hash>\
             <url priority=\"2\">{good}</url><url priority=\"1\">{dead}</url></file>",
            bytes.len()
        )
        .unwrap();
    }
    text + "</metalink>"
}

#[test]
fn the_files_of_a_metalink_come_from_the_next_place_if_the_first_has_nothing() {
    let files = Files::some(3);
    let server = files.serve();
    let text = metalink(&files, &server);
    let dir = tempdir().unwrap();
    fs::write(dir.path().join("all.meta4"), &text).unwrap();
    let done = "3 files: 3 done and verified (";
    let ended = latido(dir.path(), ["fetch", "all.meta4", "-d", "argument"]).with_code(0);
    assert!(ended.stdout.starts_with(done), "{}", ended.stdout);
    let ended = latido(dir.path(), ["fetch", "-i", "all.meta4", "-d", "list"]).with_code(0);
    assert!(ended.stdout.starts_with(done), "{}", ended.stdout);
    let ended = with_input(dir.path(), ["fetch", "-i", "-", "-d", "stdin"], &text).with_code(0);
    assert!(ended.stdout.starts_with(done), "{}", ended.stdout);
    for place in ["argument", "list", "stdin"] {
        files.assert_all_in(&dir.path().join(place).join("sub"));
    }
    assert_eq!(server.requests().iter().filter(|request| request.path == "dead").count(), 9);
}

#[test]
fn a_file_of_another_length_than_the_metalink_says_never_gets_its_name() {
    let server = Server::start(|request| if request.path == "none" { not_found() } else { ok("1234") });
    let dir = tempdir().unwrap();
    let fetch = |size: u64| {
        let text = format!(
            "<metalink xmlns=\"urn:ietf:params:xml:ns:metalink\"><file name=\"a\"><size>{size}</size>\
             <url>{}</url></file></metalink>",
            server.url("x")
        );
        with_input(dir.path(), ["fetch", "-i", "-", "--max-tries", "1"], &text)
    };
    for wrong in [3, 5] {
        let ended = fetch(wrong).with_code(1);
        assert!(ended.stdout.contains(&format!("the file has 4 bytes, not {wrong}")), "{}", ended.stdout);
        assert_eq!(names_in(dir.path()), OURS);
    }
    fetch(4).with_code(0);
    assert_eq!(fs::read(dir.path().join("a")).unwrap(), b"1234");
    fetch(5).with_code(1);
    assert_eq!(fs::read(dir.path().join("a")).unwrap(), b"1234", "what was there is there");
    let asked = server.requests().len();
    fetch(4).with_code(0);
    fetch(4).with_code(0);
    assert_eq!(server.requests().len(), asked + 1);
}

#[test]
fn a_metalink_that_climbs_out_is_refused_and_nothing_is_done() {
    let dir = tempdir().unwrap();
    let text = "<metalink xmlns=\"urn:ietf:params:xml:ns:metalink\">\n\
         <file name=\"good\"><url>http://127.0.0.1:9/good</url></file>\n\
         <file name=\"../bad\"><url>http://127.0.0.1:9/bad</url></file>\n</metalink>";
    fs::write(dir.path().join("a.metalink"), text).unwrap();
    let ended = latido(dir.path(), ["fetch", "a.metalink", "-d", "new"]).with_code(2);
    assert_eq!(
        ended.stderr,
        "latido: a.metalink:3: \"../bad\" has `..`, `.` or an empty part in it; write the path without\n"
    );
    let ended = latido(dir.path(), ["fetch", "a.metalink", "-o", "x"]).with_code(2);
    assert!(ended.stderr.contains("-o and --checksum are for a single URL"), "{}", ended.stderr);
    let ended = latido(dir.path(), ["fetch", "gone.meta4"]).with_code(2);
    assert!(ended.stderr.contains("\"gone.meta4\" cannot be read"), "{}", ended.stderr);
    assert_eq!(names_in(Path::new(dir.path())), ["a.metalink"]);
}
