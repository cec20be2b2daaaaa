//! The steps of a plan: what is done to the tree from outside, one after the other.

use std::time::Duration;

use latido::fault::{Fault, Injection, Rule};

use super::grow::Grower;
use super::tree::{Kind, NodePlan, Number, Place};
use super::{LIMIT, MS};

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Send {
        to: Number,
        act: Act,
        how: How,
    },
    /// The next time it comes to that stage of its life, this happens to it.
    Arm {
        whom: Number,
        mishap: Mishap,
    },
    Fault {
        whom: Number,
        injection: Injection,
    },
    Start {
        below: Number,
        child: NodePlan,
    },
    Terminate(Number),
    Restart(Number),
    Delete(Number),
    Monitor(Number),
    /// The counts of all messages add up, in the middle of everything.
    Count,
    /// Others get their turn.
    Yield,
    Pause(Duration),
    /// Until every question so far has its answer.
    Calm,
}

/// How a message is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// `ActorRef::ask`.
    Ask,
    /// `ActorRef::ask_within`.
    AskWithin(Duration),
    /// `Addr::send`.
    Send,
    /// `Addr::do_send`.
    Tell,
}

/// What a message has its handler do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Answer,
    /// From a future beside which it goes on.
    AnswerLater(Duration),
    AnswerNever,
    Panic,
    Crash,
    Stop,
    Terminate,
    /// Cancels the handler's own future, which is the one that brings its messages.
    CancelPump,
    /// A future of its context panics.
    PanicLater,
    /// It takes no message for so long.
    Wait(Duration),
    /// It takes no message any more.
    Deaf,
    /// It blocks its thread for so long.
    Block(Duration),
    /// It blocks its thread until its life is over, and then for so long.
    Hang(Duration),
    /// It begins an interval.
    Tick,
    TellSelf(usize),
    TellOther(Number),
}

/// Something that goes wrong at a stage of a life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mishap {
    pub(crate) stage: Stage,
    pub(crate) woe: Woe,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Factory,
    Started,
    Stopping,
    Stopped,
    Drop,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Woe {
    Panic,
    Crash,
    Hang,
    Slow(Duration),
    /// `started` stops it; `stopping` says that it goes on.
    Refuse,
}

/// Whom steps are about.
struct Target {
    number: Number,
    /// Itself and those above it.
    line: Vec<Number>,
    is_supervisor: bool,
    watched: bool,
    /// Whether it may go deaf, and that is found out.
    listens: bool,
    /// It runs on the thread of the root, which nobody can replace.
    with_root: bool,
}

struct Script<'a> {
    grower: Grower,
    targets: Vec<Target>,
    /// Most steps are about this supervisor's children, so that they get into each other's way.
    focus: Number,
    /// Terminated a short while ago.
    down: Vec<Number>,
    hangs_left: usize,
    linger: Duration,
    apart: bool,
    root: &'a NodePlan,
}

/// So many steps. `apart`: whoever takes them has a thread of its own.
pub(super) fn steps(mut grower: Grower, root: &NodePlan, count: usize, apart: bool) -> Vec<Step> {
    // Now and then more threads are left behind than a tree may have.
    let reckless = grower.once_in(25);
    let (hangs_left, linger) = if reckless { (60, 300 * MS) } else { (12, 20 * MS) };
    let mut script =
        Script { grower, targets: Vec::new(), focus: 0, down: Vec::new(), hangs_left, linger, apart, root };
    script.meet(root, &[], true);
    (0..count).map(|_| script.step()).collect()
}

impl Script<'_> {
    fn meet(&mut self, node: &NodePlan, above: &[Number], with_root: bool) {
        let line: Vec<_> = above.iter().copied().chain([node.number]).collect();
        let with_root = with_root && node.place == Place::Same;
        let (watched, listens) = match &node.kind {
            // Who has gone deaf is found out when something waits for it; where that may be dropped, it is not.
            Kind::Worker(worker) => (worker.watched, worker.listens && worker.bound.is_none()),
            Kind::Supervisor(_) => (false, false),
        };
        let is_supervisor = matches!(node.kind, Kind::Supervisor(_));
        self.targets.push(Target {
            number: node.number,
            line: line.clone(),
            is_supervisor,
            watched,
            listens,
            with_root,
        });
        node.children().iter().for_each(|child| self.meet(child, &line, with_root));
    }

    fn target(&mut self, fits: impl Fn(&Target) -> bool) -> Option<usize> {
        let focus = (!self.grower.once_in(3)).then_some(self.focus);
        let near = |target: &Target| focus.is_none_or(|focus| target.line.contains(&focus));
        let find = |near: &dyn Fn(&Target) -> bool| -> Vec<usize> {
            (0..self.targets.len()).filter(|&n| near(&self.targets[n]) && fits(&self.targets[n])).collect()
        };
        let found = Some(find(&near)).filter(|found| !found.is_empty()).unwrap_or_else(|| find(&|_| true));
        (!found.is_empty()).then(|| self.grower.pick(&found))
    }

    fn whom(&mut self, fits: impl Fn(&Target) -> bool) -> Number {
        self.target(fits).map_or(self.root.number, |n| self.targets[n].number)
    }

    fn step(&mut self) -> Step {
        if self.grower.once_in(40) {
            let supervisors: Vec<_> =
                self.targets.iter().filter(|t| t.is_supervisor).map(|t| t.number).collect();
            self.focus = self.grower.pick(&supervisors);
        }
        let below_root = |target: &Target| target.line.len() > 1;
        match self.grower.random.u32(..1_000) {
            0..770 => self.send(),
            770..800 => {
                let once = Rule::default;
                let (soon, later) = (Rule::message(1), Rule::message(3));
                let ends = [Fault::Panic, Fault::Fail, Fault::Stop, Fault::Block(2 * MS)];
                let ends = ends.into_iter().flat_map(|fault| {
                    [once(), soon.clone(), later.clone()].map(|rule| fault.clone().with(rule))
                });
                let others = [
                    Fault::Slow(MS).with(once().times(1)),
                    Fault::Delay(2 * MS).with(once().lasting(10 * MS)),
                    Fault::Drop(1).with(later.clone()),
                    Fault::FailStarts(1).into(),
                ];
                let faults: Vec<_> = ends.chain(others).collect();
                let injection = faults[self.grower.random.usize(..faults.len())].clone();
                // Faults below the root: its own end is the run's.
                Step::Fault { whom: self.whom(below_root), injection }
            }
            800..830 => self.arm(),
            830..850 => {
                let below = self.whom(|target| target.is_supervisor);
                let child = self.grower.newcomer();
                let above = self.targets.iter().find(|target| target.number == below);
                let (line, with_root) =
                    above.map(|above| (above.line.clone(), above.with_root)).unwrap_or_default();
                self.meet(&child, &line, with_root);
                Step::Start { below, child }
            }
            850..865 => {
                let whom = self.whom(below_root);
                self.down.push(whom);
                Step::Terminate(whom)
            }
            865..885 => {
                let known = self.down.pop().filter(|_| !self.grower.once_in(4));
                Step::Restart(known.unwrap_or_else(|| self.whom(below_root)))
            }
            885..890 => Step::Delete(self.down.last().copied().unwrap_or_else(|| self.whom(below_root))),
            890..905 => Step::Monitor(self.whom(|_| true)),
            905..908 => Step::Count,
            908..996 => Step::Yield,
            996..999 => Step::Pause(self.grower.pick(&[MS / 5, MS, 3 * MS])),
            _ => Step::Calm,
        }
    }

    fn send(&mut self) -> Step {
        let Some(target) = self.target(|target| !target.is_supervisor) else { return Step::Yield };
        let (watched, listens) = (self.targets[target].watched, self.targets[target].listens);
        let can_hang = watched && (self.apart || !self.targets[target].with_root);
        let act = match self.grower.random.u32(..100) {
            0..60 => Act::Answer,
            60..68 => Act::AnswerLater(self.grower.pick(&[MS / 5, 2 * MS])),
            68..69 => Act::AnswerNever,
            69..72 => Act::Panic,
            72..74 => Act::Crash,
            74..76 => Act::Stop,
            76..77 => Act::Terminate,
            77..79 => Act::CancelPump,
            79..81 => Act::PanicLater,
            81..85 => Act::Wait(self.grower.pick(&[MS / 5, MS])),
            85..86 if listens => Act::Deaf,
            85..88 if can_hang && self.hangs_left > 0 => {
                self.hangs_left -= 1;
                Act::Hang(self.grower.pick(&[Duration::ZERO, MS, self.linger]))
            }
            85..90 => Act::Block(self.grower.pick(&[MS / 20, MS, LIMIT / 10])),
            90..92 => Act::Tick,
            92..96 => Act::TellSelf(self.grower.random.usize(1..20)),
            _ => Act::TellOther(self.whom(|target| !target.is_supervisor)),
        };
        let how = match self.grower.random.u32(..10) {
            0..5 => How::Ask,
            5 => How::AskWithin(self.grower.pick(&[MS / 10, MS, 5 * MS])),
            6..9 => How::Send,
            _ => How::Tell,
        };
        Step::Send { to: self.targets[target].number, act, how }
    }

    fn arm(&mut self) -> Step {
        let Some(target) = self.target(|target| !target.is_supervisor) else { return Step::Yield };
        let can_hang = self.targets[target].watched && (self.apart || !self.targets[target].with_root);
        let stage =
            self.grower.pick(&[Stage::Factory, Stage::Started, Stage::Stopping, Stage::Stopped, Stage::Drop]);
        let woe = match self.grower.random.u8(..10) {
            0 if can_hang && self.hangs_left > 0 => {
                self.hangs_left -= 1;
                Woe::Hang
            }
            0..4 => Woe::Slow(self.grower.pick(&[MS / 5, 2 * MS])),
            4..6 if matches!(stage, Stage::Started | Stage::Stopping) => Woe::Refuse,
            4..8 => Woe::Panic,
            _ => Woe::Crash,
        };
        Step::Arm { whom: self.targets[target].number, mishap: Mishap { stage, woe } }
    }
}
