//! When a fault strikes.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::FaultError;
use super::words::seconds;

/// When a fault strikes, and how often. The default is: now, once.
///
/// | as text | |
/// |---|---|
/// | `3` | at the third message from here on, counted from 1 |
/// | `p=0.01` | at each message with this probability, until it is healed |
/// | `after=2` | not before two seconds from here on |
/// | `times=3` | so often; at every third message, with `3` |
/// | `for=10` | what goes on (`hang`, `slow`, `delay`) does so for ten seconds |
/// | `seed=7` | with the same seed the decisions of `p` are the same |
///
/// Several stand together, with commas: `5,p=0.1,times=2` is from the fifth message on one of ten, twice. With `times`
/// and `after` and no message it strikes every so many seconds.
///
/// The decisions of a probability are those of a seed, of the child's path and of the fault: what other children do, and when,
/// changes nothing. Without a seed one is made up, and told by [`ChildInfo::armed`](crate::supervision::ChildInfo::armed).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rule {
    pub(crate) message: Option<u64>,
    pub(crate) probability: Option<f64>,
    pub(crate) after: Duration,
    pub(crate) times: Option<u64>,
    pub(crate) lasting: Option<Duration>,
    pub(crate) seed: Option<u64>,
}

impl Rule {
    pub(super) const WORDS: &str = "write a message's number from 1 on, p=PROBABILITY up to 1, after=SECONDS, times=N, \
         for=SECONDS or seed=N, with commas between them";

    /// At the n-th message from here on, counted from 1; 0 is taken as 1. A message over which an actor fails is lost to
    /// its sender, as in any crash.
    pub fn message(n: u64) -> Self {
        Self { message: Some(n.max(1)), ..Self::default() }
    }

    /// At each message with this probability, from 0 to 1.
    pub fn probability(p: f64) -> Self {
        Self { probability: Some(p.clamp(0.0, 1.0)), ..Self::default() }
    }

    /// Not before so long from here on.
    pub fn after(mut self, time: Duration) -> Self {
        self.after = time;
        self
    }

    /// So often.
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times.max(1));
        self
    }

    /// For so long, if it goes on: a hang, a slowness, a delay.
    pub fn lasting(mut self, time: Duration) -> Self {
        self.lasting = Some(time);
        self
    }

    /// Makes the decisions of a probability the same in every run.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Whether it strikes at a message, and not by itself.
    pub fn is_at_a_message(&self) -> bool {
        self.message.is_some() || self.probability.is_some()
    }

    fn add(&mut self, word: &str) -> Option<()> {
        let (key, value) = word.split_once('=').unwrap_or(("", word));
        let count = || value.parse().ok().filter(|&n: &u64| n > 0);
        // A word twice is a slip.
        fn set<T>(place: &mut Option<T>, value: T) -> Option<()> {
            place.replace(value).is_none().then_some(())
        }
        match key {
            "" => set(&mut self.message, count()?),
            "p" => {
                let p = value.parse().ok().filter(|p| (0.0..=1.0).contains(p))?;
                set(&mut self.probability, p)
            }
            "after" => {
                let is_first = self.after.is_zero();
                self.after = seconds(value)?;
                is_first.then_some(())
            }
            "times" => set(&mut self.times, count()?),
            "for" => set(&mut self.lasting, seconds(value)?),
            "seed" => set(&mut self.seed, value.parse().ok()?),
            _ => None,
        }
    }
}

impl FromStr for Rule {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let mut rule = Self::default();
        for word in text.split(',') {
            rule.add(word).ok_or_else(|| FaultError::rule(word))?;
        }
        Ok(rule)
    }
}

/// Empty for now, once.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = Vec::new();
        words.extend(self.message.map(|n| n.to_string()));
        words.extend(self.probability.map(|p| format!("p={p}")));
        if !self.after.is_zero() {
            words.push(format!("after={}", self.after.as_secs_f64()));
        }
        words.extend(self.times.map(|times| format!("times={times}")));
        words.extend(self.lasting.map(|time| format!("for={}", time.as_secs_f64())));
        words.extend(self.seed.map(|seed| format!("seed={seed}")));
        f.write_str(&words.join(","))
    }
}
