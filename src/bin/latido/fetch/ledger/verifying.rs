//! What a file is, and its name if it is right. The ledger renames, not the downloader: it alone knows which attempt is
//! the current one.

use std::path::Path;
use std::time::UNIX_EPOCH;

use actix::prelude::*;
use latido::actors::cpu_pool::{JobError, Run};
use latido::actors::digest::ChecksumOf;
use latido::supervision::AskError;

use super::Ledger;
use crate::cli::Sync;
use crate::fetch::cause::{Cause, Failure};
use crate::fetch::checksum::Checksum;
use crate::fetch::job::Answer;
use crate::fetch::report::JobReport;

impl Ledger {
    pub(super) fn verify(&mut self, id: i64, ctx: &mut Context<Self>) {
        let attempt = self.jobs[&id].attempt;
        let Some((_, fetched)) = self.fetched.get(&id) else {
            let error = gone();
            return self.answer(id, attempt, Answer::VerifyFailed { error }, None, ctx);
        };
        if let Some(size) = self.jobs[&id].request.size.filter(|size| *size != fetched.bytes()) {
            let text = format!("the file has {} bytes, not {size}", fetched.bytes());
            let error = Failure::new(Cause::Checksum, text);
            return self.answer(id, attempt, Answer::Wrong { error }, None, ctx);
        }
        if let Some(digest) = fetched.sha256() {
            return self.name(id, attempt, Checksum::sha256(digest.0), ctx);
        }
        // Another algorithm than that of the downloaders, or whoever made the digest on the way crashed over it.
        let algorithm = self.jobs[&id].request.algorithm();
        let job = ChecksumOf { path: fetched.part().to_owned(), algorithm };
        let digest = self.ask_cpu(job).into_actor(self);
        ctx.spawn(digest.map(move |digest, ledger, ctx| {
            let answer = match digest {
                Ok(Ok(Ok(found))) => {
                    ledger.cpu_losses.answered(0);
                    ledger.name(id, attempt, Checksum::new(algorithm, &found), ctx);
                    return ledger.hand_out(ctx);
                }
                Ok(Ok(Err(error))) => Answer::VerifyFailed { error: Failure::new(Cause::Disk, error) },
                Ok(Err(JobError::Lost)) => return ledger.unverified(id, attempt, ctx),
                Err(error) => {
                    let cpu = ledger.plan.crew.cpu.clone();
                    ledger.blame_end((id, attempt), &error, &cpu);
                    return ledger.unverified(id, attempt, ctx);
                }
                Ok(Err(error)) => Answer::VerifyFailed { error: Failure::new(Cause::Other, error) },
            };
            ledger.cpu_losses.answered(0);
            ledger.answer(id, attempt, answer, None, ctx);
            ledger.hand_out(ctx);
        }));
    }

    /// The pool lost it.
    fn unverified(&mut self, id: i64, attempt: u32, ctx: &mut Context<Self>) {
        let again = move |ledger: &mut Self, ctx: &mut Context<Self>| {
            ledger.answer(id, attempt, Answer::Lost, None, ctx);
            ledger.hand_out(ctx);
        };
        match self.cpu_losses.lost(0) {
            None => again(self, ctx),
            Some(rest) => drop(ctx.run_later(rest, again)),
        }
    }

    /// Gives the file its name, if it is what was wanted.
    pub(super) fn publish(&mut self, id: i64, attempt: u32, digest: Checksum) -> Answer {
        let Some(job) = self.jobs.get_mut(&id).filter(|job| job.attempt == attempt) else {
            return Answer::Digest(digest);
        };
        if job.request.checksum.as_ref().is_some_and(|wanted| *wanted != digest) {
            return Answer::Digest(digest);
        }
        let Some((_, fetched)) = self.fetched.remove(&id) else {
            return Answer::VerifyFailed { error: gone() };
        };
        let modified = fetched.modified().duration_since(UNIX_EPOCH);
        match fetched.publish() {
            Ok(()) => {
                let target = job.request.target.clone();
                job.modified = modified.ok().and_then(|since| since.as_nanos().try_into().ok());
                if self.plan.tells_all {
                    self.reporter.report(JobReport::verified(job, &digest));
                }
                self.is_renamed(&target);
                Answer::Digest(digest)
            }
            Err(error) => Answer::NotPublished { error: Failure::from(&error) },
        }
    }
}

impl Ledger {
    /// Has the pool read a file.
    pub(super) fn ask_cpu(
        &self,
        job: ChecksumOf,
    ) -> impl Future<Output = Result<<Run<ChecksumOf> as Message>::Result, AskError>> + use<> {
        let cpu = self.plan.crew.cpu.clone();
        async move { cpu.ask(Run(job)).await }
    }

    /// A file has its name: its directory is to be synced, if that is wanted, before the journal says so.
    pub(super) fn is_renamed(&mut self, target: &Path) {
        if self.plan.transfer.sync == Sync::All {
            self.renamed.extend(target.parent().map(Path::to_owned));
        }
    }
}

fn gone() -> Failure {
    Failure::new(Cause::Disk, "the downloaded bytes are gone")
}
