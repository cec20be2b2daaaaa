//! What happened in a tree: to wait for it, and to compare it with what should have.

use std::fmt::{self, Write};
use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::event::{Event, EventKind, Events};
use crate::supervision::Tree;

/// How long a wait takes before it counts as a hang.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many events are shown when something did not happen.
const LAST: usize = 20;

/// Keeps all that happens in a tree from now on, to wait for it and to tell it.
///
/// It reads when it is asked, so at most 65,536 events may happen in between ([`EventKind::Missed`]).
pub struct Recorder {
    tree: Tree,
    patience: Duration,
    kept: Mutex<Kept>,
}

struct Kept {
    events: Events,
    story: Vec<Event>,
}

impl Recorder {
    /// Records a tree. Made before anything is awaited after `start()`, it misses nothing.
    pub fn of(tree: &Tree) -> Self {
        let (events, story) = (tree.subscribe(), Vec::new());
        Self { tree: tree.clone(), patience: PATIENCE, kept: Mutex::new(Kept { events, story }) }
    }

    /// How long [`seen`](Self::seen) and [`started`](Self::started) wait; ten seconds unless said otherwise. In virtual
    /// time they are virtual too, so a test that waits for an hour's backoff needs more.
    pub fn patience(mut self, limit: Duration) -> Self {
        self.patience = limit;
        self
    }

    /// The first event for which `wanted` holds, recorded already or still to come, of a child that fits the glob
    /// `path`.
    ///
    /// # Panics
    ///
    /// With the last events, if it does not come in time, or the tree ends before.
    pub async fn seen(&self, path: &str, mut wanted: impl FnMut(&Event) -> bool) -> Event {
        let mut to_come = self.tree.subscribe(); // before looking back, so that nothing falls in between
        let past = self.events().into_iter().find(|event| event.path.matches(path) && wanted(event));
        match past {
            Some(event) => event,
            None => match self.within(self.patience, to_come.until(path, wanted)).await {
                Some(event) => event,
                None => panic!("the tree ended before it happened to {path}; {}", self.last_words()),
            },
        }
    }

    /// Waits until the child at `path` is up in this life or a later one.
    ///
    /// # Panics
    ///
    /// As [`seen`](Self::seen) does.
    pub async fn started(&self, path: &str, incarnation: u64) {
        self.seen(path, |event| matches!(event.kind, EventKind::Started) && event.incarnation >= incarnation)
            .await;
    }

    /// Waits for anything.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use latido::{supervision::SupervisorSpec, testing::Recorder};
    /// # #[actix::main]
    /// # async fn main() {
    /// let second = Duration::from_secs(1);
    /// let tree = SupervisorSpec::new("app").start().unwrap();
    /// let recorder = Recorder::of(&tree);
    /// let reason = recorder.within(second, tree.stop(second)).await;
    /// assert_eq!(reason.to_string(), "was stopped");
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// With the last events, if it takes longer than `limit`.
    pub async fn within<T>(&self, limit: Duration, future: impl Future<Output = T>) -> T {
        match tokio::time::timeout(limit, future).await {
            Ok(value) => value,
            Err(_) => panic!("nothing came within {limit:?}; {}", self.last_words()),
        }
    }

    /// All that has happened.
    pub fn events(&self) -> Vec<Event> {
        self.read().story.clone()
    }

    /// All that has happened, an event a line, without times: `app/idle #1 started`.
    pub fn story(&self) -> String {
        lines(&self.read().story, "**").iter().map(|line| format!("{line}\n")).collect()
    }

    fn last_words(&self) -> String {
        let kept = self.read();
        let story = &kept.story[kept.story.len().saturating_sub(LAST)..];
        match lines(story, "**") {
            none if none.is_empty() => "there were no events".to_owned(),
            lines => format!("the last events were\n    {}", lines.join("\n    ")),
        }
    }

    fn read(&self) -> MutexGuard<'_, Kept> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(event) = kept.events.try_next() {
            kept.story.push(event);
        }
        kept
    }
}

fn lines(events: &[Event], path: &str) -> Vec<String> {
    let events = events.iter().filter(|event| event.path.matches(path));
    events.map(|event| format!("{} #{} {}", event.path, event.incarnation, event.kind)).collect()
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("tree", &self.tree).finish_non_exhaustive()
    }
}

/// Asserts that what has happened to the children that fit the glob `path` is exactly this, a line an event as in
/// [`Recorder::story`]. An expected line that ends in `...` fits every line that begins so: for a panic's place, a
/// jittered wait.
///
/// # Panics
///
/// With both stories, line by line, if they differ.
#[track_caller]
pub fn assert_story(recorder: &Recorder, path: &str, expected: &[&str]) {
    let seen = lines(&recorder.read().story, path);
    if let Some(difference) = difference(expected, &seen) {
        panic!("the story of {path} is not as expected:\n{difference}");
    }
}

/// The lines of both, `-` for expected and `+` for seen where they differ, `>` for where that begins.
fn difference(expected: &[&str], seen: &[String]) -> Option<String> {
    let fits = |expected: &str, seen: &str| match expected.strip_suffix("...") {
        Some(beginning) => seen.starts_with(beginning),
        None => seen == expected,
    };
    let (mut text, mut first) = (String::new(), None);
    for n in 0..expected.len().max(seen.len()) {
        match (expected.get(n), seen.get(n)) {
            (Some(expected), Some(seen)) if fits(expected, seen) => drop(writeln!(text, "    {seen}")),
            (expected, seen) => {
                let mark = if *first.get_or_insert(n) == n { '>' } else { ' ' };
                let nothing = "(nothing)";
                let _ = writeln!(text, "{mark} - {}", expected.unwrap_or(&nothing));
                let _ = writeln!(text, "{mark} + {}", seen.map_or(nothing, String::as_str));
            }
        }
    }
    first.map(|_| text)
}
