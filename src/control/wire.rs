//! What the door says, as JSON: the types of [version 1](VERSION) of its interface. Those who show a tree are made of
//! these, wherever they get them from: the door of a running program, or a file that it wrote.
//!
//! Times of day are seconds since 1970 began (UTC), lengths of time are seconds. Fields and kinds may be added; a field is
//! never removed nor given another meaning without a new version.

use serde::{Deserialize, Serialize};

mod incident;
mod of;

pub use incident::{Decision, Incident, Stopped, Told};
pub(crate) use of::seconds_since_1970;

/// The version of the interface: the first part of its paths, `/v1`.
pub const VERSION: u32 = 1;

/// Who it is that answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Instance {
    /// The version of the interface.
    pub api: u32,
    /// What the program calls itself.
    pub program: String,
    /// The version of latido in it.
    pub version: String,
    /// Its process.
    pub pid: u32,
    /// The name of the tree's root.
    pub root: String,
    /// When the door was opened.
    pub since: f64,
    /// Whether actions are allowed.
    pub actions: bool,
    /// If it is no program that runs, but a [`Replay`](super::Replay): the name of the recording's file.
    #[serde(default)]
    pub replay: Option<String>,
}

/// A tree at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tree {
    /// When.
    pub at: f64,
    /// Every event up to this one had happened, see [`Event::seq`].
    pub seq: u64,
    /// Threads that blocked actors were left behind on, and that have not returned.
    pub abandoned_threads: usize,
    /// Parents before children, siblings in starting order.
    pub children: Vec<Child>,
}

/// One child at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Child {
    /// Where it stands.
    pub path: String,
    /// Its actor's type.
    pub kind: String,
    /// What it is doing.
    pub state: State,
    /// Which of its lives it is in, or was in last; 0 before the first.
    pub incarnation: u64,
    /// How its last incarnation ended, if one has.
    pub last_exit: Option<Exit>,
    /// What became of its messages, over all its lives.
    pub messages: Messages,
    /// If it is a supervisor: how, and how much of its restarts is used.
    pub supervisor: Option<Supervisor>,
    /// Its messages wait until it is resumed.
    #[serde(default)]
    pub paused: bool,
    /// It handles what is queued, takes nothing new and then stops.
    #[serde(default)]
    pub draining: bool,
    /// The faults that were put into it and wait to strike, or go on, such as `panic@3`.
    #[serde(default)]
    pub armed: Vec<String>,
    /// The faults that it has besides those that every child has, as they are to be typed: `cut`, `signal:NAME`. What they
    /// do is told by `GET /v1/faults`.
    #[serde(default)]
    pub own_faults: Vec<String>,
}

/// What a child is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)] // as in `supervision::ChildState`
pub enum State {
    Down,
    Starting,
    Running,
    Stopping,
    Waiting,
    Finished,
    /// One that this version does not know.
    #[serde(other)]
    Unknown,
}

/// The messages of a child, counted over all its lives; see [`MessageCounts`](crate::supervision::MessageCounts).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Messages {
    pub received: u64,
    pub handled: u64,
    pub lost: u64,
    pub dropped: u64,
    pub queued: u64,
    pub in_hand: bool,
}

/// How a supervisor supervises.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Supervisor {
    /// `one_for_one`, `one_for_all` or `rest_for_one`.
    pub strategy: String,
    /// How much of its restarts is used.
    pub budget: Budget,
}

/// How much of a supervisor's restarts is used.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Budget {
    /// Restarts within the period.
    pub used: u32,
    /// Restarts allowed within the period.
    pub intensity: u32,
    /// The period.
    pub period: f64,
    /// When the oldest restart is forgotten; 0 if there is none.
    pub frees_in: f64,
}

/// How an incarnation ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    /// One word: `normal`, `shutdown`, `killed`, `panicked`, `failed`, `unresponsive`, `deaf`, `out_of_threads`,
    /// `start_failed` or `gave_up`.
    pub kind: String,
    /// In words.
    pub text: String,
}

/// One thing that happened to one child.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Counts the tree's events from 1.
    pub seq: u64,
    /// When.
    pub at: f64,
    /// To whom.
    pub path: String,
    /// To which of its lives; 0 before the first.
    pub incarnation: u64,
    /// How loud it is: `error`, `warn`, `info`, `debug` or `trace`.
    pub level: String,
    /// In words, whom it happened to included.
    pub text: String,
    /// The incident that it belongs to, by its number, if it belongs to one: more is to be known of that now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<u64>,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

/// What happened; see [`EventKind`](crate::EventKind).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum What {
    Started,
    Exited {
        reason: Exit,
        lived: f64,
        lost: u64,
        message: Option<String>,
        kept: u64,
    },
    Stopped {
        reason: Exit,
        took: f64,
    },
    Restarting {
        delay: f64,
        wait: String,
        failures: u32,
        budget: Budget,
        siblings: Vec<String>,
    },
    GaveUp {
        child: String,
        reason: Exit,
        budget: Budget,
    },
    Injected {
        fault: String,
    },
    Paused,
    Resumed,
    Draining,
    DeadLetter {
        message: Option<String>,
        why: String,
        total: u64,
    },
    Report {
        /// In words, without whom it came from.
        report: String,
        /// For programs; see [`Report::data`](crate::Report::data).
        #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
        data: serde_json::Value,
    },
    Missed {
        events: u64,
    },
    /// One that this version does not know.
    #[serde(other)]
    Unknown,
}

/// One line of a recording, see [`Door::record`](super::Door::record), and all that is needed to show a tree at any moment.
///
/// It is an object with one field, whose name says what it is: `{"event":{"seq":1, ..}}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Entry {
    /// Who wrote it: what each file begins with. Another one than before says that the program was started anew.
    Instance(Instance),
    /// How all children were: at the beginning, then once a second if something has changed; a large tree less often.
    Tree(Tree),
    /// What happened.
    Event(Event),
    /// A failure; again, with the same number, when more is known of it. The last one counts.
    Incident(Box<Incident>),
    /// What the program shows beside its tree, once a second if it has changed.
    Extra(Extra),
}

/// What a program showed beside its tree, see [`Door::extra`](super::Door::extra).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Extra {
    /// Its name.
    pub name: String,
    /// When.
    pub at: f64,
    /// What.
    pub value: serde_json::Value,
}

/// What is asked of [`inject`](super#the-interface).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inject {
    /// A path, or a glob over paths.
    pub path: String,
    /// Such as `panic`, `block:2`, `panic@3` or `drop:5@p=0.1`; see [`Rule`](crate::fault::Rule).
    pub fault: String,
    /// The number of the message that it strikes at, if that is not said behind an `@`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_message: Option<u64>,
}

/// A fault that can be put into children.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultInfo {
    /// What is to be typed: `panic`, `block:SECONDS`.
    pub usage: String,
    /// What it does, in a sentence.
    pub says: String,
    /// The same with an example where something has to be said: `block:3`. It can be put in as it stands. None where nobody
    /// has given one, and from doors that know of none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub example: Option<String>,
}

/// The child that an action is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Its path.
    pub path: String,
}

/// The answer to an action that was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// How many children it was done to.
    pub children: usize,
}

/// The answer to whatever was not done, with a status that says the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Why, and what to do about it.
    pub error: String,
}
