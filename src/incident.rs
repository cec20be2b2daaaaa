//! What failed, what was decided about it, and what came of that: the events of one failure, put together into a story.

mod book;
mod bystanders;
mod story;

use std::time::{Duration, SystemTime};

pub(crate) use self::book::{Book, Open};
use crate::event::{Budget, Wait};
use crate::exit::ExitReason;
use crate::fault::Fault;
use crate::path::TreePath;

/// One failure of one child, from its end to its return; or a fault that was put into it on purpose and has ended nobody. As
/// text it is a story of a few lines:
///
/// ```text
/// incident 17: app/fetch #3 panicked: no such table at src/fetch.rs:20:9
///   it had run for 1.2s
///   it was put there on purpose: panic
///   lost 1 message that was being handled (Order); 12 that were waiting are kept
///   decision: restart 3 of 5 in 10s; wait 420ms = min(5s, 100ms x 2^2 x 1.05)
///   the oldest of these restarts was to be forgotten 4.2s later
///   stopped with it: app/writer (3ms), app/sorter (12ms)
///   up again as #4, 431ms after it failed; its first message was handled after 432ms
///   what came of it:
///     85.1µs later, app/desk: order 17 is lost, and placed again
///     440ms later, app/desk: order 17 is placed
/// ```
///
/// With `RUST_BACKTRACE=1` a panic's way through the actor's code is told too.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Incident {
    /// The number of the event with which it began, see [`Event::seq`](crate::Event::seq).
    pub id: u64,
    /// When that life ended, by the wall clock; if it did not, when the fault struck.
    pub at: SystemTime,
    /// Who failed.
    pub path: TreePath,
    /// In which of its lives.
    pub incarnation: u64,
    /// How that ended. `None` if a fault struck it and it goes on.
    pub reason: Option<ExitReason>,
    /// How long it had run when it ended.
    pub lived: Duration,
    /// What was put into it on purpose, if that is what ended it or is all that happened.
    pub injected: Option<Fault>,
    /// After how long it was [healed](Fault::Heal), if it was.
    pub healed: Option<Duration>,
    /// Messages that were being handled.
    pub lost: u64,
    /// The type of the message that was being handled, if it came through an
    /// [`ActorRef`](crate::supervision::ActorRef): what is sent to a plain address does not tell.
    pub message: Option<&'static str>,
    /// Messages that were waiting, and are kept.
    pub kept: u64,
    /// What the supervisor decided.
    pub decision: Decision,
    /// Who was stopped with it, in this order, and how long each took.
    pub stopped: Vec<(TreePath, Duration)>,
    /// Who lived on the thread that it blocks, and goes on elsewhere in its next life.
    pub moved: Vec<TreePath>,
    /// How long it was down. `None` while it is.
    pub down: Option<Duration>,
    /// How long it took until a message was handled again. `None` until one is.
    pub answered: Option<Duration>,
    /// The next incident of the same child, if it failed again before it was up.
    pub again: Option<u64>,
    /// The incident in which the same fault ended an earlier life: one that goes on strikes every life.
    pub before: Option<u64>,
    /// What came of it elsewhere, as those tell it who had to do with it: see [`Report::consequence`](crate::Report::consequence).
    /// No more than the first few.
    pub consequences: Vec<Told>,
    /// How many more of those there were.
    pub untold: u64,
}

/// Something that came of an incident, as somebody else told it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Told {
    /// How long after it.
    pub after: Duration,
    /// Who told it.
    pub path: TreePath,
    /// Of which matter: those of the same belong together.
    pub matter: String,
    /// What.
    pub text: String,
    /// Nothing more will come of it in this matter.
    pub is_settled: bool,
}

/// What somebody has to do with an incident of somebody else; see [`Report::consequence`](crate::Report::consequence).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consequence {
    /// What it came of.
    pub of: Trouble,
    /// What it is about, such as the name of a file. What is told of a matter later belongs to the same incident, until it
    /// is settled.
    pub matter: String,
    /// Whether nothing more will come of it in this matter: the work is done after all, or given up.
    pub is_settled: bool,
}

/// What something came of; [`AskError::trouble`](crate::supervision::AskError::trouble) gives one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trouble {
    /// An incident, by its number.
    Incident(u64),
    /// The end of a life, whatever that came of.
    Life {
        /// Of this child.
        path: TreePath,
        /// Which of its lives.
        incarnation: u64,
    },
    /// Something that a child did wrong and went on. If a fault has struck it that ended nobody, it came of that.
    Child(TreePath),
}

/// What a supervisor decides about a failure.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Decision {
    /// There is nothing to decide: nobody has ended.
    NotAsked,
    /// It stays down: that is its restart type, or its supervisor is stopping.
    StaysDown,
    /// It is started again.
    Restart {
        /// The wait before it.
        delay: Duration,
        /// How that was found.
        wait: Wait,
        /// The supervisor's restarts, this one included.
        budget: Budget,
        /// Who restarts with it.
        siblings: Vec<TreePath>,
    },
    /// The supervisor is out of restarts, and fails in its turn.
    GiveUp(Budget),
    /// It was its supervisor's first start: those started before it are stopped, and the supervisor fails.
    RollBack,
    /// The tree has left too many blocked threads behind, and the supervisor fails.
    OutOfThreads,
}
