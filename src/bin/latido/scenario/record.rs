//! What was seen of a run: the events of the program, by its door, and what was done to it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use latido::control::wire::{Event, Incident, State, Tree, What};
use tokio::sync::watch;

use super::words::{Moment, Pattern};

/// One thing, in the order in which it was heard of.
pub(super) struct Entry {
    /// Seconds since 1970 began.
    pub(super) at: f64,
    /// Which start of the program it belongs to, counted from 1.
    pub(super) life: usize,
    pub(super) seen: Seen,
}

pub(super) enum Seen {
    Event(Box<Event>),
    /// The moment of a step has come, and the step is taken.
    Step {
        number: usize,
        moment: String,
        action: String,
    },
    /// It could not be taken, and why.
    Refused(String),
    Began {
        pid: u32,
    },
    Ended {
        code: i32,
    },
    /// Something the server did.
    Server(String),
}

#[derive(Default)]
pub(super) struct Record {
    pub(super) entries: Vec<Entry>,
    pub(super) life: usize,
    /// The parts that were there when the door was first looked through.
    pub(super) parts: BTreeSet<String>,
    /// When the root was up first; 0 if never.
    up_at: f64,
    /// Whether somebody is asking for incidents.
    is_asking: bool,
    /// By life of the program and number.
    pub(super) incidents: BTreeMap<(usize, u64), Incident>,
}

/// The record while it is written.
#[derive(Clone)]
pub(super) struct Writing {
    record: Rc<RefCell<Record>>,
    grown: watch::Sender<usize>,
}

impl Writing {
    pub(super) fn new() -> Self {
        Self { record: Rc::default(), grown: watch::Sender::new(0) }
    }

    pub(super) fn add(&self, seen: Seen) {
        self.add_at(now(), seen);
    }

    pub(super) fn add_at(&self, at: f64, seen: Seen) {
        let mut record = self.record.borrow_mut();
        let life = record.life;
        if let Seen::Event(event) = &seen
            && !event.path.contains('/')
            && matches!(event.what, What::Started)
        {
            record.is_up_at(at);
        }
        record.entries.push(Entry { at, life, seen });
        self.grown.send_replace(record.entries.len());
    }

    /// The program is started once more.
    pub(super) fn begin(&self, pid: u32) {
        self.record.borrow_mut().life += 1;
        self.add(Seen::Began { pid });
    }

    /// Looks at the tree for the first time.
    pub(super) fn meet(&self, tree: &Tree) {
        let mut record = self.record.borrow_mut();
        record.parts.extend(tree.children.iter().map(|child| child.path.clone()));
        if tree.children.first().is_some_and(|root| root.state == State::Running) {
            record.is_up_at(tree.at);
        }
        self.grown.send_replace(record.entries.len());
    }

    pub(super) fn incidents(&self, incidents: Vec<Incident>) {
        let mut record = self.record.borrow_mut();
        let life = record.life;
        record.incidents.extend(incidents.into_iter().map(|incident| ((life, incident.id), incident)));
    }

    pub(super) fn ask(&self, is_asking: bool) {
        let mut record = self.record.borrow_mut();
        record.is_asking = is_asking;
        self.grown.send_replace(record.entries.len());
    }

    /// Waits until all that failed is up again, or has been given up.
    pub(super) async fn settled(&self) {
        let mut grown = self.grown.subscribe();
        let _ = grown.wait_for(|_| self.look(Record::is_settled)).await;
    }

    pub(super) fn look<T>(&self, look: impl FnOnce(&Record) -> T) -> T {
        look(&self.record.borrow())
    }

    /// All of it, in the order in which it happened. Nobody writes any more.
    pub(super) fn take(&self) -> Record {
        let mut record = self.record.take();
        record.entries.sort_by(|one, other| one.at.total_cmp(&other.at));
        record
    }

    /// Waits for a moment, from the `from`-th entry on; files count from the beginning.
    pub(super) async fn wait(&self, moment: &Moment, from: usize) {
        let mut grown = self.grown.subscribe();
        let has_come = |record: &Record| match moment {
            Moment::Start | Moment::At(_) => record.is_up(),
            Moment::Later(_) => true,
            Moment::Files(count) => record.files_done().len() >= *count,
            Moment::Ended => {
                record.entries.iter().skip(from).any(|entry| matches!(entry.seen, Seen::Ended { .. }))
            }
            Moment::Started(pattern) => record.has(from, pattern, |what| matches!(what, What::Started)),
            Moment::Failed(pattern) => record.has(from, pattern, |what| matches!(what, What::Exited { .. })),
        };
        // The sender is here.
        let _ = grown.wait_for(|_| self.look(has_come)).await;
        match moment {
            Moment::At(time) => {
                let since =
                    Duration::try_from_secs_f64(now() - self.look(|record| record.up_at)).unwrap_or_default();
                tokio::time::sleep(time.0.saturating_sub(since)).await;
            }
            Moment::Later(time) => tokio::time::sleep(time.0).await,
            _ => {}
        }
    }
}

impl Record {
    pub(super) fn events(&self) -> impl Iterator<Item = (&Entry, &Event)> {
        self.entries.iter().filter_map(|entry| match &entry.seen {
            Seen::Event(event) => Some((entry, &**event)),
            _ => None,
        })
    }

    /// From the first start of the program to its last end, in seconds.
    pub(super) fn took(&self) -> f64 {
        let (first, last) = (self.entries.first(), self.entries.last());
        first.zip(last).map_or(0.0, |(first, last)| last.at - first.at)
    }

    /// Whether anything was seen through its door.
    pub(super) fn is_seen(&self) -> bool {
        !self.parts.is_empty()
    }

    fn is_up(&self) -> bool {
        self.up_at > 0.0
    }

    fn is_up_at(&mut self, at: f64) {
        if !self.is_up() {
            self.up_at = at;
        }
    }

    fn is_settled(&self) -> bool {
        let mut down = BTreeSet::new();
        for (entry, event) in self.events().filter(|(entry, _)| entry.life == self.life) {
            match event.what {
                What::Exited { .. } => drop(down.insert((entry.life, &*event.path))),
                What::Started | What::Stopped { .. } => drop(down.remove(&(entry.life, &*event.path))),
                What::GaveUp { .. } => return true,
                _ => {}
            }
        }
        down.is_empty() && !self.is_asking
    }

    fn has(&self, from: usize, pattern: &Pattern, is_it: impl Fn(&What) -> bool) -> bool {
        self.entries.iter().skip(from).any(|entry| match &entry.seen {
            Seen::Event(event) => pattern.fits(&event.path) && is_it(&event.what),
            _ => false,
        })
    }

    /// How often each file was done, by its path.
    pub(super) fn files_done(&self) -> BTreeMap<&str, usize> {
        let mut done = BTreeMap::new();
        for (_, event) in self.events() {
            if let What::Report { data, .. } = &event.what
                && data["event"] == "done"
                && let Some(path) = data["path"].as_str()
            {
                *done.entry(path).or_default() += 1;
            }
        }
        done
    }

    /// Tries that failed and were followed by another.
    pub(super) fn failed_tries(&self) -> usize {
        let is_retry =
            |event: &Event| matches!(&event.what, What::Report { data, .. } if data["event"] == "retry");
        self.events().filter(|(_, event)| is_retry(event)).count()
    }

    /// Whether the program was killed, or is to be taken as having told less than it did.
    pub(super) fn was_killed(&self) -> bool {
        self.entries.iter().any(|entry| matches!(entry.seen, Seen::Ended { code } if code == -9))
    }
}

pub(super) fn now() -> f64 {
    seconds(SystemTime::now())
}

pub(super) fn seconds(at: SystemTime) -> f64 {
    at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}
