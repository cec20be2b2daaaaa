//! An actor that does what messages tell it to, comes to grief when it is its turn, and keeps books of its own.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, OnceLock, RwLock};
use std::time::Duration;

use actix::dev::{MessageResponse, OneshotSender};
use actix::fut::wrap_future;
use actix::prelude::*;
use futures::future::FutureExt;
use latido::supervision::ActorRef;
use latido::{Reporter, TreePath};

use crate::notes::Note;
use crate::plan::{Act, How, Mishap, NodePlan, Number, Stage, Woe};
use crate::record::Record;

/// One worker over all its lives, as it sees itself.
pub(crate) struct Child {
    pub(crate) plan: NodePlan,
    pub(crate) path: TreePath,
    pub(crate) actor: OnceLock<ActorRef<Probe>>,
    pub(crate) mishaps: Mutex<Vec<Mishap>>,
    /// How many of it there are.
    pub(crate) now: AtomicUsize,
    /// Messages that anybody has sent to it; handlers that began, and that returned.
    pub(crate) sent: AtomicU64,
    pub(crate) begun: AtomicU64,
    pub(crate) returned: AtomicU64,
    newest: AtomicU64,
    last_taken: AtomicU64,
    next: AtomicU64,
    pub(crate) all: Arc<Directory>,
    pub(crate) record: Arc<Record>,
}

/// The workers that there are.
#[derive(Default)]
pub(crate) struct Directory(pub(crate) RwLock<std::collections::HashMap<Number, Arc<Child>>>);

impl Directory {
    pub(crate) fn get(&self, number: Number) -> Option<Arc<Child>> {
        self.0.read().unwrap().get(&number).cloned()
    }
}

/// What became of a message, as its handler saw it.
#[derive(Default)]
pub(crate) struct Slip {
    /// Its place in the order of those that were sent from outside, from 1; 0 if it was not.
    order: u64,
    pub(crate) times_begun: AtomicUsize,
    /// The life that took it.
    pub(crate) life: AtomicU64,
    /// Whoever sent it knows what came of it.
    pub(crate) told: AtomicBool,
    /// Whoever sent it is to know before the handler returns, should that hang.
    is_asked: bool,
}

#[derive(Message)]
#[rtype(result = "u64")]
pub(crate) struct Do {
    act: Act,
    slip: Arc<Slip>,
    _counted: Counted,
}

/// A message that has not been dropped.
struct Counted(Arc<Record>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.messages.fetch_sub(1, SeqCst);
    }
}

impl Child {
    pub(crate) fn new(
        plan: NodePlan,
        path: TreePath,
        all: &Arc<Directory>,
        record: &Arc<Record>,
    ) -> Arc<Self> {
        Arc::new(Self {
            plan,
            path,
            actor: OnceLock::new(),
            mishaps: Mutex::default(),
            now: AtomicUsize::new(0),
            sent: AtomicU64::new(0),
            begun: AtomicU64::new(0),
            returned: AtomicU64::new(0),
            newest: AtomicU64::new(0),
            last_taken: AtomicU64::new(0),
            next: AtomicU64::new(1),
            all: all.clone(),
            record: record.clone(),
        })
    }

    pub(crate) fn actor(&self) -> &ActorRef<Probe> {
        self.actor.get().expect("set with its spec")
    }

    /// A message to it, from outside: those are handled in this order.
    pub(crate) fn message(&self, act: Act, how: How) -> Do {
        let is_asked = matches!(how, How::Ask | How::AskWithin(_));
        self.packed(act, self.next.fetch_add(1, SeqCst), is_asked)
    }

    fn packed(&self, act: Act, order: u64, is_asked: bool) -> Do {
        self.sent.fetch_add(1, SeqCst);
        self.record.messages.fetch_add(1, SeqCst);
        let slip = Arc::new(Slip { order, is_asked, ..Slip::default() });
        Do { act, slip, _counted: Counted(self.record.clone()) }
    }

    /// A message from an actor.
    fn tell(&self) {
        self.actor().addr().do_send(self.packed(Act::Answer, 0, false));
    }

    fn mishap_at(&self, stage: Stage) -> Option<Woe> {
        let mut mishaps = self.mishaps.lock().unwrap();
        let found = mishaps.iter().position(|mishap| mishap.stage == stage)?;
        Some(mishaps.remove(found).woe)
    }
}

impl Do {
    pub(crate) fn slip(&self) -> Arc<Slip> {
        self.slip.clone()
    }
}

pub(crate) struct Probe {
    child: Arc<Child>,
    life: u64,
    reporter: Reporter,
}

impl Probe {
    pub(crate) fn new(child: &Arc<Child>) -> Self {
        let reporter = Reporter::current();
        child.now.fetch_add(1, SeqCst);
        child.newest.fetch_max(reporter.incarnation(), SeqCst);
        let probe = Self { child: child.clone(), life: reporter.incarnation(), reporter };
        if probe.reporter.path() != Some(&child.path) {
            child.record.is_wrong(&child.path, format!("is built as {:?}", probe.reporter));
        }
        probe.reporter.report(Note::Built(std::thread::current().id()));
        let woe = probe.mishap_at(Stage::Factory);
        probe.suffer(woe);
        probe
    }

    fn mishap_at(&self, stage: Stage) -> Option<Woe> {
        let woe = self.child.mishap_at(stage)?;
        self.reporter.report(Note::Befallen(Mishap { stage, woe }));
        Some(woe)
    }

    fn suffer(&self, woe: Option<Woe>) {
        match woe {
            Some(Woe::Panic) => panic!("by mishap"),
            Some(Woe::Crash) => latido::crash("by mishap"),
            Some(Woe::Hang) => self.hang(None, Duration::ZERO),
            Some(Woe::Slow(time)) => std::thread::sleep(time / 4),
            Some(Woe::Refuse) | None => {}
        }
    }

    /// What hangs comes back to life some time after it was given up.
    fn hang(&self, asked: Option<&Slip>, and_then: Duration) {
        self.reporter.report(Note::Hangs);
        match asked {
            Some(slip) => self.child.record.wait_for_answer(&slip.told),
            None => self.child.record.wait_for_end_of(&self.child.path, self.life),
        }
        std::thread::sleep(and_then);
    }

    fn takes(&self, slip: &Slip) {
        let child = &self.child;
        let wrong = |what: String| child.record.is_wrong(&child.path, what);
        child.begun.fetch_add(1, SeqCst);
        slip.life.store(self.life, SeqCst);
        if slip.times_begun.fetch_add(1, SeqCst) > 0 {
            wrong(format!("message {} is handled a second time, by #{}", slip.order, self.life));
        }
        let newest = child.newest.load(SeqCst);
        if newest > self.life {
            wrong(format!("#{} takes a message although #{newest} is built", self.life));
        }
        // With room for few, a question waits outside until there is some, and the oldest may be dropped.
        let waits_outside =
            matches!(&child.plan.kind, crate::plan::Kind::Worker(worker) if worker.bound.is_some());
        if slip.order > 0 && !waits_outside {
            let before = child.last_taken.fetch_max(slip.order, SeqCst);
            if before > slip.order {
                wrong(format!("message {} is handled after {before}", slip.order));
            }
        }
    }

    fn act(&self, act: Act, slip: &Slip, ctx: &mut Context<Self>) -> Reply {
        match act {
            Act::Answer => {}
            Act::AnswerLater(time) => return Reply::Later(time, self.life),
            Act::AnswerNever => return Reply::Never,
            Act::Panic => panic!("by message"),
            Act::Crash => latido::crash("by message"),
            Act::Stop => ctx.stop(),
            Act::Terminate => ctx.terminate(),
            Act::CancelPump => {
                ctx.cancel_future(ctx.handle());
            }
            Act::PanicLater => {
                ctx.spawn(wrap_future(async { panic!("later, by message") }));
            }
            Act::Wait(time) => ctx.wait(wrap_future(actix::clock::sleep(time))),
            Act::Deaf => ctx.wait(wrap_future(std::future::pending::<()>())),
            Act::Block(time) => std::thread::sleep(time),
            Act::Hang(and_then) => self.hang(Some(slip).filter(|slip| slip.is_asked), and_then),
            Act::Tick => {
                ctx.run_interval(Duration::from_millis(1), |_, _| {});
            }
            Act::TellSelf(times) => {
                (0..times).for_each(|_| ctx.address().do_send(self.child.packed(Act::Answer, 0, false)))
            }
            Act::TellOther(other) => {
                self.child.all.get(other).inspect(|other| other.tell());
            }
        }
        Reply::Now(self.life)
    }
}

impl Actor for Probe {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        match self.mishap_at(Stage::Started) {
            Some(Woe::Slow(time)) => ctx.wait(wrap_future(actix::clock::sleep(time))),
            Some(Woe::Refuse) => ctx.stop(),
            woe => self.suffer(woe),
        }
    }

    fn stopping(&mut self, ctx: &mut Context<Self>) -> Running {
        match self.mishap_at(Stage::Stopping) {
            Some(Woe::Slow(time)) => {
                ctx.run_later(time, |_, ctx| ctx.stop());
                return Running::Continue;
            }
            Some(Woe::Refuse) => return Running::Continue,
            woe => self.suffer(woe),
        }
        Running::Stop
    }

    fn stopped(&mut self, _: &mut Context<Self>) {
        let woe = self.mishap_at(Stage::Stopped);
        self.suffer(woe);
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.child.now.fetch_sub(1, SeqCst);
        self.reporter.report(Note::Dropped);
        // A second panic while the stack unwinds would end the process, here as everywhere.
        if !std::thread::panicking() {
            let woe = self.mishap_at(Stage::Drop);
            self.suffer(woe);
        }
    }
}

impl Handler<Do> for Probe {
    type Result = Reply;

    fn handle(&mut self, Do { act, slip, _counted }: Do, ctx: &mut Context<Self>) -> Reply {
        self.takes(&slip);
        let reply = self.act(act, &slip, ctx);
        self.child.returned.fetch_add(1, SeqCst);
        reply
    }
}

/// How a handler answers.
pub(crate) enum Reply {
    Now(u64),
    Later(Duration, u64),
    Never,
}

impl MessageResponse<Probe, Do> for Reply {
    fn handle(self, ctx: &mut Context<Probe>, sender: Option<OneshotSender<u64>>) {
        let Some(sender) = sender else { return };
        match self {
            Self::Now(answer) => drop(sender.send(answer)),
            Self::Later(time, answer) => {
                let answer = actix::clock::sleep(time).map(move |()| {
                    let _ = sender.send(answer); // Nobody need wait for it.
                });
                ctx.spawn(wrap_future(answer));
            }
            Self::Never => {}
        }
    }
}
