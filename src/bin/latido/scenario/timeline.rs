//! What caused what, in the order of time: a line for each thing, and its effects below it.

use latido::control::wire::{Event, What};
use serde::Serialize;
use serde_json::Value;

use super::record::{Entry, Record, Seen};

/// One line. `depth` is its distance from the first cause.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Moment {
    /// Seconds since the program was started first.
    pub(super) t: f64,
    pub(super) kind: &'static str,
    pub(super) depth: usize,
    pub(super) text: String,
}

/// The thing, how far it is from what caused it, and its text.
type Told = (&'static str, usize, String);

pub(super) fn of(record: &Record) -> Vec<Moment> {
    let begin = record.entries.first().map_or(0.0, |entry| entry.at);
    let told = record.entries.iter().enumerate().filter_map(|(n, entry)| {
        let (kind, depth, text) = tell(entry, &record.entries[..n])?;
        let t = (entry.at - begin).max(0.0);
        Some(Moment { t, kind, depth, text })
    });
    told.collect()
}

fn tell(entry: &Entry, before: &[Entry]) -> Option<Told> {
    Some(match &entry.seen {
        Seen::Began { pid } => ("began", 0, format!("the program starts (process {pid})")),
        Seen::Ended { code } if *code < 0 => {
            ("ended", 0, format!("the program was ended by signal {}", -code))
        }
        Seen::Ended { code } => ("ended", 0, format!("the program ended with exit code {code}")),
        Seen::Step { number, moment, action } => ("step", 0, format!("step {number} ({moment}): {action}")),
        Seen::Refused(why) => ("refused", 1, format!("the step cannot be taken: {why}")),
        Seen::Server(what) => ("server", 1, what.clone()),
        Seen::Event(event) => return tell_event(event, entry.life, before),
    })
}

fn tell_event(event: &Event, life: usize, before: &[Entry]) -> Option<Told> {
    let text = event.text.clone();
    Some(match &event.what {
        What::Started if event.incarnation == 1 && !event.path.contains('/') => {
            ("up", 1, "the whole tree is up".to_owned())
        }
        What::Started if event.incarnation > 1 => {
            let failed = before.iter().rev().find_map(|entry| match &entry.seen {
                Seen::Event(earlier) if entry.life == life && earlier.path == event.path => {
                    match earlier.what {
                        What::Exited { .. } => Some(Some(earlier.at)),
                        What::Started | What::Stopped { .. } => Some(None),
                        _ => None,
                    }
                }
                _ => None,
            });
            let after = match failed.flatten() {
                Some(at) => format!(", {:.0} ms after it failed", (event.at - at).max(0.0) * 1000.0),
                None => String::new(),
            };
            ("started", 4, format!("{text}{after}"))
        }
        What::Injected { .. } => ("injected", 1, text),
        What::Exited { .. } => ("exited", 2, text),
        What::Restarting { wait, delay, .. } if *delay > 0.0 => {
            ("decided", 3, format!("{text}; wait = {wait}"))
        }
        What::Restarting { .. } => ("decided", 3, text),
        What::GaveUp { .. } => ("gave_up", 3, text),
        What::Paused | What::Resumed | What::Draining => ("flow", 1, text),
        What::DeadLetter { .. } => ("dead_letter", 2, text),
        What::Missed { .. } => ("missed", 0, text),
        What::Report { data, .. } if has_failed(data) => ("job", 2, text),
        _ => return None,
    })
}

/// Of the jobs only what went wrong.
fn has_failed(data: &Value) -> bool {
    ["failed", "lost", "retry"].iter().any(|event| data["event"] == *event)
}
