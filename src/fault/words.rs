//! The faults' names: as data, read and written.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::{Fault, FaultError};

/// More would be memory, and no more of a flood.
const LARGEST: u64 = 1_000_000;

/// A fault's name and what it does, for those who choose one. As text it is what is to be typed: `block:SECONDS`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FaultInfo {
    /// The word.
    pub name: &'static str,
    /// What stands behind a colon, if anything.
    pub argument: Option<&'static str>,
    /// What may stand there, for those who only want to see what happens: `3` for seconds.
    pub example: Option<&'static str>,
    /// What it does, in a sentence.
    pub says: &'static str,
}

macro_rules! info {
    ($name:literal, $argument:expr, $says:literal) => {
        FaultInfo { name: $name, argument: $argument, example: example($argument), says: $says }
    };
}

/// Of the words that several faults have.
const fn example(argument: Option<&'static str>) -> Option<&'static str> {
    match argument {
        Some(argument) => match argument.as_bytes() {
            b"SECONDS" | b"N" => Some("3"),
            _ => None,
        },
        None => None,
    }
}

const ALL: &[FaultInfo] = &[
    info!("panic", None, "it panics"),
    info!("fail", None, "it ends with an error"),
    info!("stop", None, "it stops itself"),
    info!("block", Some("SECONDS"), "it blocks its thread for so long; a watchdog finds that"),
    info!("hang", None, "it waits for ever; a message limit finds that"),
    info!("slow", Some("SECONDS"), "each message takes it so much longer, until it is healed"),
    info!("delay", Some("SECONDS"), "each message reaches it so much later, until it is healed"),
    info!("drop", Some("N"), "so many messages are dropped before it sees them"),
    info!("fail-starts", Some("N"), "so many of its next starts fail"),
    info!("flood", Some("N"), "so many empty messages are put into its mailbox"),
    info!("heal", None, "what was put into it and is not over is taken back"),
];

impl Fault {
    /// Those that every child has, by their names. (A supervisor has no `hang`, `slow`, `delay`, `drop` and `flood`: its
    /// messages are the news of its children.)
    pub fn all() -> &'static [FaultInfo] {
        ALL
    }
}

impl FaultInfo {
    /// `usage` is the name, and behind a colon a word for the argument; behind that may stand an example: `leak:BYTES=512`.
    pub(crate) fn new(usage: &'static str, says: &'static str) -> Self {
        let (name, argument) = match usage.split_once(':') {
            Some((name, argument)) => (name, Some(argument)),
            None => (usage, None),
        };
        let Some((argument, given)) = argument.and_then(|argument| argument.split_once('=')) else {
            let one_of = argument.and_then(|argument| argument.split_once('|')).map(|(first, _)| first);
            return Self { name, argument, example: one_of.or(example(argument)), says };
        };
        Self { name, argument: Some(argument), example: Some(given), says }
    }

    /// The fault as it can be put in, with the example where it has an argument: `block:3`. `None` if nobody has given one.
    ///
    /// ```
    /// use latido::fault::Fault;
    ///
    /// let as_they_stand: Vec<_> = Fault::all().iter().filter_map(|fault| fault.as_it_stands()).collect();
    /// assert_eq!(as_they_stand[..4], ["panic", "fail", "stop", "block:3"]);
    /// ```
    pub fn as_it_stands(&self) -> Option<String> {
        match (self.argument, self.example) {
            (None, _) => Some(self.name.to_owned()),
            (Some(_), Some(example)) => Some(format!("{}:{example}", self.name)),
            (Some(_), None) => None,
        }
    }
}

impl fmt::Display for FaultInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.argument {
            Some(argument) => write!(f, "{}:{argument}", self.name),
            None => f.write_str(self.name),
        }
    }
}

/// Their names, for people.
pub(crate) fn listed<'a>(faults: impl IntoIterator<Item = &'a FaultInfo>) -> String {
    let names: Vec<_> = faults.into_iter().map(ToString::to_string).collect();
    names.join(", ")
}

pub(crate) fn is_name(name: &str) -> bool {
    let is_right = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    name.starts_with(|first: char| first.is_ascii_lowercase()) && name.bytes().all(is_right)
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let (name, argument) = match text.split_once(':') {
            Some((name, argument)) => (name, Some(argument)),
            None => (text, None),
        };
        if !is_name(name) {
            return Err(FaultError::fault(text));
        }
        let Some(known) = ALL.iter().find(|known| known.name == name) else {
            return Ok(Self::Own { name: name.to_owned(), argument: argument.map(ToOwned::to_owned) });
        };
        let wrong = || FaultError::argument(text, known);
        if argument.is_some() != known.argument.is_some() {
            return Err(wrong());
        }
        let argument = argument.unwrap_or_default();
        let time = || seconds(argument).ok_or_else(wrong);
        let count = || match argument.parse() {
            Ok(n @ 1..=LARGEST) => Ok(n),
            _ => Err(wrong()),
        };
        Ok(match name {
            "panic" => Self::Panic,
            "fail" => Self::Fail,
            "stop" => Self::Stop,
            "block" => Self::Block(time()?),
            "hang" => Self::Hang,
            "slow" => Self::Slow(time()?),
            "delay" => Self::Delay(time()?),
            "drop" => Self::Drop(count()?),
            "fail-starts" => Self::FailStarts(count()?),
            "flood" => Self::Flood(count()?),
            _ => Self::Heal,
        })
    }
}

pub(super) fn seconds(text: &str) -> Option<Duration> {
    text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Panic => f.write_str("panic"),
            Self::Fail => f.write_str("fail"),
            Self::Stop => f.write_str("stop"),
            Self::Hang => f.write_str("hang"),
            Self::Heal => f.write_str("heal"),
            Self::Block(time) => write!(f, "block:{}", time.as_secs_f64()),
            Self::Slow(time) => write!(f, "slow:{}", time.as_secs_f64()),
            Self::Delay(time) => write!(f, "delay:{}", time.as_secs_f64()),
            Self::Drop(count) => write!(f, "drop:{count}"),
            Self::FailStarts(count) => write!(f, "fail-starts:{count}"),
            Self::Flood(count) => write!(f, "flood:{count}"),
            Self::Own { name, argument: None } => f.write_str(name),
            Self::Own { name, argument: Some(argument) } => write!(f, "{name}:{argument}"),
        }
    }
}
