//! Where a ledger begins: the jobs as the journal and the disk have them.

use std::fs;
use std::os::unix::fs::MetadataExt;

use actix::prelude::*;

use super::{Ledger, sound};
use crate::fetch::job::{Facts, Job, Stage};

impl Ledger {
    /// Opens the journal and begins. A ledger that was left behind may be in the middle of a write: this one is up when that
    /// is over.
    pub(super) fn open(&mut self, ctx: &mut Context<Self>) {
        if let Some(opened) = self.plan.journal.open() {
            sound(opened);
            return self.begin_work(ctx);
        }
        log::warn!("the ledger before this one is still at a write to the journal, which is waited for");
        let journal = self.plan.journal.clone();
        let opened = async move { journal.opened().await }.into_actor(self);
        ctx.wait(opened.map(|opened, ledger, ctx| {
            sound(opened);
            ledger.begin_work(ctx);
        }));
    }

    fn begin_work(&mut self, ctx: &mut Context<Self>) {
        self.listen(ctx);
        self.take_up(ctx);
        self.hand_out(ctx);
        if self.unfinished == 0 && self.unsaved.is_empty() && !self.plan.stays {
            self.plan.board.finish();
        }
    }

    /// Takes up the jobs where the journal says they are.
    fn take_up(&mut self, ctx: &mut Context<Self>) {
        let is_first = self.reporter.incarnation() <= 1;
        self.plan.board.reset();
        let stages = match self.plan.stays {
            true => self.journal().all_stages(),
            false => self.journal().stages(&self.plan.jobs),
        };
        for (id, stage) in sound(stages) {
            match stage {
                // Whoever wants it again adds it again.
                Stage::Done | Stage::Failed if self.plan.stays => self.plan.board.enter(stage, 0),
                Stage::Queued => {
                    self.plan.board.enter(stage, 0);
                    self.unfinished += 1;
                    self.to_fetch.push_back(id);
                }
                _ => self.take_up_one(id, is_first, ctx),
            }
        }
    }

    fn take_up_one(&mut self, id: i64, is_first: bool, ctx: &mut Context<Self>) {
        let mut job = sound(self.journal().job(id));
        let before = job.clone();
        // It gets its tries again in the next run, not whenever a ledger crashes.
        if is_first || job.stage != Stage::Failed {
            job.recover(facts(&job), &self.plan.rules);
        }
        self.plan.board.enter(job.stage, job.bytes);
        if is_first && job.stage == Stage::Done {
            self.plan.board.find();
        }
        self.take_in(job, &before, ctx);
    }

    /// Puts a job that goes on where its stage is done, and sees to it that the journal hears of it if it is not what it was
    /// `before`. Answers whether anything is left to do about it.
    pub(super) fn take_in(&mut self, mut job: Job, before: &Job, ctx: &mut Context<Self>) -> bool {
        let (id, is_finished) = (job.id, job.is_finished());
        self.unfinished += usize::from(!is_finished);
        if job.stage == Stage::Processing {
            job.start();
        }
        let stage = job.stage;
        if job != *before {
            self.jobs.insert(id, job);
            self.save(id, ctx);
        }
        match stage {
            Stage::Queued => self.to_fetch.push_back(id),
            Stage::Processing => self.enqueue(id),
            _ => {}
        }
        !is_finished
    }
}

/// What the disk says. The downloaded bytes of an earlier ledger are gone: a downloader removes what nobody waits for.
pub(super) fn facts(job: &Job) -> Facts {
    let target = fs::metadata(&job.request.target).ok().filter(fs::Metadata::is_file);
    let modified = |target: &fs::Metadata| target.mtime() * 1_000_000_000 + target.mtime_nsec();
    Facts { target_modified: target.as_ref().map(modified), target_bytes: target.map(|target| target.len()) }
}
