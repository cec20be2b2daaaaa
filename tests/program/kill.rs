//! SIGKILL, at any moment: what is there is right, and the next run finishes the work.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::tempdir;

use crate::files::{Files, until};
use crate::latido::{Running, latido};
use crate::server::{Server, Step, head, send};

#[test]
fn a_run_that_is_killed_at_any_request_is_finished_by_the_next() {
    for fatal in [1, 3, 7, 12, 20, 24] {
        let files = Files::some(24);
        let server = files.serve();
        let dir = tempdir().unwrap();
        fs::write(dir.path().join("list"), files.list(&server)).unwrap();
        let args = ["fetch", "-i", "list", "-d", "new", "-j", "3"];
        let run = Running::start(dir.path(), args);
        server.wait_for_requests(fatal);
        run.signal(Signal::SIGKILL);
        // Killed, or done already.
        assert!([-9, 0].contains(&run.end().code));
        files.assert_none_wrong_in(&dir.path().join("new"));
        latido(dir.path(), args).with_code(0);
        files.assert_exactly_in(&dir.path().join("new"));
    }
}

/// A server that sends half of the n-th answer and then nothing: the kill strikes in the middle of a file.
#[test]
fn half_a_file_is_never_under_its_name() {
    let files = Files::some(6);
    let good = files.clone();
    let dir = tempdir().unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let server = Server::start(move |request| {
        if count.fetch_add(1, Ordering::SeqCst) != 3 {
            return good.answer(request);
        }
        let (_, bytes) = good.0.iter().find(|(name, _)| *name == request.path).unwrap();
        let length = bytes.len().to_string();
        vec![head("200 OK", &[("content-length", &length)]), send(&bytes[..bytes.len() / 2]), Step::Stall]
    });
    fs::write(dir.path().join("list"), files.list(&server)).unwrap();
    let args = ["fetch", "-i", "list", "-d", "new", "-j", "1"];
    let run = Running::start(dir.path(), args);
    actix::System::new().block_on(server.stalled());
    run.signal(Signal::SIGKILL);
    run.end().with_code(-9);
    files.assert_none_wrong_in(&dir.path().join("new"));
    latido(dir.path(), args).with_code(0);
    files.assert_exactly_in(&dir.path().join("new"));
}

#[test]
fn a_storm_of_kills_loses_nothing() {
    let files = Files::some(24);
    let server = files.serve();
    let dir = tempdir().unwrap();
    fs::write(dir.path().join("list"), files.list(&server)).unwrap();
    let args = ["fetch", "-i", "list", "-d", "new", "-j", "2", "--exec", "grep -c ''"];
    for _ in 0..8 {
        let before = server.requests().len();
        let run = Running::start(dir.path(), args);
        if files.0.iter().all(|(name, _)| dir.path().join("new").join(name).exists()) {
            break;
        }
        server.wait_for_requests(before + 2);
        run.signal(Signal::SIGKILL);
        run.end();
        files.assert_none_wrong_in(&dir.path().join("new"));
    }
    // `grep` fails on the empty file, which has no lines.
    latido(dir.path(), args).with_code(1);
    let last = ["fetch", "-i", "list", "-d", "new", "--exec", "test -e"];
    latido(dir.path(), last).with_code(0);
    files.assert_exactly_in(&dir.path().join("new"));
}

/// Nothing goes on behind the back of the next run, which may well run another command on the same file.
#[test]
fn a_command_ends_with_a_run_that_is_killed_and_is_run_again() {
    let files = Files(vec![("x".into(), b"content".to_vec())]);
    let server = files.serve();
    let dir = tempdir().unwrap();
    fs::write(dir.path().join("list"), files.list(&server)).unwrap();
    fs::write(dir.path().join("slow.sh"), r#"echo $$ > "$1.pid"; sleep 1000; touch "$1.seen""#).unwrap();
    let place = ["fetch", "-i", "list", "-d", "new"];
    let run = Running::start(dir.path(), [&place[..], &["--exec", "sh slow.sh"]].concat());
    let new = dir.path().join("new");
    until(|| fs::read_to_string(new.join("x.pid")).is_ok_and(|pid| pid.ends_with('\n')));
    run.signal(Signal::SIGKILL);
    run.end().with_code(-9);
    let pid = fs::read_to_string(new.join("x.pid")).unwrap();
    until(|| !Path::new("/proc").join(pid.trim()).exists());
    latido(dir.path(), [&place[..], &["--exec", "touch again"]].concat()).with_code(0);
    assert!(!new.join("x.seen").exists());
    files.assert_all_in(&new);
    assert!(dir.path().join("again").exists(), "a command that may have been cut short is run again");
    assert_eq!(server.requests().len(), 1);
}

/// A guard that is suspended cannot kill its command when the run is killed. Whoever comes next has to wait for both, for
/// the command may still be at work on the file.
#[test]
fn no_run_begins_while_a_command_of_one_that_was_killed_is_alive() {
    let files = Files(vec![("x".into(), b"content".to_vec())]);
    let server = files.serve();
    let dir = tempdir().unwrap();
    files.list_in(dir.path(), &server);
    fs::write(dir.path().join("slow.sh"), "echo $PPID > guard; sleep 1000").unwrap();
    let place = ["fetch", "-i", "list", "-d", "new", "--exec"];
    let run = Running::start(dir.path(), [&place[..], &["sh slow.sh"]].concat());
    let guard = dir.path().join("guard");
    until(|| fs::read_to_string(&guard).is_ok_and(|pid| pid.ends_with('\n')));
    let guard = Pid::from_raw(fs::read_to_string(guard).unwrap().trim().parse().unwrap());
    kill(guard, Signal::SIGSTOP).unwrap();
    run.signal(Signal::SIGKILL);
    run.end().with_code(-9);
    let next = [&place[..], &["true"]].concat();
    let refused = latido(dir.path(), &next).with_code(2);
    assert!(refused.stderr.contains("another latido is working with"), "{}", refused.stderr);
    kill(guard, Signal::SIGCONT).unwrap();
    latido(dir.path(), next).with_code(0);
    assert_eq!(server.requests().len(), 1);
}
