//! The actor that carries a spec out. It decides nothing: what happens to its children goes into the machine, and what
//! comes out is done.

use std::sync::Arc;

use actix::prelude::*;
use tokio::time::Instant;

use super::branch::Branch;
use super::fence::costs_a_thread;
use super::machine::{Action, Ending, Input, Machine};
use super::node::Node;
use super::seat::Seat;
use crate::bus::MAX_LOST_THREADS;
use crate::event::EventKind;
use crate::exit::{self, ExitReason};
use crate::path::TreePath;

/// What a child's incarnation tells its supervisor.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Notice {
    pub(crate) place: usize,
    pub(crate) incarnation: u64,
    pub(crate) news: News,
}

pub(crate) enum News {
    Up,
    Left(ExitReason),
}

pub(crate) struct Supervisor {
    pub(super) seat: Arc<Seat>,
    pub(super) machine: Machine,
    timer: Option<(Instant, SpawnHandle)>,
}

impl Supervisor {
    pub(crate) fn new(seat: &Arc<Seat>) -> Self {
        let branch = seat.node.branch.as_ref().expect("a supervisor's node has a branch");
        {
            // Its restarts die with it: a new supervisor has its whole intensity.
            let mut window = branch.window.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            *window = window.emptied();
        }
        // What a supervisor took in at run time goes with it; what its spec names comes back.
        Branch::dismiss_hired(&seat.node);
        let mut machine = Machine::new(branch.conduct, branch.window.clone());
        let now = Instant::now();
        for child in branch.children() {
            machine.add(child.boss.place(), child.rules.clone(), now);
        }
        Self { seat: seat.clone(), machine, timer: None }
    }

    pub(super) fn feed(&mut self, input: Input, ctx: &mut Context<Self>) {
        for action in self.machine.handle(input, Instant::now()) {
            self.carry_out(action, ctx);
        }
        self.set_timer(ctx);
    }

    fn carry_out(&mut self, action: Action, ctx: &mut Context<Self>) {
        match action {
            Action::Start(child) => self.with(child, |node| node.launch(Some(&self.seat.node))),
            Action::Stop(child) => self.incarnation(child, |seat| seat.stop()),
            Action::Kill(child, kill) => self.incarnation(child, |seat| seat.kill(kill)),
            Action::Abandon(child) => self.incarnation(child, Seat::abandon),
            Action::Retire(child) => self.retire(child),
            Action::Restarting { child, delay, wait, failures, budget, siblings } => {
                let Some(node) = self.child(child) else { return };
                if !delay.is_zero() {
                    node.set_waiting();
                }
                let siblings = siblings.iter().map(|&sibling| self.path(sibling)).collect();
                let kind = EventKind::Restarting { delay, wait, failures, budget, siblings };
                node.speaker.publish(node.incarnation(), kind);
            }
            Action::GaveUp { child, reason, budget } => {
                let child = self.path(child);
                self.seat.publish(EventKind::GaveUp { child, reason, budget });
            }
            Action::Ready => self.seat.is_up(),
            Action::End(ending) => self.end(ending, ctx),
        }
    }

    fn end(&self, ending: Ending, ctx: &mut Context<Self>) {
        match ending {
            Ending::AsAsked => ctx.stop(),
            Ending::StartFailed { child, reason } => {
                exit::exit(ExitReason::StartFailed { child: self.path(child), reason: Box::new(reason) })
            }
            Ending::OutOfThreads { child, reason } => exit::exit(ExitReason::OutOfThreads {
                child: self.path(child),
                reason: Box::new(reason),
                max: MAX_LOST_THREADS,
            }),
            Ending::GaveUp { child, reason, budget } => exit::exit(ExitReason::GaveUp {
                child: self.path(child),
                reason: Box::new(reason),
                intensity: budget.intensity,
                period: budget.period,
            }),
        }
    }

    fn set_timer(&mut self, ctx: &mut Context<Self>) {
        let due = self.machine.next_tick();
        if due == self.timer.map(|(due, _)| due) {
            return;
        }
        if let Some((_, timer)) = self.timer.take() {
            ctx.cancel_future(timer);
        }
        self.timer = due.map(|due| {
            let timer = ctx.run_later(due - Instant::now(), |supervisor, ctx| {
                supervisor.timer = None;
                supervisor.feed(Input::Tick, ctx);
            });
            (due, timer)
        });
    }

    pub(super) fn branch(&self) -> &Branch {
        self.seat.node.branch.as_ref().expect("a supervisor's node has a branch")
    }

    fn path(&self, place: usize) -> TreePath {
        self.child(place).map_or_else(|| self.seat.node.path().clone(), |node| node.path().clone())
    }

    pub(super) fn child(&self, place: usize) -> Option<Arc<Node>> {
        self.branch().at(place)
    }

    fn with(&self, place: usize, give: impl FnOnce(&Arc<Node>)) {
        if let Some(node) = self.child(place) {
            give(&node);
        }
    }

    fn incarnation(&self, place: usize, order: impl FnOnce(&Arc<Seat>)) {
        if let Some(seat) = self.child(place).and_then(|node| node.seat()) {
            order(&seat);
        }
    }
}

impl Actor for Supervisor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        self.feed(Input::Begin, ctx);
    }

    /// Asked to stop: it stops once its children have.
    fn stopping(&mut self, ctx: &mut Context<Self>) -> Running {
        if !self.machine.has_ended() {
            self.feed(Input::Stop, ctx);
        }
        if self.machine.has_ended() { Running::Stop } else { Running::Continue }
    }
}

impl Handler<Notice> for Supervisor {
    type Result = ();

    fn handle(&mut self, Notice { place, incarnation, news }: Notice, ctx: &mut Context<Self>) {
        // Of a child that is forgotten, or of a life that is long over, there is no news.
        let Some(node) = self.child(place).filter(|node| node.incarnation() == incarnation) else {
            return;
        };
        match news {
            News::Up => {
                self.feed(Input::Started(place), ctx);
                self.branch().waiting().is_up(place);
            }
            News::Left(reason) => {
                let is_out_of_threads =
                    costs_a_thread(&reason) && node.bus().lost_threads() > MAX_LOST_THREADS;
                let input = match is_out_of_threads {
                    true => Input::OutOfThreads,
                    false => Input::Exited,
                };
                self.feed(input(place, reason), ctx);
            }
        }
    }
}

/// However it ends, nothing of it stays behind: what still runs is killed, as by a link.
impl Drop for Supervisor {
    fn drop(&mut self) {
        // One that was left behind has a successor, whose children these are now.
        if !self.seat.has_left() {
            self.seat.node.kill_children();
        }
    }
}
