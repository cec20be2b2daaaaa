//! The events of a run, sorted for those who check them: by life, and by family.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::thread::ThreadId;
use std::time::{Duration, SystemTime};

use latido::event::Budget;
use latido::exit::Kill;
use latido::supervision::{Restart, Strategy};
use latido::{Event, EventKind, ExitReason, TreePath};

use crate::notes::{Note, Order};
use crate::plan::{NodePlan, Plan, SupervisorPlan};

/// Where in the history something happened.
pub(crate) type At = usize;

pub(crate) struct History<'a> {
    pub(crate) events: &'a [Event],
    pub(crate) lives: BTreeMap<&'a TreePath, BTreeMap<u64, Life<'a>>>,
    pub(crate) families: Vec<Family<'a>>,
}

/// One incarnation.
#[derive(Default)]
pub(crate) struct Life<'a> {
    pub(crate) built: Option<At>,
    pub(crate) thread: Option<ThreadId>,
    pub(crate) up: Option<At>,
    pub(crate) dropped: Option<At>,
    /// When it was told to end, if it was.
    pub(crate) ordered: Option<SystemTime>,
    pub(crate) end: Option<End<'a>>,
}

#[derive(Clone, Copy)]
pub(crate) struct End<'a> {
    pub(crate) at: At,
    /// Somebody asked it to.
    pub(crate) asked: bool,
    pub(crate) reason: &'a ExitReason,
}

/// A supervisor and its children, and what happened to them.
pub(crate) struct Family<'a> {
    pub(crate) boss: TreePath,
    pub(crate) plan: &'a SupervisorPlan,
    /// In starting order.
    pub(crate) members: Vec<Member<'a>>,
    pub(crate) story: Vec<Moment<'a>>,
}

pub(crate) struct Member<'a> {
    pub(crate) path: TreePath,
    pub(crate) plan: &'a NodePlan,
    /// It was added by an order.
    pub(crate) hired: bool,
}

pub(crate) struct Moment<'a> {
    pub(crate) at: At,
    pub(crate) event: &'a Event,
    /// The place of the child that it is about; `None` for the supervisor itself.
    pub(crate) child: Option<usize>,
    pub(crate) what: What<'a>,
}

pub(crate) enum What<'a> {
    Built,
    Up,
    End(End<'a>),
    Restarting { delay: Duration, budget: Budget, siblings: Vec<usize> },
    GaveUp { budget: Budget },
    Ordered(usize, Order),
    Answered(usize),
    Quiet,
}

impl Life<'_> {
    /// When it is seen first.
    pub(crate) fn begin(&self) -> At {
        [self.built, self.up, self.end.map(|end| end.at)].into_iter().flatten().min().unwrap_or(At::MAX)
    }

    /// Whether it was told to end before something else happened.
    pub(crate) fn is_told_before(&self, at: At, events: &[Event]) -> bool {
        self.ordered.is_some_and(|ordered| events.get(at).is_none_or(|event| ordered < event.at))
    }

    /// Its supervisor went away above it: what became of it then is no decision about it.
    pub(crate) fn is_orphan(&self) -> bool {
        self.end.is_some_and(|end| end.is_orphan())
    }
}

impl End<'_> {
    pub(crate) fn is_orphan(&self) -> bool {
        matches!(self.reason, ExitReason::Killed(Kill::Orphaned))
    }

    pub(crate) fn is_displaced(&self) -> bool {
        matches!(self.reason, ExitReason::Killed(Kill::Displaced))
    }

    /// Whether a child that ends so may stay down, unless somebody asks for it.
    pub(crate) fn may_be_final(&self, restart: Restart, strategy: Strategy, was_up: bool) -> bool {
        let is_normal = matches!(self.reason, ExitReason::Normal);
        match restart {
            // It declined to start.
            Restart::Permanent => is_normal && !was_up,
            Restart::Transient => is_normal,
            // One that moves comes back, unless its group was just about to go down.
            Restart::Temporary => !self.is_displaced() || strategy != Strategy::OneForOne,
        }
    }

    /// A supervisor that ends so has taken care of its children before.
    pub(crate) fn is_orderly(&self) -> bool {
        use ExitReason::{GaveUp, Normal, OutOfThreads, Shutdown, StartFailed};
        matches!(self.reason, Normal | Shutdown | GaveUp { .. } | StartFailed { .. } | OutOfThreads { .. })
    }
}

impl<'a> History<'a> {
    pub(crate) fn of(plan: &'a Plan, events: &'a [Event]) -> Self {
        let mut history = Self { events, lives: BTreeMap::new(), families: Vec::new() };
        for (at, event) in events.iter().enumerate() {
            history.live(at, event);
        }
        history.families = families(plan, events);
        history
    }

    fn live(&mut self, at: At, event: &'a Event) {
        let note = event.report::<Note>();
        if let Some(
            Note::Ordered { .. } | Note::Answered { .. } | Note::Refused { .. } | Note::Quiet | Note::Stops,
        ) = note
        {
            return;
        }
        if let EventKind::Restarting { .. } | EventKind::GaveUp { .. } = event.kind {
            return;
        }
        let life = self.lives.entry(&event.path).or_default().entry(event.incarnation).or_default();
        match (&event.kind, note) {
            (EventKind::Started, _) => life.up = Some(at),
            (EventKind::Exited { reason, .. }, _) => life.end = Some(End { at, asked: false, reason }),
            (EventKind::Stopped { reason, took }, _) => {
                life.end = Some(End { at, asked: true, reason });
                life.ordered = event.at.checked_sub(*took);
            }
            (_, Some(Note::Built(thread))) => (life.built, life.thread) = (Some(at), Some(*thread)),
            (_, Some(Note::Dropped)) => life.dropped = Some(at),
            _ => {}
        }
    }

    pub(crate) fn life(&self, path: &TreePath, incarnation: u64) -> Option<&Life<'a>> {
        self.lives.get(path)?.get(&incarnation)
    }

    /// What happened from outside.
    pub(crate) fn notes(&self) -> impl Iterator<Item = (At, &'a Note)> {
        self.events.iter().enumerate().filter_map(|(at, event)| Some((at, event.report::<Note>()?)))
    }

    pub(crate) fn plan_of(&self, path: &TreePath) -> Option<&'a NodePlan> {
        let members = self.families.iter().flat_map(|family| &family.members);
        members.filter(|member| member.path == *path).map(|member| member.plan).next()
    }
}

fn families<'a>(plan: &'a Plan, events: &'a [Event]) -> Vec<Family<'a>> {
    let nodes = plan.nodes();
    let by_path: HashMap<TreePath, &NodePlan> =
        nodes.iter().map(|(path, node)| (path.clone(), *node)).collect();
    let supervisors = nodes.iter().filter(|(_, node)| matches!(node.kind, crate::plan::Kind::Supervisor(_)));
    let mut families: Vec<_> = supervisors
        .map(|(path, node)| {
            let member =
                |child: &'a NodePlan| Member { path: path.join(&child.name()), plan: child, hired: false };
            let members = node.spec().children.iter().map(member).collect();
            Family { boss: path.clone(), plan: node.spec(), members, story: Vec::new() }
        })
        .collect();
    let index: HashMap<TreePath, usize> =
        families.iter().enumerate().map(|(n, family)| (family.boss.clone(), n)).collect();

    let mut left_behind = HashSet::new();
    for (at, event) in events.iter().enumerate() {
        let life = (&event.path, event.incarnation);
        match (&event.kind, event.report::<Note>()) {
            (EventKind::Exited { reason, .. } | EventKind::Stopped { reason, .. }, _)
                if matches!(reason, ExitReason::Unresponsive { .. }) =>
            {
                left_behind.insert(life);
            }
            // Its thread had no processor in the middle of its start, for so long that it was taken for blocked. What it does
            // now is nothing to its family.
            (_, Some(Note::Built(_))) if left_behind.contains(&life) => continue,
            _ => {}
        }
        // Notes from outside name whom they are about; the scribe that says them does not matter.
        let about = match event.report::<Note>() {
            Some(Note::Ordered { about, .. } | Note::Answered { about, .. }) => about,
            Some(Note::Quiet) => {
                for family in &mut families {
                    family.story.push(Moment { at, event, child: None, what: What::Quiet });
                }
                continue;
            }
            _ => &event.path,
        };
        if let Some(Note::Ordered { order: Order::Start, .. }) = event.report()
            && let Some(&family) = about.parent().and_then(|boss| index.get(&boss))
            && let Some(plan) = by_path.get(about).copied()
        {
            families[family].members.push(Member { path: about.clone(), plan, hired: true });
        }
        if let Some(&family) = index.get(about)
            && let Some(what) = what(at, event, &families[family])
            && !matches!(what, What::Ordered(..) | What::Answered(..) | What::Restarting { .. })
        {
            families[family].story.push(Moment { at, event, child: None, what });
        }
        if let Some(&family) = about.parent().and_then(|boss| index.get(&boss)) {
            let place = families[family].members.iter().position(|member| member.path == *about);
            if let Some(child) = place
                && let Some(what) = what(at, event, &families[family])
                && !matches!(what, What::GaveUp { .. })
            {
                families[family].story.push(Moment { at, event, child: Some(child), what });
            }
        }
    }
    families
}

fn what<'a>(at: At, event: &'a Event, family: &Family<'_>) -> Option<What<'a>> {
    Some(match (&event.kind, event.report::<Note>()) {
        (EventKind::Started, _) => What::Up,
        (EventKind::Exited { reason, .. }, _) => What::End(End { at, asked: false, reason }),
        (EventKind::Stopped { reason, .. }, _) => What::End(End { at, asked: true, reason }),
        (EventKind::Restarting { delay, budget, siblings, .. }, _) => {
            let place = |path: &TreePath| family.members.iter().position(|member| member.path == *path);
            let siblings = siblings.iter().filter_map(place).collect();
            What::Restarting { delay: *delay, budget: *budget, siblings }
        }
        (EventKind::GaveUp { budget, .. }, _) => What::GaveUp { budget: *budget },
        (_, Some(Note::Built(_))) => What::Built,
        (_, Some(Note::Ordered { id, order, .. })) => What::Ordered(*id, *order),
        (_, Some(Note::Answered { id, .. })) => What::Answered(*id),
        _ => return None,
    })
}
