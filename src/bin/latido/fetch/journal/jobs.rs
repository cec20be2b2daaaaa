//! What is written to the journal, and read from it.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, Row, Transaction, params};

use super::sql::Target;
use super::{Journal, JournalError, explain};
use crate::fetch::cause::{Cause, Failure};
use crate::fetch::job::{Job, Pieces, Stage};
use crate::fetch::request::Request;
use crate::fetch::summary::{LISTED, Tally};

/// In the order in which [`job`] reads them.
const COLUMNS: &str = "id, coalesce((SELECT path FROM names WHERE names.id = jobs.id), target), urls, checksum, stage, attempt, tries, bytes, digest, modified, processed_by, error, cause, size, output, exec_tries";

/// What became of the requests of a run.
#[derive(Debug)]
pub(crate) struct Admitted {
    /// The jobs of this run, in the order in which they were admitted first.
    pub(crate) jobs: Vec<i64>,
    /// Parts of requests that have changed since, to be removed.
    pub(crate) orphans: Vec<PathBuf>,
}

impl Journal {
    /// Enters the requests of a run. A job of the same request is gone on with; one whose URLs or checksum have
    /// changed starts anew, though its attempts go on counting. No two requests may have one target.
    pub(crate) fn admit(
        &mut self,
        requests: impl IntoIterator<Item = Request>,
    ) -> Result<Admitted, JournalError> {
        let Self { db, path, .. } = self;
        admit(db, requests).map_err(|error| explain(path, error))
    }

    /// Files that are done were perhaps given to another command, or to none: then this one is still to be run.
    pub(crate) fn process_anew(&mut self, ids: &[i64], command: &str) -> Result<(), JournalError> {
        for (id, stage) in self.stages(ids)? {
            if stage == Stage::Done {
                let mut job = self.job(id)?;
                if job.process_anew(command) {
                    self.record([&job])?;
                }
            }
        }
        Ok(())
    }

    /// Files that are done may have changed on their servers: they are asked for.
    pub(crate) fn ask_anew(&mut self, ids: &[i64]) -> Result<(), JournalError> {
        for (id, stage) in self.stages(ids)? {
            if matches!(stage, Stage::Done | Stage::Failed) {
                let mut job = self.job(id)?;
                if job.ask_anew() {
                    self.record([&job])?;
                }
            }
        }
        Ok(())
    }

    /// Writes what has become of jobs, all of it or nothing.
    pub(crate) fn record<'a>(&mut self, jobs: impl IntoIterator<Item = &'a Job>) -> Result<(), JournalError> {
        self.fails_on_purpose()
            .and_then(|()| record(&mut self.db, jobs))
            .map_err(|error| explain(&self.path, error))
    }

    /// Removes jobs, all of them or none.
    pub(crate) fn forget(&mut self, jobs: &[Job]) -> Result<(), JournalError> {
        let Self { db, path, .. } = self;
        let mut delete = || {
            let transaction = db.transaction()?;
            for job in jobs {
                transaction.prepare_cached("DELETE FROM jobs WHERE id = ?")?.execute([job.id])?;
                transaction.prepare_cached("DELETE FROM names WHERE id = ?")?.execute([job.id])?;
            }
            transaction.commit()
        };
        delete().map_err(|error| explain(path, error))
    }

    /// The file of this job is there from now on, and not at its target.
    pub(crate) fn name(&mut self, id: i64, path: &Path) -> Result<(), JournalError> {
        let write = || {
            let mut write =
                self.db.prepare_cached("INSERT OR REPLACE INTO names (id, path) VALUES (?, ?)")?;
            write.execute(params![id, Target(path)])
        };
        write().map(drop).map_err(|error| explain(&self.path, error))
    }

    /// Whether another job has this target or name, be it in this run or not.
    pub(crate) fn is_anothers(&self, id: i64, path: &Path) -> Result<bool, JournalError> {
        const ANOTHERS: &str = "SELECT 1 FROM jobs WHERE target = ?1 AND id <> ?2
            UNION ALL SELECT 1 FROM names WHERE path = ?1 AND id <> ?2";
        let read = || self.db.prepare_cached(ANOTHERS)?.exists(params![Target(path), id]);
        read().map_err(|error| explain(&self.path, error))
    }

    /// A job that was admitted.
    pub(crate) fn job(&self, id: i64) -> Result<Job, JournalError> {
        let read = || {
            let mut select = self.db.prepare_cached(&format!("SELECT {COLUMNS} FROM jobs WHERE id = ?"))?;
            select.query_row([id], job)
        };
        read().map_err(|error| self.lost(error))
    }

    /// Jobs that were admitted. In order and close together, they are read in one go.
    pub(crate) fn some(&self, ids: &[i64]) -> Result<Vec<Job>, JournalError> {
        let is_close = ids.is_sorted()
            && ids.first().zip(ids.last()).is_some_and(|(first, last)| last - first < 2 * ids.len() as i64);
        if !is_close {
            return ids.iter().map(|id| self.job(*id)).collect();
        }
        let mut jobs = Vec::with_capacity(ids.len());
        self.each(ids, &COLUMNS["id, ".len()..], |_, row| {
            jobs.push(job(row)?);
            Ok(())
        })?;
        Ok(jobs)
    }

    /// How far the jobs of a run are.
    pub(crate) fn stages(&self, ids: &[i64]) -> Result<Vec<(i64, Stage)>, JournalError> {
        let mut stages = Vec::with_capacity(ids.len());
        self.each(ids, "stage", |id, row| {
            stages.push((id, row.get(1)?));
            Ok(())
        })?;
        Ok(stages)
    }

    /// What has become of the jobs of a run.
    pub(crate) fn tally(&self, ids: &[i64]) -> Result<Tally, JournalError> {
        let mut tally = Tally::default();
        let mut failed = Vec::new();
        self.each(ids, "stage, bytes, checksum IS NOT NULL, cause", |id, row| {
            let stage = row.get(1)?;
            tally.count(stage, row.get::<_, i64>(2)?.cast_unsigned(), row.get(3)?, row.get(4)?);
            if stage == Stage::Failed && failed.len() < LISTED {
                failed.push(id);
            }
            Ok(())
        })?;
        tally.failures = failed.into_iter().map(|id| self.job(id)).collect::<Result<_, _>>()?;
        Ok(tally)
    }

    /// Reads columns of the jobs of a run, one after the other: a list may be long.
    fn each(
        &self,
        ids: &[i64],
        columns: &str,
        mut read: impl FnMut(i64, &Row<'_>) -> rusqlite::Result<()>,
    ) -> Result<(), JournalError> {
        let (Some(first), Some(last)) = (ids.first(), ids.last()) else { return Ok(()) };
        let mut wanted = ids.iter().peekable();
        let mut walk = || {
            let range = format!("SELECT id, {columns} FROM jobs WHERE id BETWEEN ? AND ? ORDER BY id");
            let mut select = self.db.prepare_cached(&range)?;
            let mut rows = select.query([first, last])?;
            while let Some(row) = rows.next()? {
                let id = row.get(0)?;
                if wanted.next_if(|wanted| **wanted == id).is_some() {
                    read(id, row)?;
                }
            }
            Ok(())
        };
        walk().map_err(|error| explain(&self.path, error))?;
        match wanted.next() {
            None => Ok(()),
            Some(_) => Err(JournalError::Replaced(self.path.clone())),
        }
    }

    fn lost(&self, error: rusqlite::Error) -> JournalError {
        match error {
            rusqlite::Error::QueryReturnedNoRows => JournalError::Replaced(self.path.clone()),
            error => explain(&self.path, error),
        }
    }

    /// Every job that was ever admitted, in that order.
    pub(crate) fn each_job(&self, mut read: impl FnMut(Job)) -> Result<(), JournalError> {
        let mut walk = || {
            let mut select = self.db.prepare(&format!("SELECT {COLUMNS} FROM jobs ORDER BY id"))?;
            let mut rows = select.query([])?;
            while let Some(row) = rows.next()? {
                read(job(row)?);
            }
            Ok(())
        };
        walk().map_err(|error| explain(&self.path, error))
    }

    #[cfg(test)]
    pub(super) fn jobs(&self) -> Result<Vec<Job>, JournalError> {
        let mut jobs = Vec::new();
        self.each_job(|job| jobs.push(job))?;
        Ok(jobs)
    }
}

fn admit(db: &mut Connection, requests: impl IntoIterator<Item = Request>) -> rusqlite::Result<Admitted> {
    let transaction = db.transaction()?;
    let mut admitted = Admitted { jobs: Vec::new(), orphans: Vec::new() };
    {
        // A file that is to go where one has gone by its server's name: that other one is somewhere else from now on.
        let has_names = transaction.prepare("SELECT 1 FROM names LIMIT 1")?.exists([])?;
        let mut insert = transaction.prepare(
            "INSERT INTO jobs (target, urls, checksum, size, stage, attempt, tries, bytes)
             VALUES (?, ?, ?, ?, 'queued', 0, 0, 0) ON CONFLICT DO NOTHING",
        )?;
        for request in requests {
            let target = Target(&request.target);
            let row = params![target, request.urls_as_text(), request.checksum, size(&request)];
            if has_names {
                let mut other = transaction.prepare_cached("DELETE FROM names WHERE path = ?")?;
                other.execute([Target(&request.target)])?;
            }
            let id = match insert.execute(row)? {
                1 => transaction.last_insert_rowid(),
                _ => go_on(&transaction, &request, &mut admitted.orphans)?,
            };
            admitted.jobs.push(id);
        }
    }
    transaction.commit()?;
    admitted.jobs.sort_unstable();
    Ok(admitted)
}

/// Goes on with the job of a target that is known.
fn go_on(
    transaction: &Transaction<'_>,
    request: &Request,
    orphans: &mut Vec<PathBuf>,
) -> rusqlite::Result<i64> {
    let mut select = transaction.prepare_cached(&format!("SELECT {COLUMNS} FROM jobs WHERE target = ?"))?;
    let mut known = select.query_row([Target(&request.target)], job)?;
    known.request.target = request.target.clone();
    if known.request != *request {
        transaction.prepare_cached("DELETE FROM names WHERE id = ?")?.execute([known.id])?;
        let mut anew = transaction.prepare_cached(
            "UPDATE jobs SET urls = ?, checksum = ?, size = ?, stage = 'queued', attempt = ?, tries = 0, bytes = 0,
             digest = NULL, modified = NULL, processed_by = NULL, error = NULL, cause = NULL, output = NULL,
             exec_tries = 0 WHERE id = ?",
        )?;
        let attempt = known.attempt + 1;
        anew.execute(params![request.urls_as_text(), request.checksum, size(request), attempt, known.id])?;
        orphans.push(known.request.part());
    }
    Ok(known.id)
}

fn record<'a>(db: &mut Connection, jobs: impl IntoIterator<Item = &'a Job>) -> rusqlite::Result<()> {
    let transaction = db.transaction()?;
    {
        let mut update = transaction.prepare_cached(
            "UPDATE jobs SET stage = ?, attempt = ?, tries = ?, bytes = ?, digest = ?, modified = ?,
             processed_by = ?, error = ?, cause = ?, output = ?, exec_tries = ? WHERE id = ?",
        )?;
        for job in jobs {
            let bytes = job.bytes.cast_signed();
            update.execute(params![
                job.stage,
                job.attempt,
                job.tries,
                bytes,
                job.digest,
                job.modified,
                job.processed_by,
                job.error.as_ref().map(|error| &*error.text),
                job.error.as_ref().map(|error| error.cause),
                job.output,
                job.exec_tries,
                job.id
            ])?;
        }
    }
    transaction.commit()
}

fn size(request: &Request) -> Option<i64> {
    request.size.map(u64::cast_signed)
}

/// By number: to look a name up takes longer than to read the column.
fn job(row: &Row<'_>) -> rusqlite::Result<Job> {
    let target = Path::new(OsStr::from_bytes(row.get_ref(1)?.as_bytes()?));
    let urls = row.get_ref(2)?.as_str()?;
    let cause: Option<Cause> = row.get(12)?;
    // One that was written by a version that knew no causes has none.
    let error = row.get::<_, Option<Box<str>>>(11)?;
    let error = error.map(|text| Failure { cause: cause.unwrap_or(Cause::Other), text });
    Ok(Job {
        id: row.get(0)?,
        request: Request::new(urls, target, row.get(3)?)
            .with_size(row.get::<_, Option<i64>>(13)?.map(i64::cast_unsigned)),
        stage: row.get(4)?,
        attempt: row.get(5)?,
        tries: row.get(6)?,
        bytes: row.get::<_, i64>(7)?.cast_unsigned(),
        digest: row.get(8)?,
        modified: row.get(9)?,
        processed_by: row.get(10)?,
        error,
        output: row.get(14)?,
        exec_tries: row.get(15)?,
        pieces: Pieces::default(),
        turn: 0,
    })
}
