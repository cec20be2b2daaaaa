//! Where a thread of the pool leaves the line to a job's sender while a job with a time limit runs: so the sender can be
//! answered although the job does not return. A job without a limit leaves nothing here.

use std::any::Any;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use super::outcome::JobTimedOut;
use crate::bus::LostThread;
use crate::pulse::{Round, Timekeeper};

/// What one thread of the pool has in hand.
#[derive(Default)]
pub(super) struct Desk(Mutex<Hand>);

#[derive(Default)]
enum Hand {
    #[default]
    Empty,
    Timed {
        overdue: Overdue,
        /// For how long it is known to have been running; `None` before the first look.
        time: Option<Duration>,
    },
    /// What it had in hand took too long: the thread is no longer the pool's.
    GivenUp(Option<LostThread>),
}

/// A job that may have to be left behind: what is said of it, and whom to tell.
pub(super) struct Overdue {
    pub(super) job: JobTimedOut,
    pub(super) sender: Box<dyn Sender>,
}

/// The line to a sender, whatever the type of the result that it waits for.
pub(super) trait Sender: Any + Send {
    fn hear_of_time_out(self: Box<Self>, limit: Duration);
}

impl Desk {
    /// A job with a limit begins.
    pub(super) fn begin(&self, overdue: Overdue) {
        *self.lock() = Hand::Timed { overdue, time: None };
    }

    /// It has ended. Gives the line to its sender back, if it was in time.
    pub(super) fn end<S: Sender>(&self) -> Option<S> {
        let mut hand = self.lock();
        if matches!(*hand, Hand::GivenUp(_)) {
            return None;
        }
        let Hand::Timed { overdue, .. } = mem::take(&mut *hand) else {
            return None;
        };
        let sender: Box<dyn Any> = overdue.sender;
        sender.downcast().ok().map(|sender| *sender)
    }

    /// The thread was given up, and is `lost` until it leaves its desk.
    pub(super) fn lose(&self, lost: LostThread) {
        if let Hand::GivenUp(thread) = &mut *self.lock() {
            *thread = Some(lost);
        }
    }

    fn round(&self, round: Round) -> Option<Overdue> {
        let mut hand = self.lock();
        let Hand::Timed { overdue, time } = &mut *hand else {
            return None;
        };
        let limit = overdue.job.limit;
        let passed = time.zip(round.counts(limit)).map_or(Duration::ZERO, |(time, passed)| time + passed);
        *time = Some(passed);
        if passed < limit {
            return None;
        }
        match mem::replace(&mut *hand, Hand::GivenUp(None)) {
            Hand::Timed { overdue, .. } => Some(overdue),
            _ => None,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Hand> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The desks of a pool's threads, for the watchdog. They hold nothing of the user's, so it may be the last to let go.
pub(super) struct Desks {
    list: Mutex<Vec<Arc<Desk>>>,
    relief: Weak<dyn Relief>,
}

/// Goes on without a thread.
pub(super) trait Relief: Send + Sync {
    fn relieve(self: Arc<Self>, desk: Arc<Desk>, overdue: Overdue);
}

impl Desks {
    pub(super) fn new(relief: Weak<dyn Relief>) -> Self {
        Self { list: Mutex::default(), relief }
    }

    pub(super) fn add(&self) -> Arc<Desk> {
        let desk = Arc::<Desk>::default();
        self.lock().push(desk.clone());
        desk
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Desk>>> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Timekeeper for Desks {
    fn round(&self, round: Round) {
        let mut given_up = Vec::new();
        self.lock().retain(|desk| {
            let overdue = desk.round(round);
            let stays = overdue.is_none();
            given_up.extend(overdue.map(|overdue| (desk.clone(), overdue)));
            stays
        });
        for (desk, overdue) in given_up {
            if let Some(relief) = self.relief.upgrade() {
                relief.relieve(desk, overdue);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_millis(100);
    const ROUND: Round = Round { gap: Duration::from_millis(25), awake: Duration::from_millis(25) };

    struct Nobody;

    impl Sender for Nobody {
        fn hear_of_time_out(self: Box<Self>, _: Duration) {}
    }

    fn desk_with_a_job() -> Desk {
        let desk = Desk::default();
        begin(&desk);
        desk
    }

    fn begin(desk: &Desk) {
        desk.begin(Overdue { job: JobTimedOut { job: "a job", limit: LIMIT }, sender: Box::new(Nobody) });
    }

    /// After which of these looks the job was overdue.
    fn looks(desk: &Desk, rounds: usize) -> Option<usize> {
        (1..=rounds).find(|_| desk.round(ROUND).is_some())
    }

    #[test]
    fn a_job_is_overdue_when_it_was_seen_running_for_its_limit() {
        let desk = desk_with_a_job();
        assert_eq!(looks(&desk, 10), Some(5), "the first look sees only that it runs");
        assert_eq!(looks(&desk, 10), None, "its thread is given up, once");
        assert!(desk.end::<Nobody>().is_none());
    }

    #[test]
    fn a_job_that_ends_at_the_last_moment_is_in_time_and_the_next_has_its_whole_limit() {
        let desk = desk_with_a_job();
        for _ in 0..3 {
            assert_eq!(looks(&desk, 4), None);
            assert!(desk.end::<Nobody>().is_some());
            assert_eq!(looks(&desk, 10), None, "nothing runs");
            begin(&desk);
        }
    }

    #[test]
    fn time_in_which_the_process_stood_still_is_not_held_against_a_job() {
        let desk = desk_with_a_job();
        assert_eq!(looks(&desk, 4), None);
        assert!(desk.round(Round { gap: 1000 * LIMIT, awake: ROUND.awake }).is_none(), "it was suspended");
        assert_eq!(looks(&desk, 3), None, "it has its whole limit again");
        assert_eq!(looks(&desk, 1), Some(1));
    }
}
