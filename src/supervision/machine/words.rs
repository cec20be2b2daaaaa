//! What goes into the machine, and what comes out.

use std::time::Duration;

use crate::event::{Budget, Wait};
use crate::exit::{ExitReason, Kill};

/// What happened. A child is named by its place in starting order.
pub(crate) enum Input {
    Begin,
    Started(usize),
    Exited(usize, ExitReason),
    /// The same, and it left behind one blocked thread more than the tree may have.
    OutOfThreads(usize, ExitReason),
    /// Time has passed.
    Tick,
    /// A child is to be started by hand: a new one, or one that is down for good.
    Start(usize),
    /// A child is to go down, and stay down.
    Terminate(usize),
    /// The supervisor itself is to stop.
    Stop,
}

/// What to do.
#[derive(Debug, Clone)]
pub(crate) enum Action {
    Start(usize),
    Stop(usize),
    Kill(usize, Kill),
    /// It was killed and is still there: go on without it.
    Abandon(usize),
    /// It is down for good.
    Retire(usize),
    Restarting {
        child: usize,
        delay: Duration,
        wait: Wait,
        failures: u32,
        budget: Budget,
        siblings: Vec<usize>,
    },
    GaveUp {
        child: usize,
        reason: ExitReason,
        budget: Budget,
    },
    /// Every child has come up for the first time.
    Ready,
    /// Every child is down; the supervisor ends with this.
    End(Ending),
}

/// How a supervisor ends.
#[derive(Debug, Clone)]
pub(crate) enum Ending {
    AsAsked,
    StartFailed { child: usize, reason: ExitReason },
    GaveUp { child: usize, reason: ExitReason, budget: Budget },
    OutOfThreads { child: usize, reason: ExitReason },
}
