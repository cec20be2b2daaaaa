//! Parts that lose what they are given again and again: one that was stopped answers at once, and for ever, that it is down.
//! Each is given nothing for a while, longer each time; whoever else does the same work is not held up by that.

use std::time::Duration;

/// After the second loss in a row; a part that crashes once is back by then.
const FIRST: Duration = Duration::from_millis(10);
const LONGEST: Duration = Duration::from_secs(5);

/// By part, the losses in a row.
#[derive(Debug)]
pub(super) struct Losses(Vec<u32>);

impl Losses {
    pub(super) fn new(parts: usize) -> Self {
        Self(vec![0; parts])
    }

    /// A part has done what it was given, or failed at it.
    pub(super) fn answered(&mut self, part: usize) {
        self.0[part] = 0;
    }

    /// A part has lost what it was given. How long it is to be left alone.
    pub(super) fn lost(&mut self, part: usize) -> Option<Duration> {
        let before = self.0[part];
        self.0[part] = before.saturating_add(1);
        let doublings = before.checked_sub(1)?;
        Some((FIRST * 2u32.saturating_pow(doublings.min(16))).min(LONGEST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_loss_costs_nothing_and_each_further_one_in_a_row_more() {
        let mut losses = Losses::new(2);
        let millis = |wait: Option<Duration>| wait.map(|wait| wait.as_millis());
        let waits: Vec<_> = (0..4).map(|_| millis(losses.lost(1))).collect();
        assert_eq!(waits, [None, Some(10), Some(20), Some(40)]);
        assert_eq!(losses.lost(0), None);
        for _ in 0..100 {
            losses.lost(1);
        }
        assert_eq!(losses.lost(1), Some(LONGEST));
        losses.answered(1);
        assert_eq!(losses.lost(1), None);
    }
}
