//! From the tree's own types to those that are sent.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::*;
use crate::TreePath;
use crate::event::{self, EventKind};
use crate::exit::ExitReason;
use crate::supervision::{self, ChildInfo, ChildState, MessageCounts, Strategy};
use crate::{fault, incident};

pub(crate) fn seconds_since_1970(at: SystemTime) -> f64 {
    at.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

fn names(paths: &[TreePath]) -> Vec<String> {
    paths.iter().map(ToString::to_string).collect()
}

impl Tree {
    /// How the tree is now. `seq` must be taken before the snapshot.
    pub(crate) fn of(tree: &supervision::Tree, seq: u64) -> Self {
        Self {
            at: seconds_since_1970(SystemTime::now()),
            seq,
            abandoned_threads: tree.abandoned_threads(),
            children: tree.snapshot().children.iter().map(Child::from).collect(),
        }
    }
}

impl From<&ChildInfo> for Child {
    fn from(child: &ChildInfo) -> Self {
        Self {
            path: child.path.to_string(),
            kind: child.kind.to_owned(),
            state: child.state.into(),
            incarnation: child.incarnation,
            last_exit: child.last_exit.as_ref().map(Exit::from),
            messages: child.messages.into(),
            supervisor: child.supervisor.as_ref().map(|(strategy, budget)| Supervisor {
                strategy: match strategy {
                    Strategy::OneForOne => "one_for_one",
                    Strategy::OneForAll => "one_for_all",
                    Strategy::RestForOne => "rest_for_one",
                }
                .to_owned(),
                budget: budget.into(),
            }),
            paused: child.paused,
            draining: child.draining,
            armed: child.armed.iter().map(ToString::to_string).collect(),
            own_faults: child.own_faults.iter().map(ToString::to_string).collect(),
        }
    }
}

impl From<&fault::FaultInfo> for FaultInfo {
    fn from(fault: &fault::FaultInfo) -> Self {
        let (usage, example) = (fault.to_string(), fault.as_it_stands());
        Self { usage, says: fault.says.to_owned(), example }
    }
}

impl From<ChildState> for State {
    fn from(state: ChildState) -> Self {
        match state {
            ChildState::Down => Self::Down,
            ChildState::Starting => Self::Starting,
            ChildState::Running => Self::Running,
            ChildState::Stopping => Self::Stopping,
            ChildState::Waiting => Self::Waiting,
            ChildState::Finished => Self::Finished,
        }
    }
}

impl From<MessageCounts> for Messages {
    fn from(counts: MessageCounts) -> Self {
        let MessageCounts { received, handled, lost, dropped, queued, in_hand } = counts;
        Self { received, handled, lost, dropped, queued, in_hand }
    }
}

impl From<&event::Budget> for Budget {
    fn from(budget: &event::Budget) -> Self {
        Self {
            used: budget.used,
            intensity: budget.intensity,
            period: budget.period.as_secs_f64(),
            frees_in: budget.frees_in.as_secs_f64(),
        }
    }
}

impl From<&ExitReason> for Exit {
    fn from(reason: &ExitReason) -> Self {
        let kind = match reason {
            ExitReason::Normal => "normal",
            ExitReason::Shutdown => "shutdown",
            ExitReason::Killed(_) => "killed",
            ExitReason::Panicked(_) => "panicked",
            ExitReason::Failed(_) => "failed",
            ExitReason::Unresponsive { .. } => "unresponsive",
            ExitReason::Deaf { .. } => "deaf",
            ExitReason::OutOfThreads { .. } => "out_of_threads",
            ExitReason::StartFailed { .. } => "start_failed",
            ExitReason::GaveUp { .. } => "gave_up",
        };
        Self { kind: kind.to_owned(), text: reason.to_string() }
    }
}

impl From<&crate::Event> for Event {
    fn from(event: &crate::Event) -> Self {
        Self {
            seq: event.seq,
            at: seconds_since_1970(event.at),
            path: event.path.to_string(),
            incarnation: event.incarnation,
            level: event.level().as_str().to_ascii_lowercase(),
            text: event.to_string(),
            incident: event.incident,
            what: What::from(&event.kind),
        }
    }
}

impl Event {
    /// So many events before and with `seq` are not kept.
    pub(crate) fn missed(root: &str, seq: u64, events: u64) -> Self {
        Self {
            seq,
            at: seconds_since_1970(SystemTime::now()),
            path: root.to_owned(),
            incarnation: 0,
            level: "warn".to_owned(),
            text: format!("{events} events are not kept here"),
            incident: None,
            what: What::Missed { events },
        }
    }
}

impl From<&EventKind> for What {
    fn from(kind: &EventKind) -> Self {
        match kind {
            EventKind::Started => Self::Started,
            EventKind::Exited { reason, lived, lost, message, kept } => Self::Exited {
                reason: reason.into(),
                lived: lived.as_secs_f64(),
                lost: *lost,
                message: message.map(ToOwned::to_owned),
                kept: *kept,
            },
            EventKind::Stopped { reason, took } => {
                Self::Stopped { reason: reason.into(), took: took.as_secs_f64() }
            }
            EventKind::Restarting { delay, wait, failures, budget, siblings } => Self::Restarting {
                delay: delay.as_secs_f64(),
                wait: wait.to_string(),
                failures: *failures,
                budget: budget.into(),
                siblings: names(siblings),
            },
            EventKind::GaveUp { child, reason, budget } => {
                Self::GaveUp { child: child.to_string(), reason: reason.into(), budget: budget.into() }
            }
            EventKind::Injected(fault) => Self::Injected { fault: fault.to_string() },
            EventKind::Paused => Self::Paused,
            EventKind::Resumed => Self::Resumed,
            EventKind::Draining => Self::Draining,
            EventKind::DeadLetter { message, why, total } => Self::DeadLetter {
                message: message.map(ToOwned::to_owned),
                why: why.to_string(),
                total: *total,
            },
            EventKind::Report(report) => Self::Report { report: report.to_string(), data: report.data() },
            EventKind::Missed(events) => Self::Missed { events: *events },
        }
    }
}

impl From<&crate::Incident> for Incident {
    fn from(incident: &crate::Incident) -> Self {
        let stopped = |(path, took): &(TreePath, Duration)| Stopped {
            path: path.to_string(),
            took: took.as_secs_f64(),
        };
        Self {
            id: incident.id,
            at: seconds_since_1970(incident.at),
            path: incident.path.to_string(),
            incarnation: incident.incarnation,
            reason: incident.reason.as_ref().map(Into::into),
            lived: incident.lived.as_secs_f64(),
            injected: incident.injected.as_ref().map(ToString::to_string),
            healed: incident.healed.map(|healed| healed.as_secs_f64()),
            lost: incident.lost,
            message: incident.message.map(ToOwned::to_owned),
            kept: incident.kept,
            decision: (&incident.decision).into(),
            stopped: incident.stopped.iter().map(stopped).collect(),
            moved: names(&incident.moved),
            down: incident.down.map(|down| down.as_secs_f64()),
            answered: incident.answered.map(|answered| answered.as_secs_f64()),
            again: incident.again,
            before: incident.before,
            consequences: incident.consequences.iter().map(Told::from).collect(),
            untold: incident.untold,
            story: incident.to_string(),
        }
    }
}

impl From<&incident::Told> for Told {
    fn from(told: &incident::Told) -> Self {
        Self {
            after: told.after.as_secs_f64(),
            path: told.path.to_string(),
            matter: told.matter.clone(),
            text: told.text.clone(),
            settled: told.is_settled,
        }
    }
}

impl From<&incident::Decision> for Decision {
    fn from(decision: &incident::Decision) -> Self {
        match decision {
            incident::Decision::NotAsked => Self::NotAsked,
            incident::Decision::StaysDown => Self::StaysDown,
            incident::Decision::Restart { delay, wait, budget, siblings } => Self::Restart {
                delay: delay.as_secs_f64(),
                wait: wait.to_string(),
                budget: budget.into(),
                siblings: names(siblings),
            },
            incident::Decision::GiveUp(budget) => Self::GiveUp { budget: budget.into() },
            incident::Decision::RollBack => Self::RollBack,
            incident::Decision::OutOfThreads => Self::OutOfThreads,
        }
    }
}
