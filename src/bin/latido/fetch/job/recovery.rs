//! What becomes of the jobs of an earlier run, and of files that a command has written to.

use super::{Job, Rules, Stage};
use crate::fetch::cause::Cause;

/// What the disk says about a job from an earlier run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    /// Length of the file at the target, if there is one.
    pub(crate) target_bytes: Option<u64>,
    /// When it was last written to, in nanoseconds since 1970.
    pub(crate) target_modified: Option<i64>,
}

impl Job {
    /// Puts a job of an earlier run into the stage from which [`start`](Self::start) goes on. A job that failed
    /// gets all its tries again.
    pub(crate) fn recover(&mut self, facts: Facts, rules: &Rules) {
        let wanted = self.request.checksum.as_ref();
        let right = self.digest.as_ref().is_some_and(|digest| wanted.is_none_or(|wanted| wanted == digest));
        let in_place = right && self.is_as_verified(facts);
        let as_it_was = facts.target_modified == self.modified;
        match self.stage {
            Stage::Queued => {}
            // Somebody else may have written to it since.
            Stage::Done if in_place && as_it_was => {}
            // The command may have changed the file, or moved it away.
            Stage::Done if right && as_it_was && rules.exec && self.processed_by.is_some() => {}
            Stage::Processing if in_place && rules.exec => {}
            Stage::Failed if in_place && rules.exec => {
                self.stage = Stage::Processing;
                self.exec_tries = 0;
            }
            Stage::Processing | Stage::Failed if in_place => {
                self.modified = facts.target_modified;
                self.done();
            }
            Stage::Failed => {
                self.requeue();
                self.tries = 0;
                self.exec_tries = 0;
            }
            Stage::Fetching | Stage::Verifying | Stage::Processing | Stage::Done => self.requeue(),
        }
    }

    /// Whether the disk has the file as it was verified. A command that was cut short, or failed, may have written to it.
    pub(crate) fn is_as_verified(&self, facts: Facts) -> bool {
        let is_as_old = self.modified.is_none() || facts.target_modified == self.modified;
        facts.target_bytes == Some(self.bytes) && is_as_old
    }

    /// Is to be fetched again before it is processed: what is there is not what was verified.
    pub(crate) fn fetch_again(&mut self) {
        if self.stage == Stage::Processing {
            self.requeue();
        }
    }

    /// Is to be fetched by the next run, with all its tries, whatever came of it so far.
    pub(crate) fn begin_anew(&mut self) {
        self.requeue();
        self.tries = 0;
        self.exec_tries = 0;
        self.error = None;
    }

    /// A file that is done, and of which only its server knows what it should be, is asked for again. What it is now
    /// stays known.
    pub(crate) fn ask_anew(&mut self) -> bool {
        let was_asked = self.error.as_ref().is_none_or(|error| error.cause != Cause::Command);
        let is_there = match self.stage {
            Stage::Done => true,
            Stage::Failed => self.digest.is_some() && was_asked,
            _ => false,
        };
        let anew = is_there && self.request.checksum.is_none();
        if anew {
            self.stage = Stage::Queued;
            self.tries = 0;
            self.error = None;
        }
        anew
    }

    /// A file that is done was not given to this command, but perhaps to another: that is still to do.
    pub(crate) fn process_anew(&mut self, command: &str) -> bool {
        let anew = self.stage == Stage::Done && self.processed_by.as_deref() != Some(command);
        if anew {
            self.stage = Stage::Processing;
            self.exec_tries = 0;
        }
        anew
    }
}
