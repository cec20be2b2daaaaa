//! Large files over several runs and tries.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Arc, Mutex};

use nix::sys::signal::Signal;
use tempfile::tempdir;

use crate::files::{OURS, checksum, names_in, until};
use crate::latido::{Running, latido};
use crate::ranges::{LARGE, Ranged, range_of};
use crate::server::{Request, Server, Step, send};

const LENGTH: usize = 32 << 20;
/// What each answer brings before it stalls.
const BIT: usize = 7_000_000;
/// What a kill may cost: 1 MiB is written between two notes, and what is read at once may be more than is left of that when
/// the kill comes between its write and its note.
const UNNOTED: usize = 2 << 20;

/// The beginning of a proper answer, and then nothing.
fn bit(file: &Ranged, request: &Request) -> (usize, Vec<Step>) {
    let (range, head) = match file.asked(request) {
        Some(range) => (range.clone(), file.part_head(range)),
        None => (0..LENGTH, file.head()),
    };
    let end = range.end.min(range.start + BIT);
    let steps = vec![head, send(&file.bytes[range.start..end])];
    (end, if end < range.end { [steps, vec![Step::Stall]].concat() } else { steps })
}

fn part_in(dir: &Path) -> Option<String> {
    names_in(dir).into_iter().find(|name| name.ends_with(".part"))
}

/// Whether the part has these last bytes of what was sent.
fn has(dir: &Path, file: &Ranged, end: usize) -> bool {
    let mut last = [0; 16];
    let part = part_in(dir).and_then(|part| File::open(dir.join(part)).ok());
    let read = part.is_some_and(|part| part.read_exact_at(&mut last, end as u64 - 16).is_ok());
    read && last == file.bytes[end - 16..end]
}

/// Runs are killed with SIGKILL again and again; each goes on where the one before was.
#[test]
fn what_a_killed_run_has_is_not_fetched_again() {
    let file = Ranged::of(LENGTH, 1);
    let ends = Arc::new(Mutex::new(Vec::new()));
    let (proper, noted) = (file.clone(), ends.clone());
    let server = Server::start(move |request| {
        let (end, steps) = bit(&proper, request);
        noted.lock().unwrap().push(end);
        steps
    });
    let dir = tempdir().unwrap();
    let args = ["fetch", &server.url("file"), "--checksum", &checksum(&file.bytes)];
    for run in 1.. {
        assert!(run <= 2 * LENGTH / BIT, "it does not get on");
        let running = Running::start(dir.path(), args);
        until(|| ends.lock().unwrap().len() >= run);
        let end = ends.lock().unwrap()[run - 1];
        if end == LENGTH {
            running.end().with_code(0);
            break;
        }
        until(|| has(dir.path(), &file, end));
        running.signal(Signal::SIGKILL);
        running.end().with_code(-9);
        assert!(!dir.path().join("file").exists());
    }
    assert!(fs::read(dir.path().join("file")).unwrap() == *file.bytes);
    assert_eq!(part_in(dir.path()), None);
    let starts = server
        .requests()
        .iter()
        .map(|request| range_of(request).map_or(0, |range| range.start))
        .collect::<Vec<_>>();
    let ends = ends.lock().unwrap().clone();
    assert!(ends.len() >= 4);
    for (end, start) in ends.iter().zip(&starts[1..]) {
        assert!(start <= end && end - start < UNNOTED, "{ends:?} {starts:?}");
    }
}

/// The kills come whenever they come; what counts is that the file is right.
#[test]
fn several_connections_that_are_killed_leave_the_right_file_or_none() {
    let file = Ranged::of(LENGTH, 2);
    let proper = file.clone();
    let server = Server::start(move |request| bit(&proper, request).1);
    let dir = tempdir().unwrap();
    let wanted = checksum(&file.bytes);
    let args = ["fetch", &server.url("file"), "--checksum", &wanted, "-x", "4", "--min-split-size", "1M"];
    for kill in 1..=6 {
        let before = server.requests().len();
        let running = Running::start(dir.path(), args);
        server.wait_for_requests(before + kill.min(4));
        running.signal(Signal::SIGKILL);
        assert!([-9, 0].contains(&running.end().code));
        match fs::read(dir.path().join("file")) {
            Ok(found) => assert!(found == *file.bytes),
            Err(_) => {
                assert_eq!(names_in(dir.path()).iter().filter(|name| !name.starts_with(".latido")).count(), 0)
            }
        }
    }
    let ended = latido(dir.path(), args).with_code(0);
    // A connection that has stalled was relieved by another, in each run that came so far.
    assert!(ended.stdout.contains("1 done and verified"), "{}", ended.stdout);
    assert!(fs::read(dir.path().join("file")).unwrap() == *file.bytes);
    assert_eq!(names_in(dir.path()).len(), OURS.len() + 1);
}

/// The server says all that is right, and sends something else.
#[test]
fn pieces_that_are_wrong_are_fetched_in_one_and_that_is_no_try() {
    let (file, other) = (Ranged::of(LARGE, 1), Ranged::of(LARGE, 2));
    let proper = file.clone();
    let server = Server::start(move |request| match (request.number, range_of(request)) {
        (1, None) => proper.first(1_000_000, Step::Close),
        (_, Some(range)) => vec![proper.part_head(range.clone()), send(&other.bytes[range])],
        _ => proper.answer(request),
    });
    let dir = tempdir().unwrap();
    let args = ["fetch", &server.url("file"), "--checksum", &checksum(&file.bytes), "--max-tries", "2"];
    let ended = latido(dir.path(), args).with_code(0);
    assert!(ended.stderr.contains(": again at once: "), "{}", ended.stderr);
    assert!(fs::read(dir.path().join("file")).unwrap() == *file.bytes);
    let ranges: Vec<_> = server.requests().iter().map(range_of).collect();
    assert_eq!(ranges.iter().map(Option::is_some).collect::<Vec<_>>(), [false, true, false]);
}
