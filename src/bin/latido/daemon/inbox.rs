//! The actor that takes lists in: it reads and checks them, has the ledger put them into its journal, and only then takes
//! them away. On its way it tells whether the ledger answers.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix::prelude::*;
use latido::supervision::{ActorRef, AnySpec, ChildSpec, Placement};
use latido::{Report, Reporter};
use log::Level;
use tokio::sync::Notify;

use super::options::Options;
use super::signs::Signs;
use super::spool::Spool;
use super::state::State;
use crate::fetch::hung::HungAfter;
use crate::fetch::intake::Intake;
use crate::fetch::ledger::{Admission, Admit, Ledger, Ping};
use crate::fetch::request::Request;
use crate::fetch::tree::gentle;

/// From look to look.
const LOOK: Duration = Duration::from_secs(1);
/// A list over which the program has crashed so often is put aside.
const CRASHES: u32 = 2;

/// What every incarnation is made of.
#[derive(Clone)]
pub(super) struct Plan {
    pub(super) state: State,
    pub(super) options: Arc<Options>,
    pub(super) signs: Arc<Signs>,
    /// Called when somebody wants it to look at once.
    pub(super) called: Arc<Notify>,
    /// How often a list was begun and not ended.
    pub(super) begun: Arc<Mutex<HashMap<PathBuf, u32>>>,
}

pub(super) struct Inbox {
    plan: Plan,
    ledger: ActorRef<Ledger>,
    spool: Spool,
    waiting: VecDeque<PathBuf>,
    /// Whether the ledger has a list.
    is_asking: bool,
    is_pinging: bool,
    reporter: Reporter,
}

/// A list was taken in, or not.
#[derive(Debug)]
pub(super) enum ListReport {
    Accepted {
        list: String,
        admission: Admission,
    },
    Rejected {
        list: String,
        why: String,
        place: PathBuf,
    },
    Warning(String),
    /// What is to be done with it cannot be done; it stays where it is.
    Stuck {
        list: String,
        why: String,
    },
}

impl Plan {
    /// The child of a tree whose ledger that is.
    pub(super) fn spec(&self, ledger: ActorRef<Ledger>, hung_after: HungAfter) -> AnySpec {
        let plan = self.clone();
        let inbox = move || Inbox {
            spool: Spool::new(plan.state.inbox()),
            plan: plan.clone(),
            ledger: ledger.clone(),
            waiting: VecDeque::new(),
            is_asking: false,
            is_pinging: false,
            reporter: Reporter::current(),
        };
        hung_after.watch_all(ChildSpec::new("inbox", inbox).on(Placement::OwnThread).backoff(gentle())).into()
    }

    /// Remembers what is in hand, and answers how often it was before.
    fn begin(&self, list: &Path) -> u32 {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        let times = begun.entry(list.to_owned()).or_default();
        *times += 1;
        *times - 1
    }

    fn ended(&self, list: &Path) {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner).remove(list);
    }
}

/// Looks for lists. By way of the mailbox, so that faults can be told to strike at the n-th.
#[derive(Message)]
#[rtype(result = "()")]
struct Look;

impl Actor for Inbox {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        self.listen(ctx);
        ctx.address().do_send(Look);
        ctx.run_interval(LOOK, |inbox, ctx| {
            inbox.ping(ctx);
            ctx.address().do_send(Look);
        });
    }
}

impl Handler<Look> for Inbox {
    type Result = ();

    fn handle(&mut self, _: Look, ctx: &mut Context<Self>) {
        // Those that are still waiting would be found again.
        if !self.is_asking && self.waiting.is_empty() {
            match self.spool.look() {
                Ok(lists) => self.waiting.extend(lists),
                Err(error) => self.stuck(&self.plan.state.inbox(), &error),
            }
            self.next(ctx);
        }
    }
}

impl Inbox {
    fn listen(&self, ctx: &mut Context<Self>) {
        let called = self.plan.called.clone();
        let called = async move { called.notified().await }.into_actor(self);
        ctx.spawn(called.map(|(), inbox, ctx| {
            ctx.address().do_send(Look);
            inbox.listen(ctx);
        }));
    }

    fn ping(&mut self, ctx: &mut Context<Self>) {
        if !std::mem::replace(&mut self.is_pinging, true) {
            let ledger = self.ledger.clone();
            let answer = async move { ledger.ask(Ping).await }.into_actor(self);
            ctx.spawn(answer.map(|answer, inbox, _| {
                inbox.is_pinging = false;
                if answer.is_ok() {
                    inbox.plan.signs.ledger_answers();
                }
            }));
        }
    }

    /// Takes the next list, if the ledger is not at one.
    fn next(&mut self, ctx: &mut Context<Self>) {
        while !self.is_asking
            && let Some(list) = self.waiting.pop_front()
        {
            let read = match self.plan.begin(&list) {
                CRASHES.. => Err("the program has crashed over it, more than once".to_owned()),
                _ => self.read(&list),
            };
            match read {
                Ok(requests) => self.ask(list, requests, ctx),
                Err(why) => self.reject(&list, why),
            }
        }
    }

    fn read(&self, list: &Path) -> Result<Vec<Request>, String> {
        let args = self.plan.options.fetch(&self.plan.state, list).map_err(|failure| failure.text)?;
        let intake = Intake::new(&args).map_err(|error| error.to_string())?;
        if let Some(url) = intake.with_password() {
            return Err(no_passwords(&url));
        }
        for warning in &intake.warnings {
            self.reporter.report(ListReport::Warning(warning.clone()));
        }
        let requests = intake.requests().collect();
        intake.directories.keep();
        Ok(requests)
    }

    fn ask(&mut self, list: PathBuf, requests: Vec<Request>, ctx: &mut Context<Self>) {
        self.is_asking = true;
        let ledger = self.ledger.clone();
        let answer = async move { ledger.ask(Admit(requests)).await }.into_actor(self);
        ctx.spawn(answer.map(move |answer, inbox, ctx| {
            inbox.is_asking = false;
            match answer {
                Ok(Ok(admission)) => inbox.accept(&list, admission),
                Ok(Err(refused)) => inbox.reject(&list, refused.join("\n")),
                // The ledger crashed. It may be over this list: that counts. The next look finds it again.
                Err(_) => {}
            }
            inbox.next(ctx);
        }));
    }

    fn accept(&self, list: &Path, admission: Admission) {
        match self.spool.accept(list) {
            Ok(()) => self.reporter.report(ListReport::Accepted { list: name(list), admission }),
            Err(error) => self.stuck(list, &error),
        }
        self.plan.ended(list);
    }

    fn reject(&self, list: &Path, why: String) {
        match self.spool.reject(list, &why) {
            Ok(place) => self.reporter.report(ListReport::Rejected { list: name(list), why, place }),
            Err(error) => self.stuck(list, &error),
        }
        self.plan.ended(list);
    }

    fn stuck(&self, list: &Path, error: &std::io::Error) {
        self.reporter.report(ListReport::Stuck { list: name(list), why: error.to_string() });
    }
}

/// Why a list with such a URL is not taken.
pub(super) fn no_passwords(url: &str) -> String {
    format!("{url}: a daemon keeps no passwords of URLs; put it into the netrc file of the daemon's user")
}

fn name(list: &Path) -> String {
    list.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

impl Report for ListReport {
    fn level(&self) -> Level {
        match self {
            Self::Accepted { .. } => Level::Info,
            Self::Warning(_) | Self::Rejected { .. } | Self::Stuck { .. } => Level::Warn,
        }
    }
}

impl fmt::Display for ListReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accepted { list, admission: Admission { begun, on_their_way, there } } => {
                write!(f, "list {list}: {begun} files to fetch")?;
                if on_their_way + there > 0 {
                    write!(f, ", {on_their_way} on their way already, {there} there already")?;
                }
                Ok(())
            }
            Self::Rejected { list, why, place } => {
                write!(f, "list {list} is rejected and kept as {place:?}:\n{why}")
            }
            Self::Warning(text) => f.write_str(text),
            Self::Stuck { list, why } => write!(f, "list {list} stays where it is: {why}"),
        }
    }
}
