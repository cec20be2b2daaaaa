use crate::fetch::job::Stage;
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::time::Instant;

use tempfile::TempDir;

use super::*;
use crate::fetch::checksum::Checksum;

fn file() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("jobs.db");
    (dir, path)
}

fn request(url: &str, target: &str) -> Request {
    Request::new(url, Path::new(target), None)
}

fn requests(count: usize) -> Vec<Request> {
    let request = |n| {
        let checksum = Checksum::sha256([n as u8; 32]);
        let target = PathBuf::from(format!("/srv/files/{n:06}.bin"));
        Request::new(&format!("https://example.org/files/{n:06}.bin"), target, Some(checksum))
    };
    (0..count).map(request).collect()
}

fn refusal(path: &Path) -> String {
    let error = Journal::open(path).unwrap_err().to_string();
    assert!(error.contains(path.to_str().unwrap()), "{error}");
    error
}

/// A job with something in every field.
fn far(job: &Job) -> Job {
    Job {
        stage: Stage::Processing,
        attempt: 9,
        tries: 2,
        bytes: u64::MAX,
        digest: Some(Checksum::sha256([7; 32])),
        modified: Some(1_800_000_000_123_456_789),
        processed_by: Some("gzip -t".into()),
        error: Some("connection reset".into()),
        ..job.clone()
    }
}

#[test]
fn everything_is_there_when_it_is_opened_again() {
    let (_dir, path) = file();
    let mut journal = Journal::open(&path).unwrap();
    let mut jobs = journal.admit(requests(3)).unwrap().jobs;
    assert_eq!(jobs[0], Job::new(1, requests(1).remove(0)));
    jobs[1] = far(&jobs[1]);
    journal.record(&jobs[1..2]).unwrap();
    drop(journal);

    let mut journal = Journal::open(&path).unwrap();
    assert_eq!(journal.jobs().unwrap(), jobs);
    let admitted = journal.admit(requests(3)).unwrap();
    assert_eq!((admitted.jobs, admitted.orphans), (jobs, vec![]));
}

#[test]
fn what_was_recorded_survives_a_kill_and_what_was_not_is_not_there() {
    let (dir, path) = file();
    let mut journal = Journal::open(&path).unwrap();
    let jobs = journal.admit(requests(100)).unwrap().jobs;
    journal.record([&far(&jobs[0])]).unwrap();
    let open = journal.db.transaction().unwrap();
    open.execute("UPDATE jobs SET stage = 'failed'", []).unwrap();

    // What a kill leaves: the files as they are, with nobody to close them.
    let killed = dir.path().join("killed.db");
    assert!(fs::metadata(dir.path().join("jobs.db-wal")).unwrap().len() > 0);
    fs::copy(&path, &killed).unwrap();
    fs::copy(dir.path().join("jobs.db-wal"), dir.path().join("killed.db-wal")).unwrap();

    let found = Journal::open(&killed).unwrap().jobs().unwrap();
    assert_eq!((&found[0], &found[1..]), (&far(&jobs[0]), &jobs[1..]));
}

#[test]
fn a_request_that_changed_starts_anew_without_attempts_going_back() {
    let (_dir, path) = file();
    let mut journal = Journal::open(&path).unwrap();
    let old = journal.admit(vec![request("http://a/x", "/d/x"), request("http://a/y", "/d/y")]).unwrap().jobs;
    let old: Vec<_> = old.iter().map(far).collect();
    journal.record(&old).unwrap();

    let moved = request("http://b/x", "/d/x");
    let pinned = Request::new("http://a/y", Path::new("/d/y"), Some(Checksum::sha256([1; 32])));
    let admitted = journal.admit(vec![moved.clone(), pinned.clone()]).unwrap();
    let expected = |id, request| Job { attempt: 10, ..Job::new(id, request) };
    assert_eq!(admitted.jobs, [expected(1, moved), expected(2, pinned)]);
    assert_eq!(admitted.orphans, [old[0].request.part(), old[1].request.part()]);
    assert_eq!(journal.jobs().unwrap(), admitted.jobs);
}

#[test]
fn only_the_jobs_of_this_run_are_admitted_and_the_others_are_kept() {
    let (_dir, path) = file();
    let mut journal = Journal::open(&path).unwrap();
    journal.admit(requests(3)).unwrap();
    let admitted = journal.admit(vec![requests(3).remove(1), request("http://a/x", "/d/x")]).unwrap();
    assert_eq!(admitted.jobs.iter().map(|job| job.id).collect::<Vec<_>>(), [2, 4]);
    assert_eq!(journal.jobs().unwrap().len(), 4);
}

#[test]
fn a_path_that_is_no_utf8_survives_and_one_that_is_can_be_read_by_people() {
    let (_dir, path) = file();
    let mut journal = Journal::open(&path).unwrap();
    let odd = PathBuf::from(OsString::from_vec(b"/d/\xff\n".to_vec()));
    let requests = vec![Request::new("http://a/x", odd, None), request("http://a/y", "/d/ñ")];
    let jobs = journal.admit(requests.clone()).unwrap().jobs;
    assert_eq!(journal.jobs().unwrap(), jobs);
    assert_eq!(journal.admit(requests).unwrap().jobs, jobs);
    let readable = "SELECT id FROM jobs WHERE target = '/d/ñ'";
    assert_eq!(journal.db.query_row(readable, [], |row| row.get(0)), Ok(2));
}

#[test]
fn a_second_program_is_refused_until_the_first_has_ended() {
    let (_dir, path) = file();
    let first = Journal::open(&path).unwrap();
    assert!(refusal(&path).starts_with("another latido is working with"));
    drop(first);
    Journal::open(&path).unwrap();
}

#[test]
fn a_file_that_is_no_journal_is_refused_and_left_as_it_is() {
    let (_dir, path) = file();
    for garbage in [&b"xy"[..], &[0; 100], &[0xa5; 10_000], b"SQLite format 3\0 and then nothing of the kind"]
    {
        fs::write(&path, garbage).unwrap();
        assert!(refusal(&path).contains("damaged"));
        assert_eq!(fs::read(&path).unwrap(), garbage);
    }
    fs::remove_file(&path).unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE songs (title TEXT)").unwrap();
    drop(other);
    let before = fs::read(&path).unwrap();
    assert!(refusal(&path).contains("no journal of latido's"));
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_journal_cut_short_anywhere_is_refused() {
    let (_dir, path) = file();
    Journal::open(&path).unwrap().admit(requests(500)).unwrap();
    let whole = fs::read(&path).unwrap();
    for percent in [1, 10, 50, 90, 99] {
        fs::write(&path, &whole[..whole.len() * percent / 100]).unwrap();
        assert!(refusal(&path).contains("move it away"), "{percent} %");
    }
}

#[test]
fn a_value_that_latido_never_wrote_is_damage() {
    let (_dir, path) = file();
    let mut journal = Journal::open(&path).unwrap();
    journal.admit(requests(2)).unwrap();
    journal.db.execute("UPDATE jobs SET stage = 'resting' WHERE id = 2", []).unwrap();
    let error = journal.admit(requests(2)).unwrap_err().to_string();
    assert!(error.contains("damaged") && error.contains("`resting` is no stage"), "{error}");
}

#[test]
fn a_journal_of_another_format_or_in_no_directory_is_refused() {
    let (dir, path) = file();
    Journal::open(&path).unwrap().db.pragma_update(None, "user_version", 2).unwrap();
    assert!(refusal(&path).contains("format 2, not 1"));
    assert!(refusal(&dir.path().join("missing/jobs.db")).contains("--journal"));
}

/// Prints what the journal costs: `cargo test --bin latido -- ten_thousand --nocapture`.
#[test]
fn ten_thousand_jobs_are_admitted_and_recorded() {
    let (_dir, path) = file();
    let mut journal = Journal::open(&path).unwrap();
    let list = requests(10_000);
    let time = |what: &str, since: Instant| println!("10,000 jobs {what}: {:.1?}", since.elapsed());

    let since = Instant::now();
    let jobs = journal.admit(list.clone()).unwrap().jobs;
    time("admitted", since);
    let since = Instant::now();
    assert_eq!(journal.admit(list).unwrap().jobs, jobs);
    time("found again", since);
    let since = Instant::now();
    for group in jobs.chunks(100) {
        journal.record(group).unwrap();
    }
    time("recorded by the hundred", since);
    drop(journal);
    let since = Instant::now();
    let journal = Journal::open(&path).unwrap();
    time("opened", since);
    assert_eq!(journal.jobs().unwrap(), jobs);
}
