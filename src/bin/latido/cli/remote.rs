//! `latido ps`, `tree`, `web`, `events`, `why`, `inject`, `restart` and `stop`: what is asked of a program that runs.

use clap::Args;

pub(super) const EXAMPLES: &str = "\
Examples:
  latido ps                                what runs
  latido tree                              what every part of it is doing
  latido why                               why its last failure was dealt with as it was
  latido inject 'latido/downloaders/*' panic
  latido events --follow

Programs are found in $LATIDO_RUNTIME_DIR, else in $XDG_RUNTIME_DIR/latido, else in /tmp/latido-UID.

Exit codes:
  0    done
  2    usage, there is no such program or part, or it refused";

/// Which program.
#[derive(Args, Clone, Debug)]
pub(crate) struct At {
    /// Of several programs, the one with this process number, as `latido ps` shows it
    #[arg(long, value_name = "PID")]
    pub(crate) pid: Option<u32>,
}

#[derive(Args, Debug)]
pub(crate) struct PsArgs {
    /// One line of JSON for each program
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct TreeArgs {
    #[command(flatten)]
    pub(crate) at: At,

    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct PageArgs {
    #[command(flatten)]
    pub(crate) at: At,
}

#[derive(Args, Debug)]
pub(crate) struct EventsArgs {
    /// Only of these parts: a path, or a glob over paths
    #[arg(value_name = "PATH")]
    pub(crate) path: Option<String>,

    /// Do not end: tell what happens, as it happens
    #[arg(short, long)]
    pub(crate) follow: bool,

    #[command(flatten)]
    pub(crate) at: At,

    /// One line of JSON for each event
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct WhyArgs {
    /// The number of an incident, or the path or glob of parts; without it the last incident is told
    #[arg(value_name = "INCIDENT|PATH")]
    pub(crate) what: Option<String>,

    #[command(flatten)]
    pub(crate) at: At,

    /// One line of JSON for each incident
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct InjectArgs {
    /// The part: a path, or a glob over paths, as `latido tree` shows them
    #[arg(value_name = "PATH")]
    pub(crate) path: String,

    /// panic, fail, stop or block:SECONDS; with @N it strikes at the N-th message from now on
    #[arg(value_name = "FAULT[@N]")]
    pub(crate) fault: String,

    #[command(flatten)]
    pub(crate) at: At,
}

#[derive(Args, Debug)]
pub(crate) struct PartArgs {
    /// The part's path, as `latido tree` shows it
    #[arg(value_name = "PATH")]
    pub(crate) path: String,

    #[command(flatten)]
    pub(crate) at: At,
}
