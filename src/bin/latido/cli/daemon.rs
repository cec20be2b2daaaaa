//! `latido daemon` and `latido add`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::fetch::checksum::Checksum;
use crate::fetch::hung::HungAfter;
use crate::fetch::sums::SumsFile;

pub(super) const EXAMPLES: &str = "\
Examples:
  latido daemon start -d mirror -- -j 16 --exec 'gzip -t'
  latido add https://example.org/disk.iso --checksum sha-256=HEX
  latido daemon status
  latido daemon logs -f
  latido daemon stop

Exit codes, as of an init script:
  0    done; of status: it is running. Also when there was nothing to do
  1    it failed; of status: it is dead, and has left its pid file
  2    usage
  3    of status: it is not running; of run: the supervision tree gave up
  4    no permission; of status: it is running, or not: it does not answer";

#[derive(Args, Debug)]
pub(crate) struct DaemonArgs {
    #[command(subcommand)]
    pub(crate) action: DaemonAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DaemonAction {
    /// Start it, and return when it is up
    Start(StartArgs),
    /// Stop it in order, and return when it is gone; what is left to do is kept
    Stop(StateArgs),
    /// Stop it, if it is running, and start it; as it was started last, unless something is said
    Restart(StartArgs),
    /// Say how it is
    Status {
        #[command(flatten)]
        state: StateArgs,
        /// One object of JSON; see docs/daemon.md
        #[arg(long)]
        json: bool,
    },
    /// Show its log
    Logs {
        #[command(flatten)]
        state: StateArgs,
        /// Go on with what is added
        #[arg(short, long)]
        follow: bool,
        /// How many of the last lines
        #[arg(short = 'n', long, value_name = "N", default_value_t = 20)]
        lines: usize,
    },
    /// Be it, in the foreground: for systemd and its like
    Run(RunArgs),
}

#[derive(Args, Clone, Debug)]
pub(crate) struct StateArgs {
    /// Where it keeps what it knows; one daemon for each [default: $XDG_STATE_HOME/latido, or ~/.local/state/latido]
    #[arg(long, value_name = "DIR")]
    pub(crate) state: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct StartArgs {
    #[command(flatten)]
    pub(crate) state: StateArgs,

    /// Put the files into DIR, which is created if need be [default: that of the last start, else the current directory]
    #[arg(short, long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,

    /// Replace a part that blocks its thread for SECONDS; 0 is never [default: 30]
    #[arg(long, value_name = "SECONDS")]
    pub(crate) hung_after: Option<HungAfter>,

    /// Begin the log anew at so many bytes; the one before is kept [default: 1048576]
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u64).range(1024..))]
    pub(crate) log_limit: Option<u64>,

    /// Options of `latido fetch`, such as `-j 16`, for all files
    #[arg(last = true, value_name = "FETCH OPTIONS")]
    pub(crate) options: Vec<String>,
}

#[derive(Args, Debug)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) start: StartArgs,

    /// Leave the terminal, and say on standard output how the start went; what `start` starts
    #[arg(long, hide = true)]
    pub(crate) detached: bool,
}

/// `latido add`: what it takes, it takes as `latido fetch` does.
#[derive(Args, Debug)]
pub(crate) struct AddArgs {
    /// What to get, http or https; a .meta4 or .metalink file here is a list
    #[arg(value_name = "URL", required_unless_present = "input")]
    pub(crate) urls: Vec<String>,

    /// Read a list of URLs or a Metalink 4 from FILE, or from standard input with `-`
    #[arg(short, long, value_name = "FILE")]
    pub(crate) input: Option<PathBuf>,

    /// Name of the file in the daemon's directory, for a single URL [default: the last part of the URL]
    #[arg(short, long, value_name = "NAME", conflicts_with = "input")]
    pub(crate) out: Option<String>,

    /// What the file must be, for a single URL
    #[arg(long, value_name = "sha-256=HEX", conflicts_with = "input")]
    pub(crate) checksum: Option<Checksum>,

    /// What the files must be, by their names, as sha256sum and its relatives write it
    #[arg(long, value_name = "FILE")]
    pub(crate) sums: Option<SumsFile>,

    #[command(flatten)]
    pub(crate) state: StateArgs,
}
