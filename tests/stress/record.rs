//! What is known of a run while it lasts, from any thread: also when it hangs.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicIsize, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock};
use std::thread::JoinHandle;

use latido::supervision::Tree;
use latido::{Event, EventKind, Events, Reporter, TreePath};

use crate::notes::Note;

#[derive(Default)]
pub(crate) struct Record {
    pub(crate) events: Mutex<Vec<Event>>,
    pub(crate) tree: Mutex<Option<Tree>>,
    /// Says things on the tree's stream, for whoever takes the steps.
    pub(crate) scribe: OnceLock<Reporter>,
    /// Messages that are somewhere.
    pub(crate) messages: AtomicIsize,
    /// What was seen to be wrong by an actor itself.
    pub(crate) wrongs: Mutex<Vec<(TreePath, String)>>,
    open: Mutex<BTreeMap<u64, (TreePath, String)>>,
    next: AtomicU64,
    ends: Mutex<Ends>,
    news: Condvar,
}

#[derive(Default)]
struct Ends {
    lives: HashSet<(TreePath, u64)>,
    all: bool,
}

impl Record {
    pub(crate) fn say(&self, note: Note) {
        if let Some(scribe) = self.scribe.get() {
            scribe.report(note);
        }
    }

    pub(crate) fn is_wrong(&self, path: &TreePath, what: String) {
        self.wrongs.lock().unwrap().push((path.clone(), what));
    }

    /// Something that has to end.
    pub(crate) fn open(self: &Arc<Self>, about: &TreePath, what: impl Into<String>) -> Open {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        self.open.lock().unwrap().insert(id, (about.clone(), what.into()));
        Open { record: self.clone(), id }
    }

    pub(crate) fn still_open(&self) -> Vec<(TreePath, String)> {
        self.open.lock().unwrap().values().cloned().collect()
    }

    /// Blocks the caller until this life is over, as all the world is told.
    pub(crate) fn wait_for_end_of(&self, path: &TreePath, life: u64) {
        let life = (path.clone(), life);
        let ends = self.ends.lock().unwrap();
        drop(self.news.wait_while(ends, |ends| !ends.all && !ends.lives.contains(&life)).unwrap());
    }

    /// Blocks the caller until whoever asked has been told what came of it.
    pub(crate) fn wait_for_answer(&self, told: &AtomicBool) {
        let ends = self.ends.lock().unwrap();
        drop(self.news.wait_while(ends, |_| !told.load(Ordering::SeqCst)).unwrap());
    }

    /// Whoever asked has been told.
    pub(crate) fn is_told(&self, told: &AtomicBool) {
        told.store(true, Ordering::SeqCst);
        drop(self.ends.lock().unwrap()); // Nobody is between looking and waiting.
        self.news.notify_all();
    }

    /// Writes down what happens, on a thread of its own: the others may be blocked.
    pub(crate) fn write_down(self: &Arc<Self>, mut events: Events) -> JoinHandle<()> {
        let record = self.clone();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            while let Some(event) = runtime.block_on(events.next()) {
                if let EventKind::Exited { .. } | EventKind::Stopped { .. } = event.kind {
                    record.ends.lock().unwrap().lives.insert((event.path.clone(), event.incarnation));
                    record.news.notify_all();
                }
                record.events.lock().unwrap().push(event);
            }
            record.ends.lock().unwrap().all = true;
            record.news.notify_all();
        })
    }
}

/// Something that has to end: has ended, when this is dropped.
pub(crate) struct Open {
    record: Arc<Record>,
    id: u64,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.record.open.lock().unwrap().remove(&self.id);
    }
}
