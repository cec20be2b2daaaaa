//! How the program ends.

use std::process::{ExitCode, Termination};

/// The exit codes, as `--help` and `docs/exit-codes.md` list them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Every file is there and verified.
    Ok = 0,
    /// Some job failed.
    Failed = 1,
    /// Usage or bad input: nothing was done.
    Usage = 2,
    /// The supervision tree gave up; the journal has what was done.
    GaveUp = 3,
    /// Ctrl-C; the journal has what was done.
    Interrupted = 130,
    /// SIGTERM; the journal has what was done.
    Terminated = 143,
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        ExitCode::from(self as u8)
    }
}
