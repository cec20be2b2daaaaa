//! What the test says on the tree's own event stream, so that there is one history, in one order.

use std::fmt;
use std::thread::ThreadId;

use latido::TreePath;
use latido::event::{Level, Report};

use crate::plan::Mishap;

#[derive(Debug)]
pub(crate) enum Note {
    /// The factory of a worker runs. Said by the worker, as the next three.
    Built(ThreadId),
    Dropped,
    Befallen(Mishap),
    /// It blocks its thread until its life is over.
    Hangs,
    /// An order is about to be given. Said by whoever takes the steps, as all below.
    Ordered {
        id: usize,
        order: Order,
        about: TreePath,
    },
    Answered {
        id: usize,
        about: TreePath,
        error: Option<String>,
    },
    /// Whoever asked, hears that nobody handles the message.
    Refused {
        id: usize,
        about: TreePath,
    },
    /// Nobody fails any more, all that can come up has, and every question is answered.
    Quiet,
    /// The tree is told to stop.
    Stops,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Start,
    Terminate,
    Restart,
    Delete,
}

impl Report for Note {
    fn level(&self) -> Level {
        Level::Trace
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Built(thread) => write!(f, "is built on {thread:?}"),
            Self::Dropped => f.write_str("is dropped"),
            Self::Befallen(Mishap { stage, woe }) => write!(f, "{woe:?} in {stage:?}"),
            Self::Hangs => f.write_str("blocks its thread"),
            Self::Ordered { id, order, about } => write!(f, "order {id}: {order:?} {about}"),
            Self::Answered { id, error: None, .. } => write!(f, "order {id} is done"),
            Self::Answered { id, error: Some(error), .. } => write!(f, "order {id} is not done: {error}"),
            Self::Refused { id, about } => write!(f, "question {id} is refused by {about}"),
            Self::Quiet => f.write_str("all is quiet"),
            Self::Stops => f.write_str("the tree is told to stop"),
        }
    }
}
