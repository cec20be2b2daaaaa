//! `latido top` and `latido replay`: a tree of actors on the whole terminal.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use super::remote::At;
use super::web::address;

pub(super) const TOP: &str = "\
To have something to look at: `latido demo --top` starts the demo and shows it, in one go.

? shows the keys. The most important: p lets the chosen part panic, w tells why and what came of it, q quits.
Parts can only be broken if the program allows it: the demo does, `latido fetch` with --allow-actions.

NO_COLOR=1 does without colours. `latido tree` shows the same once, without a terminal.

Exit codes:
  0    quit
  2    usage, there is no such program or file, or no terminal
  130  interrupted (Ctrl-C)
  143  terminated (SIGTERM)";

pub(super) const REPLAY: &str = "\
Examples:
  latido demo --record run.jsonl        writes down what happens
  latido replay run.jsonl               plays it in this terminal; ? shows the keys, space lets it stand still, q quits
  latido replay run.jsonl --web         shows it in a browser, until Ctrl-C

NO_COLOR=1 does without colours. For --web no terminal is needed.

Exit codes:
  0    quit
  2    usage, there is no such recording, no terminal, or the port of --web cannot be had
  130  interrupted (Ctrl-C), which is also how --web ends
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

    /// Serve a page for browsers of this machine that shows it, instead of a terminal. On a port that is free, or on this
    /// one, such as 4780 or [::1]:4780
    #[arg(long, value_name = "[ADDRESS:]PORT", num_args = 0..=1, require_equals = true, default_missing_value = "0", value_parser = address)]
    pub(crate) web: Option<SocketAddr>,
}
