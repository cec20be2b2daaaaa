//! What happens, in a file: for those who want to see it later, or somewhere else.

mod file;
mod read;

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tokio::time::sleep;

use self::file::Bounded;
pub use self::read::{Recorded, recorded};
use super::history::Portion;
use super::routes::House;
use super::wire::{self, Entry};

/// How large the file may become.
const LIMIT: u64 = 32 << 20;
/// From look to look at the events.
const LOOK: Duration = Duration::from_millis(50);
/// From look to look at what changes without an event.
const ROUND: Duration = Duration::from_secs(1);
/// After a failure, as on a full disk.
const AGAIN: Duration = Duration::from_secs(5);
/// Trees may take so many bytes a second: one of a thousand children is written every few seconds.
const TREES: u32 = 64 << 10;

/// Writes what a door can show into a file, on the door's thread.
pub(super) struct Recorder {
    file: Bounded,
    house: Arc<House>,
    /// The last event that is written.
    seq: u64,
    rounds: Instant,
    /// The last tree, and when the next is due.
    tree: Option<wire::Tree>,
    trees: Instant,
    incidents: HashMap<u64, wire::Incident>,
    extras: HashMap<String, serde_json::Value>,
    /// The file could not be written the last time, and when to try again.
    failing: Option<Instant>,
}

impl Recorder {
    /// Begins the file, with who writes it and how its tree is.
    pub(super) fn begin(path: &Path, house: Arc<House>) -> io::Result<Self> {
        Self::bounded(path, LIMIT, house)
    }

    fn bounded(path: &Path, limit: u64, house: Arc<House>) -> io::Result<Self> {
        let explain = |error: io::Error| {
            io::Error::new(error.kind(), format!("{path:?} cannot be recorded to: {error}"))
        };
        let now = Instant::now();
        let mut recorder = Self {
            file: Bounded::create(path, limit).map_err(explain)?,
            house,
            seq: 0,
            rounds: now,
            tree: None,
            trees: now,
            incidents: HashMap::new(),
            extras: HashMap::new(),
            failing: None,
        };
        let head = recorder.head();
        recorder.file.append(&head).map_err(explain)?;
        Ok(recorder)
    }

    /// Writes down what happens, for ever.
    pub(super) async fn keep(&mut self) {
        loop {
            let is_due = self.rounds.elapsed() >= ROUND;
            self.look(is_due);
            sleep(LOOK).await;
        }
    }

    /// Writes down how everything has ended.
    pub(super) fn end(&mut self) {
        self.trees = Instant::now();
        self.look(true);
    }

    fn look(&mut self, all: bool) {
        if self.failing.is_some_and(|until| Instant::now() < until) {
            return;
        }
        let mut text = String::new();
        self.events(&mut text);
        if all {
            self.rounds = Instant::now();
            self.tree(&mut text);
            self.incidents(&mut text);
            self.extras(&mut text);
        }
        if text.is_empty() {
            return;
        }
        let path = self.file.path().to_owned();
        match self.write(&text) {
            Ok(()) if self.failing.take().is_some() => {
                log::warn!("{path:?} is recorded to again; what happened meanwhile is missing there");
            }
            Ok(()) => {}
            Err(error) => {
                if self.failing.replace(Instant::now() + AGAIN).is_none() {
                    log::warn!("{path:?} cannot be recorded to: {error}; what happens now is missing there");
                }
                self.forget();
            }
        }
    }

    fn write(&mut self, text: &str) -> io::Result<()> {
        if self.file.is_full() {
            self.file.rotate()?;
            self.forget();
            let head = self.head();
            self.file.append(&head)?;
        }
        self.file.append(text)
    }

    /// What is written only when it changes has to be written once more.
    fn forget(&mut self) {
        self.tree = None;
        self.incidents.clear();
        self.extras.clear();
    }

    /// The lines that each file begins with.
    fn head(&mut self) -> String {
        let mut text = line(&Entry::Instance(self.house.instance.clone()));
        self.trees = Instant::now();
        self.tree(&mut text);
        text
    }

    fn events(&mut self, text: &mut String) {
        self.house.history.last();
        loop {
            match self.house.history.after(self.seq) {
                Portion::Missed { events, seq } => {
                    let missed = wire::Event::missed(&self.house.instance.root, seq, events);
                    text.push_str(&line(&Entry::Event(missed)));
                    self.seq = seq;
                }
                Portion::Lines(lines) => {
                    let Some(last) = lines.last() else { return };
                    self.seq = last.seq;
                    for event in lines {
                        // As the line of an entry would be: the event is in its words already.
                        text.extend(["{\"event\":", &event.json, "}\n"]);
                    }
                }
            }
        }
    }

    fn tree(&mut self, text: &mut String) {
        let now = Instant::now();
        if now < self.trees {
            return;
        }
        let tree = wire::Tree::of(&self.house.tree, self.house.history.last());
        if self.tree.as_ref().is_some_and(|before| is_same(before, &tree)) {
            return;
        }
        let written = line(&Entry::Tree(tree.clone()));
        let bytes = u32::try_from(written.len()).unwrap_or(u32::MAX);
        self.trees = now + Duration::from_secs(1) * bytes / TREES;
        self.tree = Some(tree);
        text.push_str(&written);
    }

    fn incidents(&mut self, text: &mut String) {
        let incidents = self.house.tree.incidents();
        let oldest = incidents.first().map_or(0, |incident| incident.id);
        self.incidents.retain(|id, _| *id >= oldest);
        for incident in incidents.iter().map(wire::Incident::from) {
            if self.incidents.get(&incident.id) != Some(&incident) {
                text.push_str(&line(&Entry::Incident(incident.clone().into())));
                self.incidents.insert(incident.id, incident);
            }
        }
    }

    fn extras(&mut self, text: &mut String) {
        for (name, value) in &self.house.extras {
            let value = value();
            if self.extras.get(name) != Some(&value) {
                self.extras.insert(name.clone(), value.clone());
                let at = wire::seconds_since_1970(SystemTime::now());
                text.push_str(&line(&Entry::Extra(wire::Extra { name: name.clone(), at, value })));
            }
        }
    }
}

/// Whether nothing has happened between two trees: time alone is nothing.
fn is_same(before: &wire::Tree, now: &wire::Tree) -> bool {
    before.seq == now.seq
        && before.abandoned_threads == now.abandoned_threads
        && before.children.len() == now.children.len()
        && before.children.iter().zip(&now.children).all(|(before, now)| {
            let budgets = |child: &wire::Child| child.supervisor.as_ref().map(|it| it.budget.used);
            (&before.path, before.state, before.incarnation, before.messages, budgets(before))
                == (&now.path, now.state, now.incarnation, now.messages, budgets(now))
        })
}

fn line(entry: &Entry) -> String {
    serde_json::to_string(entry).expect("it has no maps but those of JSON, and no bytes") + "\n"
}

#[cfg(test)]
mod tests;
