//! A fault that waits to strike a child, or goes on. It has no clock: whoever asks says what time it is.

use std::time::Duration;

use fastrand::Rng;
use tokio::time::Instant;

use crate::fault::{Fault, Injection, Rule, Seam};
use crate::path::TreePath;

/// It stays armed over restarts: a fault belongs to the child, not to one of its lives.
pub(super) struct Armed {
    pub(super) injection: Injection,
    /// Decides, if there is a probability.
    rng: Rng,
    /// Not before.
    from: Instant,
    /// It goes on until then, whatever happens.
    until: Option<Instant>,
    /// How often it may still strike.
    left: Option<u64>,
    /// Messages since it struck last.
    counted: u64,
    /// It was its turn, and another went first.
    is_pending: bool,
    /// The life to which it was told last.
    told: Option<u64>,
}

impl Armed {
    pub(super) fn new(mut injection: Injection, path: &TreePath, now: Instant) -> Self {
        let Rule { after, lasting, probability, .. } = injection.rule;
        if probability.is_some() {
            // Short enough to be typed again.
            injection.rule.seed.get_or_insert_with(|| fastrand::u32(..).into());
        }
        let from = now + after;
        Self {
            rng: Rng::with_seed(stream(&injection, path)),
            from,
            until: lasting.filter(|_| injection.fault.seam() == Seam::Messages).map(|time| from + time),
            left: injection.times(),
            counted: 0,
            is_pending: false,
            told: None,
            injection,
        }
    }

    pub(super) fn fault(&self) -> &Fault {
        &self.injection.fault
    }

    /// For how long a hang hangs.
    pub(super) fn lasting(&self) -> Option<Duration> {
        self.injection.rule.lasting
    }

    pub(super) fn is_over(&self, now: Instant) -> bool {
        self.is_spent() || self.until.is_some_and(|until| until <= now)
    }

    /// Whether it has struck as often as it may.
    pub(super) fn is_spent(&self) -> bool {
        self.left == Some(0)
    }

    /// When it is to be looked at even if nothing happens.
    pub(super) fn next(&self) -> Option<Instant> {
        match self.strikes_by_itself() {
            true => Some(self.from),
            false => self.until,
        }
    }

    fn strikes_by_itself(&self) -> bool {
        self.fault().seam() == Seam::Life && !self.injection.rule.is_at_a_message()
    }

    /// Whether it strikes now, by itself.
    pub(super) fn is_due(&mut self, now: Instant) -> bool {
        let is_due = self.strikes_by_itself() && self.from <= now;
        if is_due {
            self.from += self.injection.rule.after;
            self.strike();
        }
        is_due
    }

    /// Counts a start, and says whether it strikes there.
    pub(super) fn is_due_at_start(&mut self, now: Instant) -> bool {
        let is_due = self.fault().seam() == Seam::Starts && self.from <= now && self.decide();
        if is_due {
            self.strike();
        }
        is_due
    }

    /// Counts a message, and says whether it strikes there. If so and `may_strike` is false, it does at the next.
    pub(super) fn is_due_at_message(&mut self, now: Instant, may_strike: bool) -> bool {
        if self.fault().seam() == Seam::Starts || self.strikes_by_itself() || self.from > now {
            return false;
        }
        self.counted += 1;
        let is_due = self.is_pending
            || (self.injection.rule.message.is_none_or(|n| self.counted >= n) && self.decide());
        self.is_pending = is_due && !may_strike;
        if is_due && may_strike {
            self.strike();
        }
        is_due && may_strike
    }

    fn decide(&mut self) -> bool {
        self.injection.rule.probability.is_none_or(|p| self.rng.f64() < p)
    }

    fn strike(&mut self) {
        self.left = self.left.map(|left| left.saturating_sub(1));
        if self.injection.rule.probability.is_none() {
            self.counted = 0;
        }
    }

    /// Whether this life is to be told that it strikes: of what strikes again and again, once in a life.
    pub(super) fn is_news(&mut self, incarnation: u64) -> bool {
        self.told.replace(incarnation) != Some(incarnation) || self.fault().seam() != Seam::Messages
    }
}

/// The beginning of a stream of decisions that nobody else's have to do with (FNV-1a).
fn stream(injection: &Injection, path: &TreePath) -> u64 {
    let seed = injection.rule.seed.unwrap_or_default().to_le_bytes();
    let fault = injection.fault.to_string();
    let bytes = seed.iter().chain(path.as_str().as_bytes()).chain(b"\0").chain(fault.as_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn armed(text: &str, path: &str, now: Instant) -> Armed {
        Armed::new(text.parse().unwrap(), &TreePath::root(path), now)
    }

    /// At which of the first hundred messages it strikes.
    fn struck(armed: &mut Armed, now: Instant) -> Vec<u32> {
        (1..=100).filter(|_| !armed.is_over(now) && armed.is_due_at_message(now, true)).collect()
    }

    #[test]
    fn the_same_seed_gives_the_same_decisions_and_another_path_or_seed_or_fault_others() {
        let now = Instant::now();
        let run = |text, path| struck(&mut armed(text, path, now), now);
        let once = run("panic@p=0.3,seed=7", "app/a");
        assert_eq!(
            once[..9],
            [1, 5, 7, 8, 11, 14, 18, 22, 25],
            "known by heart: it is the same in every run"
        );
        assert_eq!(once, run("panic@p=0.3,seed=7", "app/a"));
        assert_ne!(once, run("panic@p=0.3,seed=7", "app/b"));
        assert_ne!(once, run("panic@p=0.3,seed=8", "app/a"));
        assert_ne!(once, run("fail@p=0.3,seed=7", "app/a"));
        assert!(run("panic@p=0", "app/a").is_empty());
        assert_eq!(run("panic@p=1", "app/a").len(), 100);
    }

    #[test]
    fn without_a_seed_one_is_made_up_and_told() {
        let now = Instant::now();
        let mut first = armed("drop:9@p=0.2", "app/a", now);
        let told = first.injection.to_string();
        assert_eq!(struck(&mut first, now), struck(&mut armed(&told, "app/a", now), now), "{told}");
    }

    #[test]
    fn each_rule_strikes_at_its_messages() {
        let now = Instant::now();
        for (text, messages) in [
            ("panic@3", &[3][..]),
            ("panic@3,times=2", &[3, 6]),
            ("drop:2", &[1, 2]),
            ("drop:2@5", &[5, 10]),
            ("drop:2@5,p=1", &[5, 6]),
            ("slow:1@4", &[4]),
            ("slow:1@times=3", &[1, 2, 3]),
            ("panic@after=1", &[]),
            ("panic", &[]),
            ("fail-starts:3", &[]),
        ] {
            assert_eq!(struck(&mut armed(text, "app", now), now), messages, "{text}");
        }
        assert_eq!(struck(&mut armed("slow:1", "app", now), now).len(), 100);
    }

    #[test]
    fn what_strikes_by_itself_does_after_its_time_and_so_often() {
        let now = Instant::now();
        let mut armed = armed("panic@after=2,times=2", "app", now);
        assert!(!armed.is_due(now + SECOND));
        assert!(armed.is_due(now + 2 * SECOND) && !armed.is_due(now + 3 * SECOND));
        assert_eq!(armed.next(), Some(now + 4 * SECOND));
        assert!(!armed.is_over(now + 3 * SECOND));
        assert!(armed.is_due(now + 4 * SECOND) && armed.is_over(now + 4 * SECOND));
    }

    #[test]
    fn messages_are_counted_from_the_time_on_and_what_goes_on_ends_at_its_time() {
        let now = Instant::now();
        let mut late = armed("panic@2,after=1", "app", now);
        assert!(struck(&mut late, now).is_empty());
        assert_eq!(struck(&mut late, now + SECOND), [2]);
        let slow = armed("slow:1@after=1,for=2", "app", now);
        assert!(!slow.is_over(now + 2 * SECOND) && slow.is_over(now + 3 * SECOND));
        assert_eq!(slow.next(), Some(now + 3 * SECOND), "somebody looks then");
    }

    #[test]
    fn two_that_are_due_at_one_message_strike_one_after_the_other() {
        let now = Instant::now();
        let mut second = armed("fail@2", "app", now);
        assert!(!second.is_due_at_message(now, true));
        assert!(!second.is_due_at_message(now, false), "another was first");
        assert!(second.is_due_at_message(now, true));
    }
}
