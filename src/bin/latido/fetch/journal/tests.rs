use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::time::Instant;

use tempfile::TempDir;

use super::*;
use crate::fetch::cause::{Cause, Failure};
use crate::fetch::checksum::Checksum;
use crate::fetch::job::{Job, Stage};
use crate::fetch::request::Request;

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
            .with_size((n % 2 == 0).then_some(n as u64))
    };
    (0..count).map(request).collect()
}

fn refusal(path: &Path) -> String {
    let error = Journal::open(path).unwrap_err().to_string();
    assert!(error.contains(path.to_str().unwrap()), "{error}");
    error
}

/// Admits requests, and reads what has become of them.
fn admit(journal: &mut Journal, requests: Vec<Request>) -> Vec<Job> {
    let admitted = journal.admit(requests).unwrap();
    admitted.jobs.into_iter().map(|id| journal.job(id).unwrap()).collect()
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
        output: Some("two\nlines".into()),
        exec_tries: 5,
        error: Some(Failure::new(Cause::Connection, "connection reset")),
        ..job.clone()
    }
}

#[test]
fn everything_is_there_when_it_is_opened_again() {
    let (_dir, path) = file();
    let mut journal = Journal::open(&path).unwrap();
    let mut jobs = admit(&mut journal, requests(3));
    assert_eq!(jobs[0], Job::new(1, requests(1).remove(0)));
    jobs[1] = far(&jobs[1]);
    journal.record(&jobs[1..2]).unwrap();
    drop(journal);

    let mut journal = Journal::open(&path).unwrap();
    assert_eq!(journal.jobs().unwrap(), jobs);
    assert_eq!(journal.admit(requests(3)).unwrap().orphans, [""; 0].map(PathBuf::from));
    assert_eq!(admit(&mut journal, requests(3)), jobs);
}

#[test]
fn what_was_recorded_survives_a_kill_and_what_was_not_is_not_there() {
    let (dir, path) = file();
    let mut journal = Journal::open(&path).unwrap();
    let jobs = admit(&mut journal, requests(100));
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
    let old = admit(&mut journal, vec![request("http://a/x", "/d/x"), request("http://a/y", "/d/y")]);
    let old: Vec<_> = old.iter().map(far).collect();
    journal.record(&old).unwrap();

    let moved = request("http://b/x", "/d/x");
    let pinned = Request::new("http://a/y", Path::new("/d/y"), Some(Checksum::sha256([1; 32])));
    let admitted = journal.admit(vec![moved.clone(), pinned.clone()]).unwrap();
    let expected = |id, request| Job { attempt: 10, ..Job::new(id, request) };
    assert_eq!(admitted.jobs, [1, 2]);
    assert_eq!(admitted.orphans, [old[0].request.part(), old[1].request.part()]);
    assert_eq!(journal.jobs().unwrap(), [expected(1, moved), expected(2, pinned)]);
}

#[test]
fn only_the_jobs_of_this_run_are_admitted_and_the_others_are_kept() {
    let (_dir, path) = file();
    let mut journal = Journal::open(&path).unwrap();
    journal.admit(requests(3)).unwrap();
    let admitted = journal.admit(vec![request("http://a/x", "/d/x"), requests(3).remove(1)]).unwrap();
    assert_eq!(admitted.jobs, [2, 4], "in the order in which they were admitted first");
    assert_eq!(journal.jobs().unwrap().len(), 4);
}

#[test]
fn only_the_jobs_of_this_run_are_counted_and_listed() {
    let (_dir, path) = file();
    let mut journal = Journal::open(&path).unwrap();
    let jobs = admit(&mut journal, requests(60));
    let failed = |job: &Job| Job {
        stage: Stage::Failed,
        error: Some(Failure::new(Cause::Http(410), "gone")),
        ..job.clone()
    };
    let done = |job: &Job| Job { stage: Stage::Done, bytes: 10, ..job.clone() };
    let bare = Request::new("http://a/x", Path::new("/d/x"), None);
    let bare = admit(&mut journal, vec![bare]).remove(0);
    journal.record(jobs[..30].iter().map(failed).collect::<Vec<_>>().iter()).unwrap();
    journal.record(jobs[30..50].iter().chain([&bare]).map(done).collect::<Vec<_>>().iter()).unwrap();

    let ids: Vec<_> = (2..=61).filter(|id| *id != 40).collect();
    let tally = journal.tally(&ids).unwrap();
    assert_eq!((tally.jobs, tally.done, tally.unverified, tally.failed, tally.bytes), (59, 20, 1, 29, 200));
    assert_eq!(tally.failures, jobs[1..21].iter().map(failed).collect::<Vec<_>>());
    assert_eq!(
        journal.stages(&[1, 40, 61]).unwrap(),
        [(1, Stage::Failed), (40, Stage::Done), (61, Stage::Done)]
    );
    assert_eq!(journal.tally(&[]).unwrap(), Default::default());
}

#[test]
fn some_jobs_are_read_in_the_order_asked_for_however_far_apart() {
    let (_dir, path) = file();
    let mut journal = Journal::open(&path).unwrap();
    let jobs = admit(&mut journal, requests(60));
    for ids in [&[][..], &[7], &[7, 8, 10], &[1, 60], &[3, 2]] {
        let wanted: Vec<_> = ids.iter().map(|id| jobs[*id as usize - 1].clone()).collect();
        assert_eq!(journal.some(ids).unwrap(), wanted);
    }
    for lost in [&[60, 61][..], &[1, 99], &[99]] {
        assert!(matches!(journal.some(lost), Err(JournalError::Replaced(_))), "{lost:?}");
    }
}

#[test]
fn a_journal_without_the_jobs_of_the_run_was_replaced() {
    let (_dir, path) = file();
    let mut journal = Journal::open(&path).unwrap();
    journal.admit(requests(3)).unwrap();
    for lost in [
        journal.job(4).unwrap_err(),
        journal.tally(&[2, 4]).unwrap_err(),
        journal.stages(&[0, 1]).unwrap_err(),
    ] {
        assert!(matches!(lost, JournalError::Replaced(_)), "{lost}");
    }
}

#[test]
fn what_was_done_for_another_command_is_to_be_processed_anew() {
    let (_dir, path) = file();
    let mut journal = Journal::open(&path).unwrap();
    let jobs = admit(&mut journal, requests(3));
    let done =
        |n: usize, by: &str| Job { stage: Stage::Done, processed_by: Some(by.into()), ..jobs[n].clone() };
    journal.record([&done(0, "gzip -t"), &done(1, "true")]).unwrap();
    journal.process_anew(&[1, 2, 3], "true").unwrap();
    let stages = [(1, Stage::Processing), (2, Stage::Done), (3, Stage::Queued)];
    assert_eq!(journal.stages(&[1, 2, 3]).unwrap(), stages);
}

#[test]
fn a_path_that_is_no_utf8_survives_and_one_that_is_can_be_read_by_people() {
    let (_dir, path) = file();
    let mut journal = Journal::open(&path).unwrap();
    let odd = PathBuf::from(OsString::from_vec(b"/d/\xff\n".to_vec()));
    let requests = vec![Request::new("http://a/x", odd, None), request("http://a/y", "/d/ñ")];
    let jobs = admit(&mut journal, requests.clone());
    assert_eq!(jobs.iter().map(|job| job.request.clone()).collect::<Vec<_>>(), requests);
    assert_eq!(admit(&mut journal, requests), jobs);
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
    Journal::open(&path).unwrap().db.pragma_update(None, "user_version", 4).unwrap();
    assert!(refusal(&path).contains("format 4, not 3"));
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
    let ids = journal.admit(list.clone()).unwrap().jobs;
    time("admitted", since);
    let since = Instant::now();
    assert_eq!(journal.admit(list).unwrap().jobs, ids);
    time("found again", since);
    let since = Instant::now();
    let jobs: Vec<_> = ids.iter().map(|id| journal.job(*id).unwrap()).collect();
    time("read one by one", since);
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

#[test]
fn a_journal_of_a_format_before_is_gone_on_with() {
    (1..VERSION as usize).for_each(gone_on_with);
}

fn gone_on_with(version: usize) {
    let (_dir, path) = file();
    let old = Connection::open(&path).unwrap();
    // As it was once, column by column.
    let later = ["size ", "cause ", "output ", "exec_tries "];
    let columns = SCHEMA.lines().filter(|line| !later.iter().any(|name| line.trim_start().starts_with(name)));
    let schema = columns.collect::<Vec<_>>().join("\n").replace("TEXT,\n)", "TEXT\n)");
    old.execute_batch(&format!(
        "{schema}; {} PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {version};",
        STEPS[..version - 1].concat()
    ))
    .unwrap();
    let job = "INSERT INTO jobs (target, urls, stage, attempt, tries, bytes, error)
               VALUES ('/d/x', 'http://a/x', 'failed', 3, 2, 0, 'gone')";
    old.execute_batch(job).unwrap();
    drop(old);
    for _ in 0..2 {
        let jobs = Journal::open(&path).unwrap().jobs().unwrap();
        assert_eq!(jobs[0].error, Some(Failure::new(Cause::Other, "gone")));
        assert_eq!((jobs[0].stage, jobs[0].tries, jobs[0].exec_tries), (Stage::Failed, 2, 0));
    }
}
