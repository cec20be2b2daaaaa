//! Which files a child of `--exec` gets, and when. No clock is looked at here.
//!
//! A batch goes out when it is full, when nothing else is coming, or when its first file has waited for a second: a child
//! costs more than thirty small downloads, and a second is nothing to who waits for a download. With `--exec` a batch is
//! full with one.
//!
//! A batch that fails does not say over which of its files. So each half is run on its own, and so on: the files that it
//! fails on are alone in the end, after about 2 log2(n) runs for each of them.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How long a file may wait for others.
pub(crate) const PATIENCE: Duration = Duration::from_secs(1);

/// What the arguments of one child may come to, as with `xargs`. Linux would take at least that beside an environment of
/// any usual size.
const BYTES: usize = 128 * 1024;

#[derive(Debug)]
pub(crate) struct Queue {
    most: usize,
    /// Those that need no company, first.
    groups: VecDeque<Vec<i64>>,
    waiting: VecDeque<Waiting>,
    /// Of those that wait.
    bytes: usize,
}

#[derive(Debug)]
struct Waiting {
    id: i64,
    bytes: usize,
    since: Instant,
}

impl Queue {
    pub(super) fn new(most: usize) -> Self {
        Self { most, groups: VecDeque::new(), waiting: VecDeque::new(), bytes: 0 }
    }

    /// A file that adds `bytes` to a command line.
    pub(crate) fn push(&mut self, id: i64, bytes: usize, now: Instant) {
        self.bytes += bytes;
        self.waiting.push_back(Waiting { id, bytes, since: now });
    }

    /// A file that failed and gets another try: in company it would make that fail.
    pub(crate) fn push_alone(&mut self, id: i64) {
        self.groups.push_back(vec![id]);
    }

    /// A batch that failed.
    pub(crate) fn split(&mut self, mut ids: Vec<i64>) {
        let right = ids.split_off(ids.len() / 2);
        self.groups.extend([ids, right]);
    }

    /// The files for the next child, if it is time. `is_all`: nothing else is coming.
    pub(crate) fn next(&mut self, now: Instant, is_all: bool) -> Option<Vec<i64>> {
        if let Some(group) = self.groups.pop_front() {
            return Some(group);
        }
        let is_full = self.waiting.len() >= self.most || self.bytes >= BYTES;
        let is_due = self.due().is_some_and(|due| due <= now);
        (!self.waiting.is_empty() && (is_full || is_due || is_all)).then(|| self.batch())
    }

    /// When the next batch goes out at the latest.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.waiting.front().map(|first| first.since + PATIENCE)
    }

    fn batch(&mut self) -> Vec<i64> {
        let (mut ids, mut bytes) = (Vec::new(), 0);
        while let Some(next) = self.waiting.front()
            && ids.len() < self.most
            && (ids.is_empty() || bytes + next.bytes <= BYTES)
        {
            ids.push(next.id);
            bytes += next.bytes;
            self.waiting.pop_front();
        }
        self.bytes -= bytes;
        ids
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(most: usize, sizes: &[usize], now: Instant) -> Queue {
        let mut queue = Queue::new(most);
        for (id, bytes) in sizes.iter().enumerate() {
            queue.push(id as i64, *bytes, now);
        }
        queue
    }

    #[test]
    fn a_batch_waits_until_it_is_full_or_due_or_all_there_is() {
        let now = Instant::now();
        let mut queue = queue(3, &[10; 4], now);
        assert_eq!(queue.next(now, false), Some(vec![0, 1, 2]));
        assert_eq!(queue.next(now, false), None);
        assert_eq!(queue.due(), Some(now + PATIENCE));
        assert_eq!(queue.next(now + PATIENCE, false), Some(vec![3]));
        assert_eq!((queue.next(now + PATIENCE, true), queue.due()), (None, None));
        queue.push(4, 10, now);
        assert_eq!(queue.next(now, true), Some(vec![4]));
    }

    #[test]
    fn a_batch_is_no_longer_than_a_command_line_may_be_but_a_file_goes_in_any_case() {
        let now = Instant::now();
        let mut queue = queue(100, &[BYTES / 2, BYTES / 2, 1, 2 * BYTES, 5], now);
        for wanted in [vec![0, 1], vec![2], vec![3]] {
            assert_eq!(queue.next(now, false), Some(wanted));
        }
        assert_eq!(queue.next(now, false), None);
        assert_eq!(queue.next(now, true), Some(vec![4]));
    }

    #[test]
    fn a_child_for_each_waits_for_nobody() {
        let now = Instant::now();
        let mut queue = queue(1, &[10; 2], now);
        assert_eq!(queue.next(now, false), Some(vec![0]));
        assert_eq!(queue.next(now, false), Some(vec![1]));
    }

    /// Files that a command fails on, among many.
    #[test]
    fn halves_of_halves_find_what_a_batch_fails_on_in_few_runs() {
        for (bad, most_runs) in [(vec![], 1), (vec![0], 17), (vec![200, 255], 33), (vec![3, 77, 128], 49)] {
            let now = Instant::now();
            let mut queue = queue(256, &[10; 256], now);
            let (mut found, mut fine, mut runs) = (Vec::new(), Vec::new(), 0);
            while let Some(ids) = queue.next(now, true) {
                runs += 1;
                match ids.iter().any(|id| bad.contains(id)) {
                    false => fine.extend(ids),
                    true if ids.len() == 1 => found.extend(ids),
                    true => queue.split(ids),
                }
            }
            found.sort_unstable();
            assert_eq!((&found, fine.len()), (&bad, 256 - bad.len()));
            assert!(runs <= most_runs, "{runs} runs for {bad:?}");
        }
    }

    #[test]
    fn a_file_that_gets_another_try_is_alone() {
        let now = Instant::now();
        let mut queue = queue(10, &[10; 2], now);
        queue.push_alone(7);
        assert_eq!(queue.next(now, true), Some(vec![7]));
        assert_eq!(queue.next(now, true), Some(vec![0, 1]));
    }
}
