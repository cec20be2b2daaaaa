//! The jobs that were meant: by number, by name, or by how far they are.

use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow, bail};
use glob::Pattern;

use crate::cli::{Action, Which};
use crate::fetch::job::{Job, Stage};
use crate::fetch::journal::Journal;

pub(super) struct Selection {
    dir: PathBuf,
    wanted: Vec<Wanted>,
    state: Option<Stage>,
}

struct Wanted {
    text: String,
    id: Option<i64>,
    /// Of the file's name, or of its path below the directory.
    name: Pattern,
    found: bool,
}

impl Selection {
    pub(super) fn of(action: Option<&Action>, dir: &Path) -> Result<Self> {
        let (which, all_by_default) = match action {
            None => (&Which::default(), true),
            Some(Action::List(which) | Action::Output(which)) => (which, true),
            Some(Action::Retry(which) | Action::Forget(which)) => (which, false),
        };
        if !all_by_default && which.jobs.is_empty() && which.state.is_none() {
            bail!("say which jobs: their numbers or names as `latido jobs` shows them, or --state failed");
        }
        let wanted = which.jobs.iter().map(|text| {
            let name = Pattern::new(text).map_err(|error| anyhow!("`{text}` is no name: {error}"))?;
            Ok(Wanted { text: text.clone(), id: text.parse().ok(), name, found: false })
        });
        Ok(Self { dir: dir.to_owned(), wanted: wanted.collect::<Result<_>>()?, state: which.state })
    }

    pub(super) fn has(&mut self, job: &Job) -> bool {
        let target = &*job.request.target;
        let below = target.strip_prefix(&self.dir).unwrap_or(target);
        let file = target.file_name().map(Path::new).unwrap_or(target);
        let mut meant = self.wanted.is_empty();
        for wanted in &mut self.wanted {
            let named = [target, below, file].iter().any(|path| wanted.name.matches_path(path));
            // What looks like a number is one: a file of that name can be meant by its path.
            if wanted.id.map_or(named, |id| id == job.id) {
                wanted.found = true;
                meant = true;
            }
        }
        meant && self.state.is_none_or(|state| state == job.stage)
    }

    /// Whoever was named must be there.
    pub(super) fn check(&self) -> Result<()> {
        let missing: Vec<_> =
            self.wanted.iter().filter(|wanted| !wanted.found).map(|wanted| &*wanted.text).collect();
        match missing.is_empty() {
            true => Ok(()),
            false => bail!("the journal has no job {}; `latido jobs` lists them", missing.join(", ")),
        }
    }

    /// All of them; if one was named that is not there, none.
    pub(super) fn selected(mut self, journal: &Journal) -> Result<Vec<Job>> {
        let mut selected = Vec::new();
        journal.each_job(|job| {
            if self.has(&job) {
                selected.push(job);
            }
        })?;
        self.check()?;
        Ok(selected)
    }
}
