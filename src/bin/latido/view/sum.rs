//! How far a run is, in one line: what is known of it, and no guess that looks like knowledge.

use std::fmt;
use std::time::Duration;

use indicatif::{HumanBytes, HumanDuration};

use crate::fetch::board::Board;
use crate::fetch::job::Stage;

pub(super) struct Sum {
    pub(super) files: usize,
    /// Done or failed.
    pub(super) finished: usize,
    failed: usize,
    pub(super) bytes: u64,
    /// Of all files together, if every one that is not there has told its size.
    pub(super) total: Option<u64>,
    /// Bytes a second.
    pub(super) speed: f64,
}

impl Sum {
    /// `speed` is known to whoever looks again and again.
    pub(super) fn of(board: &Board, speed: f64) -> Self {
        let (done, failed) = (board.count(Stage::Done), board.count(Stage::Failed));
        let bytes = board.bytes();
        let files = board.total();
        let rest = match board.count(Stage::Queued) {
            0 if files > 0 => board.transfers().map(|transfer| transfer.rest()).sum::<Option<u64>>(),
            _ => None,
        };
        let total = rest.map(|rest| bytes + rest);
        Self { files, finished: done + failed, failed, bytes, total, speed }
    }

    /// For how many there is how much done, as a bar shows it: bytes, or files where sizes are not known.
    pub(super) fn position(&self) -> (u64, u64) {
        match self.total {
            Some(total) => (self.bytes, total),
            None => (self.finished as u64, self.files as u64),
        }
    }
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(total) = self.total {
            write!(f, "{} of {}", percent(self.bytes, total), HumanBytes(total))?;
            if let Some(left) = left(total - self.bytes, self.speed) {
                write!(f, ", {left} left")?;
            }
            f.write_str("  ")?;
        }
        write!(f, "{}/{} files", self.finished, self.files)?;
        if self.failed > 0 {
            write!(f, ", {} failed", self.failed)?;
        }
        if self.total.is_none() {
            write!(f, "  {}", HumanBytes(self.bytes))?;
        }
        write!(f, "  {}/s", HumanBytes(self.speed as u64))
    }
}

/// Not 100% before all is there.
pub(super) fn percent(part: u64, whole: u64) -> String {
    let percent = (u128::from(part) * 100).checked_div(u128::from(whole)).unwrap_or(100);
    format!("{percent}%")
}

/// How long it takes at this speed; nothing where that is no honest answer.
pub(super) fn left(bytes: u64, speed: f64) -> Option<String> {
    let seconds = (bytes as f64 / speed).ceil();
    (speed >= 1.0 && seconds < 1e7)
        .then(|| format!("{:#}", HumanDuration(Duration::from_secs(seconds as u64))))
}

/// Bytes a second, of the last few: what was long ago says little of what is to come.
#[derive(Default)]
pub(super) struct Speed {
    last: Option<(Duration, u64)>,
    speed: f64,
    weight: f64,
}

/// After so many seconds a look counts for a third of what it did.
const MEMORY: f64 = 5.0;

impl Speed {
    /// Notes that there were so many bytes at that time. Fewer than before are a beginning anew.
    pub(super) fn note(&mut self, now: Duration, bytes: u64) -> f64 {
        let (then, before) = self.last.replace((now, bytes)).unwrap_or((now, bytes));
        let seconds = (now.saturating_sub(then)).as_secs_f64();
        if seconds > 0.0 {
            let fresh = bytes.saturating_sub(before) as f64 / seconds;
            let keep = (-seconds / MEMORY).exp();
            self.speed = self.speed * keep + fresh * (1.0 - keep);
            // The first looks have no past to be weighed against.
            self.weight = self.weight * keep + (1.0 - keep);
        }
        if self.weight > 0.0 { self.speed / self.weight } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUM: Sum =
        Sum { files: 40, finished: 3, failed: 0, bytes: 512 << 20, total: None, speed: 10.0 * 1048576.0 };

    #[test]
    fn percent_and_time_left_are_there_when_all_sizes_are_known_and_not_before() {
        assert_eq!(SUM.to_string(), "3/40 files  512.00 MiB  10.00 MiB/s");
        assert_eq!(SUM.position(), (3, 40));
        let known = Sum { failed: 1, total: Some(1 << 30), ..SUM };
        assert_eq!(known.to_string(), "50% of 1.00 GiB, 52s left  3/40 files, 1 failed  10.00 MiB/s");
        assert_eq!(known.position(), (512 << 20, 1 << 30));
        let stalled = Sum { speed: 0.0, total: Some(1 << 30), ..SUM };
        assert_eq!(stalled.to_string(), "50% of 1.00 GiB  3/40 files  0 B/s");
    }

    #[test]
    fn hundred_percent_is_all_of_it() {
        assert_eq!([percent(999, 1000), percent(1000, 1000), percent(0, 0)], ["99%", "100%", "100%"]);
    }

    #[test]
    fn the_speed_is_that_of_the_last_seconds_and_a_new_beginning_is_no_speed() {
        let mut speed = Speed::default();
        let second = Duration::from_secs;
        assert_eq!(speed.note(second(0), 5_000_000), 0.0, "what was there before is no speed");
        assert_eq!(speed.note(second(1), 5_000_100).round(), 100.0);
        for n in 2..60 {
            speed.note(second(n), 5_000_000 + n * 100);
        }
        assert_eq!(speed.note(second(60), 5_006_000).round(), 100.0);
        let slower = speed.note(second(61), 10);
        assert!((50.0..100.0).contains(&slower), "{slower}");
    }
}
