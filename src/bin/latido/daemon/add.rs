//! `latido add`: files for the daemon, whether or not it runs now.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::Parser;

use super::inbox::no_passwords;
use super::instance::Found;
use super::options::Options;
use super::state::State;
use super::{Failure, Outcome, say, spool, starting};
use crate::cli::{AddArgs, Cli, Command, FetchArgs};
use crate::fetch::intake::Intake;
use crate::fetch::request::Request;
use crate::fetch::text::presentable;

pub(super) fn command(args: &AddArgs) -> Outcome {
    let state = State::of(&args.state)?;
    let dir = Options::of_last_start(&state).map(|options| options.dir);
    let dir = dir.map_or_else(env::current_dir, Ok).map_err(Failure::io("the current directory"))?;
    // As `latido fetch` would check it, and nothing on disk changes.
    let intake = Intake::new(&as_fetch(args, &dir)?).map_err(Failure::usage)?;
    for warning in &intake.warnings {
        say(warning);
    }
    if let Some(url) = intake.with_password() {
        return Err(Failure::usage(no_passwords(&url)));
    }
    let base = intake.directories.base();
    let list = intake.requests().map(|request| as_lines(&request, base)).collect::<Result<String, _>>()?;
    let files = match intake.count() {
        1 => "1 file".to_owned(),
        count => format!("{count} files"),
    };
    if intake.count() > 0 {
        state.make()?;
        let inbox = state.inbox();
        spool::put(&inbox, &list).map_err(Failure::io(format_args!("nothing is added: {inbox:?}")))?;
    }
    match starting::found(&state)? {
        Found::Running(_) => say(format_args!("latido: added {files}")),
        _ => {
            say(format_args!("latido: added {files}; the daemon is not running, and fetches them when it is"))
        }
    }
    Ok(0)
}

/// The `latido fetch --dry-run` that asks for the same.
fn as_fetch(args: &AddArgs, dir: &Path) -> Result<FetchArgs, Failure> {
    let line = ["latido", "fetch", "--dry-run", "-d"].map(OsString::from).into_iter();
    let line =
        line.chain([dir.into(), "--journal".into(), PathBuf::from("/dev/null").into(), "http://a/a".into()]);
    let Ok(Command::Fetch(mut fetch)) = Cli::try_parse_from(line).map(|cli| cli.command) else {
        return Err(Failure::new("the command line of a fetch is not understood"));
    };
    fetch.urls.clone_from(&args.urls);
    fetch.input.clone_from(&args.input);
    fetch.out.clone_from(&args.out);
    fetch.checksum.clone_from(&args.checksum);
    fetch.sums.clone_from(&args.sums);
    Ok(*fetch)
}

/// As a list has it.
fn as_lines(request: &Request, base: &Path) -> Result<String, Failure> {
    let mut lines = format!("{}\n", request.urls_as_text());
    let mut path = |option: &str, path: &Path| match path.to_str() {
        Some(text) if text.trim() == text && presentable(text) == text => {
            lines.push_str(&format!("  {option}={text}\n"));
            Ok(())
        }
        _ => Err(Failure::usage(format_args!(
            "the name {path:?} cannot stand in a list; choose another with -o"
        ))),
    };
    match (request.target.strip_prefix(base), request.target.parent(), request.target.file_name()) {
        (Ok(name), ..) => path("out", name)?,
        (Err(_), Some(dir), Some(name)) => {
            path("dir", dir)?;
            path("out", Path::new(name))?;
        }
        _ => path("out", &request.target)?,
    }
    lines.extend(request.checksum.iter().map(|checksum| format!("  checksum={checksum}\n")));
    lines.extend(request.size.iter().map(|size| format!("  size={size}\n")));
    Ok(lines)
}
