//! How long to wait before the next restart.

use std::time::Duration;

use crate::event::Wait;

/// A wait before each restart that doubles with every failure in a row, never exceeds its cap, and starts over
/// after an uninterrupted life.
///
/// ```
/// use std::time::Duration;
/// use latido::supervision::Backoff;
///
/// let backoff = Backoff::exponential(Duration::from_millis(100), Duration::from_secs(1));
/// let delays: Vec<_> = (1..=5).map(|failures| backoff.delay(failures, 0.0).as_millis()).collect();
/// assert_eq!(delays, [100, 200, 400, 800, 1000]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Backoff {
    min: Duration,
    max: Duration,
    jitter: f64,
    reset_after: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self::NONE
    }
}

impl Backoff {
    /// Restarts at once, as OTP does: the restart intensity alone bounds a crash loop.
    pub const NONE: Self =
        Self { min: Duration::ZERO, max: Duration::ZERO, jitter: 0.0, reset_after: Duration::ZERO };

    /// The first wait is `min`, the longest is `max`. No jitter; starts over after a life of `max`.
    pub fn exponential(min: Duration, max: Duration) -> Self {
        Self { min, max: max.max(min), jitter: 0.0, reset_after: max.max(min) }
    }

    /// Makes each wait longer by a random part of up to `share` of it, so that children that failed together do
    /// not come back together. The cap still holds. `share` is taken as between 0 and 1.
    pub fn jitter(self, share: f64) -> Self {
        Self { jitter: if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 }, ..self }
    }

    /// How long an incarnation has to run before its failure counts as the first again.
    pub fn reset_after(self, life: Duration) -> Self {
        Self { reset_after: life, ..self }
    }

    /// The wait after the `failures`-th failure in a row, counted from 1. `random` is between 0 and 1: with it
    /// the answer is fixed, `min(max, min * 2^(failures-1) * (1 + jitter * random))`.
    pub fn delay(&self, failures: u32, random: f64) -> Duration {
        let Wait { first, doublings, stretch, cap } = self.wait(failures, random);
        let wait = first.as_secs_f64() * 2f64.powi(doublings.min(1023) as i32) * stretch;
        Duration::try_from_secs_f64(wait).map_or(cap, |wait| wait.min(cap))
    }

    /// The arithmetic behind [`delay`](Self::delay).
    pub fn wait(&self, failures: u32, random: f64) -> Wait {
        let stretch = 1.0 + self.jitter * random;
        Wait { first: self.min, doublings: failures.saturating_sub(1), stretch, cap: self.max }
    }

    /// The failures in a row after one more, given how long the incarnation that failed had run.
    pub fn failures(&self, before: u32, lived: Duration) -> u32 {
        if lived >= self.reset_after { 1 } else { before.saturating_add(1) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn without_a_backoff_there_is_no_wait() {
        assert_eq!(Backoff::NONE.delay(1, 0.9), Duration::ZERO);
        assert_eq!(Backoff::NONE.delay(u32::MAX, 0.9), Duration::ZERO);
    }

    #[test]
    fn failures_in_a_row_are_counted_until_a_life_was_long_enough() {
        let backoff = Backoff::exponential(10 * MS, 100 * MS).reset_after(50 * MS);
        assert_eq!(backoff.failures(0, 49 * MS), 1);
        assert_eq!(backoff.failures(6, 49 * MS), 7);
        assert_eq!(backoff.failures(6, 50 * MS), 1);
        assert_eq!(backoff.failures(u32::MAX, MS), u32::MAX);
    }

    proptest! {
        #[test]
        fn no_wait_exceeds_the_cap_or_falls_below_the_first(
            min in 0u64..10_000, max in 0u64..10_000_000, jitter in 0f64..=1.0, failures in 1u32.., random in 0f64..1.0,
        ) {
            let (min, max) = (min as u32 * MS, max as u32 * MS);
            let delay = Backoff::exponential(min, max).jitter(jitter).delay(failures, random);
            prop_assert!(delay <= max.max(min));
            prop_assert!(delay >= min);
        }

        #[test]
        fn waits_never_get_shorter_with_more_failures(failures in 1u32..2000, jitter in 0f64..=1.0) {
            let backoff = Backoff::exponential(3 * MS, Duration::from_secs(600)).jitter(jitter);
            prop_assert!(backoff.delay(failures, 0.5) <= backoff.delay(failures + 1, 0.5));
        }
    }
}
