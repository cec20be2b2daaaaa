//! The actor that owns every job. It hands stages out and takes answers in; whoever has a stage answers and forgets.
//! What is not in the journal yet when the ledger crashes is done again by the next ledger, so a crash costs an
//! attempt, never a job.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use latido::Reporter;
use latido::actors::cpu_pool::{CpuPool, JobError, Run};
use latido::actors::digest::Sha256Of;
use latido::actors::downloader::{Downloader, Fetch, FetchError, Fetched, Progress};
use latido::actors::process::{CommandRunner, RunCommand};
use latido::supervision::Backoff;

use super::board::{Board, Transfer};
use super::checksum::Checksum;
use super::exec::Exec;
use super::job::{Answer, Facts, Job, Next, Rules, Stage};
use super::journal::Journal;
use super::report::JobReport;

/// Between tries of one job: 1 s, 2 s, 4 s ... 1 min, each up to a quarter longer.
fn backoff() -> Backoff {
    Backoff::exponential(Duration::from_secs(1), Duration::from_secs(60)).jitter(0.25)
}

/// What a ledger is built from; the same for every incarnation.
pub(crate) struct Plan {
    pub(crate) journal: std::path::PathBuf,
    /// The jobs of this run.
    pub(crate) jobs: Vec<i64>,
    pub(crate) rules: Rules,
    pub(crate) exec: Option<Exec>,
    pub(crate) crew: Crew,
    pub(crate) board: Arc<Board>,
}

/// Those who do the work.
pub(crate) struct Crew {
    pub(crate) downloaders: Vec<Addr<Downloader>>,
    pub(crate) cpu: Addr<CpuPool>,
    pub(crate) runners: Vec<Addr<CommandRunner>>,
}

pub(crate) struct Ledger {
    plan: Arc<Plan>,
    journal: Journal,
    jobs: HashMap<i64, Job>,
    /// Changed since the journal was last written.
    unsaved: BTreeSet<i64>,
    to_fetch: VecDeque<i64>,
    to_process: VecDeque<i64>,
    idle_downloaders: Vec<usize>,
    idle_runners: Vec<usize>,
    /// Complete, and not yet under their names.
    fetched: HashMap<i64, Fetched>,
    unfinished: usize,
    reporter: Reporter,
}

impl Ledger {
    /// Opens the journal and takes up its jobs where it says they are.
    pub(crate) fn new(plan: &Arc<Plan>) -> Self {
        let journal = Journal::open(&plan.journal).unwrap_or_else(|error| latido::crash(error));
        let jobs = journal.jobs_of(&plan.jobs).unwrap_or_else(|error| latido::crash(error));
        Self {
            plan: plan.clone(),
            journal,
            jobs: jobs.into_iter().map(|job| (job.id, job)).collect(),
            unsaved: BTreeSet::new(),
            to_fetch: VecDeque::new(),
            to_process: VecDeque::new(),
            idle_downloaders: (0..plan.crew.downloaders.len()).rev().collect(),
            idle_runners: (0..plan.crew.runners.len()).rev().collect(),
            fetched: HashMap::new(),
            unfinished: 0,
            reporter: Reporter::current(),
        }
    }

    /// Changes a job, and sees to it that the board and the journal hear of it.
    fn change<R>(&mut self, id: i64, ctx: &mut Context<Self>, change: impl FnOnce(&mut Job) -> R) -> R {
        let job = self.jobs.get_mut(&id).expect("the ledger is asked about its own jobs");
        let before = job.stage;
        let result = change(job);
        self.plan.board.moved(before, job);
        if self.unsaved.is_empty() {
            // Behind the answers that are already waiting: they are all saved in one go. By way of the mailbox, so
            // that a fault can be told to strike at the n-th.
            ctx.address().do_send(Save);
        }
        self.unsaved.insert(id);
        result
    }

    // ===== work goes out =====

    fn hand_out(&mut self, ctx: &mut Context<Self>) {
        while !self.to_fetch.is_empty()
            && let Some(downloader) = self.idle_downloaders.pop()
            && let Some(id) = self.to_fetch.pop_front()
        {
            self.change(id, ctx, Job::start);
            self.fetch(id, downloader, ctx);
        }
        while !self.to_process.is_empty()
            && let Some(runner) = self.idle_runners.pop()
            && let Some(id) = self.to_process.pop_front()
        {
            self.process(id, runner, ctx);
        }
    }

    fn fetch(&mut self, id: i64, downloader: usize, ctx: &mut Context<Self>) {
        let job = &self.jobs[&id];
        let (attempt, progress) = (job.attempt, Arc::<Progress>::default());
        let request = &job.request;
        let fetch = Fetch::new(job.url(), &*request.target).part(request.part()).progress(progress.clone());
        self.plan.board.set_transfer(downloader, Some(Transfer { name: request.name(), progress }));
        let answer = self.plan.crew.downloaders[downloader].send(fetch).into_actor(self);
        ctx.spawn(answer.map(move |answer, ledger, ctx| {
            ledger.plan.board.set_transfer(downloader, None);
            ledger.idle_downloaders.push(downloader);
            let (answer, rest) = match answer {
                Ok(Ok(fetched)) => {
                    let bytes = fetched.bytes();
                    ledger.fetched.insert(id, fetched);
                    (Answer::Fetched { bytes }, None)
                }
                Ok(Err(error)) => (failed(&error), error.retry_after()),
                Err(_) => (Answer::Lost, None),
            };
            ledger.answer(id, attempt, answer, rest, ctx);
        }));
    }

    fn verify(&mut self, id: i64, ctx: &mut Context<Self>) {
        let attempt = self.jobs[&id].attempt;
        let Some(fetched) = self.fetched.get(&id) else {
            let error = "the downloaded bytes are gone".to_owned();
            return self.answer(id, attempt, Answer::VerifyFailed { error }, None, ctx);
        };
        let digest = self.plan.crew.cpu.send(Run(Sha256Of(fetched.part().to_owned()))).into_actor(self);
        ctx.spawn(digest.map(move |digest, ledger, ctx| {
            let answer = match digest {
                Ok(Ok(Ok(found))) => ledger.publish(id, attempt, Checksum::sha256(found.sha256.0)),
                Ok(Ok(Err(error))) => Answer::VerifyFailed { error: error.to_string() },
                Ok(Err(JobError::Lost)) | Err(_) => Answer::Lost,
                Ok(Err(error)) => Answer::VerifyFailed { error: error.to_string() },
            };
            ledger.answer(id, attempt, answer, None, ctx);
        }));
    }

    /// Gives the file its name, if it is what was wanted.
    fn publish(&mut self, id: i64, attempt: u32, digest: Checksum) -> Answer {
        let job = &self.jobs[&id];
        if job.attempt != attempt || job.request.checksum.is_some_and(|wanted| wanted != digest) {
            return Answer::Digest(digest);
        }
        match self.fetched.remove(&id).map(Fetched::publish) {
            Some(Ok(())) => Answer::Digest(digest),
            Some(Err(error)) => Answer::VerifyFailed { error: error.to_string() },
            None => Answer::VerifyFailed { error: "the downloaded bytes are gone".to_owned() },
        }
    }

    fn process(&mut self, id: i64, runner: usize, ctx: &mut Context<Self>) {
        let job = &self.jobs[&id];
        let (attempt, target) = (job.attempt, &job.request.target);
        let Some(exec) = &self.plan.exec else { return };
        let run = RunCommand::new(exec.command(target));
        let answer = self.plan.crew.runners[runner].send(run).into_actor(self);
        ctx.spawn(answer.map(move |answer, ledger, ctx| {
            ledger.idle_runners.push(runner);
            let answer = match answer {
                Ok(Ok(_)) => {
                    let command = ledger.plan.exec.as_ref().map(|exec| exec.to_string().into());
                    ledger.change(id, ctx, |job| job.processed_by = command);
                    Answer::Processed
                }
                Ok(Err(error)) => Answer::ProcessFailed { error: error.to_string() },
                Err(_) => Answer::Lost,
            };
            ledger.answer(id, attempt, answer, None, ctx);
        }));
    }

    // ===== answers come in =====

    /// Takes an answer in and does what comes next. `rest` is how long the server wants to be left alone.
    fn answer(
        &mut self,
        id: i64,
        attempt: u32,
        answer: Answer,
        rest: Option<Duration>,
        ctx: &mut Context<Self>,
    ) {
        let lost = (answer == Answer::Lost).then(|| self.jobs[&id].stage);
        let rules = self.plan.rules;
        let next = self.change(id, ctx, |job| {
            let next = job.answer(attempt, answer, &rules);
            if job.stage == Stage::Done && job.modified.is_none() {
                job.modified = facts(job).target_modified;
            }
            next
        });
        let job = &self.jobs[&id];
        if let Some(stage) = lost.filter(|_| next != Next::Nothing) {
            self.reporter.report(JobReport::lost(job, stage));
        }
        match next {
            Next::Nothing => {}
            // Its downloader crashed, and has just become idle: it gets the job again.
            Next::Fetch => match self.idle_downloaders.pop() {
                Some(downloader) => self.fetch(id, downloader, ctx),
                None => self.to_fetch.push_front(id),
            },
            Next::Verify => self.verify(id, ctx),
            Next::Process => self.to_process.push_back(id),
            Next::Retry { step } => {
                let wait = backoff().delay(step, fastrand::f64()).max(rest.unwrap_or_default());
                self.reporter.report(JobReport::retry(job, wait));
                self.fetched.remove(&id);
                ctx.run_later(wait, move |ledger, ctx| {
                    ledger.to_fetch.push_back(id);
                    ledger.hand_out(ctx);
                });
            }
            Next::Finished => {
                self.reporter.report(JobReport::finished(job));
                self.fetched.remove(&id);
                self.unfinished -= 1;
            }
        }
        self.hand_out(ctx);
    }
}

fn failed(error: &FetchError) -> Answer {
    Answer::FetchFailed { error: error.to_string(), transient: error.is_transient() }
}

/// Writes what has changed to the journal.
#[derive(Message)]
#[rtype(result = "()")]
struct Save;

impl Handler<Save> for Ledger {
    type Result = ();

    fn handle(&mut self, _: Save, _: &mut Context<Self>) {
        let changed = self.unsaved.iter().map(|id| &self.jobs[id]);
        self.journal.record(changed).unwrap_or_else(|error| latido::crash(error));
        self.unsaved.clear();
        if self.unfinished == 0 {
            self.plan.board.finish();
        }
    }
}

impl Actor for Ledger {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        let is_first = self.reporter.incarnation() <= 1;
        self.plan.board.reset(self.jobs.values());
        for id in self.plan.jobs.clone() {
            let rules = self.plan.rules;
            self.change(id, ctx, |job| match job.stage {
                // It gets its tries again in the next run, not whenever a ledger crashes.
                Stage::Failed if !is_first => {}
                _ => job.recover(facts(job), &rules),
            });
            let job = &self.jobs[&id];
            self.unfinished += usize::from(!job.is_finished());
            match job.stage {
                Stage::Queued => self.to_fetch.push_back(id),
                Stage::Processing => {
                    self.change(id, ctx, Job::start);
                    self.to_process.push_back(id);
                }
                _ => {}
            }
        }
        self.hand_out(ctx);
        if self.jobs.is_empty() {
            self.plan.board.finish();
        }
    }
}

/// What the disk says. The downloaded bytes of an earlier ledger are gone: a downloader removes what nobody waits for.
fn facts(job: &Job) -> Facts {
    let target = fs::metadata(&job.request.target).ok().filter(fs::Metadata::is_file);
    let modified = |target: &fs::Metadata| target.mtime() * 1_000_000_000 + target.mtime_nsec();
    Facts { target_modified: target.as_ref().map(modified), target_bytes: target.map(|target| target.len()) }
}
