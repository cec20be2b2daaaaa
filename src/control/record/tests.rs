use actix::prelude::*;

use super::super::guard::Token;
use super::super::history::History;
use super::*;
use crate::Events;
use crate::event::EventKind;
use crate::fault::Fault;
use crate::supervision::{ChildSpec, SupervisorSpec, Tree};

struct Worker;

impl Actor for Worker {
    type Context = Context<Self>;
}

async fn tree() -> (Tree, Events, Arc<House>) {
    crate::quiet_panics();
    let spec = SupervisorSpec::new("app").intensity(10_000, Duration::from_secs(5));
    let tree = spec.child(ChildSpec::new("one", || Worker)).start().unwrap();
    let mut events = tree.subscribe();
    events.until("app", |event| matches!(event.kind, EventKind::Started)).await.unwrap();
    let instance = wire::Instance {
        api: wire::VERSION,
        program: "test".to_owned(),
        version: "1".to_owned(),
        pid: 1,
        root: "app".to_owned(),
        since: 0.0,
        actions: false,
        replay: None,
    };
    let history = History::new(tree.subscribe());
    let house = House::new(tree.clone(), history, instance, Token::new().unwrap(), Vec::new());
    (tree, events, Arc::new(house))
}

async fn fail(tree: &Tree, events: &mut Events) {
    tree.inject("app/one", Fault::Panic).unwrap();
    events.until("app/one", |event| matches!(event.kind, EventKind::Started)).await.unwrap();
}

#[actix::test]
async fn a_full_file_is_put_aside_and_the_next_can_be_read_without_it() {
    // Much more than the 256 failures that are known take, as in earnest.
    const LIMIT: u64 = 600_000;
    let (tree, mut events, house) = tree().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("run");
    let mut recorder = Recorder::bounded(&path, LIMIT, house).unwrap();
    let mut rotations = 0;
    while rotations < 2 {
        let before = std::fs::metadata(&path).unwrap().len();
        fail(&tree, &mut events).await;
        recorder.look(true);
        let after = std::fs::metadata(&path).unwrap().len();
        assert!(after < 2 * LIMIT, "{after} bytes");
        rotations += usize::from(after < before);
    }
    recorder.end();
    let entries: Vec<Entry> = recorded(&path).unwrap().map(|entry| entry.unwrap()).collect();
    let is_head = |entry: &Entry| matches!(entry, Entry::Instance(_));
    let heads: Vec<_> = (0..entries.len()).filter(|n| is_head(&entries[*n])).collect();
    assert_eq!((heads.len(), heads[0]), (2, 0), "the one before, and this one");
    let (before, this) = entries.split_at(heads[1]);
    assert!(matches!(&this[1], Entry::Tree(tree) if tree.children.len() == 2), "{:?}", this[1]);
    let seqs = |entries: &[Entry]| {
        let seq = |entry: &Entry| if let Entry::Event(event) = entry { Some(event.seq) } else { None };
        entries.iter().filter_map(seq).collect::<Vec<_>>()
    };
    let all = seqs(&entries);
    assert!(all.windows(2).all(|pair| pair[1] == pair[0] + 1), "no event is missing: {all:?}");
    assert!(!seqs(before).is_empty() && !seqs(this).is_empty());
    // All that is known of failures is in this file too.
    let known = tree.incidents().len();
    assert!(this.iter().filter(|entry| matches!(entry, Entry::Incident(_))).count() >= known);
}

#[actix::test]
async fn nothing_is_written_while_nothing_happens() {
    let (tree, mut events, house) = tree().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("run");
    let mut recorder = Recorder::begin(&path, house).unwrap();
    fail(&tree, &mut events).await;
    recorder.end();
    let written = std::fs::metadata(&path).unwrap().len();
    recorder.end();
    assert_eq!(std::fs::metadata(&path).unwrap().len(), written);
}
