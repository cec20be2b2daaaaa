//! Ctrl-C, SIGTERM, and streams that somebody closed.

use std::fs;
use std::process::{Command, Stdio};

use nix::sys::signal::Signal;
use tempfile::{TempDir, tempdir};

use crate::files::{Files, until};
use crate::latido::{BINARY, Ended, Running, latido};
use crate::server::{Server, Step};

/// A run that hangs on the third file, with the first two done.
fn stuck(more: &[&str]) -> (Running, Server, Files, TempDir) {
    let files = Files::some(2);
    let good = files.clone();
    let server = Server::start(move |request| match &*request.path {
        "stalled" => vec![Step::Stall],
        _ => good.answer(request),
    });
    let dir = tempdir().unwrap();
    let list = format!("{}{}\n", files.list(&server), server.url("stalled"));
    fs::write(dir.path().join("list"), list).unwrap();
    let run = Running::start(dir.path(), [&["fetch", "-i", "list", "-d", "new", "-j", "1"], more].concat());
    server.wait_for_requests(3);
    (run, server, files, dir)
}

#[test]
fn the_first_signal_stops_in_order_and_keeps_the_journal() {
    for (signal, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
        let (run, server, files, dir) = stuck(&[]);
        until(|| files.0.iter().all(|(name, _)| dir.path().join("new").join(name).exists()));
        run.signal(signal);
        let ended = run.end().with_code(code);
        assert!(ended.stderr.contains("stopping in order; what is done is kept"), "{}", ended.stderr);
        assert!(ended.stdout.starts_with("3 files: 2 done and verified ("), "{}", ended.stdout);
        assert!(ended.stdout.contains(", 1 left for the next run, in "), "{}", ended.stdout);
        files.assert_exactly_in(&dir.path().join("new"));
        drop(server);
        // Nobody serves any more, so what is done is not asked for again.
        let list = fs::read_to_string(dir.path().join("list")).unwrap();
        fs::write(dir.path().join("list"), list.lines().take(4).collect::<Vec<_>>().join("\n")).unwrap();
        latido(dir.path(), ["fetch", "-i", "list", "-d", "new"]).with_code(0);
    }
}

/// Every part in turn is stuck for longer than the test may last.
#[test]
fn the_second_signal_ends_the_program_whatever_is_stuck() {
    for part in ["ledger", "downloaders/0", "heartbeat", "cpu", "exec/0"] {
        let (run, _server, _dir) = blocked(part);
        run.wait_for_line("gets a fault on purpose");
        run.signal(Signal::SIGINT);
        run.wait_for_line("once more to stop at once");
        run.signal(Signal::SIGINT);
        let ended = run.end().with_code(130);
        assert!(!ended.stderr.contains("another latido"), "{}", ended.stderr);
    }
}

/// Supervisors are on the main thread, which then shows nothing and hears nothing.
#[test]
fn the_second_signal_ends_the_program_also_when_its_main_thread_is_stuck() {
    let (run, server, _dir) = blocked("downloaders");
    server.wait_for_requests(1);
    // Two of one kind might be taken for one.
    run.signal(Signal::SIGTERM);
    run.signal(Signal::SIGINT);
    assert!([130, 143].contains(&run.end().code));
}

fn blocked(part: &str) -> (Running, Server, TempDir) {
    let server = Server::start(|_| vec![Step::Stall]);
    let dir = tempdir().unwrap();
    let fault = format!("latido/{part}=block:1000");
    let args = ["fetch", &server.url("x"), "--exec", "true", "--fault", &fault];
    (Running::start(dir.path(), args), server, dir)
}

/// A run whose command is under way: `script` runs behind a trap that says that SIGTERM came.
fn commanding(script: &str) -> (Running, Server, TempDir) {
    let files = Files(vec![("x".into(), b"content".to_vec())]);
    let server = files.serve();
    let dir = tempdir().unwrap();
    let script = format!("trap '{script}' TERM; trap '' INT; echo $$ > pid; while :; do sleep 0.1; done");
    fs::write(dir.path().join("command.sh"), script).unwrap();
    let run = Running::start(dir.path(), ["fetch", &server.url("x"), "--exec", "sh command.sh"]);
    until(|| fs::read_to_string(dir.path().join("pid")).is_ok_and(|pid| pid.ends_with('\n')));
    (run, server, dir)
}

/// Nothing is left of the command, and the next run runs it again on the file, which is there.
fn assert_cut_short(dir: &TempDir, server: &Server) {
    let pid = fs::read_to_string(dir.path().join("pid")).unwrap();
    assert!(!std::path::Path::new("/proc").join(pid.trim()).exists());
    latido(dir.path(), ["fetch", &server.url("x"), "--exec", "cmp x"]).with_code(0);
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_command_is_asked_to_end_before_the_run_ends_and_may_tidy_up() {
    let (run, server, dir) = commanding("sleep 0.3; echo tidy > tidy; exit 0");
    run.signal(Signal::SIGINT);
    let ended = run.end().with_code(130);
    assert_eq!(fs::read_to_string(dir.path().join("tidy")).unwrap(), "tidy\n");
    assert!(ended.stdout.contains("1 left for the next run"), "{}", ended.stdout);
    assert_cut_short(&dir, &server);
}

#[test]
fn a_command_that_will_not_end_is_killed_with_the_run() {
    let (run, server, dir) = commanding("");
    run.signal(Signal::SIGINT);
    run.end().with_code(130);
    assert_cut_short(&dir, &server);
}

#[test]
fn the_second_signal_kills_a_command_at_once() {
    let (run, server, dir) = commanding("touch asked");
    run.signal(Signal::SIGINT);
    until(|| dir.path().join("asked").exists());
    let asked = std::time::Instant::now();
    run.signal(Signal::SIGINT);
    run.end().with_code(130);
    assert!(asked.elapsed().as_secs() < 3, "it took {:?}, as if nobody had insisted", asked.elapsed());
    let pid = fs::read_to_string(dir.path().join("pid")).unwrap();
    until(|| !std::path::Path::new("/proc").join(pid.trim()).exists());
    assert_cut_short(&dir, &server);
}

// ===== streams =====

/// Runs a shell line in which `"$@"` stands for a fetch of two files that are there and one that is not.
fn shell(line: &str) -> Ended {
    let files = Files::some(2);
    let server = files.serve();
    let dir = tempdir().unwrap();
    let urls = [server.url("file-000"), server.url("file-001"), server.url("gone")];
    let output = Command::new("sh")
        .args(["-c", line, "sh", BINARY, "fetch", "-d", "new"])
        .args(urls)
        .current_dir(dir.path())
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .unwrap();
    files.assert_exactly_in(&dir.path().join("new"));
    Ended::of(output)
}

#[test]
fn streams_that_nobody_reads_change_nothing_about_the_result() {
    for line in [
        r#""$@""#,
        r#""$@" >&-"#,
        r#""$@" 2>&-"#,
        r#""$@" <&- >&- 2>&-"#,
        r#""$@" > /dev/full"#,
        r#""$@" 2> /dev/full"#,
        r#"{ "$@"; echo $? > code; } | :; exit $(cat code)"#,
        r#"{ "$@" 2>&1 >/dev/null; echo $? > code; } | :; exit $(cat code)"#,
    ] {
        assert_eq!(shell(line).code, 1, "{line}");
    }
}

#[test]
fn bad_input_is_code_2_also_when_nobody_reads_why() {
    let dir = tempdir().unwrap();
    for args in ["ftp://a/b", "http://a/b --checksum x", "--no-such-option", "http://a/b --fault x=panic"] {
        let line = format!("{{ {BINARY} fetch -d new {args} 2>&1; echo $? > code; }} | :; exit $(cat code)");
        let status = Command::new("sh").args(["-c", &line]).current_dir(dir.path()).status().unwrap();
        assert_eq!(status.code(), Some(2), "{args}");
    }
}
