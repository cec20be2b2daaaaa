//! What goes into a job, and what comes out.

use crate::fetch::cause::Failure;
use crate::fetch::checksum::Checksum;

/// How work ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The part is complete and has this length.
    Fetched {
        bytes: u64,
        /// It came in pieces.
        pieced: bool,
    },
    /// What is there is still what the server has.
    NotModified,
    /// `transient`: another try may do better, there or at another place.
    FetchFailed {
        error: Failure,
        transient: bool,
    },
    /// The part was read to its end and is this. Whether that is right is decided here.
    Digest(Checksum),
    /// The content cannot be right, whatever its digest.
    Wrong {
        error: Failure,
    },
    /// The part could not be read.
    VerifyFailed {
        error: Failure,
    },
    /// The right file could not be put under its name: a directory is in the way, or the name that the server gives it is
    /// another file's. To fetch it again is no help.
    NotPublished {
        error: Failure,
    },
    /// `--exec` was content.
    Processed,
    ProcessFailed {
        error: Failure,
    },
    /// Who had the work has not begun it, and will not.
    GivenBack,
    /// The actor that had the work crashed. That costs an attempt, never the job.
    Lost,
}

/// What is to be done about a job. Work is handed out with the job's attempt number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    Fetch,
    Verify,
    Process,
    /// [`start`](super::Job::start) it, to be processed again, after the wait of the backoff's `step`.
    ProcessLater {
        step: u32,
    },
    /// [`start`](super::Job::start) it when its turn comes again.
    Requeue,
    /// The same, and what was fetched is of no use.
    Anew,
    /// [`start`](super::Job::start) it after the wait of the backoff's `step`, counted from 1.
    Retry {
        step: u32,
    },
    /// The job is done or failed.
    Finished,
    /// The answer was late: the job has not changed.
    Nothing,
}
