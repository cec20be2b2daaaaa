//! What a forecast warns of.

use std::fmt;
use std::time::Duration;

use crate::path::TreePath;

/// What is legal in a spec, and probably not meant.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// A child's failures are so far apart, by backoff, that their supervisor never gives up: the crash loop goes on
    /// for ever, and nobody above hears of it.
    NeverGivesUp {
        /// The supervisor.
        supervisor: TreePath,
        /// The child.
        child: TreePath,
        /// How much time one failure too many takes.
        takes: Duration,
        /// The time over which the supervisor counts.
        period: Duration,
    },
    /// All supervisors of a nested tree have the same intensity, so that a crash loop is repeated on each level.
    EqualIntensities(u32),
    /// A supervisor's own limit kills it while a child may still be using its time to stop.
    StopsTooLate {
        /// The child.
        child: TreePath,
        /// How long it may take; `None`: without limit.
        takes: Option<Duration>,
        /// The supervisor.
        supervisor: TreePath,
        /// Its own limit.
        limit: Duration,
    },
    /// A supervisor that is killed instead of asked: its children are killed too, whatever their own rule says.
    BrutalKill(TreePath),
    /// A permanent child of a supervisor that may not restart anything: its first end is the supervisor's.
    NoRestarts {
        /// The supervisor.
        supervisor: TreePath,
        /// The child.
        child: TreePath,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NeverGivesUp { supervisor, child, takes, period } => write!(
                f,
                "{supervisor} never gives up on {child}: one failure too many takes {takes:?}, and it counts over \
                 {period:?}; make the period longer or the backoff shorter"
            ),
            Self::EqualIntensities(intensity) => write!(
                f,
                "every supervisor allows {intensity} restarts, so they multiply with each level: allow fewer further up"
            ),
            Self::StopsTooLate { child, takes, supervisor, limit } => {
                let takes = takes.map_or("for ever".to_owned(), |takes| format!("{takes:?}"));
                write!(
                    f,
                    "{child} may take {takes} to stop, but {supervisor} is killed after {limit:?}: give it infinity"
                )
            }
            Self::BrutalKill(supervisor) => write!(
                f,
                "{supervisor} is a supervisor and killed instead of stopped, so its children are too: give it infinity"
            ),
            Self::NoRestarts { supervisor, child } => write!(
                f,
                "{child} is permanent, but {supervisor} allows no restart: make it temporary or allow some"
            ),
        }
    }
}
