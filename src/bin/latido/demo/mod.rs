//! `latido demo`: the main job without a network, and with failures. A server of its own on loopback, the same code as
//! `latido fetch`, one part of each kind crashed at announced moments, and a verdict.

mod origin;
mod sabotage;
mod verdict;

use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result};
use clap::Parser;

use crate::cli::{Cli, Command, DemoArgs, FetchArgs};
use crate::exit::Exit;
use crate::fetch::door;
use crate::fetch::run::Ready;
use crate::signals::Signals;
use crate::view::{self, Detail, Screen};
use origin::{Corpus, Origin};
use sabotage::Sabotage;
use verdict::{Record, Verdict};

const FILES: usize = 40;
const DOWNLOADERS: usize = 4;
/// What one response may carry a second, so that there is something to see.
const BYTES_PER_SECOND: u64 = 2 << 20;

pub(crate) async fn command(args: &DemoArgs, screen: &Screen) -> Result<Exit> {
    // First of all: whenever it is ended, its directory goes.
    let mut signals = Signals::listen()?;
    let seed = args.seed.unwrap_or_else(|| fastrand::u64(..1_000_000));
    let mut random = fastrand::Rng::with_seed(seed);
    let corpus = Corpus::new(seed, (0..FILES).map(|_| random.u64(64 << 10..3 << 20)));
    let temporary;
    let dir = match &args.keep {
        Some(dir) => dir.as_path(),
        None => {
            temporary = tempfile::tempdir().context("no place for the files")?;
            temporary.path()
        }
    };
    let origin =
        Origin::start(corpus.clone(), Some(BYTES_PER_SECOND)).context("the demo's server does not start")?;
    let list = write_list(&corpus, &origin, dir)?;

    let bytes = corpus.files().iter().map(|file| file.bytes).sum();
    screen.line(format!(
        "latido demo: {FILES} files ({}) from a server on loopback, each verified and given to gzip,\n\
         while one part of each kind is crashed on purpose (--seed {seed} for the same failures)\n",
        indicatif::HumanBytes(bytes)
    ));
    let running = Ready::new(&fetch_args(&list, dir)?)?.start()?;
    let (tree, run) = (running.tree.clone(), running.run());
    let _door =
        door::open("latido demo", &tree, &run, true).inspect_err(|error| screen.line(error.to_string()));
    let record = actix::spawn(Record::of(tree.subscribe()));
    let view =
        actix::spawn(view::show(tree.subscribe(), run.board.clone(), screen.clone(), Detail::Everything));
    let sabotage =
        actix::spawn(Sabotage::plan(&mut random, DOWNLOADERS).carry_out(tree.clone(), screen.clone()));
    let end = running.end(&mut signals).await;
    sabotage.abort();
    screen.line(format!("\n{}", tree.snapshot()));
    if let Some(incident) = tree.incidents().first() {
        screen.line(format!("The first failure, as a story:\n{incident}\n"));
    }
    running.stop(&mut signals).await;
    view.await?;
    let verdict = Verdict::new(&corpus, dir, record.await?, run.started.elapsed(), end);
    screen.line("");
    view::say(&verdict);
    Ok(verdict.exit())
}

/// The run as a user would ask for it.
fn fetch_args(list: &Path, dir: &Path) -> Result<FetchArgs> {
    let jobs = DOWNLOADERS.to_string();
    let mut line =
        vec!["latido".into(), "fetch".into(), "-j".into(), jobs.into(), "--exec".into(), "gzip -kf".into()];
    line.extend(["-i".as_ref(), list.as_os_str(), "-d".as_ref(), dir.as_os_str()].map(ToOwned::to_owned));
    match Cli::try_parse_from(line)?.command {
        Command::Fetch(args) => Ok(*args),
        _ => unreachable!("the line says fetch"),
    }
}

fn write_list(corpus: &Corpus, origin: &Origin, dir: &Path) -> Result<std::path::PathBuf> {
    let mut list = String::new();
    for file in corpus.files() {
        let digest = file.sha256.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        writeln!(list, "{}\n  checksum=sha-256={digest}", origin.url(&file.name))?;
    }
    std::fs::create_dir_all(dir).with_context(|| format!("directory {dir:?}"))?;
    let path = dir.join("list.txt");
    std::fs::write(&path, list).with_context(|| format!("{path:?}"))?;
    Ok(path)
}
