//! The log of a daemon: a line for what happens, with time and level, in a file that does not grow for ever.

use std::fmt::Display;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use env_logger::{Builder, Env, Target};
use jiff::Timestamp;
use latido::actors::heartbeat::append_bounded;
use log::Level;

use super::detached::point_to;

/// Clones write to the same file.
#[derive(Clone, Debug)]
pub(super) struct Log(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    limit: u64,
    /// Somebody reads the standard error stream; else it leads to the file.
    is_attended: bool,
    /// One line at a time.
    turn: Mutex<()>,
}

impl Log {
    pub(super) fn new(path: &Path, limit: u64, is_attended: bool) -> Self {
        Self(Arc::new(Inner { path: path.to_owned(), limit, is_attended, turn: Mutex::new(()) }))
    }

    /// Takes the lines of the `log` crate, as `RUST_LOG` asks for them. The tree's own come as its events.
    pub(super) fn listen(&self) {
        Builder::from_env(
            Env::default().default_filter_or("warn,latido=off,latido::control=warn,latido::daemon=info"),
        )
        .format(|line, record| writeln!(line, "{:5} {}: {}", record.level(), record.target(), record.args()))
        .target(Target::Pipe(Box::new(self.clone())))
        .init();
    }

    pub(super) fn line(&self, level: Level, text: impl Display) {
        self.put(&format!("{level:5} {text}"));
    }

    /// After the file was moved away by somebody else.
    pub(super) fn reopen(&self) {
        if !self.0.is_attended {
            // If it cannot be, the next line says so by not being there.
            let _ = point_to(&self.0.path);
        }
    }

    fn put(&self, text: &str) {
        let line = format!("{:.3} {}\n", Timestamp::now(), text.replace('\n', "\n    "));
        let _turn = self.0.turn.lock().unwrap_or_else(PoisonError::into_inner);
        // A full disk is no reason to stop; and there is nobody to tell.
        let is_new = append_bounded(&self.0.path, &line, self.0.limit).unwrap_or(false);
        if is_new {
            // What others write there, as the system does of an abort, must not go to the old file for ever.
            self.reopen();
        }
        if self.0.is_attended {
            let _ = io::stderr().write_all(line.as_bytes());
        }
    }
}

/// Lets the `log` crate write: a record at a time.
impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.put(String::from_utf8_lossy(bytes).trim_end_matches('\n'));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
