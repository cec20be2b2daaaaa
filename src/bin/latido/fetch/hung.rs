//! Which parts of a fetch are replaced when they hang, and after how long.
//!
//! All are, after one and the same time. It has to be longer than anything that a part may rightly do on its thread, and
//! that is what a disk takes: a part computes for milliseconds, and waits for servers and programs without blocking. A
//! disk that is busy may hold up a write for seconds, and one that has gone for ever; nobody can tell which. So the time
//! is long, and a false alarm costs work and never a file:
//!
//! | part | blocks its thread at | its successor, while the old one may wake up any time |
//! |---|---|---|
//! | heartbeat | a line into its file | writes the next line; each is one write |
//! | ledger | writes to the journal, renames | shares the journal, waits for a write that has begun, and lets the old one into nothing more ([`Shared`](super::journal::Shared)); takes its part files away, and its requests end |
//! | downloader | writes to part files | takes the part file away, waits for a write that has begun (`downloader/hold.rs`); the others on that thread move |
//! | cpu | nothing: its threads read | has threads of its own; a file that is read twice is none the worse |
//! | exec | starts of guards | has what the old one's programs left behind killed first (`process/leaving.rs`); the others on that thread move |
//! | inbox | reads of lists, renames | finds the list again, or not |
//!
//! A part that waits for ever blocks nothing, and is found by a look at whether it looks into its mailbox
//! ([`ChildSpec::wait_limit`]). Of the ledger that is not asked: it may wait for the one before it, for as long as a disk takes. A
//! ledger that waits for ever otherwise is shown by what it does not do; to a daemon's init system, too.
//!
//! What waits for a part that is replaced is told at once (`ActorRef`), and what it had in hand is handed out again. A thread
//! that is blocked cannot be ended: it is left behind, and when there are more than sixteen of them the run ends.

use std::str::FromStr;
use std::time::Duration;

use actix::{Actor, Context};
use latido::supervision::ChildSpec;

/// Who blocks its thread for so long is replaced; `None` is nobody.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct HungAfter(Option<Duration>);

/// Below that nothing is told from a thread that waits for the processor.
const LEAST: Duration = Duration::from_millis(100);

impl HungAfter {
    /// 0 for never.
    pub(crate) fn seconds(self) -> f64 {
        self.0.unwrap_or_default().as_secs_f64()
    }

    /// `None` if that is too short, or no time.
    pub(crate) fn of(seconds: f64) -> Option<Self> {
        match Duration::try_from_secs_f64(seconds).ok()? {
            Duration::ZERO => Some(Self(None)),
            time => (time >= LEAST).then_some(Self(Some(time))),
        }
    }

    /// The same for one that waits for ever, also if nobody says anything to it. Not for the ledger, which waits while the one
    /// before it is still at its journal.
    pub(crate) fn watch_all<A: Actor<Context = Context<A>>>(self, spec: ChildSpec<A>) -> ChildSpec<A> {
        self.0.into_iter().fold(self.watch(spec), ChildSpec::wait_limit)
    }

    pub(crate) fn watch<A: Actor<Context = Context<A>>>(self, spec: ChildSpec<A>) -> ChildSpec<A> {
        self.0.into_iter().fold(spec, ChildSpec::watchdog)
    }
}

impl Default for HungAfter {
    fn default() -> Self {
        Self(Some(Duration::from_secs(30)))
    }
}

/// Seconds, 0 for never.
impl FromStr for HungAfter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let read = text.parse().ok().and_then(Self::of);
        read.ok_or_else(|| "it is no number of seconds, 0.1 or more, or 0 for never".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_and_written_in_seconds_and_0_is_never() {
        for text in ["0", "0.1", "30"] {
            assert_eq!(text.parse::<HungAfter>().unwrap().seconds().to_string(), text);
        }
        assert_eq!("0".parse(), Ok(HungAfter(None)));
        assert_eq!("30".parse(), Ok(HungAfter::default()));
        for text in ["", "-1", "0.01", "soon", "1e300"] {
            assert!(text.parse::<HungAfter>().is_err(), "{text}");
        }
    }
}
