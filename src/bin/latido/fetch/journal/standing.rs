//! What a run that stays asks: it goes on with whatever the journal has.

use std::path::Path;

use rusqlite::OptionalExtension;

use super::jobs::Admitted;
use super::sql::Target;
use super::{Journal, JournalError, explain};
use crate::fetch::job::{Job, Stage};
use crate::fetch::request::Request;

impl Journal {
    /// [`admit`](Self::admit), and not even a loss of power undoes it: what it was read from may be removed then.
    pub(crate) fn admit_for_good(&mut self, requests: Vec<Request>) -> Result<Admitted, JournalError> {
        let sync = |journal: &Self, how| {
            journal.db.pragma_update(None, "synchronous", how).map_err(|error| explain(&journal.path, error))
        };
        sync(self, "FULL")?;
        let admitted = self.admit(requests);
        sync(self, "NORMAL")?;
        admitted
    }

    /// How far every job is that was ever admitted, in that order.
    pub(crate) fn all_stages(&self) -> Result<Vec<(i64, Stage)>, JournalError> {
        let read = || {
            let mut select = self.db.prepare("SELECT id, stage FROM jobs ORDER BY id")?;
            select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(|error| explain(&self.path, error))
    }

    /// The job whose file goes there, if there is one.
    pub(crate) fn known(&self, target: &Path) -> Result<Option<Job>, JournalError> {
        let find = || {
            let mut select = self.db.prepare_cached("SELECT id FROM jobs WHERE target = ?")?;
            select.query_row([Target(target)], |row| row.get(0)).optional()
        };
        let id: Option<i64> = find().map_err(|error| explain(&self.path, error))?;
        id.map(|id| self.job(id)).transpose()
    }
}
