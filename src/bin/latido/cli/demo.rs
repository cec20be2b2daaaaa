//! `latido demo`.

use std::path::PathBuf;

use clap::Args;

#[derive(Args, Debug)]
pub(crate) struct DemoArgs {
    /// Choose the failures: the same N, the same failures
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,

    /// Leave the downloaded files in DIR
    #[arg(long, value_name = "DIR")]
    pub(crate) keep: Option<PathBuf>,
}
