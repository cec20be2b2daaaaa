//! Goes on without a thread that one of its actors blocks. Nobody else on it can run either: all who live there are
//! left behind, and their supervisors start them elsewhere. A thread cannot be ended from outside; this one ends when
//! it is free again, and what wakes up on it finds that it was fired.

use std::sync::Arc;

use super::seat::Seat;
use crate::bus::LostThread;
use crate::exit::{ExitReason, Kill};
use crate::pulse::{Hang, Watched};

/// Whether this end should have left a thread behind.
pub(crate) fn costs_a_thread(reason: &ExitReason) -> bool {
    matches!(reason, ExitReason::Unresponsive { .. } | ExitReason::OutOfThreads { .. })
}

/// Leaves an incarnation behind that has its orders and does not carry them out, because it blocks its thread.
pub(super) fn leave_behind(culprit: &Arc<Seat>) {
    if culprit.has_left() {
        return;
    }
    let (node, incarnation) = (&culprit.node, culprit.incarnation);
    // Where the caller runs nobody blocks; and the arbiter that the tree was started on cannot be replaced.
    let home = culprit.home().filter(|home| !home.is_here());
    let Some((home, residents)) = home.and_then(|home| {
        let residents = home.leave_behind(LostThread::new(node.bus()))?;
        Some((home, residents))
    }) else {
        log::error!(target: "latido", "{} #{incarnation} hangs; it ends when its thread is free", node.path());
        return dismiss(std::slice::from_ref(culprit), culprit);
    };
    log::error!(target: "latido", "{} #{incarnation} is blocked and was left behind; its thread is lost until it returns", node.path());
    order(&residents, culprit);
    // After the orders: the thread ends now, should it be free, and they with it. Before anybody hears of it, so that
    // whoever is restarted goes elsewhere.
    residents.iter().for_each(|seat| seat.node.give_up_thread(home));
    leave(&residents, culprit);
}

fn dismiss(residents: &[Arc<Seat>], culprit: &Arc<Seat>) {
    order(residents, culprit);
    leave(residents, culprit);
}

/// All get their orders before anybody hears of it: should the thread return now, none of them runs beside its
/// successor.
fn order(residents: &[Arc<Seat>], culprit: &Arc<Seat>) {
    let hang = culprit.hang();
    let others = residents.iter().filter(|seat| !Arc::ptr_eq(seat, culprit));
    for seat in others.filter(|seat| !seat.has_left()) {
        match hang {
            // It cannot decide about the culprit, so its own supervisor does: it fails in its place.
            Some(hang) if seat.node.is_above(&culprit.node) => seat.fails_by(hang),
            _ if seat.node.shares_thread => seat.kill(Kill::Orphaned),
            _ => seat.kill(Kill::Displaced),
        }
    }
}

fn leave(residents: &[Arc<Seat>], culprit: &Arc<Seat>) {
    // Of a supervisor among them, the destructor has not run.
    residents.iter().filter(|seat| !seat.has_left()).for_each(|seat| seat.node.kill_children());
    culprit.leave_as_ordered();
    residents.iter().rev().for_each(|seat| seat.leave_as_ordered());
}

impl Watched for Seat {
    fn is_called(&self, may_be: bool) -> bool {
        self.has_been_up()
            && !self.has_orders()
            && !self.node.valve.is_paused()
            && (may_be || self.node.child.messages().queued > 0)
    }

    fn wake(&self) {
        Seat::wake(self);
    }

    fn hangs(self: Arc<Self>, hang: Hang) {
        self.fails_by(hang);
        if let Hang::Blocked(_) = hang {
            leave_behind(&self);
        }
    }
}
