//! A scenario carried out: the server, the program, the steps, and the end.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use latido::control::Client;
use latido::control::wire::Inject;
use nix::sys::signal::Signal;
use tempfile::TempDir;
use tokio::task::spawn_blocking;
use tokio::time::{timeout, timeout_at};

use super::file::Order;
use super::found::{Disk, Found};
use super::plan::{Action, Plan, Planned};
use super::program::{Launch, Program};
use super::record::{Record, Seen, Writing, seconds};
use super::words::Moment;
use crate::demo::origin::Origin;
use crate::demo::write_list;

/// How long what is left of the program may take to end: its guards have heard of its end, and kill what they guard.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long the work waits, after the last step, for what has failed to be up again.
const SETTLING: Duration = Duration::from_secs(10);

/// What was seen of a run that is over. Its directory goes with it.
pub(super) struct Outcome {
    pub(super) record: Record,
    pub(super) found: Found,
    /// Of the steps so many were taken.
    pub(super) steps_taken: usize,
    /// Of what the server was told to do so much was not asked for.
    pub(super) mishaps_left: usize,
    /// The last exit code; `None` if the time was up.
    pub(super) code: Option<i32>,
    pub(super) survivors: Vec<String>,
    pub(super) said: String,
}

pub(super) async fn run(plan: &Plan) -> Result<Outcome> {
    let place = tempfile::tempdir().context("no place for the files")?;
    let work = plan.work.clone();
    // Every byte is made once for the digests; others have their turn meanwhile.
    let corpus = spawn_blocking(move || work.corpus()).await?;
    let origin = Origin::start(corpus.clone(), Some(plan.work.rate.0)).context("no server")?;
    let dir = place.path().join("files");
    std::fs::create_dir(&dir)?;
    let list = write_list(&corpus, &origin.url(""), &dir, Path::new(""))?;
    let launch = Launch { line: plan.work.line(&list, &dir), dir: place.path().to_owned() };
    launch.prepare()?;
    let disk = Disk { corpus, dir, beside: plan.expect.beside.clone() };
    Stage { plan, origin, launch, record: Writing::new(), steps_taken: 0 }.play(place, disk).await
}

struct Stage<'a> {
    plan: &'a Plan,
    origin: Origin,
    launch: Launch,
    record: Writing,
    steps_taken: usize,
}

impl Stage<'_> {
    async fn play(mut self, place: TempDir, disk: Disk) -> Result<Outcome> {
        let limit = tokio::time::Instant::now() + self.plan.work.limit.0;
        let code = match timeout_at(limit, self.steps()).await {
            Ok(code) => Some(code?),
            // Whatever is awaited, dropped with it, is killed.
            Err(_) => None,
        };
        let survivors = self.launch.survivors(PATIENCE).await;
        for done in self.origin.mishaps().done() {
            let what = format!("the server's answer for {}: {}", done.file, done.mishap.name());
            self.record.add_at(seconds(done.at), Seen::Server(what));
        }
        let found = spawn_blocking(move || Found::of(disk)).await?;
        let (said, mishaps_left) = (self.launch.said(), self.origin.mishaps().left());
        let record = self.record.take();
        drop(place);
        Ok(Outcome { record, found, steps_taken: self.steps_taken, mishaps_left, code, survivors, said })
    }

    /// Takes the steps, and waits for the end of the program. Its last exit code.
    async fn steps(&mut self) -> Result<i32> {
        let mut program = self.start().await?;
        let mut code = None;
        let mut from = 0;
        for (n, step) in self.plan.steps.iter().enumerate() {
            let is_start = step.action == Action::Program(Order::Start);
            if step.when == Moment::Ended {
                self.let_it_end().await;
            }
            tokio::select! {
                () = self.record.wait(&step.when, from), if code.is_none() || is_start => {}
                // There is nobody left whose moment could come.
                ended = program.ended(), if code.is_none() => code = Some(self.end(ended?)),
            }
            if code.is_some() && !is_start {
                break;
            }
            from = self.record.look(|record| record.entries.len());
            self.record.add(Seen::Step {
                number: n + 1,
                moment: step.when.to_string(),
                action: step.action.to_string(),
            });
            if is_start && code.is_none() {
                self.record.add(Seen::Refused("the program runs already".to_owned()));
                break;
            }
            match self.take(step, &mut program).await {
                Ok(None) => {}
                Ok(Some(Next::Ended)) => code = Some(self.end(program.ended().await?)),
                Ok(Some(Next::Begun(next))) => (program, code) = (next, None),
                Err(error) => {
                    self.record.add(Seen::Refused(format!("{error:#}")));
                    break;
                }
            }
            self.steps_taken = n + 1;
        }
        match code {
            Some(code) => Ok(code),
            None => {
                let code = tokio::select! {
                    code = program.ended() => code?,
                    () = self.let_it_end() => program.ended().await?,
                };
                Ok(self.end(code))
            }
        }
    }

    /// Nothing is served before somebody looks, and the last file not before the steps are taken: on a machine that is
    /// busy with other things the work could be done before they are.
    async fn start(&self) -> Result<Program> {
        self.origin.open(0);
        let program = self.launch.start(&self.record).await?;
        self.origin.open(self.plan.work.files.get_ref() - 1);
        Ok(program)
    }

    /// Lets the last file go, when what came of the steps has had its time.
    async fn let_it_end(&self) {
        let _ = timeout(SETTLING, self.record.settled()).await;
        self.origin.open(usize::MAX);
    }

    fn end(&self, code: i32) -> i32 {
        self.record.add(Seen::Ended { code });
        code
    }

    async fn take(&self, step: &Planned, program: &mut Program) -> Result<Option<Next>> {
        match &step.action {
            Action::Server(mishaps) => self.origin.mishaps().plan(mishaps.mishap, mishaps.count),
            Action::Program(Order::Kill) => {
                program.signal(Signal::SIGKILL);
                return Ok(Some(Next::Ended));
            }
            Action::Program(Order::Interrupt) => {
                program.signal(Signal::SIGINT);
                return Ok(Some(Next::Ended));
            }
            Action::Program(Order::Start) => {
                return Ok(Some(Next::Begun(self.start().await?)));
            }
            action => {
                let client = program.client.as_ref().context("the program has no door")?;
                act(client, action).await?;
            }
        }
        Ok(None)
    }
}

/// What a step has made of the program.
enum Next {
    Ended,
    Begun(Program),
}

async fn act(client: &Client, action: &Action) -> Result<()> {
    let done = match action {
        Action::Inject { path, injection } => {
            let inject = Inject { path: path.clone(), fault: injection.to_string(), at_message: None };
            client.inject(&inject).await
        }
        Action::Pause(path) => client.pause(path).await,
        Action::Resume(path) => client.resume(path).await,
        Action::Restart(path) => client.restart(path).await,
        Action::Stop(path) => client.stop(path).await,
        Action::Drain(path) => client.drain(path).await,
        Action::Server(_) | Action::Program(_) => return Ok(()),
    };
    done?;
    Ok(())
}
