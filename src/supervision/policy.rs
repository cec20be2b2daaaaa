//! The rules of a supervisor as plain values: which children a failure takes with it, which exits call for a
//! restart, and how a child is stopped. The words and their meaning are OTP's
//! ([principles](https://www.erlang.org/doc/system/sup_princ.html)).

use std::ops::Range;
use std::time::Duration;

use crate::exit::ExitReason;

/// Which children restart when one fails. With children `a b c`, started in this order, and `b` failing:
///
/// ```text
/// OneForOne   a  b̶  c     b alone
/// OneForAll   a̶  b̶  c̶     all: they cannot do without each other
/// RestForOne  a  b̶  c̶     b and those started after it: they were built on it
/// ```
///
/// A group stops in reverse order, then starts in order, and counts as one restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Strategy {
    /// Only the failed child.
    #[default]
    OneForOne,
    /// Every child.
    OneForAll,
    /// The failed child and every child started after it.
    RestForOne,
}

impl Strategy {
    /// The places, in starting order, of the children that restart when the one at `failed` fails.
    pub(crate) fn affected(self, failed: usize) -> Range<usize> {
        match self {
            Self::OneForOne => failed..failed + 1,
            Self::OneForAll => 0..usize::MAX,
            Self::RestForOne => failed..usize::MAX,
        }
    }
}

/// Which exits call for a restart.
///
/// | the child ended | `Permanent` | `Transient` | `Temporary` |
/// |---|---|---|---|
/// | by itself, normally | restart | stays down | stays down |
/// | by panic, [`crash`](crate::crash), kill, giving up | restart | restart | stays down |
/// | because it was asked to | stays down | stays down | stays down |
///
/// Whoever only moves to another thread, because its own is blocked, has not ended: it is built again there, also if it is
/// temporary.
///
/// A child that is down for good keeps its address; whoever sends to it hears
/// [`MailboxError::Closed`](actix::MailboxError::Closed).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Restart {
    /// Always: it is meant to run for as long as its supervisor does.
    #[default]
    Permanent,
    /// Only after a failure: it may finish.
    Transient,
    /// Never: it is worth one try.
    Temporary,
}

impl Restart {
    /// Whether a child that ended for `reason`, unasked, is started again.
    pub fn after(self, reason: &ExitReason) -> bool {
        match self {
            Self::Permanent => true,
            Self::Transient => !reason.is_normal(),
            Self::Temporary => false,
        }
    }
}

/// Whether a supervisor stops by itself when significant children have finished
/// ([OTP](https://www.erlang.org/doc/system/sup_princ.html#automatic-shutdown)). Only ends that nobody asked for count:
/// a transient child that finished, a temporary one that ended in any way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum AutoShutdown {
    /// It does not.
    #[default]
    Never,
    /// With the first significant child that ends.
    AnySignificant,
    /// With the last.
    AllSignificant,
}

/// How a child is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shutdown {
    /// Asked as by `ctx.stop()`: `stopping()` and `stopped()` run. Killed when it takes longer than this.
    Timeout(Duration),
    /// Not asked: its incarnation is dropped, and neither `stopping()` nor `stopped()` runs.
    BrutalKill,
    /// Asked, and waited for as long as it takes: the rule for supervisors, whose children have limits.
    Infinity,
}

impl Shutdown {
    /// How long it may take.
    pub(crate) fn limit(self) -> Duration {
        match self {
            Self::Timeout(limit) => limit,
            Self::BrutalKill => Duration::ZERO,
            Self::Infinity => Duration::MAX,
        }
    }
}

impl Default for Shutdown {
    /// Five seconds, as in OTP.
    fn default() -> Self {
        Self::Timeout(Duration::from_secs(5))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Kill;

    #[test]
    fn a_strategy_names_the_failed_child_and_those_that_go_with_it() {
        use Strategy::*;
        for (strategy, failed, affected) in [
            (OneForOne, 1, [1].as_slice()),
            (OneForAll, 1, &[0, 1, 2, 3]),
            (RestForOne, 1, &[1, 2, 3]),
            (RestForOne, 0, &[0, 1, 2, 3]),
            (RestForOne, 3, &[3]),
        ] {
            let range = strategy.affected(failed);
            let taken: Vec<usize> = (0..4).filter(|place| range.contains(place)).collect();
            assert_eq!(taken, affected, "{strategy:?} {failed}");
        }
    }

    #[test]
    fn the_restart_type_and_the_reason_decide_together() {
        let failures = [ExitReason::failed("no"), ExitReason::Killed(Kill::Orphaned)];
        for normal in [ExitReason::Normal, ExitReason::Shutdown] {
            assert!(Restart::Permanent.after(&normal));
            assert!(!Restart::Transient.after(&normal));
            assert!(!Restart::Temporary.after(&normal));
        }
        for failure in failures {
            assert!(Restart::Permanent.after(&failure));
            assert!(Restart::Transient.after(&failure));
            assert!(!Restart::Temporary.after(&failure));
        }
    }
}
