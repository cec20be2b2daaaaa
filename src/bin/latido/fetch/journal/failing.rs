//! A write that fails on purpose, with SQLite's own error.

use latido::fault::DiskError;
use rusqlite::Error::SqliteFailure;
use rusqlite::ffi::{self, SQLITE_FULL, SQLITE_IOERR_WRITE};

use super::Journal;

impl Journal {
    /// Has the next write of what has become of jobs fail.
    pub(crate) fn fail_next(&mut self, error: DiskError) {
        self.fails = Some(error);
    }

    pub(super) fn fails_on_purpose(&mut self) -> rusqlite::Result<()> {
        let code = match self.fails.take() {
            None => return Ok(()),
            Some(DiskError::Full) => SQLITE_FULL,
            Some(_) => SQLITE_IOERR_WRITE,
        };
        Err(SqliteFailure(ffi::Error::new(code), None))
    }
}
