//! A scenario as it is written: what there is to do, what is done to it, and what must be true all the same.

use serde::Deserialize;
use toml::Spanned;

use super::words::{Ending, Inject, Moment, Pattern, Rate, Sizes, Target, Time};
use crate::demo::origin::Mishap;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) title: String,
    pub(super) work: Option<Work>,
    pub(super) program: Option<Spanned<Own>>,
    #[serde(default, rename = "step")]
    pub(super) steps: Vec<Spanned<Step>>,
    pub(super) expect: Spanned<Expect>,
}

/// What a tree of `latido fetch` has to do.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Work {
    pub(super) files: Spanned<usize>,
    pub(super) size: Sizes,
    pub(super) downloaders: Spanned<u16>,
    pub(super) exec: Option<String>,
    pub(super) seed: u64,
    /// What one response may carry.
    pub(super) rate: Rate,
    /// Further options of `latido fetch`.
    pub(super) options: Vec<String>,
    /// The program is killed if it takes longer.
    pub(super) limit: Time,
}

/// A program of the user's own, with a door.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Own {
    pub(super) command: Spanned<String>,
    #[serde(default)]
    pub(super) ends: Ends,
    #[serde(default = "seven")]
    pub(super) seed: u64,
    /// The program is killed if it takes longer.
    #[serde(default = "two_minutes")]
    pub(super) limit: Time,
}

/// How a program of one's own ends, if no step ends it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) enum Ends {
    /// It is sent SIGINT when all that failed is up again.
    #[default]
    #[serde(rename = "interrupted")]
    Interrupted,
    #[serde(rename = "by itself")]
    ByItself,
}

fn seven() -> u64 {
    7
}

fn two_minutes() -> Time {
    Time(std::time::Duration::from_secs(120))
}

impl Default for Work {
    fn default() -> Self {
        Self {
            files: Spanned::new(0..0, 40),
            size: Sizes((64 << 10)..=(256 << 10)),
            downloaders: Spanned::new(0..0, 4),
            exec: None,
            seed: seven(),
            rate: Rate(1 << 20),
            options: Vec::new(),
            limit: two_minutes(),
        }
    }
}

/// One thing that is done, and when.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    #[serde(default = "at_once")]
    pub(super) when: Spanned<Moment>,
    pub(super) inject: Option<Spanned<Inject>>,
    pub(super) pause: Option<Spanned<Target>>,
    pub(super) resume: Option<Spanned<Target>>,
    pub(super) restart: Option<Spanned<Target>>,
    pub(super) stop: Option<Spanned<Target>>,
    pub(super) drain: Option<Spanned<Target>>,
    pub(super) server: Option<Mishaps>,
    pub(super) program: Option<Whole>,
}

/// Without a `when`: with the step before, and the first when the tree is up.
fn at_once() -> Spanned<Moment> {
    Spanned::new(0..0, Moment::Start)
}

impl Step {
    pub(super) const ACTIONS: &str = "inject, pause, resume, restart, stop, drain, server or program";
}

/// What is done to the program as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(super) enum Whole {
    #[serde(rename = "kill -9")]
    Kill,
    #[serde(rename = "interrupt")]
    Interrupt,
    #[serde(rename = "start")]
    Start,
}

/// `corrupt 3`: what the server does to so many of its next answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Mishaps {
    pub(super) mishap: Mishap,
    pub(super) count: usize,
}

impl TryFrom<String> for Mishaps {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let read = || {
            let (mishap, count) = text.split_once(' ')?;
            let count = count.parse().ok().filter(|count| (1..=1000).contains(count))?;
            Some(Self { mishap: Mishap::by_name(mishap)?, count })
        };
        read().ok_or_else(|| {
            let names = Mishap::ALL.map(Mishap::name).join(", ");
            format!(
                "`{text}` is nothing a server does; write one of {names}, and how many answers: `corrupt 3`"
            )
        })
    }
}

/// What must be true. What is not written is not looked at.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expect {
    pub(super) jobs: Option<Jobs>,
    /// Beside each file there is one whose name is longer by this.
    pub(super) beside: Option<String>,
    pub(super) restarted: Option<Spanned<Vec<Pattern>>>,
    pub(super) untouched: Option<Spanned<Vec<Pattern>>>,
    pub(super) ended: Option<Spanned<Vec<Ending>>>,
    pub(super) recovered_within: Option<Time>,
    pub(super) budget_used_at_most: Option<u32>,
    pub(super) gives_up: Option<Spanned<Vec<Pattern>>>,
    pub(super) incidents: Option<Incidents>,
    pub(super) tries_failed_at_least: Option<usize>,
    pub(super) dead_letters: Option<u64>,
    pub(super) exit: Option<i32>,
    pub(super) survivors: Option<usize>,
    pub(super) over_within: Option<Time>,
}

impl Expect {
    /// The first of what can be measured of a fetch only.
    pub(super) fn of_a_fetch(&self) -> Option<&'static str> {
        let asked = [
            ("jobs", self.jobs.is_some()),
            ("beside", self.beside.is_some()),
            ("tries_failed_at_least", self.tries_failed_at_least.is_some()),
        ];
        asked.into_iter().find_map(|(name, is_asked)| is_asked.then_some(name))
    }

    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(super) enum Jobs {
    /// Each file is right on disk, done in the journal, and was done by the events.
    #[serde(rename = "all done")]
    All,
    /// The same, and by the events no more than once.
    #[serde(rename = "all done once")]
    AllOnce,
    /// What is done is right on disk, and the journal has all the rest.
    #[serde(rename = "none lost")]
    NoneLost,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(super) enum Incidents {
    #[serde(rename = "tell of each fault")]
    TellOfEachFault,
}
