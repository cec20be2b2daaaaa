//! The demo that ends by itself: what is broken is planned, and what must come of it is known.

use std::path::Path;

use anyhow::Result;
use indicatif::HumanBytes;

use super::sabotage::Sabotage;
use super::verdict::{Record, Verdict};
use super::{DOWNLOADERS, FILES, Stage, fetch_args, write_list};
use crate::exit::Exit;
use crate::fetch::door;
use crate::fetch::run::Ready;
use crate::signals::Signals;
use crate::view::{self, Detail, Screen};

pub(super) async fn play(mut stage: Stage, mut signals: Signals, screen: &Screen) -> Result<Exit> {
    let Stage { seed, corpus, dir, .. } = &stage;
    let list = write_list(corpus, &stage.origin.url(""), dir, Path::new(""))?;
    let bytes = corpus.files().iter().map(|file| file.bytes).sum();
    screen.line(format!(
        "latido demo: {FILES} files ({}) from a server on loopback, each verified and given to gzip,\n\
         while one part of each kind is crashed on purpose (--seed {seed} for the same failures)\n",
        HumanBytes(bytes)
    ));
    let running = Ready::new(&fetch_args(&list, dir, &[])?)?.start()?;
    let (tree, run) = (running.tree.clone(), running.run());
    let door = door::open("latido demo", &tree, &run, stage.door(), |words| screen.line(words.to_string()));
    door::show(&door, screen);
    let record = actix::spawn(Record::of(tree.subscribe()));
    let view =
        actix::spawn(view::show(tree.subscribe(), run.board.clone(), screen.clone(), Detail::Everything));
    let sabotage =
        actix::spawn(Sabotage::plan(&mut stage.random, DOWNLOADERS).carry_out(tree.clone(), screen.clone()));
    let end = running.end(&mut signals).await;
    sabotage.abort();
    screen.line(format!("\n{}", tree.snapshot()));
    if let Some(incident) = tree.incidents().iter().find(|incident| incident.reason.is_some()) {
        screen.line(format!("The first failure, as a story:\n{incident}\n"));
    }
    running.stop(&mut signals).await;
    view.await?;
    let verdict = Verdict::new(&stage.corpus, &stage.dir, record.await?, run.started.elapsed(), end);
    screen.line("");
    view::say(&verdict);
    Ok(verdict.exit())
}
