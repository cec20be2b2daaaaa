//! What an answer makes of a job, and what is done then.

use std::time::Duration;

use actix::prelude::*;

use super::{Ledger, backoff, taking_up};
use crate::fetch::cause::Cause;
use crate::fetch::hosts::host;
use crate::fetch::job::{Answer, Job, Next, Stage};
use crate::fetch::mirrors::Outcome;
use crate::fetch::report::JobReport;

impl Ledger {
    /// Takes an answer in and does what comes next. `rest` is how long the server wants to be left alone.
    pub(super) fn answer(
        &mut self,
        id: i64,
        attempt: u32,
        answer: Answer,
        rest: Option<Duration>,
        ctx: &mut Context<Self>,
    ) {
        // One that is finished, and no longer remembered, awaits no answer.
        let Some(stage) = self.jobs.get(&id).map(|job| job.stage) else { return };
        let is_lost = answer == Answer::Lost;
        let is_from_server =
            matches!(answer, Answer::FetchFailed { .. } | Answer::Digest(_) | Answer::Wrong { .. });
        let rules = self.plan.rules;
        let rest = rest.map(|rest| self.let_rest(id, rest, ctx));
        let next = self.change(id, |job| {
            let next = job.answer(attempt, answer, &rules);
            let is_processed = stage == Stage::Processing;
            if job.stage == Stage::Done && (is_processed || job.modified.is_none()) {
                job.modified = taking_up::facts(job).target_modified;
            }
            next
        });
        if matches!(next, Next::Retry { .. } | Next::Anew) {
            self.blame_who_fetched(id);
        }
        let job = &self.jobs[&id];
        if is_from_server && let Some(outcome) = outcome(job, next) {
            self.mirrors.tried(id, &job.request, job.turn, outcome);
        }
        if is_lost && next != Next::Nothing {
            self.report(id, |job| JobReport::lost(job, stage));
        }
        match next {
            Next::Nothing => {}
            // It has waited already.
            Next::Fetch | Next::Requeue => self.to_fetch.push_front(id),
            Next::Anew => {
                self.report(id, |job| JobReport::retry(job, Duration::ZERO));
                self.fetched.remove(&id);
                self.to_fetch.push_front(id);
            }
            Next::Verify => self.verify(id, ctx),
            Next::Process => {
                self.enqueue(id);
                self.save(id, ctx);
            }
            Next::ProcessLater { step } => {
                let wait = backoff().delay(step, fastrand::f64());
                self.report(id, |job| JobReport::retry(job, wait));
                self.save(id, ctx);
                ctx.run_later(wait, move |ledger, ctx| {
                    ledger.change(id, Job::start);
                    if let Some(queue) = &mut ledger.to_process {
                        queue.push_alone(id);
                    }
                    ledger.hand_out(ctx);
                });
            }
            Next::Retry { step } => {
                // Another server has not asked for anything.
                let rest = rest.filter(|(asked, _)| *asked == host(job.url())).map(|(_, rest)| rest);
                let wait = backoff().delay(step, fastrand::f64()).max(rest.unwrap_or_default());
                let wait = wait.min(self.plan.manners.max_wait);
                self.report(id, |job| JobReport::retry(job, wait));
                self.fetched.remove(&id);
                self.save(id, ctx);
                ctx.run_later(wait, move |ledger, ctx| {
                    ledger.to_fetch.push_back(id);
                    ledger.hand_out(ctx);
                });
            }
            Next::Finished => {
                self.report(id, JobReport::finished);
                self.troubles.remove(&id);
                self.mirrors.forget(id);
                self.fetched.remove(&id);
                self.unfinished -= 1;
                self.save(id, ctx);
            }
        }
    }
}

/// What a server's answer says of it.
fn outcome(job: &Job, next: Next) -> Option<Outcome> {
    let failed = matches!(next, Next::Retry { .. }) || job.stage == Stage::Failed;
    match job.error.as_ref().filter(|_| failed).map(|error| error.cause) {
        None => matches!(job.stage, Stage::Processing | Stage::Done).then_some(Outcome::Right),
        Some(Cause::Checksum) => Some(Outcome::Wrong),
        // That was not the server.
        Some(Cause::Disk | Cause::Busy) => None,
        Some(_) => Some(Outcome::Failed),
    }
}
