//! How many restarts a supervisor may make in how much time.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use crate::event::Budget;

/// The restarts of the last `period`, by real instants: a restart is allowed while, with it, there are no more than
/// `intensity` of them. (OTP counts in whole seconds, so that its period is up to a second longer or shorter.)
///
/// Deciding takes constant time whatever the intensity: restarts leave in the order in which they came.
#[derive(Clone, Debug)]
pub(crate) struct RestartWindow {
    intensity: u32,
    period: Duration,
    restarts: VecDeque<Instant>,
}

impl RestartWindow {
    /// A window without restarts in it.
    pub(crate) fn new(intensity: u32, period: Duration) -> Self {
        Self { intensity, period, restarts: VecDeque::new() }
    }

    /// The same window without restarts in it.
    pub(crate) fn emptied(&self) -> Self {
        Self::new(self.intensity, self.period)
    }

    /// Counts a restart at `now`. `Err` says that it was one too many; it is then not counted.
    pub(crate) fn restart(&mut self, now: Instant) -> Result<Budget, Budget> {
        self.forget_before(now);
        if self.restarts.len() >= self.intensity as usize {
            let mut budget = self.budget(self.restarts.len(), now);
            budget.used = budget.used.saturating_add(1);
            return Err(budget);
        }
        self.restarts.push_back(now);
        Ok(self.budget(self.restarts.len(), now))
    }

    /// What is used at `now`.
    pub(crate) fn used(&self, now: Instant) -> Budget {
        let expired = self.restarts.partition_point(|&restart| now - restart > self.period);
        self.budget(self.restarts.len() - expired, now)
    }

    /// A restart that is exactly one period old still counts.
    fn forget_before(&mut self, now: Instant) {
        while self.restarts.front().is_some_and(|&oldest| now - oldest > self.period) {
            self.restarts.pop_front();
        }
    }

    fn budget(&self, used: usize, now: Instant) -> Budget {
        // The restarts that still count are the last ones.
        let oldest = self.restarts.len().checked_sub(used).and_then(|first| self.restarts.get(first));
        Budget {
            used: u32::try_from(used).unwrap_or(u32::MAX),
            intensity: self.intensity,
            period: self.period,
            frees_in: oldest
                .map_or(Duration::ZERO, |&oldest| (oldest + self.period).saturating_duration_since(now)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_window_slides_and_its_boundary_is_exact() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut window = RestartWindow::new(2, Duration::from_millis(1000));
        for (ms, allowed, used) in [
            (0, true, 1),
            (500, true, 2),
            (1000, false, 3), // the first is exactly one period old and still counts
            (1001, true, 2),
            (1500, false, 3),
            (1501, true, 2),
        ] {
            let answer = window.restart(at(ms));
            assert_eq!(answer.is_ok(), allowed, "at {ms} ms");
            assert_eq!(answer.unwrap_or_else(|budget| budget).used, used, "at {ms} ms");
        }
        assert_eq!(window.used(at(2001)).used, 1 + 1);
        assert_eq!(window.used(at(9000)).used, 0);
    }

    #[test]
    fn an_intensity_of_zero_allows_no_restart() {
        assert!(RestartWindow::new(0, Duration::from_secs(5)).restart(Instant::now()).is_err());
    }

    proptest! {
        /// The rule, computed the slow way: in no period are there more than `intensity` restarts.
        #[test]
        fn no_period_holds_more_restarts_than_the_intensity(
            intensity in 0u32..6, period in 1u64..50, steps in proptest::collection::vec(0u64..20, 0..200),
        ) {
            let start = Instant::now();
            let mut window = RestartWindow::new(intensity, Duration::from_millis(period));
            let (mut now, mut allowed) = (0, Vec::<u64>::new());
            for step in steps {
                now += step;
                let recent = allowed.iter().filter(|&&at| now - at <= period).count();
                let answer = window.restart(start + Duration::from_millis(now));
                prop_assert_eq!(answer.is_ok(), recent < intensity as usize);
                if answer.is_ok() { allowed.push(now) }
            }
        }
    }
}
