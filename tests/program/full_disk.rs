//! Disks without room, where this machine lets us make one: a small tmpfs, for root alone.

use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

use tempfile::{TempDir, tempdir};

use crate::files::{Files, names_in, until};
use crate::latido::{Running, latido};
use crate::ranges::{LARGE, Ranged, range_of};
use crate::server::{Server, Step, ok, send};

/// A file system of `size` bytes; unmounted when dropped.
pub struct Small(TempDir);

impl Small {
    pub fn mount(size: &str) -> Option<Self> {
        let dir = tempdir().unwrap();
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(dir.path())
            .output();
        let mounted = mount.is_ok_and(|output| output.status.success());
        if !mounted {
            eprintln!("skipped: no file system can be mounted here");
        }
        mounted.then_some(Self(dir))
    }

    pub fn grow(&self, size: &str) {
        let options = format!("remount,size={size}");
        let mount = Command::new("mount").args(["-o", &options]).arg(self.path()).status();
        assert!(mount.unwrap().success());
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.path()).status();
    }
}

#[test]
fn a_full_disk_fails_what_does_not_fit_and_nothing_else() {
    let Some(disk) = Small::mount("1m") else { return };
    let mut files = Files::some(4);
    files.0.push(("huge".into(), vec![1; 2 << 20]));
    let server = files.serve();
    let dir = tempdir().unwrap();
    fs::write(dir.path().join("list"), files.list(&server)).unwrap();
    let target = disk.path().to_str().unwrap();
    let args = ["fetch", "-i", "list", "-d", target, "--journal", "jobs", "-j", "1"];
    let ended = latido(dir.path(), args).with_code(1);
    files.assert_none_wrong_in(disk.path());
    assert!(ended.stdout.contains("4 done and verified"), "{}", ended.stdout);
    assert!(ended.stdout.contains("no space left on device: the file system at `"), "{}", ended.stdout);
    let names = names_in(disk.path());
    assert!(!names.iter().any(|name| name.ends_with(".part")), "{names:?}");
}

/// Nothing that is under way could make room, so the run ends, and does not fail every file of the list.
#[test]
fn what_a_full_disk_has_no_room_for_is_left_to_the_next_run() {
    let Some(disk) = Small::mount("3m") else { return };
    let files = Files::some(60);
    let server = files.serve();
    let dir = tempdir().unwrap();
    fs::write(dir.path().join("list"), files.list(&server)).unwrap();
    let args = ["fetch", "-i", "list", "-d", disk.path().to_str().unwrap(), "--journal", "jobs", "-j", "2"];
    let ended = latido(dir.path(), args).with_code(1);
    files.assert_none_wrong_in(disk.path());
    assert!(ended.stdout.contains(" left for the next run"), "{}", ended.stdout);
    assert!(server.requests().len() < 50, "{}", server.requests().len());
    disk.grow("32m");
    latido(dir.path(), args).with_code(0);
    files.assert_all_in(disk.path());
}

#[test]
fn a_large_file_that_does_not_fit_is_not_begun() {
    let Some(disk) = Small::mount("4m") else { return };
    let file = Ranged::of(LARGE, 1);
    let server = Server::start(move |request| file.answer(request));
    let dir = tempdir().unwrap();
    let target = disk.path().to_str().unwrap();
    let ended =
        latido(dir.path(), ["fetch", &server.url("x"), "-d", target, "--journal", "jobs"]).with_code(1);
    let reason = format!("bytes free, and {LARGE} are needed");
    assert!(ended.stdout.contains(&reason), "{}", ended.stdout);
    assert_eq!(names_in(disk.path()), [""; 0]);
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn large_files_that_do_not_fit_together_are_gone_on_with_when_they_do() {
    let Some(disk) = Small::mount("16m") else { return };
    let file = Ranged::of(LARGE, 1);
    let proper = file.clone();
    // Neither comes to its end before somebody says that both have begun.
    let server = Server::start(move |request| match (range_of(request), &*request.path) {
        (_, "go") => ok(""),
        (None, _) => {
            let (first, rest) = proper.bytes.split_at(1_000_000);
            vec![proper.head(), send(first), Step::Until(3), send(rest)]
        }
        (Some(_), _) => proper.answer(request),
    });
    let dir = tempdir().unwrap();
    let (one, two) = (server.url("one"), server.url("two"));
    let args = ["fetch", &one, &two, "-d", disk.path().to_str().unwrap(), "--journal", "jobs"];
    let run = Running::start(dir.path(), args);
    // Where there is no room for all of a file it is not begun. What is written first is a note that nothing is there.
    let has_begun = |name: &String| {
        name.ends_with(".part") && fs::metadata(disk.path().join(name)).is_ok_and(|part| part.blocks() > 0)
    };
    until(|| names_in(disk.path()).iter().filter(|name| has_begun(name)).count() == 2);
    TcpStream::connect(server.address()).unwrap().write_all(b"GET /go HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    run.end().with_code(1);
    let before = server.requests().len();
    disk.grow("32m");
    latido(dir.path(), args).with_code(0);
    for name in ["one", "two"] {
        assert!(fs::read(disk.path().join(name)).unwrap() == *file.bytes);
    }
    let asked = server.requests().split_off(before);
    assert!(!asked.is_empty() && asked.iter().all(|request| range_of(request).is_some()));
    assert_eq!(names_in(disk.path()), ["one", "two"]);
}

#[test]
fn a_journal_without_room_ends_the_run_with_a_reason() {
    let Some(disk) = Small::mount("64k") else { return };
    let files = Files::some(200);
    let server = files.serve();
    let dir = tempdir().unwrap();
    fs::write(dir.path().join("list"), files.list(&server)).unwrap();
    let journal = disk.path().join("jobs");
    let args = ["fetch", "-i", "list", "-d", "new", "--journal", journal.to_str().unwrap()];
    let ended = latido(dir.path(), args);
    // It is full before the first download, or in the middle.
    assert!([2, 3].contains(&ended.code), "{ended:?}");
    let line = ended.stderr.lines().last().unwrap();
    assert!(line.contains("jobs\"") && line.contains("full"), "{line}");
    if dir.path().join("new").exists() {
        files.assert_none_wrong_in(&dir.path().join("new"));
    }
    latido(dir.path(), ["fetch", "-i", "list", "-d", "new"]).with_code(0);
    files.assert_exactly_in(&dir.path().join("new"));
}

/// Somebody else fills the disk of the journal while commands are run; when there is room again, the next run goes on.
#[test]
fn a_journal_whose_disk_fills_up_later_ends_the_run_and_is_gone_on_with_when_there_is_room() {
    let Some(disk) = Small::mount("1m") else { return };
    let files = Files::some(30);
    let server = files.serve();
    let dir = tempdir().unwrap();
    files.list_in(dir.path(), &server);
    let (journal, filler) = (disk.path().join("jobs"), disk.path().join("filler"));
    // Each output is more than what is left of a page; the first of them finds the disk full.
    let script =
        format!("cp \"$1\" \"$1.copy\"; seq 2000; cat /dev/zero > {} 2> /dev/null; true", filler.display());
    fs::write(dir.path().join("fill"), script).unwrap();
    let place = ["fetch", "-i", "list", "-d", "new", "-j", "2", "--journal", journal.to_str().unwrap()];
    let ended = latido(dir.path(), [&place[..], &["--exec", "sh fill"]].concat()).with_code(3);
    assert!(ended.stderr.contains("jobs\"") && ended.stderr.contains("full"), "{}", ended.stderr);
    let asked = server.requests().len();
    assert!(asked > 0);

    fs::remove_file(&filler).unwrap();
    fs::write(dir.path().join("fill"), "cp \"$1\" \"$1.copy\"").unwrap();
    latido(dir.path(), [&place[..], &["--exec", "sh fill"]].concat()).with_code(0);
    files.assert_all_in(&dir.path().join("new"));
    for (name, bytes) in &files.0 {
        assert!(fs::read(dir.path().join(format!("new/{name}.copy"))).unwrap() == *bytes, "{name}.copy");
    }
}
