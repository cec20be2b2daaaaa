//! A fault, and when it strikes.

use std::fmt;
use std::str::FromStr;

use super::{Fault, FaultError, Rule, Seam};

/// A fault by a rule: `panic@3`. Made from a [`Fault`] alone, it strikes now, once.
#[derive(Clone, Debug, PartialEq)]
pub struct Injection {
    /// What.
    pub fault: Fault,
    /// When.
    pub rule: Rule,
}

impl Injection {
    /// Whether the rule says something of this fault.
    pub(crate) fn check(&self) -> Result<(), FaultError> {
        let Self { fault, rule } = self;
        let misfit = |word, why| Err(FaultError::misfit(word, fault, why));
        if *fault == Fault::Heal && *rule != Rule::default() {
            return misfit(&*rule.to_string(), "it is done at once");
        }
        if rule.times.is_some() && matches!(fault, Fault::Drop(_) | Fault::FailStarts(_)) {
            return misfit("times", "it says itself how many");
        }
        if rule.message.is_some() && fault.seam() == Seam::Starts {
            return misfit("a message", "it strikes at starts");
        }
        if rule.lasting.is_some() && !matches!(fault, Fault::Hang | Fault::Slow(_) | Fault::Delay(_)) {
            return misfit("for", "it does not go on");
        }
        if rule.seed.is_some() && rule.probability.is_none() {
            return misfit("seed", "without `p` there is nothing to decide");
        }
        Ok(())
    }

    /// With this seed, if it has something to decide and no seed of its own.
    pub fn or_seed(mut self, seed: Option<u64>) -> Self {
        if self.rule.probability.is_some() {
            self.rule.seed = self.rule.seed.or(seed);
        }
        self
    }

    /// How often it strikes; `None` for until it is healed.
    pub(crate) fn times(&self) -> Option<u64> {
        match (&self.fault, &self.rule) {
            (Fault::Drop(times) | Fault::FailStarts(times), _) => Some(*times),
            (_, Rule { times: Some(times), .. }) => Some(*times),
            (_, Rule { probability: Some(_), .. }) => None,
            (fault, Rule { message: None, .. }) if fault.seam() == Seam::Messages => None,
            _ => Some(1),
        }
    }
}

impl From<Fault> for Injection {
    fn from(fault: Fault) -> Self {
        fault.with(Rule::default())
    }
}

impl FromStr for Injection {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let injection = match text.split_once('@') {
            None => Self::from(text.parse::<Fault>()?),
            Some((fault, rule)) => fault.parse::<Fault>()?.with(rule.parse()?),
        };
        injection.check()?;
        Ok(injection)
    }
}

impl fmt::Display for Injection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.rule == Rule::default() {
            true => self.fault.fmt(f),
            false => write!(f, "{}@{}", self.fault, self.rule),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn every_fault_and_rule_is_read_as_it_is_written() {
        let own = |argument: Option<&str>| Fault::Own {
            name: "cut-2".to_owned(),
            argument: argument.map(ToOwned::to_owned),
        };
        let faults = [
            Fault::Panic,
            Fault::Fail,
            Fault::Stop,
            Fault::Block(SECOND / 4),
            Fault::Hang,
            Fault::Slow(2 * SECOND),
            Fault::Delay(SECOND / 10),
            Fault::Drop(3),
            Fault::FailStarts(2),
            Fault::Flood(1_000_000),
            Fault::Heal,
            own(None),
            own(Some("a:b")),
        ];
        let names: Vec<_> = faults.iter().map(|fault| fault.to_string()).collect();
        for known in Fault::all() {
            assert!(names.iter().any(|name| name.split(':').next() == Some(known.name)), "{known}");
        }
        for (fault, name) in faults.into_iter().zip(names) {
            assert_eq!(name.parse(), Ok(Injection::from(fault)), "{name}");
        }
        let rules = [
            Rule::message(3),
            Rule::probability(0.01).seed(u64::MAX),
            Rule::default().after(2 * SECOND).times(3),
            Rule::message(5).after(SECOND / 8).times(2),
            Rule { probability: Some(0.5), ..Rule::message(7).after(SECOND).times(9).seed(1) },
        ];
        for rule in rules {
            let injection = Fault::Panic.with(rule);
            assert_eq!(injection.to_string().parse(), Ok(injection));
        }
        let lasting = Fault::Slow(SECOND).with(Rule::default().lasting(10 * SECOND));
        assert_eq!(lasting.to_string(), "slow:1@for=10");
        assert_eq!("slow:1@for=10".parse(), Ok(lasting));
    }

    #[test]
    fn what_cannot_be_is_answered_with_the_word_and_what_may_stand_there() {
        let said = |text: &str| text.parse::<Injection>().unwrap_err().to_string();
        for (text, word, advice) in [
            ("Panic", "`Panic`", "panic, fail, stop, block:SECONDS"),
            ("", "``", "panic, fail"),
            ("panic:2", "`panic:2`", "nothing stands behind `panic`"),
            ("block", "`block`", "block:SECONDS"),
            ("block:x", "`block:x`", "block:SECONDS"),
            ("slow:-1", "`slow:-1`", "slow:SECONDS"),
            ("drop:0", "`drop:0`", "drop:N, N from 1"),
            ("flood:1000001", "`flood:1000001`", "to 1000000"),
            ("panic@", "``", "a message's number"),
            ("panic@0", "`0`", "from 1 on"),
            ("panic@p=2", "`p=2`", "p=PROBABILITY up to 1"),
            ("panic@p=nan", "`p=nan`", "p=PROBABILITY"),
            ("panic@3,4", "`4`", "with commas between"),
            ("panic@often", "`often`", "times=N"),
            ("panic@after=soon", "`after=soon`", "after=SECONDS"),
            ("heal@3", "`3`", "at once"),
            ("drop:3@times=2", "`times`", "how many"),
            ("fail-starts:3@2", "`a message`", "starts"),
            ("panic@for=2", "`for`", "does not go on"),
            ("panic@seed=2", "`seed`", "nothing to decide"),
        ] {
            let said = said(text);
            assert!(said.contains(word) && said.contains(advice), "{text}: {said}");
        }
    }
}
