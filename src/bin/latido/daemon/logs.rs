//! `latido daemon logs`.

use std::fs::{self, File};
use std::io::{Read, Write, stdout};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use super::state::State;
use super::{Failure, Outcome};
use crate::cli::StateArgs;

/// From look to look at whether there is more: the file tells nobody.
const LOOK: Duration = Duration::from_millis(100);

pub(super) fn show(args: &StateArgs, follow: bool, lines: usize) -> Outcome {
    let path = State::of(args)?.log();
    let mut log = File::open(&path).map_err(Failure::io(format_args!("the log {path:?}")))?;
    let read = |log: &mut File| {
        let mut bytes = Vec::new();
        log.read_to_end(&mut bytes).map(|_| String::from_utf8_lossy(&bytes).into_owned())
    };
    let failed = || Failure::io(format!("the log {path:?}"));
    let mut text = read(&mut log).map_err(failed())?;
    if text.lines().count() < lines {
        // It was begun anew a moment ago.
        text.insert_str(0, &fs::read_to_string(path.with_extension("log.1")).unwrap_or_default());
    }
    let mut is_read = say(&format!("{}\n", last(&text, lines)).replace("\n\n", "\n"));
    while follow && is_read {
        sleep(LOOK);
        // Looked at first: what was written before the file was begun anew is in the one that is open.
        let is_over = !is_same(&log, &path);
        is_read = say(&read(&mut log).map_err(failed())?);
        if is_over && let Ok(new) = File::open(&path) {
            log = new;
        }
    }
    Ok(0)
}

/// Answers whether somebody still reads.
fn say(text: &str) -> bool {
    let mut out = stdout().lock();
    text.is_empty() || out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_ok()
}

fn is_same(open: &File, path: &Path) -> bool {
    let ino = |metadata: fs::Metadata| metadata.ino();
    match (open.metadata(), fs::metadata(path)) {
        (Ok(open), Ok(named)) => ino(open) == ino(named),
        // Between two files.
        _ => true,
    }
}

/// The last lines of a text.
pub(super) fn last(text: &str, lines: usize) -> String {
    let all: Vec<_> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}
