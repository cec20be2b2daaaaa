//! Notices when nothing comes.

use std::pin::{Pin, pin};
use std::time::Duration;

use futures::future::{Either, select};
use tokio::time::{Instant, Sleep, sleep};

/// Lets each thing that is waited for take so long, with a single timer: that is set anew when it goes off, and not each
/// time that something has come.
pub(super) struct Silence {
    limit: Duration,
    since: Instant,
    timer: Pin<Box<Sleep>>,
}

impl Silence {
    pub(super) fn new(limit: Duration) -> Self {
        Self { limit, since: Instant::now(), timer: Box::pin(sleep(limit)) }
    }

    /// What comes; `None` if that takes too long.
    pub(super) async fn unless<T>(&mut self, wanted: impl Future<Output = T>) -> Option<T> {
        self.since = Instant::now();
        let mut wanted = pin!(wanted);
        loop {
            match select(wanted, self.timer.as_mut()).await {
                Either::Left((came, _)) => return Some(came),
                Either::Right(_) if self.since.elapsed() >= self.limit => return None,
                Either::Right(((), still_wanted)) => {
                    wanted = still_wanted;
                    self.timer.as_mut().reset(self.since + self.limit);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(60);

    #[tokio::test(start_paused = true)]
    async fn what_comes_in_time_may_come_often_and_what_does_not_is_missed_on_time() {
        let mut silence = Silence::new(LIMIT);
        for seconds in [50, 59, 0, 1, 59] {
            assert_eq!(silence.unless(sleep(Duration::from_secs(seconds))).await, Some(()));
        }
        let start = Instant::now();
        assert_eq!(silence.unless(std::future::pending::<()>()).await, None);
        assert_eq!(start.elapsed().as_secs(), 60);
    }

    #[tokio::test(start_paused = true)]
    async fn time_in_which_nothing_is_waited_for_does_not_count() {
        let mut silence = Silence::new(LIMIT);
        sleep(3 * LIMIT).await;
        let waits = silence.unless(std::future::pending::<()>());
        assert!(timeout(Duration::from_secs(59), waits).await.is_err());
        assert_eq!(silence.unless(sleep(Duration::from_secs(30))).await, Some(()));
    }
}
