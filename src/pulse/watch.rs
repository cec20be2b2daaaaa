//! One who is watched, as seen so far. It has no clock: whoever looks says how much time that was.

use std::sync::Weak;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::{Hang, Limits, Pulse, Round, Watched};

/// Below this a limit cannot be told from a thread that waits for its turn.
pub(crate) const SHORTEST: Duration = Duration::from_millis(10);

pub(super) struct Watch {
    limits: Limits,
    polls: Stillness,
    looks: Stillness,
    /// The polls at the first look at which it should have taken a message.
    polls_when_called: Option<u64>,
}

/// For how long a counter has not moved.
#[derive(Default)]
struct Stillness {
    count: u64,
    time: Duration,
}

impl Stillness {
    fn see(&mut self, count: u64, time: Duration) {
        self.time = if count == self.count { self.time + time } else { Duration::ZERO };
        self.count = count;
    }
}

impl Watch {
    pub(super) fn new(limits: Limits) -> Self {
        let at_least = |limit: Option<Duration>| limit.map(|limit| limit.max(SHORTEST));
        Self {
            limits: Limits { block: at_least(limits.block), deaf: at_least(limits.deaf), ..limits },
            polls: Stillness::default(),
            looks: Stillness::default(),
            polls_when_called: None,
        }
    }

    pub(super) fn shortest(&self) -> Duration {
        self.limits.shortest()
    }

    /// Whether there is still something to find out: who is deaf may block its thread before it hears that it is fired.
    pub(super) fn goes_on_after(&self, hang: Hang) -> bool {
        matches!(hang, Hang::Deaf(_)) && self.limits.block.is_some()
    }

    pub(super) fn look(&mut self, pulse: &Pulse, round: Round, watched: &Weak<dyn Watched>) -> Option<Hang> {
        // In this order: of every poll that is counted here, the look is counted too.
        let polls = pulse.polls.load(Ordering::Acquire);
        let looks = pulse.looks.load(Ordering::Acquire);
        let awake = round.counts(self.limits.shortest()).unwrap_or_else(|| {
            (self.polls.time, self.looks.time) = Default::default();
            Duration::ZERO
        });
        self.polls.see(polls, awake);
        if polls % 2 == 1 && self.limits.block.is_some_and(|limit| self.polls.time >= limit) {
            return Some(Hang::Blocked(self.polls.time));
        }
        self.listen(looks, polls, awake, watched)
    }

    fn listen(
        &mut self,
        looks: u64,
        polls: u64,
        awake: Duration,
        watched: &Weak<dyn Watched>,
    ) -> Option<Hang> {
        let limit = self.limits.deaf?;
        let has_looked = looks != self.looks.count;
        let called =
            watched.upgrade().filter(|watched| !has_looked && watched.is_called(self.limits.deaf_uncalled));
        let Some(watched) = called else {
            self.looks = Stillness { count: looks, time: Duration::ZERO };
            self.polls_when_called = None;
            return None;
        };
        let Some(then) = self.polls_when_called else {
            self.looks.time = Duration::ZERO;
            self.polls_when_called = Some(polls);
            watched.wake();
            return None;
        };
        self.looks.see(looks, awake);
        // Without a whole poll since, it is not deaf: somebody else has its thread. Nor is it in a poll that does not end.
        let is_stuck = polls % 2 == 1 && !self.polls.time.is_zero();
        if self.looks.time >= limit && polls >= then + 3 && !is_stuck {
            self.limits.deaf = None; // Said once.
            return Some(Hang::Deaf(self.looks.time));
        }
        watched.wake();
        None
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    const MS: Duration = Duration::from_millis(1);
    const LIMIT: Duration = Duration::from_millis(100);
    const ROUND: Duration = Duration::from_millis(25);

    /// Messages wait for it, always.
    #[derive(Default)]
    struct Called;

    impl Watched for Called {
        fn is_called(&self, _: bool) -> bool {
            true
        }
        fn wake(&self) {}
        fn hangs(self: Arc<Self>, _: Hang) {}
    }

    struct Bench {
        pulse: Pulse,
        watch: Watch,
        called: Arc<Called>,
    }

    fn bench(block: Option<Duration>, deaf: Option<Duration>) -> Bench {
        let watch = Watch::new(Limits { block, deaf, deaf_uncalled: false });
        Bench { pulse: Pulse::default(), watch, called: Arc::default() }
    }

    impl Bench {
        fn round(&mut self, gap: Duration) -> Option<Hang> {
            let watched: Weak<dyn Watched> = Arc::downgrade(&self.called) as Weak<dyn Watched>;
            self.watch.look(&self.pulse, Round { gap, awake: gap.min(ROUND) }, &watched)
        }

        fn rounds(&mut self, count: u32) -> Option<Hang> {
            (0..count).find_map(|_| self.round(ROUND))
        }

        fn poll(&self) {
            self.pulse.beat();
            self.pulse.beat();
        }
    }

    #[test]
    fn a_poll_that_does_not_end_hangs_after_the_limit() {
        let mut bench = bench(Some(LIMIT), None);
        assert_eq!(bench.rounds(20), None, "idle");
        bench.pulse.beat();
        assert_eq!(bench.rounds(4), None);
        assert_eq!(bench.round(ROUND), Some(Hang::Blocked(LIMIT)));
    }

    #[test]
    fn many_polls_are_no_long_one_although_each_look_finds_it_in_one() {
        let mut bench = bench(Some(LIMIT), None);
        bench.pulse.beat();
        for _ in 0..100 {
            assert_eq!(bench.rounds(4), None);
            bench.poll();
        }
    }

    #[test]
    fn time_in_which_the_process_stood_still_does_not_count() {
        let mut bench = bench(Some(LIMIT), None);
        bench.pulse.beat();
        assert_eq!(bench.rounds(4), None);
        assert_eq!(bench.round(1000 * LIMIT), None, "it was suspended");
        assert_eq!(bench.rounds(3), None, "it has its whole limit again");
        assert_eq!(bench.rounds(1), Some(Hang::Blocked(LIMIT)));
    }

    #[test]
    fn a_look_that_comes_late_counts_as_one_in_time() {
        let mut bench = bench(Some(LIMIT), None);
        bench.pulse.beat();
        assert!((0..4).all(|_| bench.round(50 * MS).is_none()));
        assert_eq!(bench.round(50 * MS), Some(Hang::Blocked(LIMIT)), "and a hung one is found all the same");
    }

    #[test]
    fn who_is_polled_and_takes_no_message_is_deaf_after_the_limit() {
        let mut bench = bench(None, Some(LIMIT));
        for _ in 0..4 {
            assert_eq!(bench.round(ROUND), None);
            bench.poll();
        }
        bench.pulse.looks();
        assert_eq!(bench.rounds(1), None, "it has looked");
        for _ in 0..4 {
            bench.poll();
            assert_eq!(bench.round(ROUND), None);
        }
        assert_eq!(bench.round(ROUND), Some(Hang::Deaf(LIMIT)));
    }

    #[test]
    fn who_blocks_its_thread_is_not_deaf_and_who_is_deaf_may_still_block_it() {
        let mut bench = bench(Some(4 * LIMIT), Some(LIMIT));
        assert_eq!(bench.round(ROUND), None);
        bench.poll();
        bench.pulse.beat();
        assert_eq!(bench.rounds(15), None, "it is in a poll that does not end");
        assert_eq!(bench.rounds(2), Some(Hang::Blocked(4 * LIMIT)));

        let mut bench = self::bench(Some(4 * LIMIT), Some(LIMIT));
        let deaf = (0..10).find_map(|_| {
            bench.poll();
            bench.round(ROUND)
        });
        assert_eq!(deaf, Some(Hang::Deaf(LIMIT)));
        assert!(bench.watch.goes_on_after(Hang::Deaf(LIMIT)));
        bench.pulse.beat();
        assert_eq!(bench.rounds(20), Some(Hang::Blocked(4 * LIMIT)));
        assert!(!bench.watch.goes_on_after(Hang::Blocked(LIMIT)));
    }

    #[test]
    fn who_is_not_polled_is_not_deaf() {
        let mut bench = bench(None, Some(LIMIT));
        assert_eq!(bench.rounds(100), None);
        bench.pulse.beat();
        assert_eq!(bench.rounds(100), None, "nor who is kept busy");
    }
}
