//! `latido demo`.

use std::path::PathBuf;

use clap::Args;

use super::web::WebArgs;

#[derive(Args, Debug)]
pub(crate) struct DemoArgs {
    /// Choose the failures: the same N, the same failures
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,

    /// Break nothing, and go on with new files until Ctrl-C: to break something yourself, with `latido inject`
    #[arg(long)]
    pub(crate) endless: bool,

    #[command(flatten)]
    pub(crate) web: WebArgs,

    /// Show it as `latido top` does, endless, in this terminal: the quickest way to see a tree, break it and understand it
    #[arg(long, conflicts_with = "seed")]
    pub(crate) top: bool,

    /// Write what `latido top` shows of the demo into FILE, for `latido replay FILE`; what FILE had before becomes FILE.1
    #[arg(long, value_name = "FILE")]
    pub(crate) record: Option<PathBuf>,

    /// Leave the downloaded files in DIR; of an endless demo, the last hundred or so
    #[arg(long, value_name = "DIR")]
    pub(crate) keep: Option<PathBuf>,
}
