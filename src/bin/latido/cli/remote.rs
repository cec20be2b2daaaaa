//! What is asked of a program that runs: `latido ps`, `tree`, `web`, `events`, `why`, `inject`, `restart`, `stop`, `pause`,
//! `resume` and `drain`.

use clap::Args;
use latido::fault::Fault;

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

/// Those that every part has are from the library.
pub(super) fn faults() -> String {
    let mut text = "Faults:\n".to_owned();
    for fault in Fault::all() {
        text += &format!("  {:<16} {}\n", fault.to_string(), fault.says);
    }
    text + RULES
}

const RULES: &str = "  Some parts have others besides: `latido inject PATH` tells all that a part has.

Rules, with commas between them; without one it strikes at once:
  3                at the third message from now on
  p=0.01           at each message with this probability, until it is healed
  after=2          not before two seconds from now on
  times=3          so often: at each third message, with 3
  for=10           what goes on (hang, slow, delay) does for ten seconds
  seed=7           the same seed, the same decisions of p

Examples:
  latido inject latido/ledger block:2
  latido inject 'latido/downloaders/*' panic@p=0.1,times=5
  latido inject latido/cpu slow:0.5@for=10
  latido inject '**' heal";

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

    /// What, and when; without it, those are told that the part has
    #[arg(value_name = "FAULT[@RULE]")]
    pub(crate) fault: Option<String>,

    /// Make what the fault decides by chance the same in every run
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,

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
