//! What came of a run, in a few lines.

use std::fmt;
use std::time::Duration;

use indicatif::HumanBytes;

use super::job::{Job, Stage};

/// As many failures as are listed.
const LISTED: usize = 20;

pub(crate) struct Summary {
    pub(crate) jobs: Vec<Job>,
    pub(crate) elapsed: Duration,
}

impl Summary {
    pub(crate) fn is_complete(&self) -> bool {
        self.jobs.iter().all(|job| job.stage == Stage::Done)
    }

    fn in_stage(&self, stage: Stage) -> impl Iterator<Item = &Job> {
        self.jobs.iter().filter(move |job| job.stage == stage)
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.jobs.is_empty() {
            return f.write_str("nothing to do: the list names no file");
        }
        let (done, failed) = (self.in_stage(Stage::Done).count(), self.in_stage(Stage::Failed).count());
        let bytes = self.in_stage(Stage::Done).map(|job| job.bytes).sum();
        let files = if self.jobs.len() == 1 { "file" } else { "files" };
        // Without a checksum, all that is known is that the file is as long as the server said.
        let unverified = self.in_stage(Stage::Done).filter(|job| job.request.checksum.is_none()).count();
        let verified = if unverified == 0 { " and verified" } else { "" };
        write!(f, "{} {files}: {done} done{verified} ({})", self.jobs.len(), HumanBytes(bytes))?;
        if unverified > 0 {
            write!(f, ", {unverified} of them without a checksum to verify")?;
        }
        if failed > 0 {
            write!(f, ", {failed} failed")?;
        }
        let left = self.jobs.len() - done - failed;
        if left > 0 {
            write!(f, ", {left} left for the next run")?;
        }
        write!(f, ", in {:.1} s", self.elapsed.as_secs_f64())?;
        for job in self.in_stage(Stage::Failed).take(LISTED) {
            let error = job.error.as_deref().unwrap_or("no reason known");
            write!(
                f,
                "\n  {}: {error} (after {})\n    {}",
                job.request.name(),
                tries(job),
                job.request.url()
            )?;
        }
        if failed > LISTED {
            write!(f, "\n  ... and {} more", failed - LISTED)?;
        }
        Ok(())
    }
}

fn tries(job: &Job) -> String {
    match job.tries {
        0 | 1 => "1 try".to_owned(),
        tries => format!("{tries} tries"),
    }
}
