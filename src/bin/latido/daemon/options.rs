//! What a daemon was started with: for its own use, for the next start, and for whoever adds files.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf, absolute};

use clap::Parser;
use serde::{Deserialize, Serialize};

use super::state::State;
use super::{Failure, USAGE};
use crate::cli::{Cli, Command, FetchArgs, StartArgs};
use crate::fetch::hung::HungAfter;

const LOG_LIMIT: u64 = 1 << 20;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Options {
    /// Where the files go.
    pub(super) dir: PathBuf,
    /// Where it was started: what else is a path among the words is one from there.
    pub(super) from: PathBuf,
    /// In seconds; a number, for those who read it from a file of an earlier version.
    hung_after: f64,
    pub(super) log_limit: u64,
    /// Those of `latido fetch`.
    words: Vec<String>,
}

impl Options {
    pub(super) fn new(args: &StartArgs) -> Result<Self, Failure> {
        let from = env::current_dir().map_err(Failure::io("the current directory"))?;
        let dir = args.dir.as_deref().unwrap_or(&from);
        Ok(Self {
            dir: absolute(dir).map_err(|error| Failure::usage(format_args!("-d {dir:?}: {error}")))?,
            from,
            hung_after: args.hung_after.unwrap_or_default().seconds(),
            log_limit: args.log_limit.unwrap_or(LOG_LIMIT),
            words: args.options.clone(),
        })
    }

    /// Those of the last start, if there was one.
    pub(super) fn of_last_start(state: &State) -> Option<Self> {
        serde_json::from_slice(&fs::read(state.options()).ok()?).ok()
    }

    /// Keeps them for the next.
    pub(super) fn keep(&self, state: &State) -> std::io::Result<()> {
        let draft = state.options().with_extension("new");
        fs::write(&draft, serde_json::to_vec_pretty(self)?)?;
        fs::rename(draft, state.options())
    }

    /// As arguments of `latido daemon run`.
    pub(super) fn args(&self, state: &State) -> Vec<OsString> {
        let mut args: Vec<OsString> =
            vec!["--state".into(), state.path().into(), "-d".into(), (&self.dir).into()];
        args.extend(["--hung-after".into(), self.hung_after.to_string().into()]);
        args.extend(["--log-limit".into(), self.log_limit.to_string().into(), "--".into()]);
        args.extend(self.words.iter().map(OsString::from));
        args
    }

    /// The `latido fetch` that the daemon is, of the files of a list.
    pub(super) fn fetch(&self, state: &State, list: &Path) -> Result<FetchArgs, Failure> {
        let line = [
            "latido".into(),
            "fetch".into(),
            "-i".into(),
            list.into(),
            "-d".into(),
            OsString::from(&self.dir),
        ];
        let line = line.into_iter().chain(self.words.iter().map(OsString::from));
        let cli = Cli::try_parse_from(line).map_err(|error| {
            let text = error.render().to_string();
            let text = text.split("\n\n").next().unwrap_or_default().trim_start_matches("error: ");
            Failure { code: USAGE, text: format!("{}, in the options after --", text.trim_end()) }
        })?;
        let Command::Fetch(mut args) = cli.command else { unreachable!("the line says fetch") };
        for (is_given, name, why) in [
            (!args.urls.is_empty(), "a URL", "add files with `latido add URL`"),
            (args.sums.is_some(), "--sums", "give it to `latido add`"),
            (args.hung_after.is_some(), "--hung-after", "say it before the --"),
            (args.dry_run, "--dry-run", "give it to `latido fetch`"),
            (args.json, "--json", "ask with `latido daemon status --json`"),
            (args.quiet, "--quiet", "a daemon says nothing but to its log"),
        ] {
            if is_given {
                return Err(Failure::usage(format_args!("{name} is not for a daemon; {why}")));
            }
        }
        args.hung_after = HungAfter::of(self.hung_after);
        args.journal.get_or_insert_with(|| state.journal());
        args.record = args.record.map(|file| self.from.join(file));
        Ok(*args)
    }
}
