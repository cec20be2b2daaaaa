//! The directories of the endless demo, one for each round of files. A round that is finished makes room when others are; one
//! that somebody holds up stays.

use std::collections::{HashMap, HashSet, VecDeque};
use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;

use latido::Events;

use crate::fetch::report::{JobReport, What};

/// The files of so many finished rounds are there.
const KEPT: usize = 3;

pub(super) struct Rounds {
    dir: PathBuf,
    /// How many files each has.
    files: usize,
    /// Of each that is not finished, the files that are.
    begun: HashMap<OsString, HashSet<PathBuf>>,
    finished: VecDeque<OsString>,
}

impl Rounds {
    pub(super) fn new(dir: PathBuf, files: usize) -> Self {
        Self { dir, files, begun: HashMap::new(), finished: VecDeque::new() }
    }

    /// Hears of each job's end, until the tree's.
    pub(super) async fn follow(mut self, mut events: Events) {
        while let Some(event) = events.next().await {
            if let Some(JobReport { request, what: What::Done { .. } | What::Failed { .. }, .. }) =
                event.report()
            {
                self.ended(&request.target);
            }
        }
    }

    fn ended(&mut self, file: &std::path::Path) {
        let Some(round) = file.parent().and_then(|round| round.file_name()).map(ToOwned::to_owned) else {
            return;
        };
        let ended = self.begun.entry(round.clone()).or_default();
        ended.insert(file.to_owned());
        if ended.len() < self.files {
            return;
        }
        self.begun.remove(&round);
        self.finished.push_back(round);
        if self.finished.len() > KEPT
            && let Some(oldest) = self.finished.pop_front()
        {
            // That somebody else has removed it is as good.
            let _ = fs::remove_dir_all(self.dir.join(oldest));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_makes_room_when_it_and_others_are_finished_and_one_that_is_held_up_stays() {
        let dir = tempfile::tempdir().unwrap();
        let mut rounds = Rounds::new(dir.path().to_owned(), 2);
        let round = |n: usize| dir.path().join(format!("round-{n}"));
        (1..=6).for_each(|n| fs::create_dir(round(n)).unwrap());
        let there = || (1..=6).filter(|n| round(*n).exists()).collect::<Vec<_>>();
        rounds.ended(&round(1).join("a"));
        rounds.ended(&round(1).join("a")); // a ledger that crashed may say it twice
        for n in 2..=4 {
            ["a", "b"].iter().for_each(|file| rounds.ended(&round(n).join(file)));
        }
        assert_eq!(there(), [1, 2, 3, 4, 5, 6]);
        ["a", "b"].iter().for_each(|file| rounds.ended(&round(5).join(file)));
        assert_eq!(there(), [1, 3, 4, 5, 6]);
        rounds.ended(&round(1).join("b"));
        assert_eq!(there(), [1, 4, 5, 6]);
        ["a", "b"].iter().for_each(|file| rounds.ended(&round(6).join(file)));
        assert_eq!(there(), [1, 5, 6], "in the order in which they were finished");
    }
}
