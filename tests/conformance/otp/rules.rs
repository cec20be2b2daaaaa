//! Where ours differs from OTP on purpose: each difference as a rule that says what ours does instead. Orders between a
//! failed start and the next have theirs in `between.rs`.

use std::collections::HashSet;

use latido::supervision::Restart;

use super::between;
use super::case::Explained::{AndGoesOn, AndParts};
use super::case::{Case, Explained, INNER, name};

/// A row of the table of differences in `docs/GUARANTEES.md`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Rule {
    TemporarySpecStays,
    DynamicChildrenHaveIds,
    UnknownIsUnknown,
    DeclinedIsNotKept,
    DeletedStaysDeleted,
    DownStaysDown,
    GivingUpIsAFailure,
    DecidesAllTheWhile,
    CountedWhenItFails,
    WaitingIsRestarting,
    AStartWaitsForItsTurn,
}

impl Rule {
    /// The first cell of its row there: what OTP does.
    pub(crate) fn row(self) -> &'static str {
        match self {
            Self::TemporarySpecStays => "The spec of a temporary child goes with it.",
            Self::DynamicChildrenHaveIds => {
                "The children of `simple_one_for_one` have no ids. They are terminated by pid, also when they have ended."
            }
            Self::UnknownIsUnknown => "An order to a supervisor that has ended is `noproc`.",
            Self::DeclinedIsNotKept => {
                "A child that declines is kept when `start_child` started it, unless it is temporary."
            }
            Self::DeletedStaysDeleted => {
                "A deleted child of the spec comes back when its supervisor starts again."
            }
            Self::DownStaysDown => {
                "A sibling's crash starts children again that finished, declined or were stopped by hand."
            }
            Self::GivingUpIsAFailure => {
                "A supervisor that gives up exits `shutdown`, which is normal: a transient one is not restarted."
            }
            Self::DecidesAllTheWhile => {
                "While a child starts or stops, the supervisor answers nobody and hears of no other failure."
            }
            Self::CountedWhenItFails => {
                "A failed restart counts when it is tried again, after the orders that have arrived meanwhile."
            }
            Self::WaitingIsRestarting => {
                "Children that wait until a sibling of their group can start are down."
            }
            Self::AStartWaitsForItsTurn => {
                "A child added while its group restarts is started at once, and again with the group."
            }
        }
    }
}

pub(crate) type Explain = fn(&Case) -> Option<Explained>;

pub(crate) const RULES: [(Rule, Explain); 11] = [
    (Rule::TemporarySpecStays, temporary_spec_stays),
    (Rule::DynamicChildrenHaveIds, dynamic_children_have_ids),
    (Rule::UnknownIsUnknown, unknown_is_unknown),
    (Rule::DeclinedIsNotKept, declined_is_not_kept),
    (Rule::DeletedStaysDeleted, deleted_stays_deleted),
    (Rule::DownStaysDown, down_stays_down),
    (Rule::GivingUpIsAFailure, giving_up_is_a_failure),
    (Rule::DecidesAllTheWhile, decides_all_the_while),
    (Rule::CountedWhenItFails, between::counted_when_it_fails),
    (Rule::WaitingIsRestarting, between::waiting_is_restarting),
    (Rule::AStartWaitsForItsTurn, between::a_start_waits_for_its_turn),
];

/// OTP forgets a temporary child that has ended. Ours keeps it until it is deleted.
fn temporary_spec_stays(case: &Case) -> Option<Explained> {
    let (verb, path, between) = case.order().filter(|(_, path, _)| case.is_kept(path))?;
    let explained = match (verb, &*case.theirs.answer, &*case.ours.answer) {
        ("terminate" | "delete", "not_found", "ok") if case.is(|o| o.answer = "ok".to_owned()) => AndGoesOn,
        ("start", _, "duplicate") if between || case.ours.trace.is_empty() => AndParts,
        ("restart", "not_found", "ended") if between => AndParts, // It waited for its turn.
        ("restart", "not_found", "ok" | "failed" | "declined")
            if case.ours.trace.iter().any(|sign| sign[1..] == *name(path)) =>
        {
            AndParts
        }
        _ => return None,
    };
    Some(explained)
}

/// OTP knows the children of `simple_one_for_one` by their pids alone. Ours have ids; an id is free when its child has
/// ended for good, and then nobody is there to be ordered about.
fn dynamic_children_have_ids(case: &Case) -> Option<Explained> {
    let (verb, path, _) = case.order().filter(|(_, path, _)| case.is_dynamic(path))?;
    let answers: &[&str] = match (verb, &*case.theirs.answer) {
        ("terminate", "ok") => &["not_found"],
        ("restart" | "delete", "simple_one_for_one") => &["running", "restarting", "not_found"],
        ("start", _) if case.ours.answer == "duplicate" && case.place(path).is_some() => {
            return Some(AndParts);
        }
        _ => return None,
    };
    let answer = case.ours.answer.clone();
    (answers.contains(&&*answer) && case.is(|o| o.answer = answer)).then_some(AndGoesOn)
}

/// An order about somebody who is not there is answered with that also when there is no supervisor any more.
fn unknown_is_unknown(case: &Case) -> Option<Explained> {
    (case.theirs.answer == "ended" && case.is(|o| o.answer = "not_found".to_owned())).then_some(AndGoesOn)
}

/// A child that declines when it is added is not kept.
fn declined_is_not_kept(case: &Case) -> Option<Explained> {
    let (_, path, _) =
        case.order().filter(|&(verb, ..)| verb == "start" && case.theirs.answer == "declined")?;
    case.is(|o| o.state.retain(|child| *child != format!("-{path}"))).then_some(AndParts)
}

/// A deleted child of the spec does not come back with its supervisor.
fn deleted_stays_deleted(case: &Case) -> Option<Explained> {
    let without = Unrevived::of(case, &case.theirs.trace);
    (!without.deleted.is_empty() && !without.has_down && without.explains(case)).then_some(AndParts)
}

/// A child that finished, was stopped by hand or declined does not come back because its group restarts.
fn down_stays_down(case: &Case) -> Option<Explained> {
    let without = Unrevived::of(case, &case.theirs.trace);
    (without.has_down && without.explains(case)).then_some(AndParts)
}

/// What OTP did, without the children that it brought back although they were down or deleted.
struct Unrevived<'a> {
    trace: Vec<String>,
    down: HashSet<&'a str>,
    has_down: bool,
    deleted: HashSet<String>,
    /// One of them could not start, or was started more often, and that had consequences.
    is_unknown: bool,
}

impl<'a> Unrevived<'a> {
    fn of(case: &Case<'a>, trace: &'a [String]) -> Self {
        let down = case.were_down().iter().map(|path| name(path)).collect();
        let (trace_left, deleted) = Default::default();
        let mut this = Self { trace: trace_left, down, has_down: false, deleted, is_unknown: false };
        if let Some(("restart", path, false)) = case.order() {
            this.down.remove(name(path));
        }
        let mut is_anew = false;
        for sign in trace {
            let (kind, child) = sign.split_at(1);
            // What is below a supervisor comes with it.
            let is_below = this.down.contains("s") && INNER.contains(&child);
            let is_down = is_below || this.down.contains(child);
            let path = format!("s/{child}");
            // One of the same name may have been added since.
            let is_deleted = case.is_deleted(&path) && (is_anew || case.place(&path).is_none());
            if is_down || is_deleted {
                this.is_unknown |= kind == "!";
                this.has_down |= is_down;
                if is_deleted {
                    this.deleted.insert(path);
                }
                continue;
            }
            if kind == "~" {
                this.down.insert(child);
            } else if sign == "-s" || sign == "!s" {
                this.is_unknown |= this.has_down;
                this.down.retain(|child| !INNER.contains(child));
                is_anew = true;
            }
            this.trace.push(sign.clone());
        }
        this
    }

    fn explains(self, case: &Case) -> bool {
        // With the order at another time it is not known what would be.
        if case.is_between() || self.is_unknown {
            return true;
        }
        case.is(|o| {
            o.trace = self.trace;
            o.state.retain(|child| {
                let path = child.trim_start_matches('-');
                let is_below = path.starts_with("s/") && self.down.contains("s");
                !is_below && !self.deleted.contains(path)
            });
            for child in &mut o.state {
                let path = child.trim_start_matches('-').split('#').next().unwrap();
                if self.down.contains(name(path)) {
                    *child = format!("-{path}");
                }
            }
        })
    }
}

/// A supervisor that gives up has failed, so a transient one is restarted.
fn giving_up_is_a_failure(case: &Case) -> Option<Explained> {
    let until_then = |trace: &[String]| {
        let gave_up = trace.iter().position(|sign| sign == "^s")?;
        let ended = gave_up + trace[gave_up..].iter().position(|sign| sign == "-s")?;
        Some(trace[..=ended].to_vec())
    };
    let theirs = Unrevived::of(case, &case.theirs.trace).trace;
    let (theirs, ours) = (until_then(&theirs)?, until_then(&case.ours.trace)?);
    (case.restart("s") == Restart::Transient && case.are_alike(&theirs, &ours)).then_some(AndParts)
}

/// OTP starts the first child again, and its group, and only then looks at the other. Ours knows of both at once, so
/// that nobody comes up only to go again.
fn decides_all_the_while(case: &Case) -> Option<Explained> {
    case.step.text.contains(" and ").then_some(())?;
    // What would be without that is not known.
    let unknown = case.theirs.trace.iter().any(|sign| sign.starts_with(['!', '~']));
    (unknown || case.is(|_| {})).then_some(AndParts)
}
