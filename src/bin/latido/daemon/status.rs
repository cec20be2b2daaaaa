//! `latido daemon status`: asks the daemon at its door.

use std::fmt;
use std::time::Duration;

use indicatif::HumanDuration;
use latido::control::{Client, find};
use serde_json::{Value, json};

use super::instance::Found;
use super::state::State;
use super::told::{Jobs, Lists, Restart, Status};
use super::{Failure, Outcome, say, starting};
use crate::cli::StateArgs;

/// Its door is on a thread of its own: one that does not answer within that is stuck as a whole, or about to end.
const PATIENCE: Duration = Duration::from_secs(3);

/// Signs come each second.
const LATE: f64 = 10.0;

/// The codes of an init script's `status`.
const RUNNING: u8 = 0;
const DEAD: u8 = 1;
const NOT_RUNNING: u8 = 3;
const UNKNOWN: u8 = 4;

pub(super) fn show(args: &StateArgs, as_json: bool) -> Outcome {
    let state = State::of(args)?;
    let (found, status) = match look(&state) {
        Ok(found) => found,
        Err(failure) => {
            tell(as_json, "unknown", None, &format!("latido: nobody knows: {}", failure.text));
            return Ok(UNKNOWN);
        }
    };
    Ok(match found {
        Found::Nobody => {
            tell(as_json, "not running", None, "latido: not running");
            NOT_RUNNING
        }
        Found::Stale => {
            let text = format!(
                "latido: dead, but has left {:?}; `latido daemon start` goes on as it was started",
                state.pid()
            );
            tell(as_json, "dead", None, &text);
            DEAD
        }
        Found::Running(pid) => match status {
            Some(status) => {
                let text = Shown(&status).to_string();
                tell(as_json, "running", Some(status), &text);
                RUNNING
            }
            None => {
                let text = format!(
                    "latido: pid {pid} is there, but does not answer within {} s",
                    PATIENCE.as_secs()
                );
                tell(as_json, "not answering", None, &text);
                UNKNOWN
            }
        },
    })
}

/// Who is there, and what it says.
fn look(state: &State) -> Result<(Found, Option<Status>), Failure> {
    let found = starting::found(state)?;
    let Found::Running(pid) = found else { return Ok((found, None)) };
    match ask(state, pid) {
        // It may have been ending.
        None => Ok((starting::found(state)?, None)),
        status => Ok((found, status)),
    }
}

fn tell(as_json: bool, state: &str, status: Option<Status>, text: &str) {
    if !as_json {
        return say(text);
    }
    let mut object = json!({ "schema": 1, "state": state });
    if let (Some(Value::Object(more)), Value::Object(object)) =
        (status.and_then(|status| serde_json::to_value(status).ok()), &mut object)
    {
        object.extend(more);
    }
    say(object);
}

/// `None` if it does not answer in time.
pub(super) fn ask(state: &State, pid: u32) -> Option<Status> {
    let asking = async {
        let doors = find(&state.door()).await.ok()?;
        let (card, _) = doors.into_iter().find(|(card, _)| card.pid == pid)?;
        Client::new(&card).extra("daemon").await.ok()
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    runtime.block_on(async { tokio::time::timeout(PATIENCE, asking).await }).ok().flatten()
}

struct Shown<'a>(&'a Status);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Status {
            pid,
            uptime,
            dir,
            beats,
            beat_age,
            sign_age,
            jobs,
            lists,
            restarts_last_hour,
            restarts,
            failed,
            ..
        } = self.0;
        let seconds = |seconds: f64| Duration::try_from_secs_f64(seconds).unwrap_or_default();
        let Jobs { queued, under_way, done, failed: failures } = jobs;
        let Lists { accepted, rejected, last_rejected } = lists;
        writeln!(f, "latido: running, pid {pid}, for {}", HumanDuration(seconds(*uptime)))?;
        writeln!(f, "  files     {}", dir.display())?;
        writeln!(f, "  jobs      {queued} queued, {under_way} under way, {done} done, {failures} failed")?;
        for failure in failed {
            writeln!(f, "    {failure}")?;
        }
        writeln!(f, "  lists     {accepted} accepted, {rejected} rejected since the start")?;
        if let Some(list) = last_rejected {
            writeln!(f, "    the last one is kept as {}", list.display())?;
        }
        if *sign_age > LATE {
            writeln!(f, "  stuck     the ledger or the main thread has not moved for {sign_age:.0} s")?;
        }
        match beat_age {
            Some(age) => writeln!(f, "  beats     the last {age:.1} s ago")?,
            None => writeln!(f, "  beats     none yet")?,
        }
        for beat in beats {
            writeln!(f, "    {beat}")?;
        }
        write!(f, "  restarts  {restarts_last_hour} in the last hour")?;
        for Restart { ago, part, why } in restarts {
            write!(f, "\n    {ago:.0} s ago: {part} {why}")?;
        }
        Ok(())
    }
}
