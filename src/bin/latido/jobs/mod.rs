//! `latido jobs`: what the journal of a directory has, to be read, fetched anew or forgotten.
//!
//! | file | idea |
//! |---|---|
//! | [`select`] | the jobs that were meant |
//! | [`show`] | a job in lines for people |
//! | [`json`] | a job in a line for programs |

use std::io::{self, BufWriter, Write};
use std::path::{Path, absolute};

use anyhow::{Context, Result, bail};

use crate::cli::{Action, JobsArgs};
use crate::exit::Exit;
use crate::fetch::job::Job;
use crate::fetch::journal::{self, Journal};
use crate::fetch::target::OURS;

mod json;
mod select;
mod show;

use select::Selection;
use show::Counts;

/// `latido jobs`.
pub(crate) fn command(args: &JobsArgs) -> Result<Exit> {
    let dir = args.dir.canonicalize().with_context(|| format!("directory {:?}", args.dir))?;
    let path = match &args.journal {
        Some(journal) => absolute(journal)?,
        None => dir.join(format!("{OURS}.db")),
    };
    if !path.exists() {
        bail!("there is no journal {path:?}: name the directory of a `latido fetch` with -d");
    }
    let (_reserved, mut journal) = (journal::reserve(&path)?, Journal::open(&path)?);

    let jobs = Jobs { dir: &dir, json: args.json };
    let selection = Selection::of(args.action.as_ref(), &dir)?;
    let shown = match args.action {
        None | Some(Action::List(_)) => jobs.list(&journal, selection)?,
        Some(Action::Output(_)) => jobs.output(&journal, selection)?,
        Some(Action::Retry(_)) => {
            let selected = selection.selected(&journal)?;
            let anew = selected.iter().cloned().map(|mut job| {
                job.begin_anew();
                job
            });
            journal.record(&anew.collect::<Vec<_>>())?;
            jobs.tell("retry", "to be fetched anew; run the same `latido fetch` again for it", &selected)
        }
        Some(Action::Forget(_)) => {
            let selected = selection.selected(&journal)?;
            journal.forget(&selected)?;
            for job in &selected {
                // Nobody will ever go on with it; that it is not there is the rule.
                let _ = std::fs::remove_file(job.request.part());
            }
            jobs.tell("forget", "no longer in the journal; files that are there stay", &selected)
        }
    };
    match shown {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(error).context("standard output cannot be written to")
        }
        _ => Ok(Exit::Ok),
    }
}

struct Jobs<'a> {
    dir: &'a Path,
    json: bool,
}

impl Jobs<'_> {
    fn list(&self, journal: &Journal, mut selection: Selection) -> Result<io::Result<()>> {
        let mut out = BufWriter::new(io::stdout().lock());
        let mut counts = Counts::default();
        // Whoever reads them may have gone; then nothing is left to do.
        let mut written = Ok(());
        journal.each_job(|job| {
            if written.is_ok() && selection.has(&job) {
                counts.add(&job);
                written = match self.json {
                    true => writeln!(out, "{}", json::line(&job, None)),
                    false => show::job(&mut out, &job, self.dir, counts.jobs() == 1),
                };
            }
        })?;
        selection.check()?;
        if !self.json && written.is_ok() {
            written = writeln!(out, "{counts}");
        }
        Ok(written.and_then(|()| out.flush()))
    }

    /// Those that said nothing are left out.
    fn output(&self, journal: &Journal, mut selection: Selection) -> Result<io::Result<()>> {
        let mut out = BufWriter::new(io::stdout().lock());
        let mut written = Ok(());
        journal.each_job(|job| {
            if written.is_ok() && selection.has(&job) && job.output.is_some() {
                written = match self.json {
                    true => writeln!(out, "{}", json::line(&job, None)),
                    false => show::output(&mut out, &job, self.dir),
                };
            }
        })?;
        selection.check()?;
        Ok(written.and_then(|()| out.flush()))
    }

    fn tell(&self, action: &str, words: &str, jobs: &[Job]) -> io::Result<()> {
        let mut out = BufWriter::new(io::stdout().lock());
        if self.json {
            for job in jobs {
                writeln!(out, "{}", json::line(job, Some(action)))?;
            }
            return out.flush();
        }
        match jobs.len() {
            0 => writeln!(out, "no such job")?,
            1 => writeln!(out, "1 job {words}:")?,
            count => writeln!(out, "{count} jobs {words}:")?,
        }
        for job in jobs {
            let name = show::name(job, self.dir);
            writeln!(out, "  {} {name} (was {})", job.id, job.stage.name())?;
        }
        out.flush()
    }
}
