//! What stands in a scenario beside plain numbers: times, sizes, moments, paths and the word of an action.

use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use latido::TreePath;
use latido::fault::Injection;
use serde::Deserialize;

/// `1.5 s`, `500 ms`, `2 min`.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Time(pub(super) Duration);

impl TryFrom<String> for Time {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (number, unit) = split(&text);
        let factor = match unit {
            "ms" => 0.001,
            "s" => 1.0,
            "min" => 60.0,
            _ => f64::NAN,
        };
        let seconds = number.parse::<f64>().map(|number| number * factor);
        let time = seconds.ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        time.map(Self)
            .ok_or_else(|| format!("`{text}` is no time; write for example `500 ms`, `1.5 s` or `2 min`"))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            time if time < Duration::from_secs(1) => write!(f, "{:.0} ms", time.as_secs_f64() * 1000.0),
            time => write!(f, "{:.1} s", time.as_secs_f64()),
        }
    }
}

/// `64 KiB`, or between two: `64 KiB..1 MiB`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Sizes(pub(super) RangeInclusive<u64>);

impl TryFrom<String> for Sizes {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (from, to) = text.split_once("..").unwrap_or((&text, &text));
        match (bytes(from), bytes(to)) {
            (Some(from), Some(to)) if from <= to => Ok(Self(from..=to)),
            _ => Err(format!(
                "`{text}` is no size; write for example `64 KiB`, or `64 KiB..1 MiB` for any between"
            )),
        }
    }
}

/// `2 MiB/s`.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Rate(pub(super) u64);

impl TryFrom<String> for Rate {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let rate = text.strip_suffix("/s").and_then(bytes).filter(|rate| *rate > 0);
        rate.map(Self)
            .ok_or_else(|| format!("`{text}` is no rate; write for example `500 KiB/s` or `2 MiB/s`"))
    }
}

fn bytes(text: &str) -> Option<u64> {
    const LARGEST: u64 = 1 << 30;
    let (number, unit) = split(text.trim());
    let shift = match unit {
        "B" => 0,
        "KiB" => 10,
        "MiB" => 20,
        "GiB" => 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(1 << shift).filter(|bytes| *bytes <= LARGEST)
}

/// A number and its unit.
fn split(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    (&text[..end], text[end..].trim())
}

/// When a step is taken. Steps are taken in order; each waits for its moment from the one before it on.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "String")]
pub(super) enum Moment {
    /// The tree is up.
    Start,
    /// So long after the tree was up first.
    At(Time),
    /// So long after the step before.
    Later(Time),
    /// So many files are done.
    Files(usize),
    /// A part starts.
    Started(Pattern),
    /// A part fails.
    Failed(Pattern),
    /// The program has ended.
    Ended,
}

impl Moment {
    const WORDS: &str = "write `start`, `at 1.5 s`, `0.5 s later`, `10 files done`, `PATH started`, `PATH failed` or `the program ended`";

    /// With the step before.
    pub(super) fn at_once() -> Self {
        Self::Later(Time(Duration::ZERO))
    }
}

impl TryFrom<String> for Moment {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no moment; {}", Self::WORDS);
        match &*text {
            "start" => return Ok(Self::Start),
            "the program ended" => return Ok(Self::Ended),
            _ => {}
        }
        if let Some(time) = text.strip_prefix("at ") {
            return Ok(Self::At(time.to_owned().try_into()?));
        }
        if let Some(time) = text.strip_suffix(" later") {
            return Ok(Self::Later(time.to_owned().try_into()?));
        }
        if let Some(count) = text.strip_suffix(" files done").or_else(|| text.strip_suffix(" file done")) {
            return count.parse().ok().filter(|count| *count > 0).map(Self::Files).ok_or_else(wrong);
        }
        match text.rsplit_once(' ') {
            Some((path, "started")) => Ok(Self::Started(path.to_owned().try_into()?)),
            Some((path, "failed")) => Ok(Self::Failed(path.to_owned().try_into()?)),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start => f.write_str("the tree is up"),
            Self::At(time) => write!(f, "at {time}"),
            Self::Later(time) => write!(f, "{time} later"),
            Self::Files(1) => f.write_str("1 file is done"),
            Self::Files(count) => write!(f, "{count} files are done"),
            Self::Started(pattern) => write!(f, "{pattern} has started"),
            Self::Failed(pattern) => write!(f, "{pattern} has failed"),
            Self::Ended => f.write_str("the program has ended"),
        }
    }
}

/// A path of the tree, or a glob over paths.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Pattern(pub(super) String);

impl TryFrom<String> for Pattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.is_empty() || text.contains(char::is_whitespace) {
            true => {
                Err(format!("`{text}` is no path; write for example `latido/cpu` or `latido/downloaders/*`"))
            }
            false => Ok(Self(text)),
        }
    }
}

impl Pattern {
    pub(super) fn fits(&self, path: &str) -> bool {
        TreePath::root(path).matches(&self.0)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whom an action is for: all that fit, or `one of` them, which the seed chooses.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Target {
    pub(super) pattern: Pattern,
    pub(super) is_one: bool,
}

impl Target {
    pub(super) fn single(path: String) -> Self {
        Self { pattern: Pattern(path), is_one: false }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.is_one { "one of " } else { "" }, self.pattern)
    }
}

impl TryFrom<String> for Target {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let one = text.strip_prefix("one of ");
        let pattern = one.unwrap_or(&text).to_owned().try_into()?;
        Ok(Self { pattern, is_one: one.is_some() })
    }
}

/// `latido/cpu panic@1`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Inject {
    pub(super) target: Target,
    pub(super) injection: Injection,
}

impl TryFrom<String> for Inject {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (target, fault) = text.rsplit_once(' ').ok_or_else(|| {
            format!("`{text}` is no path and a fault; write for example `latido/cpu panic`")
        })?;
        let injection = fault.parse::<Injection>().map_err(|error| error.to_string())?;
        Ok(Self { target: target.to_owned().try_into()?, injection })
    }
}

/// `latido/cpu panicked`: a part, and how it ended.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Ending {
    pub(super) pattern: Pattern,
    pub(super) kind: String,
}

const ENDINGS: [&str; 10] = [
    "normal",
    "shutdown",
    "killed",
    "panicked",
    "failed",
    "unresponsive",
    "deaf",
    "out_of_threads",
    "start_failed",
    "gave_up",
];

impl TryFrom<String> for Ending {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.rsplit_once(' ') {
            Some((path, kind)) if ENDINGS.contains(&kind) => {
                Ok(Self { pattern: path.to_owned().try_into()?, kind: kind.to_owned() })
            }
            _ => Err(format!(
                "`{text}` is no part and its end; write a path and one of {}",
                ENDINGS.join(", ")
            )),
        }
    }
}
