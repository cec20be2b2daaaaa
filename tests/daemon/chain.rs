//! The chain of watching, each link by breaking it: actor, supervisor, watchdog thread, heartbeat, init system. The picture is
//! in docs/daemon.md.

use std::time::Duration;

use nix::sys::signal::Signal;

use crate::files::{Files, until};
use crate::init::Socket;
use crate::kit::Place;
use crate::latido::Running;
use crate::server::Server;

/// So many signs of life are no end of them.
const MANY: usize = 60;

fn added(place: &Place, count: usize) -> (Files, Server) {
    let files = Files::some(count);
    let server = files.serve();
    std::fs::write(place.path().join("list"), files.list(&server)).unwrap();
    place.add(&["-i", "list"]).with_code(0);
    (files, server)
}

/// All are there and right, and the part was replaced.
fn assert_went_on(place: &Place, files: &Files, fault: &str, how: &str) {
    let (part, _) = fault.split_once('=').unwrap();
    until(|| place.status()["jobs"]["done"] == files.0.len());
    files.assert_all_in(&place.files());
    until(|| place.status()["restarts_last_hour"].as_u64() >= Some(1));
    let restarts = place.status()["restarts"].clone();
    let is_it = |restart: &serde_json::Value| {
        restart["part"] == part && restart["why"].as_str().is_some_and(|why| why.contains(how))
    };
    assert!(restarts.as_array().unwrap().iter().any(is_it), "{restarts:#}");
}

#[test]
fn a_part_that_panics_is_restarted_by_its_supervisor() {
    for fault in ["latido/ledger=panic@2", "latido/inbox=panic@2", "latido/downloaders/0=panic@1"] {
        let place = Place::new();
        let (files, _server) = added(&place, 20);
        place.start(&["--", "-j", "2", "--fault", fault]);
        assert_went_on(&place, &files, fault, "panicked");
    }
}

#[test]
fn a_part_that_blocks_its_thread_is_replaced_when_the_watchdog_thread_sees_it() {
    for fault in ["latido/inbox=block:600@2", "latido/ledger=block:600@4", "latido/downloaders/0=block:600@1"]
    {
        let place = Place::new();
        let (files, _server) = added(&place, 20);
        place.start(&["--hung-after", "1", "--", "-j", "2", "--fault", fault]);
        assert_went_on(&place, &files, fault, "did not answer");
    }
}

/// The supervisor ends the tree, the tree the daemon, with a code that an init system restarts.
#[test]
fn a_tree_that_gives_up_ends_the_daemon_with_a_code_and_whoever_starts_it_again_goes_on() {
    let place = Place::new();
    let fault = ["--fault", "latido/inbox=panic"].repeat(40);
    let running = Running::of(place.run(&[&["--", "-j", "2"], &fault[..]].concat()));
    let ended = running.end().with_code(3);
    assert!(
        ended.stderr.contains("gives up") && ended.stderr.contains("the supervision tree"),
        "{}",
        ended.stderr
    );
    let (files, _server) = added(&place, 10);
    place.start(&[]);
    until(|| place.status()["jobs"]["done"] == 10);
    files.assert_all_in(&place.files());
}

/// The heartbeat is on a thread of its own and beats on: it must not say that all is well.
#[test]
fn no_sign_of_life_is_sent_when_the_main_thread_or_the_ledger_is_stuck() {
    // The one has the supervisors, and is stuck at once; the others at a message, after some signs of life.
    for (part, fault) in [
        ("main", "latido=block:600"),
        ("latido/ledger", "latido/ledger=block:600@4"),
        ("latido/inbox", "latido/inbox=block:600@4"),
    ] {
        let place = Place::new();
        let mut run = place.run(&["--hung-after", "600", "--", "--fault", fault]);
        run.env("WATCHDOG_USEC", "3000000");
        let socket = Socket::at_path(&place, &mut run);
        let running = Running::of(run);
        let signs = socket.silence(Duration::from_secs(8));
        assert!((1..MANY).contains(&signs), "{part}: {signs}");
        running.signal(Signal::SIGKILL);
        let ended = running.end();
        assert_eq!(ended.code, -9, "{part}: {}", ended.stderr);
        let beats = std::fs::read_to_string(place.state().join("jobs.db.heartbeat")).unwrap();
        assert!(beats.lines().count() >= 5, "the heart has not stopped:\n{beats}");
    }
}

/// The last link: whoever hears no sign of life kills it and starts it again, and the jobs go on.
#[test]
fn a_process_that_stands_still_is_ended_by_the_init_system_and_the_next_goes_on() {
    let place = Place::new();
    let (files, server) = added(&place, 60);
    let limit = Duration::from_secs(4);
    let run = || {
        let mut run = place.run(&["--", "-j", "2"]);
        run.env("WATCHDOG_USEC", limit.as_micros().to_string());
        let socket = Socket::at_path(&place, &mut run);
        (Running::of(run), socket)
    };
    let (first, socket) = run();
    server.wait_for_requests(10);
    first.signal(Signal::SIGSTOP);
    socket.silence(limit);
    first.signal(Signal::SIGKILL);
    first.end();
    files.assert_none_wrong_in(&place.files());
    let (second, socket) = run();
    second.wait_for_line("is up");
    until(|| place.status()["jobs"]["done"] == 60);
    files.assert_all_in(&place.files());
    while socket.next() != "WATCHDOG=1" {}
    second.signal(Signal::SIGTERM);
    second.end().with_code(0);
}
