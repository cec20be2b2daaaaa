//! What is recorded.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::pin::pin;

use futures::StreamExt;
use latido::EventKind;
use latido::control::wire::{Entry, Event, Incident, Tree, What};
use latido::control::{Client, recorded};
use latido::fault::Fault;
use tempfile::tempdir;

use crate::support::{Double, Watched, door, tree};

fn entries(path: &Path) -> Vec<Entry> {
    recorded(path).unwrap().map(|entry| entry.unwrap()).collect()
}

async fn fail(watched: &mut Watched) {
    watched.tree.inject("app/two", Fault::Panic).unwrap();
    watched.events.until("app/two", |event| matches!(event.kind, EventKind::Started)).await.unwrap();
}

#[actix::test]
async fn what_the_door_has_shown_is_read_back_equal() {
    let mut watched = tree().await;
    let dir = tempdir().unwrap();
    let path = dir.path().join("run.jsonl");
    let open =
        door(&watched.tree).extra("jobs", || serde_json::json!({"done": 7})).record(&path).open().unwrap();
    let client = Client::new(open.card());
    watched.worker.send(Double(2)).await.unwrap();
    fail(&mut watched).await;
    fail(&mut watched).await;
    let (instance, tree) = (client.instance().await.unwrap(), client.tree().await.unwrap());
    let incidents = client.incidents().await.unwrap();
    let mut told = pin!(client.events(Some(0)).await.unwrap());
    let mut events: Vec<Event> = Vec::new();
    while events.last().is_none_or(|event| event.seq < tree.seq) {
        events.push(told.next().await.unwrap().unwrap());
    }
    drop(open);

    let entries = entries(&path);
    assert_eq!(entries[0], Entry::Instance(instance));
    let trees: Vec<&Tree> =
        entries.iter().filter_map(|it| if let Entry::Tree(tree) = it { Some(tree) } else { None }).collect();
    assert!(matches!(&entries[1], Entry::Tree(tree) if tree.children[2].incarnation == 1));
    let last = trees.last().unwrap();
    assert_eq!((last.seq, &last.children[2].last_exit), (tree.seq, &tree.children[2].last_exit));
    assert_eq!((last.children[1].messages.handled, last.children[2].incarnation), (1, 3));
    let of = |entry: &Entry| if let Entry::Event(event) = entry { Some(event.clone()) } else { None };
    let written: Vec<Event> = entries.iter().filter_map(of).collect();
    // First, that it does not know what was before it; of when that is said, nothing holds.
    assert!(matches!(written[0].what, What::Missed { .. }) && written[0].seq == events[0].seq);
    assert_eq!(written[1..], events[1..]);
    let last_of = |incident: &Incident| {
        let same = |entry: &&Entry| matches!(entry, Entry::Incident(it) if it.id == incident.id);
        entries.iter().rev().find(same).cloned()
    };
    assert_eq!(incidents.len(), 2);
    for incident in incidents {
        assert_eq!(last_of(&incident), Some(Entry::Incident(incident.into())));
    }
    let jobs =
        |entry: &&Entry| matches!(entry, Entry::Extra(it) if it.name == "jobs" && it.value["done"] == 7);
    assert_eq!(entries.iter().filter(jobs).count(), 1, "it did not change");
}

#[actix::test]
async fn a_line_that_was_cut_short_is_passed_over_and_the_rest_is_read() {
    let mut watched = tree().await;
    let dir = tempdir().unwrap();
    let path = dir.path().join("run.jsonl");
    let open = door(&watched.tree).record(&path).open().unwrap();
    fail(&mut watched).await;
    drop(open);
    let whole = entries(&path);
    let text = fs::read(&path).unwrap();
    fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(&text[..100]).unwrap();
    assert_eq!(entries(&path), whole);
    // Wherever it was cut, all lines before are there.
    for length in (text.len() / 2..text.len() - 1).step_by(37).chain([text.len() - 1]) {
        fs::write(&path, &text[..length]).unwrap();
        let lines = text[..length].iter().filter(|byte| **byte == b'\n').count();
        // A line that lacks but its end is whole.
        let lines = lines + usize::from(text[length] == b'\n');
        assert_eq!(entries(&path), whole[..lines], "{length} bytes");
    }
}

#[actix::test]
async fn a_recording_that_is_there_is_put_aside_and_anything_else_left_alone() {
    let watched = tree().await;
    let dir = tempdir().unwrap();
    let path = dir.path().join("run.jsonl");
    drop(door(&watched.tree).record(&path).open().unwrap());
    let first = fs::read(&path).unwrap();
    let open = door(&watched.tree).record(&path).open().unwrap();
    assert_eq!(fs::read(dir.path().join("run.jsonl.1")).unwrap(), first);
    let refused = |path: &Path| door(&watched.tree).record(path).open().unwrap_err().to_string();
    let busy = refused(&path);
    assert!(busy.contains("another program records to it"), "{busy}");
    drop(open);

    let letter = dir.path().join("letter");
    fs::write(&letter, "dear reader").unwrap();
    let error = refused(&letter);
    assert!(error.contains("letter") && error.contains("is no recording"), "{error}");
    assert_eq!(fs::read(&letter).unwrap(), b"dear reader");
    assert!(!dir.path().join("letter.1").exists());
    let error = recorded(&letter).unwrap().next().unwrap().unwrap_err().to_string();
    assert!(error.contains("no recording"), "{error}");
    let nowhere = refused(&dir.path().join("no/where"));
    assert!(nowhere.contains("cannot be recorded to"), "{nowhere}");
    assert!(refused("/dev/full".as_ref()).contains("No space left"));
}
