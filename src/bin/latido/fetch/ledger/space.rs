//! A full disk. What has no room fails, and the rest waits until there is room again: what is under way may make some, or
//! somebody else. If nothing is under way, nothing can be hoped for: the rest is left to the next run.

use std::path::Path;
use std::time::Duration;

use actix::prelude::*;
use latido::actors::downloader::{FetchError, free_space};

use super::Ledger;
use crate::fetch::job::Stage;

/// With less than that a file system is full: the journal is on it more often than not.
const LEAST: u64 = 1 << 20;
/// How often it is asked.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

impl Ledger {
    pub(super) fn note_room(&mut self, error: &FetchError) {
        if let FetchError::Full { path, .. } = error {
            self.full = path.parent().filter(|directory| is_full(directory)).map(Path::to_owned);
        }
    }

    /// Whether files may be handed out.
    pub(super) fn has_room(&mut self, ctx: &mut Context<Self>) -> bool {
        let Some(directory) = &self.full else { return true };
        if !is_full(directory) {
            self.full = None;
            return true;
        }
        if self.downloads.any()
            || self.jobs.values().any(|job| matches!(job.stage, Stage::Verifying | Stage::Processing))
        {
            if !std::mem::replace(&mut self.asks_again, true) {
                ctx.run_later(LOOK_AGAIN, |ledger, ctx| {
                    ledger.asks_again = false;
                    ledger.hand_out(ctx);
                });
            }
        } else {
            self.write();
            self.plan.board.finish();
        }
        false
    }
}

fn is_full(directory: &Path) -> bool {
    free_space(directory).is_ok_and(|free| free < LEAST)
}
