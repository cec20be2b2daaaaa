//! How many bytes a second all who share it may take.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// Lets so many bytes a second through, for all downloaders that have a clone of it, on whatever threads they run.
///
/// Each transfer pays for what has come before it asks for more, so the server is slowed down by TCP itself. Whoever pays
/// gets the next free place in time, one behind the other, so none goes without. Nothing that was paid for is lost or
/// given twice: over any time, no more has passed than the rate allows, but for the pieces in hand and a tenth of a
/// second's bytes, which make up for timers that go off late.
#[derive(Clone, Debug)]
pub struct RateLimit {
    bytes_per_second: u64,
    paid_until: Arc<Mutex<Instant>>,
}

/// What was not used for so long is lost.
const SLACK: Duration = Duration::from_millis(100);

impl RateLimit {
    /// A limit of `bytes_per_second`; 0 is taken for 1.
    pub fn new(bytes_per_second: u64) -> Self {
        Self { bytes_per_second: bytes_per_second.max(1), paid_until: Arc::new(Mutex::new(Instant::now())) }
    }

    /// The rate, in bytes a second.
    pub fn bytes_per_second(&self) -> u64 {
        self.bytes_per_second
    }

    /// Waits until these bytes are paid for; answers how long that took.
    pub(super) async fn pay(&self, bytes: usize) -> Duration {
        let now = Instant::now();
        let until = self.book(bytes, now);
        if until > now {
            sleep_until(until).await;
        }
        now.elapsed()
    }

    /// When they are.
    fn book(&self, bytes: usize, now: Instant) -> Instant {
        let nanos = bytes as u128 * 1_000_000_000 / u128::from(self.bytes_per_second);
        let cost = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        let mut paid_until = self.paid_until.lock().unwrap_or_else(PoisonError::into_inner);
        *paid_until = (*paid_until).max(now.checked_sub(SLACK).unwrap_or(now)) + cost;
        *paid_until
    }
}

impl PartialEq for RateLimit {
    /// Whether it is the same one, and not one like it.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.paid_until, &other.paid_until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIECE: usize = 10_000;

    #[tokio::test(start_paused = true)]
    async fn what_passes_in_a_time_is_the_rate_times_that_time() {
        let limit = RateLimit::new(1_000_000);
        let start = Instant::now();
        let mut passed = 0;
        while start.elapsed() < Duration::from_secs(10) {
            limit.pay(PIECE).await;
            passed += PIECE;
        }
        // The pieces fit into milliseconds, so nothing is left to round.
        assert_eq!(passed, 10_000_000);
    }

    #[tokio::test(start_paused = true)]
    async fn several_share_one_limit_fairly_and_together_keep_it() {
        let limit = RateLimit::new(1_000_000);
        let end = Instant::now() + Duration::from_secs(10);
        let one = |limit: RateLimit| async move {
            let mut passed = 0_usize;
            while Instant::now() < end {
                limit.pay(PIECE).await;
                passed += PIECE;
            }
            passed
        };
        let (a, b, c) = futures::join!(one(limit.clone()), one(limit.clone()), one(limit.clone()));
        // Each may end with a piece that it got a place for just in time.
        assert!((10_000_000..=10_000_000 + 3 * PIECE).contains(&(a + b + c)), "{a} {b} {c}");
        for (x, y) in [(a, b), (b, c), (a, c)] {
            assert!(x.abs_diff(y) <= PIECE, "{a} {b} {c}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn time_in_which_nobody_wanted_anything_is_not_saved_up() {
        let limit = RateLimit::new(1_000_000);
        tokio::time::sleep(Duration::from_secs(3_600)).await;
        let start = Instant::now();
        for _ in 0..100 {
            limit.pay(PIECE).await;
        }
        assert_eq!(start.elapsed(), Duration::from_millis(900));
    }

    #[tokio::test(start_paused = true)]
    async fn a_timer_that_goes_off_late_costs_no_bytes() {
        let limit = RateLimit::new(1_000_000);
        let start = Instant::now();
        for _ in 0..1_000 {
            limit.pay(PIECE).await;
            tokio::time::advance(Duration::from_millis(3)).await;
        }
        assert!(start.elapsed() <= Duration::from_millis(10_003), "{:?}", start.elapsed());
    }
}
