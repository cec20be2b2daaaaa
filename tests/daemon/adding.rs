//! Files come in: by `latido add`, and as lists that somebody puts into the inbox.

use std::fs::{self, File};
use std::io::Write;

use crate::files::{Files, checksum, names_in, until};
use crate::kit::Place;
use crate::latido::with_input;
use crate::server::{Server, Step, ok};

fn has_all(place: &Place, files: &Files) -> bool {
    files.0.iter().all(|(name, _)| place.files().join(name).exists())
}

#[test]
fn what_is_added_is_fetched_while_it_runs_and_what_is_added_before_when_it_starts() {
    let place = Place::new();
    let files = Files::some(6);
    let server = files.serve();
    let url = |n: usize| server.url(&files.0[n].0);
    let said = place.add(&[&url(0), &url(1)]).with_code(0).stdout;
    assert_eq!(said, "latido: added 2 files; the daemon is not running, and fetches them when it is\n");
    place.start(&[]);
    until(|| place.files().join("file-001").exists());
    assert_eq!(
        place.add(&[&url(2), "--checksum", &checksum(&files.0[2].1)]).with_code(0).stdout,
        "latido: added 1 file\n"
    );
    fs::write(place.path().join("list"), format!("{}\n{}\n", url(3), url(4))).unwrap();
    place.add(&["-i", "list"]).with_code(0);
    let state = place.state();
    let args = ["add", "--state", state.to_str().unwrap(), "-i", "-"];
    with_input(place.path(), args, &format!("{}\n  out=sub/other\n", url(5))).with_code(0);
    until(|| place.files().join("sub/other").exists() && place.files().join("file-004").exists());
    until(|| place.status()["jobs"]["done"] == 6);
    Files(files.0[..5].to_vec()).assert_all_in(&place.files());
    assert_eq!(fs::read(place.files().join("sub/other")).unwrap(), files.0[5].1);
    until(|| names_in(&place.inbox()).is_empty());
    // Once more: they are there.
    let asked = server.requests().len();
    place.add(&[&url(0), &url(1)]).with_code(0);
    place.wait_for_log("0 files to fetch, 0 on their way already, 2 there already");
    assert_eq!(server.requests().len(), asked);
}

#[test]
fn what_is_wrong_with_what_is_added_is_said_at_once_and_nothing_is_added() {
    let place = Place::new();
    fs::write(place.path().join("list"), "http://a/x\n  chekcsum=1\nftp://a/y\n").unwrap();
    for (words, args) in [
        ("is no URL", &["example.org"][..]),
        ("list:2: option `chekcsum` is not known", &["-i", "list"]),
        ("list:3: \"ftp://a/y\" has the scheme `ftp`", &["-i", "list"]),
        ("`..`", &["http://a/x", "-o", "../x"]),
        ("would both become", &["http://a/x", "http://b/x"]),
        ("keeps no passwords", &["http://user:secret@a/x"]),
        ("cannot stand in a list", &["http://a/x", "-o", "two\nlines"]),
    ] {
        let said = place.add(args).with_code(2).stderr;
        assert!(said.contains(words) && !said.contains("secret"), "{words} is not in\n{said}");
        assert!(!place.inbox().exists());
    }
}

#[test]
fn a_size_that_a_metalink_tells_goes_along() {
    let place = Place::new();
    let server = Server::start(|_| ok("four"));
    let metalink = format!(
        "<metalink xmlns=\"urn:ietf:params:xml:ns:metalink\"><file name=\"a\"><size>5</size><url>{}</url></file></metalink>",
        server.url("a")
    );
    fs::write(place.path().join("a.meta4"), metalink).unwrap();
    place.start(&["--", "--max-tries", "1"]);
    place.add(&["a.meta4"]).with_code(0);
    place.wait_for_log("failed");
    assert!(place.log().contains("the file has 4 bytes, not 5"), "{}", place.log());
}

#[test]
fn a_list_that_is_put_there_is_fetched_and_kept_and_one_that_is_wrong_is_put_aside_with_its_errors() {
    let place = Place::new();
    let files = Files::some(3);
    let server = files.serve();
    place.start(&[]);
    fs::write(place.inbox().join("bad"), "http://a/x\n  what=1\nnonsense\n").unwrap();
    fs::write(place.inbox().join("good"), files.list(&server)).unwrap();
    until(|| {
        place.inbox().join("rejected/bad.errors").exists() && place.inbox().join("accepted/good").exists()
    });
    until(|| has_all(&place, &files));
    files.assert_all_in(&place.files());
    let errors = fs::read_to_string(place.inbox().join("rejected/bad.errors")).unwrap();
    assert!(
        errors.contains("bad:2: option `what` is not known")
            && errors.contains("bad:3: \"nonsense\" is no URL"),
        "{errors}"
    );
    assert_eq!(names_in(&place.inbox().join("rejected")), ["bad", "bad.errors"]);
    assert_eq!(names_in(&place.inbox()), ["accepted", "rejected"]);
    until(|| place.status()["lists"]["rejected"] == 1);
    assert_eq!(
        place.status()["lists"]["last_rejected"],
        place.inbox().join("rejected/bad").to_str().unwrap()
    );
    assert!(place.log().contains("list bad is rejected"), "{}", place.log());
}

#[test]
fn a_list_is_left_alone_until_whoever_writes_it_is_done() {
    let place = Place::new();
    let files = Files::some(2);
    let server = files.serve();
    place.start(&[]);
    // Cut in the middle of a checksum, which would be wrong; the others have names of what is not complete.
    let list = files.list(&server);
    let (half, rest) = list.split_at(list.len() / 2);
    let mut slow = File::create(place.inbox().join("slow")).unwrap();
    slow.write_all(half.as_bytes()).unwrap();
    fs::write(place.inbox().join("other.part"), &list).unwrap();
    fs::write(place.inbox().join(".hidden"), &list).unwrap();
    // It looks each second: three that came later are taken, one after the other.
    for n in 0..3 {
        fs::write(place.inbox().join(format!("later-{n}")), "# nothing\n").unwrap();
        until(|| place.inbox().join(format!("accepted/later-{n}")).exists());
    }
    assert_eq!(names_in(&place.inbox()), [".hidden", "accepted", "other.part", "slow"]);
    assert_eq!(server.requests().len(), 0);
    slow.write_all(rest.as_bytes()).unwrap();
    drop(slow);
    until(|| place.inbox().join("accepted/slow").exists() && has_all(&place, &files));
    files.assert_all_in(&place.files());
    fs::rename(place.inbox().join("other.part"), place.inbox().join("other")).unwrap();
    until(|| place.inbox().join("accepted/other").exists());
}

#[test]
fn a_file_that_is_on_its_way_from_one_place_is_not_asked_for_from_another() {
    let place = Place::new();
    let server = Server::start(|request| match &*request.path {
        "slow/a" => vec![Step::Stall],
        _ => ok("b"),
    });
    place.start(&[]);
    place.add(&[&server.url("slow/a")]).with_code(0);
    server.wait_for_requests(1);
    place.add(&[&server.url("slow/a")]).with_code(0);
    place.wait_for_log("0 files to fetch, 1 on their way already");
    // All of a list, or nothing.
    place.add(&[&server.url("other/a"), &server.url("b")]).with_code(0);
    place.wait_for_log("a: it is being fetched already, from another place or as another file");
    assert_eq!(place.status()["lists"]["rejected"], 1);
    assert_eq!(server.requests().len(), 1);
}

/// Whatever the ledger is told first, it crashes over: the list, signs of life, the list again.
#[test]
fn a_list_that_the_program_crashes_over_again_and_again_is_put_aside() {
    let place = Place::new();
    place.add(&["http://127.0.0.1:1/a"]).with_code(0);
    let faults: Vec<_> = (1..=6).map(|n| format!("--fault=latido/ledger=panic@{n}")).collect();
    let args: Vec<_> = ["--"].into_iter().chain(faults.iter().map(String::as_str)).collect();
    place.start(&args);
    place.wait_for_log("the program has crashed over it, more than once");
    until(|| place.status()["lists"]["rejected"] == 1);
    assert_eq!(names_in(&place.inbox().join("rejected")).len(), 2);
    assert_eq!(names_in(&place.inbox()), ["rejected"]);
}
