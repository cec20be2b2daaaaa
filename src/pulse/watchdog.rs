//! The thread that looks.

use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};
use std::{ptr, thread};

use super::watch::Watch;
use super::{Hang, Limits, Pulse, Round, Timekeeper, Watched};
use crate::exit::catch;

const LOOKS_PER_LIMIT: u32 = 4;

#[derive(Default)]
struct Watchdog {
    watched: Mutex<Entries>,
    /// The next look is due earlier than it was.
    is_sooner: Condvar,
}

struct Entries {
    list: Vec<Entry>,
    /// And the shortest limit of each.
    timekeepers: Vec<(Weak<dyn Timekeeper>, Duration)>,
    /// The time between two looks.
    period: Duration,
}

struct Entry {
    /// Looked at without touching who is watched, whose end may run anybody's destructors.
    pulse: Weak<Pulse>,
    watched: Weak<dyn Watched>,
    watch: Watch,
}

static WATCHDOG: LazyLock<Arc<Watchdog>> = LazyLock::new(|| {
    let watchdog = Arc::<Watchdog>::default();
    let own = watchdog.clone();
    let thread = thread::Builder::new().name("latido-watchdog".to_owned());
    if let Err(error) = thread.spawn(move || own.run()) {
        log::error!(target: "latido", "nobody watches for hung actors: the watchdog's thread cannot start: {error}");
    }
    watchdog
});

/// Has somebody watched until it hangs, or is dropped.
pub(crate) fn watch(pulse: &Arc<Pulse>, limits: Limits, watched: Weak<dyn Watched>) {
    let pulse = Arc::downgrade(pulse);
    let watch = Watch::new(limits);
    WATCHDOG.lock().add(Entry { pulse, watched, watch });
}

/// Has somebody told how time passes until it is dropped, often enough for this limit and for those named before.
pub(crate) fn keep_time(timekeeper: Weak<dyn Timekeeper>, limit: Duration) {
    WATCHDOG.lock().add_timekeeper(timekeeper, limit);
}

impl Entries {
    fn add(&mut self, entry: Entry) {
        self.look_within(entry.watch.shortest());
        self.list.push(entry);
    }

    fn add_timekeeper(&mut self, timekeeper: Weak<dyn Timekeeper>, limit: Duration) {
        self.look_within(limit);
        let is_known =
            |known: &&mut (Weak<dyn Timekeeper>, _)| ptr::addr_eq(known.0.as_ptr(), timekeeper.as_ptr());
        match self.timekeepers.iter_mut().find(is_known) {
            Some((_, shortest)) => *shortest = limit.min(*shortest),
            None => self.timekeepers.push((timekeeper, limit)),
        }
    }

    fn look_within(&mut self, limit: Duration) {
        let period = limit / LOOKS_PER_LIMIT;
        if period < self.period {
            self.period = period;
            WATCHDOG.is_sooner.notify_one();
        }
    }
}

impl Default for Entries {
    fn default() -> Self {
        Self { list: Vec::new(), timekeepers: Vec::new(), period: Duration::MAX }
    }
}

impl Watchdog {
    fn run(&self) {
        let mut last = Instant::now();
        loop {
            let period = self.sleep(last);
            let now = Instant::now();
            let round = Round { gap: now - last, awake: period.min(now - last) };
            last = now;
            for (watched, hang) in self.round(round) {
                if let Some(watched) = watched.upgrade() {
                    let _ = catch(|| watched.hangs(hang));
                }
            }
        }
    }

    /// Sleeps until the next look is due, and says how long after the `last` that was.
    fn sleep(&self, last: Instant) -> Duration {
        let mut entries = self.lock();
        loop {
            let left = entries.period.saturating_sub(last.elapsed());
            if left.is_zero() {
                return entries.period;
            }
            let woken = self.is_sooner.wait_timeout(entries, left);
            entries = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn round(&self, round: Round) -> Vec<(Weak<dyn Watched>, Hang)> {
        let mut hanging = Vec::new();
        // Out of the lock: who looks whether messages wait may have to drop some.
        let entries = std::mem::take(&mut *self.lock());
        for (timekeeper, limit) in entries.timekeepers {
            let Some(told) = timekeeper.upgrade() else { continue };
            let _ = catch(|| told.round(round));
            self.lock().add_timekeeper(timekeeper, limit);
        }
        for Entry { pulse, watched, mut watch } in entries.list {
            let Some(read) = pulse.upgrade() else { continue };
            let hang = watch.look(&read, round, &watched);
            hanging.extend(hang.map(|hang| (watched.clone(), hang)));
            if hang.is_none_or(|hang| watch.goes_on_after(hang)) {
                self.lock().add(Entry { pulse, watched, watch });
            }
        }
        hanging
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
