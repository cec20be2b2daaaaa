//! Start, status, restart, stop, and what each of them says with its exit code.

use std::fs;
use std::thread;

use nix::sys::signal::Signal;

use crate::files::until;
use crate::kit::{Place, signal, wait_for_end};
use crate::latido::latido;

#[test]
fn a_daemon_is_started_asked_and_stopped() {
    let place = Place::new();
    assert_eq!(place.daemon("status", &[]).with_code(3).stdout, "latido: not running\n");
    let pid = place.start(&[]);
    let again = place.daemon("start", &[]).with_code(0);
    assert_eq!(
        again.stdout,
        format!("latido: already running, pid {pid}; other options need `latido daemon restart`\n")
    );

    let told = place.daemon("status", &[]).with_code(0).stdout;
    for part in [
        &format!("latido: running, pid {pid}, for "),
        "  jobs      0 queued",
        "  beats ",
        " seq=",
        "  restarts  0 in",
    ] {
        assert!(told.contains(part), "{part} is not in\n{told}");
    }
    let status = place.status();
    assert_eq!((&status["state"], &status["pid"]), (&"running".into(), &pid.into()));
    assert!(status["uptime"].as_f64().unwrap() > 0.0);
    assert_eq!(status["dir"], place.files().to_str().unwrap());

    let tree = latido(place.path(), ["tree", "--pid", &pid.to_string()]).with_code(0).stdout;
    assert!(tree.contains("  inbox "), "{tree}");

    assert_eq!(place.daemon("stop", &[]).with_code(0).stdout, "latido: stopped\n");
    wait_for_end(pid);
    assert!(!place.state().join("daemon.pid").exists());
    assert_eq!(place.daemon("status", &[]).with_code(3).stdout, "latido: not running\n");
    assert_eq!(place.daemon("stop", &[]).with_code(0).stdout, "latido: not running\n");
    assert!(place.log().ends_with("has ended\n"), "{}", place.log());
}

#[test]
fn the_state_is_under_the_xdg_directory_unless_something_is_said_and_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    // As the daemon will name it, so that this place finds it.
    let state = place.path().join("xdg/latido");
    let run = |variables: &[(&str, &str)]| {
        let mut status = std::process::Command::new(crate::latido::BINARY);
        status.args(["add", "http://127.0.0.1:1/a"]).current_dir(place.path());
        status.env_remove("XDG_STATE_HOME").env_remove("HOME").envs(variables.iter().copied());
        status.output().unwrap()
    };
    let xdg = place.path().join("xdg");
    assert!(run(&[("XDG_STATE_HOME", xdg.to_str().unwrap())]).status.success());
    assert_eq!(fs::read_dir(state.join("inbox")).unwrap().count(), 1);
    for dir in [&state, &state.join("inbox")] {
        assert_eq!(fs::metadata(dir).unwrap().permissions().mode() & 0o777, 0o700);
    }
    let home = place.path().join("home");
    assert!(run(&[("XDG_STATE_HOME", "not/absolute"), ("HOME", home.to_str().unwrap())]).status.success());
    assert_eq!(fs::read_dir(home.join(".local/state/latido/inbox")).unwrap().count(), 1);
    assert_eq!(run(&[]).status.code(), Some(2));
}

#[test]
fn one_that_was_killed_is_dead_and_its_pid_file_in_nobodys_way() {
    let place = Place::new();
    let pid = place.start(&[]);
    signal(pid, Signal::SIGKILL);
    wait_for_end(pid);
    assert!(place.state().join("daemon.pid").exists());
    let told = place.daemon("status", &[]).with_code(1).stdout;
    assert!(told.starts_with("latido: dead, but has left"), "{told}");
    assert_eq!(place.daemon("stop", &[]).with_code(0).stdout, "latido: not running\n");
    let next = place.start(&[]);
    assert_ne!(pid, next);
    assert_eq!(place.status()["pid"], next);
    let trace = format!("the daemon before, pid {pid}, was killed or crashed");
    assert!(place.log().contains(&trace), "{}", place.log());
    // A number in a file that nobody has locked is nobody's, though there is such a process.
    place.daemon("stop", &[]).with_code(0);
    fs::write(place.state().join("daemon.pid"), format!("{}\n", std::process::id())).unwrap();
    place.daemon("status", &[]).with_code(1);
    place.daemon("stop", &[]).with_code(0);
    place.start(&[]);
}

/// Also while the one before still has its lock.
#[test]
fn a_start_right_after_a_kill_starts_one() {
    let place = Place::new();
    for _ in 0..5 {
        signal(place.start(&[]), Signal::SIGKILL);
    }
    place.start(&[]);
}

#[test]
fn of_many_starts_at_once_one_starts_it_and_none_fails() {
    let place = Place::new();
    let said: Vec<_> = thread::scope(|scope| {
        let starts: Vec<_> =
            (0..6).map(|_| scope.spawn(|| place.daemon("start", &["-d", "files"]))).collect();
        starts.into_iter().map(|start| start.join().unwrap().with_code(0).stdout).collect()
    });
    let pid = place.status()["pid"].to_string();
    assert!(said.iter().all(|said| said.contains(&pid)), "{pid}: {said:?}");
    assert_eq!(said.iter().filter(|said| said.starts_with("latido: running, pid ")).count(), 1, "{said:?}");
}

#[test]
fn a_start_or_restart_that_says_nothing_goes_on_as_the_last_start_was_told_to() {
    let place = Place::new();
    let line = |pid: u32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap();
        String::from_utf8(line).unwrap().replace('\0', " ")
    };
    let pid_now = || u32::try_from(place.status()["pid"].as_u64().unwrap()).unwrap();
    let first = place.start(&["--", "-j", "3"]);
    place.daemon("restart", &[]).with_code(0);
    let second = pid_now();
    assert_ne!(first, second);
    assert!(line(second).ends_with("-- -j 3 "), "{}", line(second));
    place.daemon("restart", &["-d", "files", "--", "-j", "5"]).with_code(0);
    assert!(line(pid_now()).ends_with("-- -j 5 "), "{}", line(pid_now()));
    // What cannot be started does not end what runs.
    let third = pid_now();
    assert!(place.daemon("restart", &["--", "-j", "0"]).with_code(2).stderr.contains("-j"));
    assert_eq!(pid_now(), third);
    // And one that does not run is started.
    place.daemon("stop", &[]).with_code(0);
    place.daemon("restart", &[]).with_code(0);
    assert!(line(pid_now()).ends_with("-- -j 5 "), "{}", line(pid_now()));
    // So is one that was killed, by a start from anywhere.
    let killed = pid_now();
    signal(killed, Signal::SIGKILL);
    wait_for_end(killed);
    let elsewhere = tempfile::tempdir().unwrap();
    let state = place.state();
    let started =
        latido(elsewhere.path(), ["daemon", "start", "--state", state.to_str().unwrap()]).with_code(0);
    let files = place.files();
    assert!(started.stdout.ends_with(&format!("they go to {}\n", files.display())), "{}", started.stdout);
    assert!(line(pid_now()).ends_with("-- -j 5 "), "{}", line(pid_now()));
}

#[test]
fn a_start_that_fails_says_why_and_leaves_nothing_running() {
    for (code, words, args) in [
        (2, "'0' for '--jobs <N>'", &["--", "-j", "0"][..]),
        (2, "unexpected argument '--nonsense'", &["--", "--nonsense"]),
        (2, "a URL is not for a daemon; add files with `latido add URL`", &["--", "http://a/b"]),
        (2, "--dry-run is not for a daemon", &["--", "--dry-run"]),
        (2, "there is no latido/nobody; there are", &["--", "--fault", "latido/nobody=panic"]),
    ] {
        let place = Place::new();
        let said = place.daemon("start", args).with_code(code).stderr;
        assert!(said.starts_with("latido: ") && said.contains(words), "{words} is not in\n{said}");
        place.daemon("status", &[]).with_code(3);
    }
}

#[test]
fn a_start_into_a_place_that_is_not_to_be_had_says_which_and_why() {
    let place = Place::new();
    fs::write(place.path().join("file"), "").unwrap();
    let said = latido(place.path(), ["daemon", "start", "--state", "file/state"]).with_code(1).stderr;
    assert!(said.contains("file/state") && said.contains("Not a directory"), "{said}");

    fs::create_dir_all(place.state()).unwrap();
    let fails = |code: i32, words: &str, args: &[&str]| {
        let said = place.daemon("start", args).with_code(code).stderr;
        assert!(said.starts_with("latido: ") && said.contains(words), "{words} is not in\n{said}");
        place.daemon("status", &[]).with_code(3);
    };
    fails(2, "cannot be created or written to", &["-d", "file"]);
    fs::write(place.state().join("door"), "").unwrap();
    fails(4, "the door cannot be opened", &[]);
    fs::remove_file(place.state().join("door")).unwrap();
    fs::remove_file(place.state().join("daemon.log")).unwrap();
    fs::create_dir(place.state().join("daemon.log")).unwrap();
    fails(1, "daemon.log", &[]);
    fs::remove_dir(place.state().join("daemon.log")).unwrap();
    fs::write(place.state().join("jobs.db"), "this is no journal").unwrap();
    fails(1, "damaged", &[]);
    fs::remove_file(place.state().join("jobs.db")).unwrap();
    place.start(&[]);
}

/// It waits for its journal, which is locked, and is killed there.
#[test]
fn one_that_dies_without_a_word_is_told_of_with_the_last_lines_of_its_log() {
    let place = Place::new();
    fs::create_dir_all(place.state()).unwrap();
    let lines = (1..=7).map(|n| format!("line {n}\n")).collect::<String>();
    fs::write(place.state().join("daemon.log"), lines).unwrap();
    let journal = fs::File::create(place.state().join("jobs.db")).unwrap();
    journal.lock().unwrap();
    let said = thread::scope(|scope| {
        let start = scope.spawn(|| place.daemon("start", &[]));
        let pid = || fs::read_to_string(place.state().join("daemon.pid")).ok()?.trim().parse().ok();
        until(|| pid().is_some());
        signal(pid().unwrap(), Signal::SIGKILL);
        start.join().unwrap().with_code(1).stderr
    });
    assert!(
        said.starts_with("latido: the daemon has ended before it was up (signal: 9 (SIGKILL))"),
        "{said}"
    );
    assert!(said.ends_with(":\nline 3\nline 4\nline 5\nline 6\nline 7\n"), "{said}");
    place.daemon("status", &[]).with_code(1);
}

#[test]
fn one_that_does_not_answer_is_said_to_be_so_and_is_killed_if_it_does_not_stop() {
    let place = Place::new();
    let pid = place.start(&[]);
    signal(pid, Signal::SIGSTOP);
    let told = place.daemon("status", &[]).with_code(4).stdout;
    assert!(told.contains(&format!("pid {pid} is there, but does not answer")), "{told}");
    let told = place.daemon("stop", &[]).with_code(0).stdout;
    assert!(told.contains("and is killed\n") && told.ends_with("latido: stopped\n"), "{told}");
    wait_for_end(pid);
    until(|| place.daemon("status", &[]).code == 1);
}
