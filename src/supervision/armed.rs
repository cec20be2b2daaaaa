//! The faults that wait to strike a child.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::fault::{Fault, When};

/// Faults by when they strike. They stay armed over restarts: a fault belongs to the child, not to one of its lives.
#[derive(Default)]
pub(crate) struct Armed {
    /// Whether there is one: all that a child without faults pays for.
    any: AtomicBool,
    faults: Mutex<Vec<(Fault, When)>>,
}

impl Armed {
    pub(crate) fn arm(&self, fault: Fault, when: When) {
        let mut faults = self.lock();
        faults.push((fault, when));
        self.any.store(true, Ordering::Release);
    }

    /// A fault that is to strike now.
    pub(crate) fn due_now(&self) -> Option<Fault> {
        self.take_first(|when| matches!(when, When::Now))
    }

    /// Counts a message, and gives a fault that is to strike while it is handled.
    #[inline]
    pub(crate) fn due_at_message(&self) -> Option<Fault> {
        self.take_first(|when| match when {
            When::Message(left) => {
                *left = left.saturating_sub(1);
                *left == 0
            }
            When::Now => false,
        })
    }

    #[inline]
    fn take_first(&self, is_due: impl FnMut(&mut When) -> bool) -> Option<Fault> {
        if !self.any.load(Ordering::Acquire) {
            return None;
        }
        self.take_first_of(is_due)
    }

    #[cold]
    fn take_first_of(&self, mut is_due: impl FnMut(&mut When) -> bool) -> Option<Fault> {
        let mut faults = self.lock();
        // Every fault counts the message, also those behind the first that is due; two that are due at the same
        // message strike one message apart.
        let due: Vec<bool> = faults.iter_mut().map(|(_, when)| is_due(when)).collect();
        let fault = due.iter().position(|&due| due).map(|first| faults.remove(first).0);
        self.any.store(!faults.is_empty(), Ordering::Release);
        fault
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(Fault, When)>> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_strikes_once_at_its_message() {
        let armed = Armed::default();
        armed.arm(Fault::Panic, When::Message(2));
        armed.arm(Fault::Fail, When::Message(3));
        armed.arm(Fault::Stop, When::Now);
        assert_eq!(armed.due_now(), Some(Fault::Stop));
        assert_eq!(armed.due_now(), None);
        let struck: Vec<_> = (0..5).map(|_| armed.due_at_message()).collect();
        assert_eq!(struck, [None, Some(Fault::Panic), Some(Fault::Fail), None, None]);
    }
}
