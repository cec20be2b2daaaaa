//! A scenario carried out: the work, the program, the steps, and the end.

use std::time::Duration;

use anyhow::{Context, Result};
use latido::control::wire::Inject;
use nix::sys::signal::Signal;
use tempfile::TempDir;
use tokio::time::{sleep, timeout, timeout_at};

use super::file::{Ends, Whole};
use super::found::Found;
use super::plan::{Action, Order, Plan, Subject};
use super::program::{Launch, Program, WayOut};
use super::record::{Record, Seen, Writing};
use super::served::Served;
use super::words::{Moment, Target};

/// How long what is left of the program may take to end: its guards have heard of its end, and kill what they guard.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long the work waits, after the last step, for what has failed to be up again.
const SETTLING: Duration = Duration::from_secs(10);

/// A program of one's own has no last file to be kept back: so long the last step has for what comes of it to begin.
const LULL: Duration = Duration::from_secs(1);
const NO_DOOR: &str =
    "it has opened no door; `latido::control::Door::new(&tree).allow_actions().open()?` does";

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
    let (served, line) = match &plan.subject {
        Subject::Fetch(work) => {
            let beside = plan.expect.beside.as_deref();
            let (served, line) = Served::start(work, beside, place.path()).await?;
            (Some(served), line)
        }
        Subject::Own(line, _) => (None, line.iter().map(Into::into).collect()),
    };
    let launch = Launch { line, dir: place.path().to_owned(), is_own: served.is_none() };
    launch.prepare()?;
    Stage { plan, served, launch, record: Writing::new(), steps_taken: 0 }.play(place).await
}

struct Stage<'a> {
    plan: &'a Plan,
    served: Option<Served>,
    launch: Launch,
    record: Writing,
    steps_taken: usize,
}

impl Stage<'_> {
    async fn play(mut self, place: TempDir) -> Result<Outcome> {
        let limit = tokio::time::Instant::now() + self.plan.limit;
        let code = match timeout_at(limit, self.steps()).await {
            Ok(code) => Some(code?),
            // Whatever is awaited, dropped with it, is killed.
            Err(_) => None,
        };
        if self.served.is_none() && !self.record.look(Record::is_seen) {
            self.record.add(Seen::Refused(NO_DOOR.to_owned()));
        }
        let survivors = self.launch.survivors(PATIENCE).await;
        let (found, mishaps_left) = match self.served {
            Some(served) => served.end(&self.record).await?,
            None => (Found::default(), 0),
        };
        let said = self.launch.said();
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
            let is_start = step.action == Action::Program(Whole::Start);
            if step.when == Moment::Ended {
                self.let_it_end(program.way_out()).await;
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
            let action = self.chosen(n, &step.action, &program).await;
            self.record.add(Seen::Step {
                number: n + 1,
                moment: step.when.to_string(),
                action: action.to_string(),
            });
            if is_start && code.is_none() {
                self.record.add(Seen::Refused("the program runs already".to_owned()));
                break;
            }
            match self.take(&action, &mut program).await {
                Ok(None) => {}
                Ok(Some(Next::Ended)) => code = Some(self.end(program.ended().await?)),
                Ok(Some(Next::Begun(next))) => (program, code) = (*next, None),
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
                let way_out = program.way_out();
                let code = tokio::select! {
                    code = program.ended() => code?,
                    () = self.let_it_end(way_out) => program.ended().await?,
                };
                Ok(self.end(code))
            }
        }
    }

    async fn start(&self) -> Result<Program> {
        self.served.iter().for_each(Served::hold);
        let program = self.launch.start(&self.record).await?;
        self.served.iter().for_each(Served::hold_the_last);
        Ok(program)
    }

    /// Lets the last of the work go, or has a program that has no end end, when what came of the steps has had its time.
    async fn let_it_end(&self, way_out: WayOut) {
        if self.served.is_none() {
            sleep(LULL).await;
        }
        let _ = timeout(SETTLING, self.record.settled()).await;
        self.served.iter().for_each(Served::let_go);
        if let Subject::Own(_, Ends::Interrupted) = self.plan.subject {
            way_out.interrupt();
        }
    }

    fn end(&self, code: i32) -> i32 {
        self.record.add(Seen::Ended { code });
        code
    }

    /// Who is `one of` a glob is said by the seed, as soon as it is known who there is.
    async fn chosen(&self, n: usize, action: &Action, program: &Program) -> Action {
        let mut action = action.clone();
        if let Some(target) = action.target()
            && target.is_one
            && let Some(client) = &program.client
            && let Ok(tree) = client.tree().await
        {
            let mut random = fastrand::Rng::with_seed(self.plan.seed.wrapping_add(n as u64));
            let mut fitting: Vec<_> = tree.children.into_iter().map(|child| child.path).collect();
            fitting.retain(|path| target.pattern.fits(path));
            if !fitting.is_empty() {
                *target = Target::single(fitting.swap_remove(random.usize(..fitting.len())));
            }
        }
        action
    }

    async fn take(&self, action: &Action, program: &mut Program) -> Result<Option<Next>> {
        match action {
            Action::Server(mishaps) => self.served.iter().for_each(|served| served.spoil(*mishaps)),
            Action::Program(Whole::Kill) => {
                program.signal(Signal::SIGKILL);
                return Ok(Some(Next::Ended));
            }
            Action::Program(Whole::Interrupt) => {
                program.signal(Signal::SIGINT);
                return Ok(Some(Next::Ended));
            }
            Action::Program(Whole::Start) => {
                return Ok(Some(Next::Begun(Box::new(self.start().await?))));
            }
            Action::Inject { target, injection } => {
                let (path, fault) = (target.pattern.to_string(), injection.to_string());
                program.door()?.inject(&Inject { path, fault, at_message: None }).await?;
            }
            Action::Order(order, target) => {
                let (client, path) = (program.door()?, &*target.pattern.0);
                match order {
                    Order::Pause => client.pause(path).await,
                    Order::Resume => client.resume(path).await,
                    Order::Restart => client.restart(path).await,
                    Order::Stop => client.stop(path).await,
                    Order::Drain => client.drain(path).await,
                }?;
            }
        }
        Ok(None)
    }
}

/// What a step has made of the program.
enum Next {
    Ended,
    Begun(Box<Program>),
}
