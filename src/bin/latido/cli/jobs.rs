//! `latido jobs`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::fetch::job::Stage;

pub(super) const EXAMPLES: &str = "\
Examples:
  latido jobs -d mirror
  latido jobs -d mirror list --state failed
  latido jobs -d mirror output --state failed
  latido jobs -d mirror retry a.bin 17
  latido jobs -d mirror forget 'old/*'

A journal belongs to one program at a time. Beside a `latido fetch` that works with it nothing is \
read or changed, and you are told which process that is.

Exit codes:
  0    done
  2    usage, no such job, or the journal is in use or damaged";

#[derive(Args, Debug)]
pub(crate) struct JobsArgs {
    #[command(subcommand)]
    pub(crate) action: Option<Action>,

    /// The DIR of the fetch
    #[arg(short, long, value_name = "DIR", default_value = ".", global = true)]
    pub(crate) dir: PathBuf,

    /// The journal [default: DIR/.latido.db]
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) journal: Option<PathBuf>,

    /// One line of JSON for each job; see docs/json.md
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// Show them: state, failed tries, size, checksum, and why the last try failed (this is the default)
    List(Which),
    /// Show what the commands of `--exec` said, the last 4 KiB of each
    Output(Which),
    /// Mark them to be fetched anew, with all their tries; the next run of the same `latido fetch` does it. Nothing is
    /// fetched here: the journal has neither the options of that run nor its secrets
    Retry(Which),
    /// Remove them from the journal; files that are there stay
    Forget(Which),
}

#[derive(Args, Debug, Default)]
pub(crate) struct Which {
    /// Numbers or names as `latido jobs` shows them; `*` in a name stands for any text
    #[arg(value_name = "JOB")]
    pub(crate) jobs: Vec<String>,

    /// Only those in this state: queued, processing, done, failed
    #[arg(long, value_name = "STATE")]
    pub(crate) state: Option<Stage>,
}
