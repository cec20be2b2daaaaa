//! The life of a job: what an answer makes of it, and what is to be done next. No clock and no file is touched
//! here; the ledger does what [`Next`] says.
//!
//! ```text
//!            start          Fetched           Digest            Processed
//!  Queued ---------> Fetching ----> Verifying ----> Processing ----> Done
//!    ^                  |               |   without --exec --------->'
//!    '--- a try failed -'--- mismatch --'        out of tries, or for good: Failed
//! ```

use std::str::FromStr;

use super::cause::{Cause, Failure};
use super::checksum::Checksum;
use super::request::Request;

mod recovery;
mod words;

pub(crate) use recovery::Facts;
pub(crate) use words::{Answer, Next};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// Waits for its turn, or for the backoff after a failed try.
    Queued,
    /// Bytes go into the part.
    Fetching,
    /// The part is complete and being digested.
    Verifying,
    /// The right file is under its name and given to `--exec`.
    Processing,
    Done,
    Failed,
}

impl Stage {
    pub(crate) const ALL: [Self; 6] =
        [Self::Queued, Self::Fetching, Self::Verifying, Self::Processing, Self::Done, Self::Failed];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Fetching => "fetching",
            Self::Verifying => "verifying",
            Self::Processing => "processing",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}

impl FromStr for Stage {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let named = Self::ALL.into_iter().find(|stage| stage.name() == text);
        named.ok_or_else(|| format!("`{text}` is no stage"))
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Job {
    /// Its place in the journal; never another job's.
    pub(crate) id: i64,
    pub(crate) request: Request,
    pub(crate) stage: Stage,
    /// Counts every start of work. An answer that carries another number is late.
    pub(crate) attempt: u32,
    /// Failed tries, as `--max-tries` counts them. Crashes of our own parts are none.
    pub(crate) tries: u32,
    /// Failed runs of the command, as `--exec-tries` counts them.
    pub(crate) exec_tries: u32,
    /// Length of the file, once it is fetched.
    pub(crate) bytes: u64,
    /// What the file is, once that is known to be right.
    pub(crate) digest: Option<Checksum>,
    /// When the file was last written to, in nanoseconds since 1970, once it is under its name; after a command, as that
    /// left it. `None` if it is not there any more.
    pub(crate) modified: Option<i64>,
    /// The `--exec` that was content with the file.
    pub(crate) processed_by: Option<Box<str>>,
    /// What the last command on the file alone said.
    pub(crate) output: Option<Box<str>>,
    /// Why the last try failed.
    pub(crate) error: Option<Failure>,
    /// Not in the journal: what the next run would go on with is gone by then, if it was wrong.
    pub(crate) pieces: Pieces,
    /// Which of its URLs is in use, by its place among them. Each fetch has it chosen anew.
    pub(crate) turn: usize,
}

/// Whether the file may come in pieces: by several connections, or over several tries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Pieces {
    #[default]
    Allowed,
    /// It has come so.
    Used,
    /// It came so, and was wrong. Nobody is to blame for that alone, but no piece of it is used again.
    Refused,
}

/// What the user asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rules {
    /// At least 1.
    pub(crate) max_tries: u32,
    /// Whether files are processed once they are verified.
    pub(crate) exec: bool,
    /// How often that may fail; at least 1.
    pub(crate) exec_tries: u32,
}

impl Job {
    #[cfg(test)]
    pub(crate) fn new(id: i64, request: Request) -> Self {
        Self {
            id,
            request,
            stage: Stage::Queued,
            attempt: 0,
            tries: 0,
            exec_tries: 0,
            bytes: 0,
            digest: None,
            modified: None,
            processed_by: None,
            output: None,
            error: None,
            pieces: Pieces::default(),
            turn: 0,
        }
    }

    /// Tries that failed: of the command, if it was that, else of the download. One that failed for good is no longer
    /// counted as a try to come.
    pub(crate) fn failed_tries(&self) -> u32 {
        let is_command = self.error.as_ref().is_some_and(|error| error.cause.is_of_command());
        let tries = if is_command { self.exec_tries } else { self.tries };
        tries.max(u32::from(self.stage == Stage::Failed))
    }

    pub(crate) fn is_finished(&self) -> bool {
        matches!(self.stage, Stage::Done | Stage::Failed)
    }

    /// Where to get the file now.
    pub(crate) fn url(&self) -> &str {
        self.request.urls().nth(self.turn).unwrap_or_default()
    }

    /// Whether there is one that was not tried yet.
    fn has_another_url(&self) -> bool {
        self.request.urls().count() > self.tries as usize + 1
    }

    /// Starts the work of its stage, under a new attempt number.
    pub(crate) fn start(&mut self) -> Next {
        let next = match self.stage {
            Stage::Queued | Stage::Fetching => Next::Fetch,
            Stage::Verifying => Next::Verify,
            Stage::Processing => Next::Process,
            Stage::Done | Stage::Failed => return Next::Finished,
        };
        if self.stage == Stage::Queued {
            self.stage = Stage::Fetching;
        }
        self.attempt += 1;
        next
    }

    /// Takes the answer to `attempt`. One that is late, or answers what was not asked, changes nothing.
    pub(crate) fn answer(&mut self, attempt: u32, answer: Answer, rules: &Rules) -> Next {
        if attempt != self.attempt {
            return Next::Nothing;
        }
        match (self.stage, answer) {
            (Stage::Fetching, Answer::Fetched { bytes, pieced }) => {
                self.forget();
                self.bytes = bytes;
                if pieced {
                    self.pieces = Pieces::Used;
                }
                self.stage = Stage::Verifying;
                self.start()
            }
            (Stage::Fetching, Answer::NotModified) if self.digest.is_some() => self.done(),
            (Stage::Fetching, Answer::NotModified) => self
                .retry(Failure::new(Cause::Protocol, "nothing is here that could be left as it is"), rules),
            (Stage::Fetching, Answer::FetchFailed { error, transient: true }) => self.retry(error, rules),
            (Stage::Fetching, Answer::FetchFailed { error, .. }) => {
                self.tries += 1;
                self.fail(error)
            }
            (Stage::Fetching, Answer::GivenBack) => {
                self.stage = Stage::Queued;
                Next::Requeue
            }
            (Stage::Verifying, Answer::Digest(digest)) => match &self.request.checksum {
                Some(wanted) if *wanted != digest => {
                    let text = format!("the file is {digest}, not {wanted}");
                    self.wrong(Failure::new(Cause::Checksum, text), rules)
                }
                _ => self.verified(digest, rules),
            },
            (Stage::Verifying, Answer::Wrong { error }) => self.wrong(error, rules),
            (Stage::Verifying, Answer::VerifyFailed { error }) => self.retry(error, rules),
            (Stage::Verifying, Answer::NotPublished { error }) => self.fail(error),
            (Stage::Processing, Answer::Processed) => self.done(),
            (Stage::Processing, Answer::ProcessFailed { error }) => {
                self.exec_tries += 1;
                if self.exec_tries >= rules.exec_tries {
                    return self.fail(error);
                }
                self.error = Some(error);
                Next::ProcessLater { step: self.exec_tries }
            }
            (Stage::Fetching | Stage::Verifying | Stage::Processing, Answer::Lost) => self.start(),
            _ => Next::Nothing,
        }
    }

    fn verified(&mut self, digest: Checksum, rules: &Rules) -> Next {
        self.digest = Some(digest);
        if !rules.exec {
            return self.done();
        }
        self.stage = Stage::Processing;
        self.start()
    }

    fn done(&mut self) -> Next {
        self.stage = Stage::Done;
        self.error = None;
        Next::Finished
    }

    /// The content is. What was put together is fetched once more in one piece, and that is no try. Bytes that were damaged
    /// on the way come right the next time. The same wrong ones twice are another file, which it stays; unless another
    /// place has the right one.
    fn wrong(&mut self, error: Failure, rules: &Rules) -> Next {
        if self.pieces == Pieces::Used {
            self.pieces = Pieces::Refused;
            self.requeue();
            self.error = Some(error);
            return Next::Anew;
        }
        if self.error.as_ref() == Some(&error) && !self.has_another_url() {
            self.tries += 1;
            return self.fail(error);
        }
        self.retry(error, rules)
    }

    fn retry(&mut self, error: Failure, rules: &Rules) -> Next {
        self.tries += 1;
        if self.tries >= rules.max_tries {
            return self.fail(error);
        }
        match self.stage {
            // What was there before is still there.
            Stage::Fetching => self.stage = Stage::Queued,
            _ => self.requeue(),
        }
        self.error = Some(error);
        Next::Retry { step: self.tries }
    }

    fn fail(&mut self, error: Failure) -> Next {
        self.stage = Stage::Failed;
        self.error = Some(error);
        Next::Finished
    }

    /// Forgets what came of the file so far. Attempts go on counting.
    fn requeue(&mut self) {
        self.stage = Stage::Queued;
        self.forget();
    }

    fn forget(&mut self) {
        self.bytes = 0;
        self.digest = None;
        self.modified = None;
        self.processed_by = None;
        self.output = None;
    }
}

#[cfg(test)]
mod tests;
