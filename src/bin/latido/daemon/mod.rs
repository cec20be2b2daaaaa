//! `latido daemon` and `latido add`: the tree of `latido fetch`, without a terminal and without an end.
//!
//! | file | idea |
//! |---|---|
//! | [`state`] | the directory that a daemon is known by |
//! | [`instance`] | one daemon for each: the locked pid file |
//! | [`options`] | what it was started with |
//! | [`starting`] | from the shell: start, stop, restart |
//! | [`detached`] | leaving the shell, and the last word to it |
//! | [`life`] | the daemon itself |
//! | [`notify`], [`signs`] | what the init system hears, and when it must not |
//! | [`log`], [`logs`] | the bounded log: written, read |
//! | [`inbox`], [`spool`] | lists come in: the actor, and the files |
//! | [`add`] | `latido add` |
//! | [`told`], [`status`] | what it knows of itself, and who asks |

use std::fmt::Display;
use std::io::{self, ErrorKind, Write, stderr};
use std::process::ExitCode;

use crate::cli::{AddArgs, DaemonAction, DaemonArgs};
use crate::fetch::journal::JournalError;

mod add;
mod detached;
mod inbox;
mod instance;
mod life;
mod log;
mod logs;
mod notify;
mod options;
mod signs;
mod spool;
mod starting;
mod state;
mod status;
mod told;

/// How the daemon calls itself, to people and at its door.
const NAME: &str = "latido daemon";

/// What goes wrong, and the exit code that says so.
#[derive(Debug)]
struct Failure {
    code: u8,
    text: String,
}

/// The exit code.
type Outcome = Result<u8, Failure>;

/// It failed, as an init script says it.
const FAILED: u8 = 1;
const USAGE: u8 = 2;
const GAVE_UP: u8 = 3;
const NO_PERMISSION: u8 = 4;

impl Failure {
    fn usage(text: impl Display) -> Self {
        Self { code: USAGE, text: text.to_string() }
    }

    fn new(text: impl Display) -> Self {
        Self { code: FAILED, text: text.to_string() }
    }

    /// What was to be done, and what the system said.
    fn io(what: impl Display) -> impl FnOnce(io::Error) -> Self {
        move |error| Self { code: code_of(&error), text: format!("{what}: {error}") }
    }
}

fn code_of(error: &io::Error) -> u8 {
    match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => NO_PERMISSION,
        _ => FAILED,
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        let code = match error.chain().find_map(|cause| cause.downcast_ref::<io::Error>()) {
            Some(io) => code_of(io),
            None if error.is::<JournalError>() => FAILED,
            // What else is checked is what was asked for.
            None => USAGE,
        };
        Self { code, text: format!("{error:#}") }
    }
}

/// `latido daemon`.
pub(crate) fn command(args: &DaemonArgs) -> ExitCode {
    exit(match &args.action {
        DaemonAction::Start(args) => starting::start(args),
        DaemonAction::Stop(args) => starting::stop(args),
        DaemonAction::Restart(args) => starting::restart(args),
        DaemonAction::Status { state, json } => status::show(state, *json),
        DaemonAction::Logs { state, follow, lines } => logs::show(state, *follow, *lines),
        DaemonAction::Run(args) => life::command(args),
    })
}

/// `latido add`.
pub(crate) fn add(args: &AddArgs) -> ExitCode {
    exit(add::command(args))
}

fn exit(outcome: Outcome) -> ExitCode {
    let code = outcome.unwrap_or_else(|Failure { code, text }| {
        // Nobody may be there to read it.
        let _ = writeln!(stderr(), "latido: {text}");
        code
    });
    ExitCode::from(code)
}

/// Says a result on standard output. A reader that has gone changes nothing about it.
fn say(text: impl Display) {
    let _ = writeln!(io::stdout(), "{text}");
}
