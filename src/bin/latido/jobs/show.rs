//! A job in lines for people, which fit into eighty columns where names and reasons do.

use std::fmt;
use std::io::{self, Write};
use std::path::Path;

use indicatif::HumanBytes;
use latido::actors::downloader::redacted;

use crate::fetch::job::{Job, Stage};
use crate::fetch::text::presentable;

pub(super) fn job(out: &mut impl Write, job: &Job, dir: &Path, first: bool) -> io::Result<()> {
    if first {
        writeln!(out, "{:>6}  {:<10}  {:>5}  {:>10}  FILE", "ID", "STATE", "TRIES", "SIZE")?;
    }
    let size = match job.digest {
        Some(_) => HumanBytes(job.bytes).to_string(),
        None => "-".to_owned(),
    };
    let (id, state, tries) = (job.id, job.stage.name(), job.failed_tries());
    writeln!(out, "{id:>6}  {state:<10}  {tries:>5}  {size:>10}  {}", name(job, dir))?;
    if let Some(digest) = &job.digest {
        writeln!(out, "        {digest}")?;
    }
    if let Some(error) = &job.error {
        writeln!(
            out,
            "        {}: {error}\n        {}",
            error.cause,
            presentable(&redacted(job.request.url()))
        )?;
    }
    Ok(())
}

/// What the command said, a line under the other, behind the file's name and state.
pub(super) fn output(out: &mut impl Write, job: &Job, dir: &Path) -> io::Result<()> {
    writeln!(out, "{} {} ({})", job.id, name(job, dir), job.stage.name())?;
    for line in job.output.iter().flat_map(|output| output.lines()) {
        writeln!(out, "  | {}", presentable(line))?;
    }
    Ok(())
}

/// Below the directory, if it is there.
pub(super) fn name(job: &Job, dir: &Path) -> String {
    let target = &*job.request.target;
    presentable(&target.strip_prefix(dir).unwrap_or(target).to_string_lossy())
}

/// How many jobs are in each state.
#[derive(Default)]
pub(super) struct Counts {
    stages: [usize; Stage::ALL.len()],
    /// Done, and no checksum says whether that was right.
    unverified: usize,
}

impl Counts {
    pub(super) fn add(&mut self, job: &Job) {
        self.stages[job.stage as usize] += 1;
        self.unverified += usize::from(job.stage == Stage::Done && job.request.checksum.is_none());
    }

    pub(super) fn jobs(&self) -> usize {
        self.stages.iter().sum()
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.jobs() {
            0 => return f.write_str("no jobs"),
            1 => f.write_str("1 job: ")?,
            jobs => write!(f, "{jobs} jobs: ")?,
        }
        let counted = Stage::ALL.iter().filter(|stage| self.stages[**stage as usize] > 0);
        let counted = counted.map(|stage| format!("{} {}", self.stages[*stage as usize], stage.name()));
        f.write_str(&counted.collect::<Vec<_>>().join(", "))?;
        match self.unverified {
            0 => Ok(()),
            unverified => write!(f, " ({unverified} of them without a checksum to verify)"),
        }
    }
}
