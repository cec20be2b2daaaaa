//! `latido demo --endless`: work that does not end, for whoever wants to break something and watch. A part of the tree
//! brings in the same files under new names, round after round; those of old rounds go.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use actix::prelude::*;
use anyhow::{Context as _, Result};
use latido::control::{Client, OpenDoor};
use latido::supervision::{ActorRef, AnySpec, ChildSpec, Placement};

use super::origin::Corpus;
use super::rounds::Rounds;
use super::verdict::{Found, Record, found};
use super::{Stage as Setting, fetch_args, write_list};
use crate::exit::Exit;
use crate::fetch::board::Board;
use crate::fetch::door;
use crate::fetch::hung::HungAfter;
use crate::fetch::intake::Intake;
use crate::fetch::job::Stage;
use crate::fetch::ledger::{Admission, Admit, Ledger, Standing};
use crate::fetch::run::{End, Ready, Running};
use crate::fetch::tree::gentle;
use crate::signals::Signals;
use crate::top;
use crate::view::{self, Detail, Screen};

/// With fewer files left to fetch the next round is brought in.
const FEW: usize = 8;
/// Who is watching does not want to wait half a minute until a part that hangs is found, or a server that says nothing; and a
/// command that is killed on purpose is run again.
const WATCHED: &[&str] = &["--hung-after", "2", "--timeout", "2", "--exec-tries", "5"];
/// From look to look.
const LOOK: Duration = Duration::from_millis(100);

pub(super) async fn play(setting: &Setting, mut signals: Signals, screen: &Screen) -> Result<Exit> {
    if !setting.top {
        introduce(screen);
    }
    let supply = Supply::new(setting);
    // The parts of the tree are made for what the first list asks for; the files come from the supply.
    let list = write_list(&setting.corpus, &supply.base, &setting.dir, Path::new("round-0000"))?;
    let args = fetch_args(&list, &setting.dir, WATCHED)?;
    let running = Ready::standing(&args, supply.standing())?.start()?;
    let (tree, run) = (running.tree.clone(), running.run());
    supply.watch(&run.board);
    let door = door::open("latido demo", &tree, &run, setting.door(), |words| screen.line(words.to_string()));
    door::show(&door, screen);
    let record = actix::spawn(Record::of(tree.subscribe()));
    let rounds = Rounds::new(setting.dir.clone(), setting.corpus.files().len());
    actix::spawn(rounds.follow(tree.subscribe()));
    let detail = if setting.top { Detail::Quiet } else { Detail::Normal };
    let view = actix::spawn(view::show(tree.subscribe(), run.board.clone(), screen.clone(), detail));
    let end = match setting.top {
        false => running.end(&mut signals).await,
        true => {
            let door = door.as_ref().context("without its door the demo cannot be shown")?;
            end_on_stage(&running, &mut signals, door, screen).await?
        }
    };
    running.stop(&mut signals).await;
    view.await?;
    let verdict = supply.verdict(record.await?, end);
    view::say(&verdict);
    Ok(verdict.exit())
}

/// Until the user has seen enough. A tree that gave up is worth seeing too.
async fn end_on_stage(
    running: &Running,
    signals: &mut Signals,
    door: &OpenDoor,
    screen: &Screen,
) -> Result<End> {
    let client = Client::new(door.card());
    let instance = client.instance().await?;
    let mut stage = top::Stage::live(client, instance, screen)?;
    let end = tokio::select! {
        curtain = stage.curtain() => {
            curtain?;
            return Ok(End::Interrupted(Exit::Interrupted));
        }
        end = running.end(signals) => end,
    };
    if let End::GaveUp(_) = end {
        tokio::select! {
            curtain = stage.curtain() => drop(curtain?),
            _ = signals.next() => {}
        }
    }
    stage.close();
    Ok(end)
}

fn introduce(screen: &Screen) {
    screen.line(
        "latido demo: files from a server on loopback, each verified and given to gzip, until Ctrl-C.\n\
         Nothing is broken but by you; in another terminal:\n\n  \
         latido tree                                   what every part is doing\n  \
         latido inject 'latido/downloaders/*' panic    break some\n  \
         latido why                                    what came of it, and why\n",
    );
}

/// What every incarnation of the part that brings files in is made of.
#[derive(Clone)]
struct Supply {
    dir: PathBuf,
    corpus: Corpus,
    base: String,
    /// How many it has brought in.
    rounds: Arc<AtomicUsize>,
    board: Arc<OnceLock<Arc<Board>>>,
}

impl Supply {
    fn new(setting: &Setting) -> Self {
        Self {
            dir: setting.dir.clone(),
            corpus: setting.corpus.clone(),
            base: setting.origin.url(""),
            rounds: Arc::default(),
            board: Arc::default(),
        }
    }

    fn standing(&self) -> Standing {
        let supply = self.clone();
        Standing {
            way_in: Arc::new(move |ledger, hung_after| supply.spec(ledger, hung_after)),
            on_beat: Arc::new(|_| {}),
            beat: Duration::from_secs(1),
        }
    }

    /// Begins, once it can be seen what is left to do.
    fn watch(&self, board: &Arc<Board>) {
        let _ = self.board.set(board.clone());
    }

    fn spec(&self, ledger: ActorRef<Ledger>, hung_after: HungAfter) -> AnySpec {
        let supply = self.clone();
        let supplier = move || Supplier { supply: supply.clone(), ledger: ledger.clone(), is_asking: false };
        hung_after
            .watch_all(ChildSpec::new("supply", supplier).on(Placement::OwnThread).backoff(gentle()))
            .into()
    }

    fn is_wanted(&self) -> bool {
        self.board.get().is_some_and(|board| board.count(Stage::Queued) < FEW)
    }

    /// The round that is to be brought in next. Until it is taken in, that is the same one.
    fn next(&self) -> usize {
        self.rounds.load(Ordering::Relaxed) + 1
    }

    fn is_taken_in(&self, round: usize) {
        self.rounds.fetch_max(round, Ordering::Relaxed);
    }

    fn files(&self, round: usize) -> Result<Admit> {
        let list = write_list(&self.corpus, &self.base, &self.dir, &name(round))?;
        let intake = Intake::new(&fetch_args(&list, &self.dir, WATCHED)?)?;
        let requests = intake.requests().collect();
        intake.directories.keep();
        Ok(Admit(requests))
    }

    /// Looks at all files that are there.
    fn verdict(&self, record: Record, end: End) -> Verdict {
        let mut verdict = Verdict { right: 0, corrupt: 0, record, end };
        let last = self.rounds.load(Ordering::Relaxed);
        for round in 1..=last {
            for file in self.corpus.files() {
                match found(file, &self.dir.join(name(round)).join(&file.name)) {
                    Found::Nothing => {}
                    Found::Wrong => verdict.corrupt += 1,
                    Found::Right(_) => verdict.right += 1,
                }
            }
        }
        verdict
    }
}

fn name(round: usize) -> PathBuf {
    format!("round-{round:04}").into()
}

/// The actor that brings files in.
struct Supplier {
    supply: Supply,
    ledger: ActorRef<Ledger>,
    is_asking: bool,
}

/// Looks whether more is wanted. By way of the mailbox, so that faults can be told to strike at the n-th.
#[derive(Message)]
#[rtype(result = "()")]
struct Look;

impl Actor for Supplier {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        ctx.run_interval(LOOK, |_, ctx| ctx.address().do_send(Look));
    }
}

impl Handler<Look> for Supplier {
    type Result = ();

    fn handle(&mut self, _: Look, ctx: &mut Context<Self>) {
        if self.is_asking || !self.supply.is_wanted() {
            return;
        }
        let round = self.supply.next();
        let files = self.supply.files(round);
        let files = files.unwrap_or_else(|error| latido::crash(format!("no new files: {error:#}")));
        self.is_asking = true;
        let ledger = self.ledger.clone();
        let answer = async move { ledger.ask(files).await }.into_actor(self);
        ctx.spawn(answer.map(move |answer: Result<Result<Admission, _>, _>, supplier, _| {
            supplier.is_asking = false;
            // Otherwise the ledger has not heard of it, or not to the end, and is asked again.
            if let Ok(admission) = answer {
                supplier.supply.is_taken_in(round);
                if let Err(refused) = admission {
                    log::error!("files of the demo were refused: {refused:?}");
                }
            }
        }));
    }
}

/// What an endless demo ends with.
struct Verdict {
    right: usize,
    corrupt: usize,
    record: Record,
    end: End,
}

impl Verdict {
    /// It was to be ended by a signal, so that is no failure.
    fn exit(&self) -> Exit {
        match self.end {
            _ if self.corrupt + self.record.failed > 0 => Exit::Failed,
            End::GaveUp(_) => Exit::GaveUp,
            End::Interrupted(_) | End::Finished => Exit::Ok,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Record { done, failed, .. } = self.record;
        writeln!(
            f,
            "files     {done} done, {failed} failed; of those that are still there {} are right",
            self.right
        )?;
        writeln!(f, "          and {} corrupt", self.corrupt)?;
        write!(f, "{}", self.record)?;
        match &self.end {
            End::GaveUp(reason) => write!(f, "verdict   FAIL: the tree {reason}"),
            _ if self.exit() == Exit::Ok => f.write_str("verdict   PASS: nothing was lost"),
            _ if self.corrupt == 0 => {
                let files = if failed == 1 { "file" } else { "files" };
                write!(
                    f,
                    "verdict   FAIL: {failed} {files} failed, each with its reason; nothing else was lost"
                )
            }
            _ => f.write_str("verdict   FAIL: something was lost"),
        }
    }
}
