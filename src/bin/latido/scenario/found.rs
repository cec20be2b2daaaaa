//! What is on disk when all is over: the files, and the journal. Nobody is asked what he believes.

use std::path::{Path, PathBuf};

use crate::demo::origin::Corpus;
use crate::demo::verdict;
use crate::fetch::job::Stage;
use crate::fetch::journal::{self, Journal};
use crate::fetch::target::OURS;

/// Where to look, and for what.
pub(super) struct Disk {
    pub(super) corpus: Corpus,
    pub(super) dir: PathBuf,
    pub(super) beside: Option<String>,
}

#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) files: usize,
    /// There, with the digest that they must have.
    pub(super) right: usize,
    /// There, and something else.
    pub(super) wrong: usize,
    /// Those that have one beside them.
    pub(super) beside: usize,
    /// Jobs that the journal has.
    pub(super) jobs: usize,
    pub(super) done: usize,
    /// Done, as the journal has it, and not right on disk.
    pub(super) done_and_not_right: usize,
    /// Why the journal cannot be read.
    pub(super) no_journal: Option<String>,
}

impl Found {
    pub(super) fn of(Disk { corpus, dir, beside }: Disk) -> Self {
        let mut found = Self { files: corpus.files().len(), ..Self::default() };
        let mut right = Vec::new();
        for file in corpus.files() {
            let path = dir.join(&file.name);
            match verdict::found(file, &path) {
                verdict::Found::Nothing => {}
                verdict::Found::Wrong => found.wrong += 1,
                verdict::Found::Right(_) => right.push(file.name.clone()),
            }
            let its_neighbour = beside.as_ref().map(|suffix| dir.join(format!("{}{suffix}", file.name)));
            found.beside += usize::from(its_neighbour.is_some_and(|path| path.is_file()));
        }
        found.right = right.len();
        found.no_journal =
            found.read(&dir.join(format!("{OURS}.db")), &right).err().map(|error| error.to_string());
        found
    }

    fn read(&mut self, path: &Path, right: &[String]) -> Result<(), journal::JournalError> {
        let (_reserved, journal) = (journal::reserve(path)?, Journal::open(path)?);
        journal.each_job(|job| {
            self.jobs += 1;
            if job.stage == Stage::Done {
                self.done += 1;
                let name = job.request.target.file_name().unwrap_or_default().to_string_lossy();
                self.done_and_not_right += usize::from(!right.iter().any(|right| *right == name));
            }
        })
    }
}
