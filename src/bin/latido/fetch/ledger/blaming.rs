//! What held a job up: a part that ended over it, or did it wrong. What is said of the job from then on is told in the story
//! of that.

use actix::{Actor, Context};
use latido::incident::Trouble;
use latido::supervision::{ActorRef, AskError};

use super::Ledger;
use crate::fetch::job::Job;
use crate::fetch::report::JobReport;

impl Ledger {
    /// The downloader had it, and it went wrong there.
    pub(super) fn blame_downloader(&mut self, id: i64, attempt: u32, downloader: usize) {
        let path = self.plan.crew.downloaders[downloader].path();
        self.blame(id, attempt, path.cloned().map(Trouble::Child));
    }

    pub(super) fn blame_runner(&mut self, id: i64, attempt: u32, runner: usize) {
        let path = self.plan.crew.runners[runner].path();
        self.blame(id, attempt, path.cloned().map(Trouble::Child));
    }

    /// Whoever had it did not answer: its life ended over it, or nobody took it there.
    pub(super) fn blame_end<A>(&mut self, (id, attempt): (i64, u32), error: &AskError, part: &ActorRef<A>)
    where
        A: Actor<Context = Context<A>>,
    {
        let child = || part.path().cloned().map(Trouble::Child);
        self.blame(id, attempt, error.trouble().or_else(child));
    }

    /// It was fetched, and is wrong.
    pub(super) fn blame_who_fetched(&mut self, id: i64) {
        if let Some((downloader, _)) = self.fetched.get(&id) {
            let (downloader, attempt) = (*downloader, self.jobs[&id].attempt);
            self.blame_downloader(id, attempt, downloader);
        }
    }

    fn blame(&mut self, id: i64, attempt: u32, trouble: Option<Trouble>) {
        let is_current = self.jobs.get(&id).is_some_and(|job| job.attempt == attempt);
        if let Some(trouble) = trouble.filter(|_| is_current) {
            self.troubles.insert(id, trouble);
        }
    }

    /// Says something about a job, with what held it up last.
    pub(super) fn report(&self, id: i64, report: impl FnOnce(&Job) -> JobReport) {
        let report = report(&self.jobs[&id]);
        self.reporter.report(report.after(self.troubles.get(&id).cloned()));
    }
}
