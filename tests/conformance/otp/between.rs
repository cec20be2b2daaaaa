//! Orders that arrive between a failed start and the next.

use super::case::Case;
use super::case::Explained::{self, AndParts};
use super::case::name;

/// The failed start itself, as a place in OTP's trace: nothing differs up to there.
fn failed(case: &Case) -> Option<usize> {
    let is_it = |sign: &String| sign.starts_with('!') && !matches!(&sign[1..], "x" | "y" | "z");
    let failed = case.theirs.trace.iter().position(is_it).filter(|_| case.is_between())?;
    (case.ours.trace.get(..=failed) == Some(&case.theirs.trace[..=failed])).then_some(failed)
}

/// A failed restart is counted, and what follows from it is done, when it fails. In OTP that is when its turn to be
/// tried again comes, after what has been ordered meanwhile.
pub(super) fn counted_when_it_fails(case: &Case) -> Option<Explained> {
    let rest = &case.ours.trace[failed(case)? + 1..];
    let is_too_much = case.used_before() + 2 > case.known.conduct("app")?.intensity;
    let (verb, ..) = case.order()?;
    let explains = match (&*case.theirs.answer, &*case.ours.answer) {
        (_, "ended" | "not_found") if is_too_much => {
            rest.first().is_some_and(|sign| sign == "^app")
                && rest[1..].iter().all(|sign| sign.starts_with('-'))
        }
        // It went down to be started again with the one that failed.
        ("running", "restarting") => case.is(|o| o.answer = "restarting".to_owned()),
        // There is no next try, but the failed one counts.
        ("ok", "ok") if verb == "terminate" => {
            case.is(|o| o.state[0] = format!("app#{}", case.used_before() + 2))
        }
        _ => false,
    };
    explains.then_some(AndParts)
}

/// Whoever waits for a sibling of its group to come back is being restarted, not down: it can be told to stay down,
/// cannot be started or deleted, and comes up without that sibling if that is told to stay down.
pub(super) fn waiting_is_restarting(case: &Case) -> Option<Explained> {
    let failed = failed(case)?;
    let (verb, path, _) = case.order()?;
    let sibling = &case.theirs.trace[failed][1..] != name(path);
    let is_started = |sign: &String| !sign.starts_with('-') && &sign[1..] == name(path);
    let explains = match (verb, &*case.theirs.answer, &*case.ours.answer) {
        ("restart" | "delete", _, "restarting") => sibling,
        ("terminate", "ok", "ok") if sibling => {
            case.theirs.trace[failed..].iter().any(is_started)
                && !case.ours.trace[failed..].iter().any(is_started)
        }
        ("terminate", "ok", "ok") => !case.ours.trace[failed + 1..].iter().any(is_started),
        _ => false,
    };
    explains.then_some(AndParts)
}

/// A child that is added while a group restarts is started in its turn, after those before it.
pub(super) fn a_start_waits_for_its_turn(case: &Case) -> Option<Explained> {
    let failed = failed(case)?;
    let (verb, path, _) = case.order()?;
    let is_it = |sign: &String| sign[1..] == *name(path);
    let ended_before = case.is(|o| {
        o.answer = "ended".to_owned();
        o.trace.retain(|sign| !is_it(sign));
    });
    let in_its_turn = case.ours.trace.iter().rposition(is_it).is_some_and(|place| place > failed);
    let explains = ended_before || in_its_turn && case.ours.answer == case.theirs.answer;
    (verb == "start" && explains).then_some(AndParts)
}
