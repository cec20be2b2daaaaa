//! `latido scenario`.

use clap::builder::RangedU64ValueParser;
use clap::{Args, Subcommand};

pub(super) const EXAMPLES: &str = "\
Examples:
  latido scenario list
  latido scenario run every-downloader-crashes
  latido scenario run mine.toml --json
  latido scenario run --all -j 4

A scenario is a TOML file: work for the tree, steps that break it, and what must be true all the same. docs/scenarios.md \
says what may stand in one.

Exit codes:
  0    every scenario passes
  1    one does not
  2    usage, or a file that cannot be read";

#[derive(Args, Debug)]
pub(crate) struct ScenarioArgs {
    #[command(subcommand)]
    pub(crate) action: ScenarioAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ScenarioAction {
    /// Do what they say to a real tree at work, and say whether what must be true is
    Run {
        /// Files, or names of the library
        #[arg(value_name = "FILE")]
        files: Vec<String>,

        /// All of the library
        #[arg(long, conflicts_with = "files")]
        all: bool,

        /// Run so many at the same time
        #[arg(short = 'j', long = "jobs", value_name = "N", default_value_t = 1, value_parser = RangedU64ValueParser::<u16>::new().range(1..=64))]
        parallel: u16,

        /// Take this seed, and not that of the file
        #[arg(long, value_name = "N")]
        seed: Option<u64>,

        /// A line of JSON for each; see docs/scenarios.md
        #[arg(long)]
        json: bool,
    },
    /// Show those that the program brings along
    List {
        /// A line of JSON for each
        #[arg(long)]
        json: bool,
    },
    /// Read them, and say what would be done; nothing is run
    Check {
        /// Files, or names of the library
        #[arg(value_name = "FILE", required = true)]
        files: Vec<String>,

        /// A line of JSON for each
        #[arg(long)]
        json: bool,
    },
}
