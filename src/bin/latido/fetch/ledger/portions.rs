//! How many files a downloader is given at once. More of them cost fewer hand-overs, but what one downloader has been
//! given no other can begin, and a crash loses what was not told yet.
//!
//! So each begins with one. Whoever is done with its portion in time gets twice as much the next time; whoever is not
//! begins anew, for what it gets are large files or a slow server. Near the end of the list the portions shrink, so that
//! all are done at about the same time.

/// The largest portion.
pub(super) const MOST: usize = 16;
/// As many files are with all downloaders together, unless there are more of those.
const ALL: usize = 256;

pub(super) struct Portions {
    sizes: Vec<usize>,
    most: usize,
}

impl Portions {
    pub(super) fn new(downloaders: usize) -> Self {
        Self { sizes: vec![1; downloaders], most: (ALL / downloaders.max(1)).clamp(1, MOST) }
    }

    /// How many of the files that wait this downloader is to be given.
    pub(super) fn next(&self, downloader: usize, waiting: usize) -> usize {
        let fair = waiting.div_ceil(2 * self.sizes.len());
        self.sizes[downloader].min(fair).max(1)
    }

    pub(super) fn done(&mut self, downloader: usize, in_time: bool) {
        let size = &mut self.sizes[downloader];
        *size = if in_time { (*size * 2).min(self.most) } else { 1 };
    }

    /// A downloader crashed. What it was over may have done that, and would do it again: it must not take others with
    /// it for ever.
    pub(super) fn lost(&mut self) {
        self.sizes.fill(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_done_in_time_gets_more_and_who_is_not_begins_anew() {
        let mut portions = Portions::new(2);
        let mut grown = Vec::new();
        for _ in 0..6 {
            grown.push(portions.next(0, 1_000));
            portions.done(0, true);
        }
        assert_eq!(grown, [1, 2, 4, 8, 16, 16]);
        assert_eq!(portions.next(1, 1_000), 1);
        portions.done(0, false);
        assert_eq!(portions.next(0, 1_000), 1);
    }

    #[test]
    fn the_last_files_are_shared_by_all() {
        let mut portions = Portions::new(4);
        (0..9).for_each(|_| portions.done(0, true));
        let sizes = [1_000, 128, 64, 24, 8, 1, 0].map(|waiting| portions.next(0, waiting));
        assert_eq!(sizes, [16, 16, 8, 3, 1, 1, 1]);
    }

    #[test]
    fn many_downloaders_get_little_each_and_after_a_crash_all_get_one() {
        let mut portions = Portions::new(100);
        (0..9).for_each(|_| portions.done(0, true));
        assert_eq!(portions.next(0, 1_000_000), 2);
        portions.lost();
        assert_eq!(portions.next(0, 1_000_000), 1);
        let mut one_each = Portions::new(1_024);
        one_each.done(0, true);
        assert_eq!(one_each.next(0, 1_000_000), 1);
    }
}
