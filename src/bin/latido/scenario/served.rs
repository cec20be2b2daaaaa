//! What a fetch works on: files made up from the seed, and the server that has them.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use tokio::task::spawn_blocking;

use super::file::{Mishaps, Work};
use super::found::{Disk, Found};
use super::record::{Seen, Writing, seconds};
use crate::demo::origin::Origin;
use crate::demo::write_list;

pub(super) struct Served {
    origin: Origin,
    disk: Disk,
}

impl Served {
    /// Starts the server. Answers what is to be typed to fetch all that it has, too.
    pub(super) async fn start(
        work: &Work,
        beside: Option<&str>,
        place: &Path,
    ) -> Result<(Self, Vec<OsString>)> {
        let making = work.clone();
        // Every byte is made once for the digests; others have their turn meanwhile.
        let corpus = spawn_blocking(move || making.corpus()).await?;
        let origin = Origin::start(corpus.clone(), Some(work.rate.0)).context("no server")?;
        let dir = place.join("files");
        fs::create_dir(&dir)?;
        let list = write_list(&corpus, &origin.url(""), &dir, Path::new(""))?;
        let program = std::env::current_exe().context("this program does not know its own file")?;
        let line = [program.into_os_string()].into_iter().chain(work.line(&list, &dir)).collect();
        Ok((Self { origin, disk: Disk { corpus, dir, beside: beside.map(ToOwned::to_owned) } }, line))
    }

    /// Nothing is served before somebody looks.
    pub(super) fn hold(&self) {
        self.origin.open(0);
    }

    /// Nor the last file before the steps are taken: on a machine that is busy with other things the work could be done
    /// before they are.
    pub(super) fn hold_the_last(&self) {
        self.origin.open(self.disk.corpus.files().len() - 1);
    }

    pub(super) fn let_go(&self) {
        self.origin.open(usize::MAX);
    }

    pub(super) fn spoil(&self, Mishaps { mishap, count }: Mishaps) {
        self.origin.mishaps().plan(mishap, count);
    }

    /// What was found on disk, and how many answers are left to spoil.
    pub(super) async fn end(self, record: &Writing) -> Result<(Found, usize)> {
        for done in self.origin.mishaps().done() {
            let what = format!("the server's answer for {}: {}", done.file, done.mishap.name());
            record.add_at(seconds(done.at), Seen::Server(what));
        }
        let disk = self.disk;
        Ok((spawn_blocking(move || Found::of(disk)).await?, self.origin.mishaps().left()))
    }
}
