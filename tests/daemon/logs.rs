//! The log: what is in it, how large it becomes, and how it is read.

use std::fs;
use std::os::unix::fs::MetadataExt;

use nix::sys::signal::Signal;

use crate::files::{Files, until};
use crate::kit::{Place, signal};
use crate::latido::Running;

#[test]
fn the_log_is_bounded_and_followed_into_the_next_file() {
    let place = Place::new();
    let files = Files::some(120);
    let server = files.serve();
    place.start(&["--log-limit", "2048"]);
    let state = place.state();
    let mut follow = std::process::Command::new("sh");
    // To the standard error stream, where each line is seen as it comes.
    follow.args(["-c", "exec \"$@\" >&2", "sh", crate::latido::BINARY, "daemon", "logs", "-f", "-n", "1000"]);
    follow.arg("--state").arg(&state);
    let following = Running::of(follow);
    following.wait_for_line("is up");
    fs::write(place.inbox().join("list"), files.list(&server)).unwrap();
    until(|| place.status()["jobs"]["done"] == 120);
    // The log has a line for each, and all of them do not fit.
    place.wait_for_log("done");
    let size = |name: &str| fs::metadata(state.join(name)).unwrap().len();
    assert!(size("daemon.log") <= 2048 && size("daemon.log.1") <= 2048);
    let logs = fs::read_dir(&state).unwrap().flatten();
    assert_eq!(logs.filter(|file| file.file_name().to_string_lossy().starts_with("daemon.log")).count(), 2);
    let last = place.daemon("logs", &["-n", "3"]).with_code(0).stdout;
    assert_eq!(last.lines().count(), 3, "{last}");
    assert!(last.lines().all(|line| line.starts_with("20") && line.contains("Z INFO ")), "{last}");
    place.daemon("stop", &[]).with_code(0);
    following.wait_for_line("has ended");
}

#[test]
fn a_log_that_was_moved_away_is_begun_anew_and_what_the_system_writes_goes_there_at_a_hangup() {
    let place = Place::new();
    let pid = place.start(&[]);
    let (log, old) = (place.state().join("daemon.log"), place.state().join("moved"));
    fs::rename(&log, &old).unwrap();
    signal(pid, Signal::SIGHUP);
    place.wait_for_log("has begun its log anew");
    let ino = |path: &std::path::Path| fs::metadata(path).unwrap().ino();
    for stream in ["1", "2"] {
        let stream = format!("/proc/{pid}/fd/{stream}");
        until(|| ino(stream.as_ref()) == ino(&log));
    }
    assert_eq!(place.status()["pid"], pid);
}

#[test]
fn there_is_no_log_before_the_first_start() {
    let place = Place::new();
    let said = place.daemon("logs", &[]).with_code(1).stderr;
    assert!(said.contains("No such file"), "{said}");
}
