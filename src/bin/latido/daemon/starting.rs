//! From the shell: start, stop, restart. Who starts one hears how that went from the daemon itself.

use std::env;
use std::fmt::Display;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;

use super::detached::{READY, RUNNING};
use super::instance::{Found, MOMENT, look, signal, wait_until_gone};
use super::options::Options;
use super::state::State;
use super::{Failure, Outcome, logs, say, status};
use crate::cli::{StartArgs, StateArgs};
use crate::fetch::text::presentable;

/// How long a daemon may take to stop in order: longer than its tree gets.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long one that was killed may.
const DYING: Duration = Duration::from_secs(10);
/// As many lines of the log are shown of one that has died without a word.
const LAST_WORDS: usize = 5;

pub(super) fn start(args: &StartArgs) -> Outcome {
    let state = State::of(&args.state)?;
    state.make()?;
    launch(&state, &wanted(args, &state)?)
}

pub(super) fn stop(args: &StateArgs) -> Outcome {
    let state = State::of(args)?;
    let stopped = end(&state)?;
    say(if stopped { "latido: stopped" } else { "latido: not running" });
    Ok(0)
}

pub(super) fn restart(args: &StartArgs) -> Outcome {
    let state = State::of(&args.state)?;
    state.make()?;
    let options = wanted(args, &state)?;
    // What cannot be started must not end what runs.
    options.fetch(&state, Path::new("/dev/null"))?;
    end(&state)?;
    launch(&state, &options)
}

/// Whoever says nothing about it goes on as the last start was told to.
fn wanted(args: &StartArgs, state: &State) -> Result<Options, Failure> {
    let says_nothing = args.dir.is_none()
        && args.hung_after.is_none()
        && args.log_limit.is_none()
        && args.options.is_empty();
    let as_before = Options::of_last_start(state).filter(|_| says_nothing);
    as_before.map_or_else(|| Options::new(args), Ok)
}

fn launch(state: &State, options: &Options) -> Outcome {
    options.fetch(state, Path::new("/dev/null"))?;
    if let Found::Running(pid) = found(state)? {
        // One that was killed a moment ago still has its lock, and no door.
        let failed = || Failure::io(format!("{:?}", state.pid()));
        if status::ask(state, pid).is_some()
            || !wait_until_gone(&state.pid(), pid, MOMENT).map_err(failed())?
        {
            return Ok(already(pid));
        }
    }
    let log = File::options().create(true).append(true).open(state.log());
    let log = log.map_err(Failure::io(format_args!("the log {:?}", state.log())))?;
    let program = env::current_exe().map_err(Failure::io("this program's file"))?;
    let mut daemon = Command::new(program)
        .args(["daemon", "run", "--detached"])
        .args(options.args(state))
        .current_dir(&options.from)
        // Those are of whoever runs this command.
        .env_remove("NOTIFY_SOCKET")
        .env_remove("WATCHDOG_USEC")
        .env_remove("WATCHDOG_PID")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .map_err(Failure::io("the daemon cannot be started"))?;
    let mut word = BufReader::new(daemon.stdout.take().ok_or_else(|| Failure::new("no pipe"))?);
    let mut first = String::new();
    let _ = word.read_line(&mut first);
    match (first.trim_end(), first.trim_end().parse()) {
        (READY, _) => {
            let pid = daemon.id();
            let dir = presentable(&options.dir.to_string_lossy());
            say(format_args!(
                "latido: running, pid {pid}; add files with `latido add URL`, they go to {dir}"
            ));
            Ok(0)
        }
        (word, _) if word.starts_with(RUNNING) => Ok(already(&word[RUNNING.len()..])),
        (_, Ok(code)) => {
            let mut text = String::new();
            let _ = word.read_to_string(&mut text);
            Err(Failure { code, text: text.trim_end().to_owned() })
        }
        _ => Err(died(&mut daemon, state)),
    }
}

/// To start what runs is no failure.
fn already(pid: impl Display) -> u8 {
    say(format_args!("latido: already running, pid {pid}; other options need `latido daemon restart`"));
    0
}

/// It has ended, and not said why.
fn died(daemon: &mut Child, state: &State) -> Failure {
    let how = daemon.wait().map_or_else(|error| error.to_string(), |status| status.to_string());
    let log = fs::read_to_string(state.log()).unwrap_or_default();
    let last = logs::last(&log, LAST_WORDS);
    Failure::new(format_args!(
        "the daemon has ended before it was up ({how}); the last lines of {:?}:\n{last}",
        state.log()
    ))
}

/// Ends the one that runs. Answers whether there was one.
fn end(state: &State) -> Result<bool, Failure> {
    let Found::Running(pid) = found(state)? else { return Ok(false) };
    let path = state.pid();
    let failed = || Failure::io(format!("the daemon, pid {pid}, cannot be stopped"));
    signal(&path, pid, Signal::TERM).map_err(failed())?;
    if wait_until_gone(&path, pid, PATIENCE).map_err(failed())? {
        return Ok(true);
    }
    // It is stuck. What it has done is in its journal.
    say(format_args!("latido: pid {pid} has not stopped within {} s, and is killed", PATIENCE.as_secs()));
    signal(&path, pid, Signal::KILL).map_err(failed())?;
    match wait_until_gone(&path, pid, DYING).map_err(failed())? {
        true => Ok(true),
        false => Err(Failure::new(format_args!("the daemon, pid {pid}, does not end"))),
    }
}

pub(super) fn found(state: &State) -> Result<Found, Failure> {
    look(&state.pid()).map_err(Failure::io(format_args!("{:?}", state.pid())))
}
