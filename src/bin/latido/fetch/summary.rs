//! What came of a run, in a few lines.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use indicatif::HumanBytes;
use latido::actors::downloader::redacted;

use super::cause::Cause;
use super::job::{Job, Stage};

/// As many failures are listed.
pub(crate) const LISTED: usize = 20;

/// The jobs of a run, counted.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) jobs: usize,
    pub(crate) done: usize,
    /// Done, without a checksum to say whether that was right.
    pub(crate) unverified: usize,
    pub(crate) failed: usize,
    /// Of what is done.
    pub(crate) bytes: u64,
    /// How often each cause was the reason.
    pub(crate) causes: BTreeMap<Cause, usize>,
    /// The first that failed.
    pub(crate) failures: Vec<Job>,
}

pub(crate) struct Summary {
    pub(crate) tally: Tally,
    /// How many were done before this run.
    pub(crate) found: usize,
    /// What was wrong in what was asked for and was left out, with `--keep-going`.
    pub(crate) refused: usize,
    pub(crate) elapsed: Duration,
}

impl Tally {
    pub(crate) fn count(&mut self, stage: Stage, bytes: u64, has_checksum: bool, cause: Option<Cause>) {
        self.jobs += 1;
        match stage {
            Stage::Done => {
                self.done += 1;
                self.bytes += bytes;
                self.unverified += usize::from(!has_checksum);
            }
            Stage::Failed => {
                self.failed += 1;
                *self.causes.entry(cause.unwrap_or(Cause::Other)).or_default() += 1;
            }
            _ => {}
        }
    }

    /// Neither done nor failed.
    pub(crate) fn left(&self) -> usize {
        self.jobs - self.done - self.failed
    }
}

impl Summary {
    pub(crate) fn is_complete(&self) -> bool {
        self.tally.done == self.tally.jobs && self.refused == 0
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally { jobs, done, unverified, failed, bytes, ref causes, ref failures } = self.tally;
        if jobs == 0 {
            return f.write_str("nothing to do: the list names no file");
        }
        let files = if jobs == 1 { "file" } else { "files" };
        // Without a checksum, all that is known is that the file is as long as the server said.
        let verified = if unverified == 0 { " and verified" } else { "" };
        write!(f, "{jobs} {files}: {done} done{verified} ({})", HumanBytes(bytes))?;
        if unverified > 0 {
            write!(f, ", {unverified} of them without a checksum to verify")?;
        }
        if self.found > 0 {
            write!(f, ", {} of them before this run", self.found.min(done))?;
        }
        if failed > 0 {
            write!(f, ", {failed} failed")?;
        }
        let left = self.tally.left();
        if left > 0 {
            write!(f, ", {left} left for the next run")?;
        }
        if self.refused > 0 {
            write!(f, ", {} left out because the list is wrong there", self.refused)?;
        }
        write!(f, ", in {:.1} s", self.elapsed.as_secs_f64())?;
        if failed > 1 {
            write!(f, "\n\n  failed  cause")?;
            let mut causes: Vec<_> = causes.iter().collect();
            causes.sort_by_key(|(_, count)| Reverse(**count));
            for (cause, count) in causes {
                write!(f, "\n  {count:>6}  {cause}")?;
            }
            writeln!(f)?;
        }
        for job in failures {
            let error = job.error.as_ref().map_or("no reason known", |error| &error.text);
            write!(
                f,
                "\n  {}: {error} (after {})\n    {}",
                job.request.name(),
                tries(job),
                redacted(job.request.url())
            )?;
        }
        if failed > failures.len() {
            write!(f, "\n  ... and {} more", failed - failures.len())?;
        }
        if failures.iter().any(|job| job.output.is_some()) {
            write!(
                f,
                "\n  what the commands said: latido jobs output --state failed, with the same -d or --journal"
            )?;
        }
        Ok(())
    }
}

fn tries(job: &Job) -> String {
    match job.failed_tries() {
        1 => "1 try".to_owned(),
        tries => format!("{tries} tries"),
    }
}
