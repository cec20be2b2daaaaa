//! A story as it is sent.

use serde::{Deserialize, Serialize};

use super::{Budget, Exit};

/// One failure, or fault that ended nobody, as a story; see [`Incident`](crate::Incident).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Incident {
    pub id: u64,
    pub at: f64,
    pub path: String,
    pub incarnation: u64,
    /// None if a fault struck it and it goes on.
    pub reason: Option<Exit>,
    pub lived: f64,
    pub injected: Option<String>,
    #[serde(default)]
    pub healed: Option<f64>,
    pub lost: u64,
    pub message: Option<String>,
    pub kept: u64,
    pub decision: Decision,
    pub stopped: Vec<Stopped>,
    #[serde(default)]
    pub moved: Vec<String>,
    pub down: Option<f64>,
    pub answered: Option<f64>,
    pub again: Option<u64>,
    #[serde(default)]
    pub before: Option<u64>,
    /// What came of it elsewhere: the first few things that were told.
    #[serde(default)]
    pub consequences: Vec<Told>,
    /// How many more were told.
    #[serde(default)]
    pub untold: u64,
    /// All of it in a few lines.
    pub story: String,
}

impl Incident {
    /// Whether it has to do with the child at `path`: that failed, or had to go with one that did.
    pub fn befell(&self, path: &str) -> bool {
        self.path == path
            || self.stopped.iter().any(|stopped| stopped.path == path)
            || self.moved.iter().any(|moved| moved == path)
    }
}

/// What a supervisor decided about a failure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Decision {
    NotAsked,
    StaysDown,
    Restart {
        delay: f64,
        /// The arithmetic of the delay.
        wait: String,
        budget: Budget,
        siblings: Vec<String>,
    },
    GiveUp {
        budget: Budget,
    },
    RollBack,
    OutOfThreads,
    /// One that this version does not know.
    #[serde(other)]
    Unknown,
}

/// Who was stopped with a child that failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stopped {
    /// Who.
    pub path: String,
    /// How long that took.
    pub took: f64,
}

/// Something that came of an incident, as somebody else told it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Told {
    /// How long after it.
    pub after: f64,
    /// Who told it.
    pub path: String,
    /// Of which matter, such as a file.
    pub matter: String,
    /// What.
    pub text: String,
    /// Nothing more will come of it in this matter.
    pub settled: bool,
}
