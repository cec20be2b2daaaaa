//! The command line.

use std::io::{Write, stderr};

use clap::error::ErrorKind;
use clap::{Parser, Subcommand};

use crate::exit::Exit;

mod daemon;
mod demo;
mod exec;
mod fetch;
mod http;
mod injection;
mod jobs;
mod remote;
mod scenario;
mod top;
mod transfer;
mod web;

pub(crate) use daemon::{AddArgs, DaemonAction, DaemonArgs, RunArgs, StartArgs, StateArgs};
pub(crate) use demo::DemoArgs;
pub(crate) use fetch::FetchArgs;
pub(crate) use injection::Fault;
pub(crate) use jobs::{Action, JobsArgs, Which};
pub(crate) use remote::{At, EventsArgs, InjectArgs, PageArgs, PartArgs, PsArgs, TreeArgs, WhyArgs};
pub(crate) use scenario::{ScenarioAction, ScenarioArgs};
pub(crate) use top::{ReplayArgs, TopArgs};
pub(crate) use transfer::{Sync, TransferArgs};

const EXIT_CODES: &str = "\
Exit codes:
  0    every file is there and verified
  1    some job failed
  2    usage, or bad input
  3    the supervision tree gave up
  130  interrupted (Ctrl-C)
  143  terminated (SIGTERM)";

/// Downloads, verifies and post-processes files under supervision
#[derive(Debug, Parser)]
#[command(name = "latido", version, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Get files, verified, and lose nothing when something crashes
    #[command(after_help = format!("{}{}{EXIT_CODES}", fetch::EXAMPLES, exec::PLACEHOLDERS))]
    Fetch(Box<FetchArgs>),
    /// Read, fetch anew or forget what the journal of a directory has
    #[command(after_help = jobs::EXAMPLES)]
    Jobs(JobsArgs),
    /// Watch a running program, break it, and see why what happened happened
    #[command(after_help = top::TOP)]
    Top(TopArgs),
    /// Show what was written with --record, as `latido top` would have, or a browser
    #[command(after_help = top::REPLAY)]
    Replay(ReplayArgs),
    /// Show what runs
    #[command(after_help = remote::EXAMPLES)]
    Ps(PsArgs),
    /// Show what every part of a running program is doing
    #[command(after_help = remote::EXAMPLES)]
    Tree(TreeArgs),
    /// Say where the page of a running program is, for a browser
    #[command(after_help = remote::EXAMPLES)]
    Web(PageArgs),
    /// Tell what has happened in a running program
    #[command(after_help = remote::EXAMPLES)]
    Events(EventsArgs),
    /// Tell why a failure was dealt with as it was
    #[command(after_help = remote::EXAMPLES)]
    Why(WhyArgs),
    /// Break a part of a running program that allows it
    #[command(after_help = remote::faults())]
    Inject(InjectArgs),
    /// Stop a part of a running program that allows it, and start it again
    #[command(after_help = remote::EXAMPLES)]
    Restart(PartArgs),
    /// Stop a part of a running program that allows it; it stays down until it is restarted
    #[command(after_help = remote::EXAMPLES)]
    Stop(PartArgs),
    /// Have the messages of a part of a running program wait, until it is resumed
    #[command(after_help = remote::EXAMPLES)]
    Pause(PartArgs),
    /// Let the messages of a part of a running program flow again
    #[command(after_help = remote::EXAMPLES)]
    Resume(PartArgs),
    /// Have a part of a running program handle what is queued and take nothing new, and stop it then
    #[command(after_help = remote::EXAMPLES)]
    Drain(PartArgs),
    /// Run as a daemon, which fetches what `latido add` gives it, and the lists that are put into its inbox
    #[command(after_help = daemon::EXAMPLES)]
    Daemon(DaemonArgs),
    /// Give files to the daemon, whether it runs now or later
    Add(Box<AddArgs>),
    /// Watch a tree of actors fail and recover, with a server of its own
    #[command(after_help = EXIT_CODES)]
    Demo(DemoArgs),
    /// Break a tree as a file says, and see whether what must be true is
    #[command(after_help = scenario::EXAMPLES)]
    Scenario(ScenarioArgs),
}

/// Ends the program over arguments that are not understood: a wrong value in one line, the rest as clap says it.
pub(crate) fn explain(error: clap::Error) -> Cli {
    let text = error.render().to_string();
    let line = match error.kind() {
        ErrorKind::ValueValidation | ErrorKind::InvalidValue => text.lines().next(),
        ErrorKind::MissingRequiredArgument if text.contains("<URL>") => {
            Some("there is nothing to fetch: give a URL, or a list with -i FILE")
        }
        _ => None,
    };
    if let Some(line) = line {
        let line = line.trim_start_matches("error: ");
        // Nobody may be there to read it.
        let _ = writeln!(stderr(), "latido: {line}; see --help");
        std::process::exit(Exit::Usage as i32);
    }
    error.exit()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use clap::CommandFactory;

    use super::*;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split(' '))
    }

    fn fetch(line: &str) -> FetchArgs {
        match parse(line).unwrap().command {
            Command::Fetch(args) => *args,
            _ => panic!("not fetch"),
        }
    }

    #[test]
    fn the_definition_of_the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_url_alone_is_enough() {
        let args = fetch("latido fetch https://example.org/a");
        assert_eq!((args.jobs, args.max_tries), (8, 5));
        assert_eq!(args.dir, PathBuf::from("."));
    }

    #[test]
    fn a_list_replaces_urls_and_may_be_standard_input() {
        assert_eq!(fetch("latido fetch -i -").input, Some(PathBuf::from("-")));
        assert_eq!(parse("latido fetch").unwrap_err().kind(), ErrorKind::MissingRequiredArgument);
    }

    #[test]
    fn what_is_out_of_range_or_contradictory_ends_with_code_2() {
        for line in [
            "latido fetch -j 0 http://a/b",
            "latido fetch -j 1025 http://a/b",
            "latido fetch --max-tries 0 http://a/b",
            "latido fetch -i list -o name",
            "latido fetch --checksum sha-256=abc http://a/b",
            "latido fetch --fault latido/cpu=Sneeze http://a/b",
        ] {
            assert_eq!(parse(line).unwrap_err().exit_code(), 2, "{line}");
        }
    }

    #[test]
    fn the_help_names_faults_paths_and_exit_codes() {
        let help = parse("latido fetch --help").unwrap_err().to_string();
        for part in ["latido/downloaders/*=panic@3", "block:SECONDS", "latido/exec/0..", "130  interrupted"] {
            assert!(help.contains(part), "{part} is not in\n{help}");
        }
    }
}
