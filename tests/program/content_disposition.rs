//! Names that servers give to files.

use std::fs;
use std::path::Path;

use tempfile::tempdir;

use crate::files::{OURS, checksum, names_in};
use crate::latido::{Ended, latido};
use crate::server::{Request, Server, head, send};

/// `NAME/BODY` is BODY, and called NAME as it stands in a header.
fn server() -> Server {
    Server::start(|request: &Request| {
        let (name, body) = request.path.split_once('/').unwrap_or(("", &request.path));
        let length = body.len().to_string();
        let called = format!("attachment; filename*=UTF-8''{name}");
        let headers = [("content-disposition", &*called), ("content-length", &*length)];
        vec![head("200 OK", &headers[usize::from(name.is_empty())..]), send(body)]
    })
}

fn fetch(dir: &Path, urls: &[&str], more: &[&str]) -> Ended {
    latido(dir, [&["fetch", "-d", "new", "--content-disposition"], urls, more].concat())
}

/// The files in the directory of the run.
fn files(dir: &Path) -> Vec<(String, String)> {
    let new = dir.join("new");
    let names = names_in(&new).into_iter().filter(|name| !OURS.contains(&&**name));
    names.map(|name| (name.clone(), fs::read_to_string(new.join(name)).unwrap())).collect()
}

fn has(dir: &Path, wanted: &[(&str, &str)]) {
    let wanted: Vec<_> = wanted.iter().map(|(name, body)| ((*name).to_owned(), (*body).to_owned())).collect();
    assert_eq!(files(dir), wanted);
}

#[test]
fn a_file_is_called_what_its_server_calls_it_and_keeps_that_name() {
    let server = server();
    let dir = tempdir().unwrap();
    let urls = [server.url("n%C3%A4me%20a/one"), server.url("b/two"), server.url("three")];
    let urls = urls.each_ref().map(|url| &**url);
    let ended = fetch(dir.path(), &urls, &["--json", "--exec", "cp {} copies/"]);
    assert_eq!(ended.code, 1, "there is no such directory");
    fs::create_dir(dir.path().join("copies")).unwrap();
    let ended = fetch(dir.path(), &urls, &["--exec", "cp {} copies/"]).with_code(0);
    has(dir.path(), &[("b", "two"), ("n\u{e4}me a", "one"), ("three", "three")]);
    assert_eq!(names_in(&dir.path().join("copies")), ["b", "n\u{e4}me a", "three"], "{ended:?}");
    for more in [&["--exec", "cp {} copies/"][..], &[]] {
        fetch(dir.path(), &urls, more).with_code(0);
        latido(dir.path(), [&["fetch", "-d", "new"], &urls[..], more].concat()).with_code(0);
    }
    assert_eq!(server.requests().len(), 3, "what is done is not fetched again, also without the option");

    fs::remove_file(dir.path().join("new/b")).unwrap();
    fetch(dir.path(), &urls, &[]).with_code(0);
    has(dir.path(), &[("b", "two"), ("n\u{e4}me a", "one"), ("three", "three")]);
    assert_eq!(server.requests().len(), 4);
}

#[test]
fn no_name_leads_out_of_the_directory_or_to_what_is_hidden() {
    let server = server();
    let dir = tempdir().unwrap();
    for (name, file) in [
        ("..%2F..%2Fup", "up"),
        ("%2Fetc%2Fabsolute", "absolute"),
        ("C%3A%5Cback", "back"),
        (".bashrc", "1"),
        ("..", "2"),
        ("a%00b", "3"),
        (".latido.db", "4"),
        ("%1B%5B2J", "5"),
        ("x%2F", "6"),
    ] {
        let body = if file.len() == 1 { file } else { "body" };
        let url = server.url(&format!("{name}/{body}"));
        fetch(dir.path(), &[&url], &[]).with_code(0);
        assert_eq!(fs::read_to_string(dir.path().join("new").join(file)).unwrap(), body, "{name}");
    }
    let names: Vec<_> = files(dir.path()).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["1", "2", "3", "4", "5", "6", "absolute", "back", "up"]);
    assert_eq!(names_in(dir.path()), ["new"]);
}

#[test]
fn a_name_that_is_taken_is_a_failure_and_what_has_it_is_left_alone() {
    let server = server();
    let dir = tempdir().unwrap();
    let new = dir.path().join("new");
    fs::create_dir_all(new.join("directory")).unwrap();
    fs::write(new.join("mine"), "precious").unwrap();
    std::os::unix::fs::symlink("mine", new.join("link")).unwrap();
    for name in ["mine", "link", "directory"] {
        let url = server.url(&format!("{name}/precious {name}"));
        let ended = fetch(dir.path(), &[&url], &[]).with_code(1);
        assert!(
            ended.stdout.contains(&format!("the server calls it {name:?}, and something else")),
            "{}",
            ended.stdout
        );
        assert!(ended.stdout.contains("(after 1 try)"), "{}", ended.stdout);
    }
    fs::remove_dir(new.join("directory")).unwrap();
    has(dir.path(), &[("link", "precious"), ("mine", "precious")]);
}

#[test]
fn no_two_files_get_one_name() {
    let (server, mirror) = (server(), server());
    let url = |path| server.url(path);
    for (urls, wanted) in [
        // Whoever comes first has the name.
        ([url("a/first"), url("a/other")], [("a", "first")]),
        // One that belongs to another file of the list is never given, whether that uses it or not.
        ([url("a/first"), url("b/a")], [("b", "a")]),
        ([url("b/a"), url("a/first")], [("b", "a")]),
        ([url("a/first"), url("a")], [("a", "a")]),
        ([url("a"), url("a/first")], [("a", "a")]),
        // The very same bytes are two files all the same.
        ([url("a/same"), mirror.url("a/same")], [("a", "same")]),
    ] {
        let dir = tempdir().unwrap();
        for _ in 0..2 {
            let ended = fetch(dir.path(), &[&urls[0], &urls[1]], &["-j", "1", "--auto-rename"]).with_code(1);
            assert!(ended.stdout.starts_with("2 files: 1 done"), "{}", ended.stdout);
            has(dir.path(), &wanted);
        }
    }
}

#[test]
fn without_its_journal_a_run_takes_the_same_file_for_its_own_and_another_for_another() {
    let server = server();
    let dir = tempdir().unwrap();
    let url = server.url("a/body");
    for (checksum, algorithm) in [(checksum(b"body"), "sha-256"), (String::new(), "none")] {
        let more: &[&str] = if checksum.is_empty() { &[] } else { &["--checksum", &checksum] };
        fetch(dir.path(), &[&url], more).with_code(0);
        OURS.iter().for_each(|name| fs::remove_file(dir.path().join("new").join(name)).unwrap());
        fetch(dir.path(), &[&url], more).with_code(0);
        has(dir.path(), &[("a", "body")]);
        let asked = server.requests().len();
        fetch(dir.path(), &[&url], more).with_code(0);
        assert_eq!(server.requests().len(), asked, "{algorithm}");
        OURS.iter().for_each(|name| fs::remove_file(dir.path().join("new").join(name)).unwrap());
    }
    fs::write(dir.path().join("new/a"), "else").unwrap();
    fetch(dir.path(), &[&url], &[]).with_code(1);
    has(dir.path(), &[("a", "else")]);
}

#[test]
fn a_ledger_that_crashes_over_a_name_loses_neither_name_nor_file() {
    let server = server();
    let dir = tempdir().unwrap();
    let urls: Vec<_> = (0..20).map(|n| server.url(&format!("name-{n:02}/body-{n:02}"))).collect();
    let urls: Vec<_> = urls.iter().map(|url| &**url).collect();
    fetch(dir.path(), &urls, &["--fault", "latido/ledger=panic@1", "--fault", "latido/ledger=panic@2"])
        .with_code(0);
    let names: Vec<_> = files(dir.path()).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, (0..20).map(|n| format!("name-{n:02}")).collect::<Vec<_>>());
}
