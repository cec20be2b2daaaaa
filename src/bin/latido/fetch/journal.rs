//! The jobs on disk, in an SQLite database that a crash leaves whole. Where a run ended, the next one goes on.
//!
//! Losing power may lose the last commits, never their order: a job is then a stage further than the journal
//! says, and that stage is done again.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf, absolute};
use std::thread;
use std::time::{Duration, Instant};

use latido::fault::DiskError;
use rusqlite::{Connection, ErrorCode, OpenFlags};

mod failing;
mod holder;
mod jobs;
mod shared;
mod sql;
mod standing;

use holder::Holder;
pub(crate) use shared::{Held, Lease, Shared};

/// `PRAGMA application_id`: "lati". Tells our files from other people's databases.
const APPLICATION_ID: i32 = 0x6c61_7469;
/// `PRAGMA user_version`, counted up when `SCHEMA` changes.
const VERSION: i32 = 3;

/// Texts that a user of `sqlite3` can read. `target` is a BLOB where a path is no UTF-8.
const SCHEMA: &str = "
CREATE TABLE jobs (
    id       INTEGER PRIMARY KEY,
    target   ANY     NOT NULL UNIQUE,
    urls     TEXT    NOT NULL,
    checksum TEXT,
    size     INTEGER,
    stage    TEXT    NOT NULL,
    attempt  INTEGER NOT NULL,
    tries    INTEGER NOT NULL,
    bytes    INTEGER NOT NULL,
    digest   TEXT,
    modified INTEGER,
    processed_by TEXT,
    error    TEXT,
    cause    TEXT,
    output   TEXT,
    exec_tries INTEGER NOT NULL DEFAULT 0
) STRICT;
";

/// What makes a journal of format 1 one of format 2, and so on.
const STEPS: [&str; VERSION as usize - 1] = [
    "ALTER TABLE jobs ADD COLUMN cause TEXT; ALTER TABLE jobs ADD COLUMN size INTEGER;",
    "ALTER TABLE jobs ADD COLUMN output TEXT;
     ALTER TABLE jobs ADD COLUMN exec_tries INTEGER NOT NULL DEFAULT 0;",
];

/// Files that are not under the name of their target, and where they are. A version that does not know of it would fetch
/// them again, and do no harm.
const NAMES: &str =
    "CREATE TABLE IF NOT EXISTS names (id INTEGER PRIMARY KEY, path ANY NOT NULL UNIQUE) STRICT";

/// Belongs to one program at a time.
#[derive(Debug)]
pub(crate) struct Journal {
    db: Connection,
    path: PathBuf,
    /// What the next write is to fail with, on purpose.
    fails: Option<DiskError>,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum JournalError {
    #[error("another latido is working with {0:?}{holder}; wait until it has ended", holder = said(.1))]
    Busy(PathBuf, Option<Holder>),
    #[error("journal {0:?} is damaged ({1}); move it away to start anew")]
    Damaged(PathBuf, String),
    #[error("{0:?} is a database, but no journal of latido's; choose another --journal")]
    Foreign(PathBuf),
    #[error(
        "journal {0:?} was made by another version of latido (format {1}, not {VERSION}); use that one, or choose another --journal"
    )]
    Version(PathBuf, i32),
    #[error("journal {0:?}: {1}; choose another --journal")]
    Path(PathBuf, io::Error),
    #[error(
        "journal {0:?} has lost the jobs of this run: it was moved or replaced; run the same command again"
    )]
    Replaced(PathBuf),
    #[error("somebody else is in this one's place, and has the journal")]
    Taken,
    #[error("journal {0:?} is in the hands of a part that is stuck")]
    Stuck(PathBuf),
    #[error("journal {0:?} cannot be read or written: {1}; make room for it, or choose another --journal")]
    Sql(PathBuf, rusqlite::Error),
}

/// The journal and what is written beside it, as paths without links.
pub(crate) fn files(journal: &Path) -> Vec<PathBuf> {
    let (Some(parent), Some(name)) = (journal.parent(), journal.file_name()) else {
        return Vec::new();
    };
    let parent = parent.canonicalize().unwrap_or_else(|_| parent.to_owned());
    let journal = parent.join(name);
    ["", "-wal", "-shm", "-journal", HEARTBEAT, ".heartbeat.1"]
        .map(|suffix| beside(&journal, suffix))
        .to_vec()
}

/// The heartbeat's file: it says how far the run of this journal is.
pub(crate) fn heartbeat(journal: &Path) -> PathBuf {
    beside(journal, HEARTBEAT)
}

const HEARTBEAT: &str = ".heartbeat";

fn beside(journal: &Path, suffix: &str) -> PathBuf {
    let mut path = OsString::from(journal);
    path.push(suffix);
    path.into()
}

/// Keeps other programs away from a journal for as long as it lives. SQLite does so only while the database is open,
/// and between two ledgers it is not.
pub(crate) fn reserve(journal: &Path) -> Result<File, JournalError> {
    let file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        // What was fetched from where is nobody else's business, and a URL may have a token in it.
        .mode(0o600)
        .open(journal)
        .map_err(|error| JournalError::Path(journal.to_owned(), error))?;
    let asked = Instant::now();
    loop {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) if asked.elapsed() < DYING => thread::sleep(DYING / 100),
            Err(TryLockError::WouldBlock) => return Err(busy(journal)),
            // Some network file systems have no locks; there SQLite's have to do.
            Ok(()) | Err(TryLockError::Error(_)) => return Ok(file),
        }
    }
}

/// How long a program that was killed may take to let go of its files: the system takes it apart while whoever killed
/// it goes on, and starts the next run.
const DYING: Duration = Duration::from_secs(2);

impl Journal {
    /// Opens the journal, or makes an empty one. A file that is anything else is left as it is.
    pub(crate) fn open(path: &Path) -> Result<Self, JournalError> {
        let journal = Self::reopen(path)?;
        let check = |row: &rusqlite::Row<'_>| row.get(0);
        let sound: String = journal
            .db
            .query_row("PRAGMA integrity_check(1)", [], check)
            .map_err(|error| explain(&journal.path, error))?;
        match &*sound {
            "ok" => Ok(journal),
            _ => Err(JournalError::Damaged(journal.path, sound)),
        }
    }

    /// Opens a journal that was found whole at the start of this run: reading all of it takes its time.
    pub(crate) fn reopen(path: &Path) -> Result<Self, JournalError> {
        // SQLite gives `:memory:` and the empty name a meaning of their own
        let path = absolute(path).map_err(|error| JournalError::Path(path.to_owned(), error))?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(&path, flags)
            .map_err(|error| JournalError::Sql(path.clone(), error))?;
        let journal = Self { db, path, fails: None };
        let (id, version, empty) = journal.lock().map_err(|error| explain(&journal.path, error))?;
        match (id, version, empty) {
            (0, 0, true) => {}
            (APPLICATION_ID, 1..=VERSION, _) => {}
            (APPLICATION_ID, _, _) => return Err(JournalError::Version(journal.path, version)),
            _ => return Err(JournalError::Foreign(journal.path)),
        }
        journal.prepare(empty, version).map_err(|error| explain(&journal.path, error))?;
        Ok(journal)
    }

    /// Reads what kind of database it is, and keeps others out from then on.
    fn lock(&self) -> rusqlite::Result<(i32, i32, bool)> {
        self.db.busy_timeout(Duration::ZERO)?;
        self.db.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
        let number = |pragma| self.db.pragma_query_value(None, pragma, |row| row.get(0));
        let objects =
            self.db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))?;
        Ok((number("application_id")?, number("user_version")?, objects == 0))
    }

    fn prepare(&self, empty: bool, version: i32) -> rusqlite::Result<()> {
        self.db.pragma_update(None, "journal_mode", "WAL")?;
        self.db.pragma_update(None, "synchronous", "NORMAL")?;
        if empty {
            self.db.execute_batch(&format!(
                "BEGIN EXCLUSIVE; {SCHEMA} PRAGMA application_id = {APPLICATION_ID};
                 PRAGMA user_version = {VERSION}; COMMIT;"
            ))?;
        } else if version < VERSION {
            let steps = STEPS[version as usize - 1..].concat();
            self.db.execute_batch(&format!(
                "BEGIN EXCLUSIVE; {steps} PRAGMA user_version = {VERSION}; COMMIT;"
            ))?;
        }
        self.db.execute_batch(NAMES)?;
        Ok(())
    }
}

fn explain(path: &Path, error: rusqlite::Error) -> JournalError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => busy(path),
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => damaged(path, error),
        None => damaged(path, error), // a value that we would not have written
        Some(_) => JournalError::Sql(path.to_owned(), error),
    }
}

fn busy(path: &Path) -> JournalError {
    JournalError::Busy(path.to_owned(), Holder::of(path))
}

fn said(holder: &Option<Holder>) -> String {
    holder.as_ref().map(|holder| format!(": {holder}")).unwrap_or_default()
}

fn damaged(path: &Path, error: rusqlite::Error) -> JournalError {
    JournalError::Damaged(path.to_owned(), error.to_string())
}

#[cfg(test)]
mod tests;
