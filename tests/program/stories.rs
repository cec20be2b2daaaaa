//! What is told of a run in which something was broken: of each fault and failure, which files it cost, and what became of them.

use latido::control::recorded;
use latido::control::wire::{Entry, Incident};
use std::collections::BTreeMap;
use tempfile::tempdir;

use crate::latido::latido;
use crate::server::{Server, ok};

/// The stories of a run with these faults, as they were in the end.
fn stories(files: usize, faults: &[&str]) -> Vec<Incident> {
    let server = Server::start(|_| ok(b"0123456789"));
    let dir = tempdir().unwrap();
    let urls: Vec<_> = (0..files).map(|n| server.url(&format!("file-{n}"))).collect();
    let record = dir.path().join("run.jsonl");
    let mut args = vec!["fetch", "-d", "new", "-j", "1", "--record", "run.jsonl"];
    args.extend(faults.iter().flat_map(|fault| ["--fault", fault]));
    args.extend(urls.iter().map(|url| &**url));
    latido(dir.path(), &args).with_code(0);
    let incidents = recorded(&record).unwrap().filter_map(|entry| match entry.unwrap() {
        Entry::Incident(incident) => Some((incident.id, incident)),
        _ => None,
    });
    incidents.collect::<BTreeMap<_, _>>().into_values().map(|it| *it).collect()
}

/// What was told of what came of it: by whom, of which file, and what.
fn told(incident: &Incident) -> Vec<String> {
    let one = |told: &latido::control::wire::Told| {
        assert!(told.matter.ends_with(told.text.split(':').next().unwrap()), "{told:?}");
        format!("{}: {}", told.path, told.text)
    };
    incident.consequences.iter().map(one).collect()
}

#[test]
fn a_fault_that_ends_nobody_has_a_story_with_the_file_that_it_struck_and_its_end() {
    let stories = stories(2, &["latido/downloaders/0=cut@1"]);
    let [cut] = &stories[..] else { panic!("{stories:#?}") };
    assert_eq!((cut.injected.as_deref(), &cut.reason), (Some("cut"), &None));
    let told = told(cut);
    let [retry, done] = &told[..] else { panic!("{told:?}") };
    assert!(
        retry.starts_with("latido/ledger: file-0: again in") && retry.ends_with(": connection reset"),
        "{retry}"
    );
    assert_eq!(done, "latido/ledger: file-0: done, 10 B");
    assert!(
        cut.story.contains("this life has not ended of it")
            && cut.story.contains(done.split_once(' ').unwrap().1)
    );
}

#[test]
fn a_failure_says_which_files_it_cost_and_that_they_were_done_after_all() {
    let stories = stories(3, &["latido/downloaders/0=panic@2"]);
    let panicked = stories.iter().find(|it| it.path == "latido/downloaders/0").unwrap();
    let lost = told(panicked);
    assert!(lost[0].ends_with(": lost while fetching, which is done again"), "{lost:?}");
    assert!(lost.last().unwrap().contains(": done, "), "{lost:?}");
}

#[test]
fn a_dropped_message_says_which_files_it_held_up() {
    let stories = stories(2, &["latido/downloaders/0=drop:1"]);
    let [drop] = &stories[..] else { panic!("{stories:#?}") };
    let told: Vec<_> = drop.consequences.iter().map(|told| &*told.text).collect();
    let [letter, lost, .., done] = &told[..] else { panic!("{told:?}") };
    assert!(
        letter.starts_with("a message (FetchAll) was not handled: it was dropped on purpose"),
        "{letter}"
    );
    assert_eq!(*lost, "file-0: lost while fetching, which is done again");
    assert!(done.ends_with(": done, 10 B"), "{done}");
}
