//! Disks without room, where this machine lets us make one: a small tmpfs, for root alone.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::{TempDir, tempdir};

use crate::files::Files;
use crate::latido::latido;

/// A file system of `size` bytes; unmounted when dropped.
struct Small(TempDir);

impl Small {
    fn mount(size: &str) -> Option<Self> {
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

    fn path(&self) -> &Path {
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
    assert!(ended.stdout.contains("No space left on device"), "{}", ended.stdout);
    let names = crate::files::names_in(disk.path());
    assert!(!names.iter().any(|name| name.ends_with(".part")), "{names:?}");
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
