//! `latido demo`: the main job without a network, and with failures. A server of its own on loopback, the same code as
//! `latido fetch`, and a verdict.
//!
//! | file | idea |
//! |---|---|
//! | [`planned`] | one part of each kind crashed at announced moments |
//! | [`endless`] | work without end, for the user to break |
//! | [`origin`], [`mishap`] | the server, and what can go wrong with it |
//! | [`sabotage`] | what is broken, and when |
//! | [`verdict`] | what became of it |

mod endless;
mod mishap;
pub(crate) mod origin;
mod planned;
mod rounds;
mod sabotage;
pub(crate) mod verdict;

use std::ffi::OsString;
use std::fmt::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Parser;
use tempfile::TempDir;

use crate::cli::{Cli, Command, DemoArgs, FetchArgs};
use crate::exit::Exit;
use crate::fetch::door::Terms;
use crate::signals::Signals;
use crate::top::{TREE, check_terminal};
use crate::view::Screen;
use origin::{Corpus, Origin};

const FILES: usize = 40;
const DOWNLOADERS: usize = 4;
/// What one response may carry a second, so that there is something to see.
const BYTES_PER_SECOND: u64 = 2 << 20;

/// Files to fetch, who serves them, and where they go.
struct Stage {
    random: fastrand::Rng,
    seed: u64,
    corpus: Corpus,
    origin: Origin,
    dir: PathBuf,
    record: Option<PathBuf>,
    /// Where the page is served, if it is.
    web: Option<SocketAddr>,
    /// It is shown on the whole terminal.
    top: bool,
    _temporary: Option<TempDir>,
}

pub(crate) async fn command(args: &DemoArgs, screen: &Screen) -> Result<Exit> {
    if args.top {
        check_terminal("latido demo --top", TREE)?;
    }
    // First of all: whenever it is ended, its directory goes.
    let signals = Signals::listen()?;
    let stage = Stage::new(args)?;
    match args.endless || args.top {
        true => endless::play(&stage, signals, screen).await,
        false => planned::play(stage, signals, screen).await,
    }
}

impl Stage {
    fn new(args: &DemoArgs) -> Result<Self> {
        let seed = args.seed.unwrap_or_else(|| fastrand::u64(..1_000_000));
        let mut random = fastrand::Rng::with_seed(seed);
        let corpus = Corpus::new(seed, (0..FILES).map(|_| random.u64(64 << 10..3 << 20)));
        let (dir, temporary) = match &args.keep {
            Some(dir) => (dir.clone(), None),
            None => {
                let temporary = tempfile::tempdir().context("no place for the files")?;
                (temporary.path().to_owned(), Some(temporary))
            }
        };
        std::fs::create_dir_all(&dir).with_context(|| format!("directory {dir:?}"))?;
        let origin = Origin::start(corpus.clone(), Some(BYTES_PER_SECOND));
        let origin = origin.context("the demo's server does not start")?;
        Ok(Self {
            random,
            seed,
            corpus,
            origin,
            dir,
            record: args.record.clone(),
            web: args.web.web,
            top: args.top,
            _temporary: temporary,
        })
    }

    /// Whoever looks in may break what is to be seen breaking.
    fn door(&self) -> Terms<'_> {
        Terms { may_act: true, web: self.web, record: self.record.as_deref() }
    }
}

/// The run as a user would ask for it: all of the corpus, below `dir`; with more that one may ask for.
fn fetch_args(list: &Path, dir: &Path, more: &[&str]) -> Result<FetchArgs> {
    let line = fetch_line(list, dir, DOWNLOADERS, Some("gzip -kf"));
    let more = more.iter().map(OsString::from);
    parsed([OsString::from("latido")].into_iter().chain(line).chain(more))
}

/// What a user would type behind `latido`.
pub(crate) fn fetch_line(list: &Path, dir: &Path, downloaders: usize, exec: Option<&str>) -> Vec<OsString> {
    let mut line: Vec<OsString> = ["fetch", "-j", &downloaders.to_string()].map(Into::into).into();
    line.extend(exec.into_iter().flat_map(|exec| ["--exec", exec]).map(OsString::from));
    line.extend(["-i".as_ref(), list.as_os_str(), "-d".as_ref(), dir.as_os_str()].map(ToOwned::to_owned));
    line
}

pub(crate) fn parsed(line: impl IntoIterator<Item = OsString>) -> Result<FetchArgs> {
    match Cli::try_parse_from(line)?.command {
        Command::Fetch(args) => Ok(*args),
        _ => unreachable!("the line says fetch"),
    }
}

/// Writes a list of a corpus whose files go into `round`, a directory below that of the list.
pub(crate) fn write_list(corpus: &Corpus, base: &str, dir: &Path, round: &Path) -> Result<PathBuf> {
    let mut list = String::new();
    for file in corpus.files() {
        let out = round.join(&file.name);
        let digest = file.sha256.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        writeln!(list, "{base}{}\n  out={}\n  checksum=sha-256={digest}", file.name, out.display())?;
    }
    let path = dir.join("list.txt");
    std::fs::write(&path, list).with_context(|| format!("{path:?}"))?;
    Ok(path)
}
