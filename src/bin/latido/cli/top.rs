//! `latido top` and `latido replay`: a tree of actors on the whole terminal.

use std::path::PathBuf;

use clap::Args;

use super::remote::At;

pub(super) const HELP: &str = "\
To have something to look at: `latido demo --top` starts the demo and shows it, in one go.

? shows the keys. The most important: p lets the chosen part panic, w tells why and what came of it, q quits.
Parts can only be broken if the program allows it: the demo does, `latido fetch` with --allow-actions.

NO_COLOR=1 does without colours. `latido tree` shows the same once, without a terminal.

Exit codes:
  0    quit
  2    usage, there is no such program or file, or no terminal
  130  interrupted (Ctrl-C)
  143  terminated (SIGTERM)";

#[derive(Args, Debug)]
pub(crate) struct TopArgs {
    #[command(flatten)]
    pub(crate) at: At,
}

#[derive(Args, Debug)]
pub(crate) struct ReplayArgs {
    /// What `latido fetch --record FILE` or another program has written; FILE.1 is read before it, if it is there
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}
