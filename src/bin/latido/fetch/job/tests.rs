use std::path::Path;

use proptest::prelude::*;

use super::*;

const RIGHT: [u8; 32] = [1; 32];
const ATTEMPT: u32 = 7;
const TRIED_ONCE: u32 = 1;
const BYTES: u64 = 10;
const PLAIN: Rules = Rules { max_tries: 3, exec: false, exec_tries: 1 };
const EXEC: Rules = Rules { exec: true, ..PLAIN };
const TWICE: Rules = Rules { exec_tries: 2, ..EXEC };
const MODIFIED: i64 = 1_800_000_000;

fn job(stage: Stage) -> Job {
    let request = Request::new("http://a/x", Path::new("/d/x"), Some(Checksum::sha256(RIGHT)));
    Job {
        stage,
        attempt: ATTEMPT,
        tries: TRIED_ONCE,
        bytes: BYTES,
        modified: matches!(stage, Stage::Processing | Stage::Done).then_some(MODIFIED),
        digest: matches!(stage, Stage::Processing | Stage::Done).then(|| Checksum::sha256(RIGHT)),
        ..Job::new(1, request)
    }
}

fn right() -> Answer {
    Answer::Digest(Checksum::sha256(RIGHT))
}

fn wrong() -> Answer {
    Answer::Digest(Checksum::sha256([2; 32]))
}

fn fetched() -> Answer {
    Answer::Fetched { bytes: BYTES, pieced: false }
}

fn fetch_failed(transient: bool) -> Answer {
    Answer::FetchFailed { error: Failure::new(Cause::Other, "reset"), transient }
}

fn verify_failed() -> Answer {
    Answer::VerifyFailed { error: Failure::new(Cause::Other, "unreadable") }
}

fn not_published() -> Answer {
    Answer::NotPublished { error: Failure::new(Cause::Disk, "is a directory") }
}

fn process_failed() -> Answer {
    Answer::ProcessFailed { error: Failure::new(Cause::Other, "status 1") }
}

#[test]
fn every_answer_leads_where_the_table_says() {
    use Stage::*;
    let retry = Next::Retry { step: 2 };
    #[rustfmt::skip]
    let table = [
        // stage     answer               rules  becomes     next             attempt  tries
        (Fetching,   fetched(),           PLAIN, Verifying,  Next::Verify,       8,    1),
        (Fetching,   fetch_failed(true),  PLAIN, Queued,     retry,              7,    2),
        (Fetching,   fetch_failed(false), PLAIN, Failed,     Next::Finished,    7,    2),
        (Fetching,   Answer::Lost,        PLAIN, Fetching,   Next::Fetch,        8,    1),
        (Fetching,   Answer::GivenBack,   PLAIN, Queued,     Next::Requeue,      7,    1),
        (Verifying,  right(),             PLAIN, Done,       Next::Finished,    7,    1),
        (Verifying,  right(),             EXEC,  Processing, Next::Process,      8,    1),
        (Verifying,  wrong(),             EXEC,  Queued,     retry,              7,    2),
        (Verifying,  verify_failed(),     PLAIN, Queued,     retry,              7,    2),
        (Verifying,  not_published(),     PLAIN, Failed,     Next::Finished,    7,    1),
        (Verifying,  Answer::Lost,        PLAIN, Verifying,  Next::Verify,       8,    1),
        (Processing, Answer::Processed,   EXEC,  Done,       Next::Finished,    7,    1),
        (Processing, process_failed(),    EXEC,  Failed,     Next::Finished,    7,    1),
        (Processing, process_failed(),    TWICE, Processing, Next::ProcessLater { step: 1 }, 7, 1),
        (Processing, Answer::Lost,        EXEC,  Processing, Next::Process,      8,    1),
        // what was not asked, or was answered before
        (Queued,     Answer::Lost,        PLAIN, Queued,     Next::Nothing,      7,    1),
        (Queued,     fetched(),           PLAIN, Queued,     Next::Nothing,      7,    1),
        (Fetching,   right(),             PLAIN, Fetching,   Next::Nothing,      7,    1),
        (Processing, right(),             EXEC,  Processing, Next::Nothing,      7,    1),
        (Verifying,  Answer::GivenBack,   PLAIN, Verifying,  Next::Nothing,      7,    1),
        (Done,       Answer::Lost,        PLAIN, Done,       Next::Nothing,      7,    1),
        (Failed,     fetched(),           PLAIN, Failed,     Next::Nothing,      7,    1),
    ];
    for (stage, answer, rules, becomes, next, attempt, tries) in table {
        let mut job = job(stage);
        let row = format!("{stage:?} {answer:?} {rules:?}");
        assert_eq!(job.answer(ATTEMPT, answer, &rules), next, "{row}");
        assert_eq!((job.stage, job.attempt, job.tries), (becomes, attempt, tries), "{row}");
    }
}

#[test]
fn the_same_wrong_bytes_twice_are_not_asked_for_again() {
    let other = || Answer::Digest(Checksum::sha256([3; 32]));
    let rules = Rules { max_tries: 9, ..PLAIN };
    let after = |urls: &str, answers: Vec<Answer>| {
        let mut job = job(Stage::Queued);
        job.request = Request::new(urls, Path::new("/d/x"), Some(Checksum::sha256(RIGHT)));
        job.tries = 0;
        for answer in answers {
            job.stage = Stage::Verifying;
            job.answer(ATTEMPT, answer, &rules);
        }
        (job.stage, job.tries)
    };
    assert_eq!(after("http://a/x", vec![wrong(), other(), wrong()]), (Stage::Queued, 3));
    assert_eq!(after("http://a/x", vec![wrong(), wrong()]), (Stage::Failed, 2));
    assert_eq!(after("http://a/x", vec![wrong(), other(), other()]), (Stage::Failed, 3));
    assert_eq!(after("http://a/x\thttp://b/x\thttp://c/x", vec![wrong(), wrong()]), (Stage::Queued, 2));
    assert_eq!(
        after("http://a/x\thttp://b/x\thttp://c/x", vec![wrong(), wrong(), wrong()]),
        (Stage::Failed, 3)
    );
}

#[test]
fn the_last_try_fails_with_the_last_error() {
    for (stage, answer, error) in [
        (Stage::Fetching, fetch_failed(true), "reset"),
        (Stage::Verifying, verify_failed(), "unreadable"),
        (Stage::Verifying, wrong(), "the file is sha-256=0202"),
    ] {
        let mut job = Job { tries: 2, ..job(stage) };
        assert_eq!(job.answer(ATTEMPT, answer, &PLAIN), Next::Finished);
        assert_eq!((job.stage, job.tries), (Stage::Failed, 3));
        assert!(job.error.unwrap().text.starts_with(error));
    }
}

#[test]
fn what_came_in_pieces_and_is_wrong_is_fetched_in_one_and_that_is_no_try() {
    let mut job = job(Stage::Fetching);
    assert_eq!(job.answer(ATTEMPT, Answer::Fetched { bytes: BYTES, pieced: true }, &PLAIN), Next::Verify);
    assert_eq!(job.answer(job.attempt, wrong(), &PLAIN), Next::Anew);
    assert_eq!((job.stage, job.tries, job.pieces), (Stage::Queued, TRIED_ONCE, Pieces::Refused));
    job.start();
    assert_eq!(job.answer(job.attempt, fetched(), &PLAIN), Next::Verify);
    // The same bytes again: so it was not the pieces.
    let mut again = job.clone();
    assert_eq!(again.answer(job.attempt, wrong(), &PLAIN), Next::Finished);
    let other = Answer::Digest(Checksum::sha256([3; 32]));
    assert_eq!(job.answer(job.attempt, other, &PLAIN), Next::Retry { step: 2 });
    assert_eq!(job.pieces, Pieces::Refused);
}

#[test]
fn a_file_without_a_checksum_is_what_it_is() {
    let mut job = job(Stage::Verifying);
    job.request.checksum = None;
    job.answer(ATTEMPT, wrong(), &PLAIN);
    assert_eq!((job.stage, job.digest), (Stage::Done, Some(Checksum::sha256([2; 32]))));
}

#[test]
fn a_new_run_goes_on_where_the_disk_agrees() {
    use Stage::*;
    let nothing = Facts::default();
    let target = Facts { target_bytes: Some(BYTES), target_modified: Some(MODIFIED) };
    let short = Facts { target_bytes: Some(BYTES - 1), ..target };
    let touched = Facts { target_modified: Some(MODIFIED + 1), ..target };
    #[rustfmt::skip]
    let table = [
        // stage     digest  facts    rules  becomes     tries
        (Queued,     false,  nothing, PLAIN, Queued,     1),
        (Fetching,   false,  nothing, PLAIN, Queued,     1),
        (Verifying,  false,  nothing, PLAIN, Queued,     1),
        (Verifying,  false,  target,  PLAIN, Queued,     1),
        (Processing, true,   target,  EXEC,  Processing, 1),
        (Processing, true,   target,  PLAIN, Done,       1),
        (Processing, true,   short,   EXEC,  Queued,     1),
        (Processing, true,   nothing, EXEC,  Queued,     1),
        (Processing, true,   touched, EXEC,  Queued,     1),
        (Processing, true,   touched, PLAIN, Queued,     1),
        (Done,       true,   target,  EXEC,  Done,       1),
        (Done,       true,   short,   PLAIN, Queued,     1),
        (Done,       true,   nothing, PLAIN, Queued,     1),
        (Done,       true,   touched, PLAIN, Queued,     1),
        // fetching or verifying failed, or processing did
        (Failed,     false,  target,  PLAIN, Queued,     0),
        (Failed,     true,   target,  EXEC,  Processing, 1),
        (Failed,     true,   target,  PLAIN, Done,       1),
        (Failed,     true,   nothing, EXEC,  Queued,     0),
        (Failed,     true,   touched, EXEC,  Queued,     0),
    ];
    for (stage, digest, facts, rules, becomes, tries) in table {
        let digest = digest.then(|| Checksum::sha256(RIGHT));
        let modified = (stage != Queued).then_some(MODIFIED);
        let mut job = Job { digest, modified, ..job(stage) };
        job.recover(facts, &rules);
        let row = format!("{stage:?} {facts:?} {rules:?}");
        assert_eq!((job.stage, job.tries, job.attempt), (becomes, tries, ATTEMPT), "{row}");
        assert_eq!(job.digest.is_some(), matches!(becomes, Processing | Done), "{row}");
    }
}

#[test]
fn what_the_command_made_of_a_file_is_done_as_long_as_nobody_else_changes_it() {
    let file = |bytes, modified| Facts { target_bytes: Some(bytes), target_modified: Some(modified) };
    let gone = Facts::default();
    // what the command left, what is found, and whether that is done
    for (left, found, is_done) in [
        (Some(MODIFIED), file(BYTES + 3, MODIFIED), true),
        (Some(MODIFIED), file(BYTES, MODIFIED + 1), false),
        (Some(MODIFIED), gone, false),
        (None, gone, true),
        (None, file(BYTES, MODIFIED), false),
    ] {
        for (rules, by) in [(EXEC, Some("gzip".into())), (EXEC, None), (PLAIN, Some("gzip".into()))] {
            let is_processed = by.is_some() && rules.exec;
            let mut job = Job { modified: left, processed_by: by, ..job(Stage::Done) };
            job.recover(found, &rules);
            assert_eq!(job.stage == Stage::Done, is_done && is_processed, "{left:?} {found:?} {rules:?}");
        }
    }
}

#[test]
fn a_file_that_is_fetched_again_for_its_command_keeps_the_count_of_its_failures() {
    let rules = Rules { exec_tries: 3, ..EXEC };
    let mut job = job(Stage::Processing);
    for step in 1..3 {
        assert_eq!(job.answer(job.attempt, process_failed(), &rules), Next::ProcessLater { step });
        job.fetch_again();
        assert_eq!(job.start(), Next::Fetch);
        assert_eq!(job.answer(job.attempt, fetched(), &rules), Next::Verify);
        assert_eq!(job.answer(job.attempt, right(), &rules), Next::Process);
    }
    assert_eq!(job.answer(job.attempt, process_failed(), &rules), Next::Finished);
    assert_eq!((job.stage, job.exec_tries, job.tries), (Stage::Failed, 3, TRIED_ONCE));
}

#[test]
fn a_digest_on_record_that_is_not_the_one_wanted_is_not_believed() {
    let digest = Some(Checksum::sha256([2; 32]));
    let mut job = Job { digest, ..job(Stage::Done) };
    let facts = Facts { target_bytes: Some(BYTES), target_modified: Some(MODIFIED) };
    job.recover(facts, &PLAIN);
    assert_eq!(job.stage, Stage::Queued);
}

fn any_answer() -> impl Strategy<Value = Answer> {
    prop_oneof![
        Just(fetched()),
        any::<bool>().prop_map(fetch_failed),
        Just(right()),
        Just(wrong()),
        Just(verify_failed()),
        Just(not_published()),
        Just(Answer::Processed),
        Just(Answer::GivenBack),
        Just(process_failed()),
        Just(Answer::Lost),
    ]
}

proptest! {
    #[test]
    fn no_sequence_of_answers_loses_a_job_and_late_ones_change_nothing(
        answers in prop::collection::vec((0..3u32, any_answer()), 0..60),
        exec: bool,
        max_tries in 1..5u32,
        exec_tries in 1..5u32,
    ) {
        let rules = Rules { max_tries, exec, exec_tries };
        let mut job = Job { tries: 0, attempt: 0, ..job(Stage::Queued) };
        let mut next = job.start();
        for (age, answer) in answers {
            let before = job.clone();
            let said = job.answer(before.attempt.wrapping_sub(age), answer, &rules);
            if age > 0 {
                prop_assert_eq!(said, Next::Nothing);
            }
            if said == Next::Nothing {
                prop_assert_eq!(&job, &before);
                continue;
            }
            next = said;
            // The stage is the one whose work was just asked for, under a number that nobody else has.
            let (stage, fresh) = match next {
                Next::Fetch => (Stage::Fetching, true),
                Next::Verify => (Stage::Verifying, true),
                Next::Process => (Stage::Processing, true),
                Next::Retry { step, .. } => {
                    prop_assert!(step < max_tries);
                    (Stage::Queued, false)
                }
                Next::ProcessLater { step } => {
                    prop_assert!(step < exec_tries);
                    (Stage::Processing, false)
                }
                Next::Requeue => (Stage::Queued, false),
                _ if job.digest.is_some() && job.error.is_none() => (Stage::Done, false),
                _ => (Stage::Failed, false),
            };
            prop_assert_eq!(job.stage, stage);
            prop_assert_eq!(job.attempt, before.attempt + u32::from(fresh));
            if let Next::Retry { .. } | Next::ProcessLater { .. } | Next::Requeue = next {
                next = job.start();
            }
        }
        // From wherever it stands, answers without a fault bring it to its end.
        for _ in 0..3 {
            next = match next {
                Next::Fetch => job.answer(job.attempt, fetched(), &rules),
                Next::Verify => job.answer(job.attempt, right(), &rules),
                Next::Process => job.answer(job.attempt, Answer::Processed, &rules),
                other => other,
            };
        }
        let finished = matches!(next, Next::Finished) && job.is_finished();
        prop_assert!(finished, "{next:?} {job:?}");
    }
}
