//! For the tests of a supervised system: wait for what happens, tell it as a story, and look at what is left. No sleeps.
//!
//! ```
//! use std::time::Duration;
//!
//! use actix::prelude::*;
//! use latido::prelude::*;
//! use latido::testing::{Recorder, assert_all_down, assert_conserved, assert_story, quiet_panics};
//!
//! struct Idle;
//! impl Actor for Idle {
//!     type Context = Context<Self>;
//! }
//!
//! # #[actix::main]
//! # async fn main() {
//! quiet_panics();
//! let tree = SupervisorSpec::new("app").child(ChildSpec::new("idle", || Idle)).start().unwrap();
//! let recorder = Recorder::of(&tree);
//! recorder.started("app", 1).await;
//! tree.inject("app/idle", Fault::Fail).unwrap();
//! recorder.started("app/idle", 2).await;
//! tree.stop(Duration::from_secs(1)).await;
//!
//! assert_story(&recorder, "app/idle", &[
//!     "app/idle #1 started",
//!     "app/idle #1 gets a fault on purpose: fail",
//!     "app/idle #1 failed: injected fault",
//!     "app/idle #1 restarts at once ...", // whatever follows
//!     "app/idle #2 started",
//!     "app/idle #2 stopped",
//! ]);
//! assert_conserved(&tree);
//! assert_all_down(&tree).await;
//! # }
//! ```

use std::fmt::{self, Write};
use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::event::{Event, EventKind, Events};
pub use crate::panic::quiet_panics;
use crate::supervision::{ChildState, Snapshot, Tree};

/// How long a wait takes before it counts as a hang.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a thread that was told to end may take, however busy the machine is.
const THREAD_END: Duration = Duration::from_secs(2);

/// How many events are shown when something did not happen.
const LAST: usize = 20;

// ===== what happened =====

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
        Self {
            tree: tree.clone(),
            patience: PATIENCE,
            kept: Mutex::new(Kept { events, story }),
        }
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
        let past = self
            .events()
            .into_iter()
            .find(|event| event.path.matches(path) && wanted(event));
        match past {
            Some(event) => event,
            None => match self.within(self.patience, to_come.until(path, wanted)).await {
                Some(event) => event,
                None => panic!(
                    "the tree ended before it happened to {path}; {}",
                    self.last_words()
                ),
            },
        }
    }

    /// Waits until the child at `path` is up in this life or a later one.
    ///
    /// # Panics
    ///
    /// As [`seen`](Self::seen) does.
    pub async fn started(&self, path: &str, incarnation: u64) {
        self.seen(path, |event| {
            matches!(event.kind, EventKind::Started) && event.incarnation >= incarnation
        })
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
        lines(&self.read().story, "**")
            .iter()
            .map(|line| format!("{line}\n"))
            .collect()
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
    events
        .map(|event| format!("{} #{} {}", event.path, event.incarnation, event.kind))
        .collect()
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder")
            .field("tree", &self.tree)
            .finish_non_exhaustive()
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

// ===== what is left =====

/// Asserts that no message is unaccounted for: for each child, received = handled + lost + dropped + queued, and one
/// more that is in hand ([`MessageCounts`](crate::supervision::MessageCounts)). Holds at any moment; after the tree's
/// end its last counts are compared.
///
/// # Panics
///
/// With the child and the numbers, where it does not hold.
#[track_caller]
pub fn assert_conserved(tree: &Tree) {
    let wrong = not_conserved(&tree.snapshot());
    assert!(
        wrong.is_empty(),
        "messages do not add up:\n    {}",
        wrong.join("\n    ")
    );
}

fn not_conserved(snapshot: &Snapshot) -> Vec<String> {
    let wrong = snapshot.children.iter().filter_map(|child| {
        let counts = child.messages;
        let (handled, lost, dropped, queued) = (counts.handled, counts.lost, counts.dropped, counts.queued);
        let in_hand = u64::from(counts.in_hand);
        let sum = handled + lost + dropped + queued + in_hand;
        (counts.received != sum).then(|| {
            format!(
                "{}: {} received, but {handled} handled + {lost} lost + {dropped} dropped + {queued} queued + \
                 {in_hand} in hand = {sum}",
                child.path, counts.received
            )
        })
    });
    wrong.collect()
}

/// Asserts that the tree has ended and left nothing behind: no child is up, no incarnation of any of them hangs
/// somewhere, and the threads of their own have ended, for which it waits a little. The threads of an
/// [`Arbiters`](crate::supervision::Arbiters) set are the set's.
///
/// # Panics
///
/// With what is left.
pub async fn assert_all_down(tree: &Tree) {
    let snapshot = tree.snapshot();
    let is_up = |state| {
        matches!(
            state,
            ChildState::Starting | ChildState::Running | ChildState::Stopping
        )
    };
    let up = snapshot.children.iter().filter(|child| is_up(child.state));
    let up: Vec<String> = up
        .map(|child| format!("{} #{}", child.path, child.incarnation))
        .collect();
    assert!(up.is_empty(), "still up: {}; stop the tree first", up.join(", "));
    assert!(
        tree.has_ended(),
        "the tree has not ended, although nothing of it is up: join it first"
    );
    // No timer: in virtual time it would be over before the other threads have had any.
    let since = Instant::now();
    loop {
        let left = tree.left_behind();
        if left.is_empty() {
            return;
        }
        assert!(since.elapsed() < THREAD_END, "left behind: {}", left.join(", "));
        tokio::task::yield_now().await;
    }
}

// ===== time =====

/// Runs a test on a system whose clock stands still while there is something to do, and jumps to the next timer when
/// there is not: an hour's backoff takes no time, and exactly an hour.
///
/// Only what runs on the system's own arbiter lives in this time. A child on a thread of its own, or on a shared set,
/// has the real clock; and the test's clock does not wait for it but jumps on.
///
/// ```
/// # use std::time::Duration;
/// # use actix::prelude::*;
/// # use latido::prelude::*;
/// # use latido::testing::{Recorder, in_virtual_time};
/// # struct Idle;
/// # impl Actor for Idle { type Context = Context<Self>; }
/// const HOUR: Duration = Duration::from_secs(3600);
///
/// in_virtual_time(async {
///     let idle = ChildSpec::new("idle", || Idle).backoff(Backoff::exponential(HOUR, HOUR));
///     let tree = SupervisorSpec::new("app").child(idle).start().unwrap();
///     let recorder = Recorder::of(&tree).patience(2 * HOUR);
///     recorder.started("app", 1).await;
///     let failed = tokio::time::Instant::now();
///     tree.inject("app/idle", Fault::Fail).unwrap();
///     recorder.started("app/idle", 2).await;
///     assert_eq!(failed.elapsed(), HOUR);
///     tree.stop(HOUR).await;
/// });
/// ```
#[cfg(feature = "testing")]
pub fn in_virtual_time<T>(test: impl Future<Output = T>) -> T {
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder
            .enable_all()
            .start_paused(true)
            .build()
            .expect("a runtime")
    };
    actix_rt::System::with_tokio_rt(runtime).block_on(test)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::supervision::SupervisorSpec;

    #[test]
    fn counts_that_do_not_add_up_are_told_with_the_child_and_the_numbers() {
        actix_rt::System::new().block_on(async {
            let inner = SupervisorSpec::new("inner");
            let tree = SupervisorSpec::new("app").child(inner).start().unwrap();
            let mut snapshot = tree.snapshot();
            assert!(not_conserved(&snapshot).is_empty());
            // No tree does this; if one did, this is what would be said.
            snapshot.children[1].messages.received += 3;
            snapshot.children[1].messages.lost += 1;
            snapshot.children[1].messages.in_hand = true;
            assert_eq!(
                not_conserved(&snapshot),
                ["app/inner: 3 received, but 0 handled + 1 lost + 0 dropped + 0 queued + 1 in hand = 2"]
            );
            tree.stop(PATIENCE).await;
        });
    }
}
