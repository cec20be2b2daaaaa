//! The name that a server gives to a file, with `--content-disposition`. It comes from a stranger: it stays in the
//! directory that the file would be in anyway, and takes nobody's place.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use actix::prelude::*;
use latido::actors::digest::ChecksumOf;
use latido::actors::downloader::FetchError;

use super::{Ledger, sound, taking_up};
use crate::fetch::cause::{Cause, Failure};
use crate::fetch::checksum::Checksum;
use crate::fetch::job::Answer;
use crate::fetch::report::JobReport;
use crate::fetch::target::checked_name;

impl Ledger {
    /// Gives the file its name, if it is what was wanted: that of its server, or that of its target.
    pub(super) fn name(&mut self, id: i64, attempt: u32, digest: Checksum, ctx: &mut Context<Self>) {
        let answer = match self.name_by_server(id, attempt, &digest) {
            None => self.publish(id, attempt, digest),
            Some(name) => match self.publish_as(id, &name, &digest) {
                Ok(()) => Answer::Digest(digest),
                Err(FetchError::Disk { source, .. }) if source.kind() == ErrorKind::AlreadyExists => {
                    return self.compare(id, attempt, name, digest, ctx);
                }
                Err(error) => Answer::VerifyFailed { error: Failure::from(&error) },
            },
        };
        self.answer(id, attempt, answer, None, ctx);
    }

    /// Where the server's name leads, if it is to be used and leads elsewhere.
    fn name_by_server(&self, id: i64, attempt: u32, digest: &Checksum) -> Option<PathBuf> {
        let job = self.jobs.get(&id).filter(|_| self.plan.content_disposition)?;
        let is_wrong = job.request.checksum.as_ref().is_some_and(|wanted| wanted != digest);
        let suggested =
            self.fetched.get(&id)?.1.suggested_name().filter(|_| job.attempt == attempt && !is_wrong)?;
        let name = checked_name(suggested.into()).ok()?;
        let path = job.request.target.with_file_name(name);
        (*path != *job.request.target).then_some(path)
    }

    fn publish_as(&mut self, id: i64, name: &Path, digest: &Checksum) -> Result<(), FetchError> {
        let taken = || FetchError::Disk { path: name.to_owned(), source: ErrorKind::AlreadyExists.into() };
        // It may be there, or be to come.
        if sound(self.journal().is_anothers(id, name)) {
            return Err(taken());
        }
        let (_, fetched) = self.fetched.remove(&id).ok_or_else(taken)?;
        let modified = fetched.modified().duration_since(UNIX_EPOCH);
        fetched.publish_as(name)?;
        self.named(id, name, digest);
        let modified = modified.ok().and_then(|since| since.as_nanos().try_into().ok());
        self.change(id, |job| job.modified = modified);
        self.is_renamed(name);
        Ok(())
    }

    /// At once, so that the next run looks for the file there.
    fn named(&mut self, id: i64, name: &Path, digest: &Checksum) {
        sound(self.journal().name(id, name));
        self.change(id, |job| job.request.target = name.into());
        if self.plan.tells_all {
            self.reporter.report(JobReport::verified(&self.jobs[&id], digest));
        }
    }

    /// The name is taken. A file of the very same bytes is the one that was wanted: a run may have ended just after it
    /// was named.
    fn compare(&mut self, id: i64, attempt: u32, name: PathBuf, digest: Checksum, ctx: &mut Context<Self>) {
        let others = sound(self.journal().is_anothers(id, &name)) || !is_file(&name);
        let job = ChecksumOf { path: name.clone(), algorithm: digest.algorithm() };
        let found = self.ask_cpu(job).into_actor(self);
        ctx.spawn(found.map(move |found, ledger, ctx| {
            let is_current = ledger.jobs.get(&id).is_some_and(|job| job.attempt == attempt);
            let answer = match found {
                Ok(Ok(Ok(found)))
                    if !others && is_current && Checksum::new(digest.algorithm(), &found) == digest =>
                {
                    ledger.named(id, &name, &digest);
                    ledger.change(id, |job| job.modified = taking_up::facts(job).target_modified);
                    Answer::Digest(digest)
                }
                _ => Answer::NotPublished { error: taken(&name) },
            };
            ledger.answer(id, attempt, answer, None, ctx);
            ledger.hand_out(ctx);
        }));
    }
}

fn is_file(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|found| found.is_file())
}

fn taken(name: &Path) -> Failure {
    let text = format!(
        "the server calls it {:?}, and something else has that name; move that away, or fetch it without \
         --content-disposition",
        name.file_name().unwrap_or_default()
    );
    Failure::new(Cause::Name, text)
}
