//! The program that a scenario is for: `latido fetch`, started as a user would, and looked at by its door.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File};
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use futures::{Stream, StreamExt};
use latido::control::wire::{Event, What};
use latido::control::{Client, ClientError, find};
use nix::sys::signal::Signal;
use nix::unistd::Pid;
use tokio::process::{Child, Command};
use tokio::task::{JoinHandle, spawn_blocking};

use super::record::{Seen, Writing};

/// Whose environment has this was started by the program, or by what it started.
const MARK: &str = "LATIDO_SCENARIO";
/// From look to look for what tells of nothing by itself.
const LOOK: Duration = Duration::from_millis(10);

/// How it is started, each time.
pub(super) struct Launch {
    pub(super) line: Vec<OsString>,
    /// The scenario's directory; unlike any other, so it is the mark too.
    pub(super) dir: PathBuf,
}

/// One life of the program.
pub(super) struct Program {
    child: Child,
    pub(super) client: Option<Client>,
    reader: Option<JoinHandle<()>>,
}

impl Launch {
    fn doors(&self) -> PathBuf {
        self.dir.join("doors")
    }

    pub(super) fn prepare(&self) -> Result<()> {
        let doors = self.doors();
        DirBuilder::new().mode(0o700).create(&doors).with_context(|| format!("{doors:?}"))
    }

    /// Starts it, and waits until it can be looked at, or has ended.
    pub(super) async fn start(&self, record: &Writing) -> Result<Program> {
        let said = self.dir.join("said");
        let said =
            File::options().create(true).append(true).open(&said).with_context(|| format!("{said:?}"))?;
        let program = std::env::current_exe().context("this program does not know its own file")?;
        let mut child = Command::new(&program)
            .args(&self.line)
            .env("LATIDO_RUNTIME_DIR", self.doors())
            .env(MARK, &self.dir)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(said)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{program:?} cannot be started"))?;
        let pid = child.id().unwrap_or_default();
        record.begin(pid);
        let client = loop {
            if child.try_wait()?.is_some() {
                break None;
            }
            let found = find(&self.doors()).await?;
            if let Some((card, _)) = found.iter().find(|(card, _)| card.pid == pid) {
                break Some(Client::new(card));
            }
            tokio::time::sleep(LOOK).await;
        };
        let mut reader = None;
        if let Some(client) = &client
            && let Ok(events) = client.events(Some(0)).await
        {
            reader = Some(actix::spawn(read(client.clone(), events, record.clone())));
        }
        Ok(Program { child, client, reader })
    }

    /// What the program said to people.
    pub(super) fn said(&self) -> String {
        fs::read_to_string(self.dir.join("said")).unwrap_or_default()
    }

    /// The processes that are left of it, by their names and numbers; those that are about to end have the time to.
    pub(super) async fn survivors(&self, patience: Duration) -> Vec<String> {
        let asked = tokio::time::Instant::now();
        loop {
            let dir = self.dir.clone();
            let left = spawn_blocking(move || marked(&dir)).await.unwrap_or_default();
            if left.is_empty() || asked.elapsed() > patience {
                return left;
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// Writes down what happens in the program until it ends.
async fn read(client: Client, events: impl Stream<Item = Result<Event, ClientError>>, record: Writing) {
    let mut events = pin!(events);
    while let Some(event) = events.next().await {
        let Ok(event) = event else { return };
        let is_news = matches!(event.what, What::Started | What::Exited { .. } | What::GaveUp { .. });
        let is_of_a_failure = is_news && (event.incarnation > 1 || !matches!(event.what, What::Started));
        if is_of_a_failure {
            record.ask(true);
        }
        record.add_at(event.at, Seen::Event(Box::new(event)));
        if is_of_a_failure {
            if let Ok(incidents) = client.incidents().await {
                record.incidents(incidents);
            }
            record.ask(false);
        }
    }
}

impl Program {
    pub(super) fn signal(&self, signal: Signal) {
        if let Some(pid) = self.child.id() {
            // It may have ended in this moment; the record will tell.
            let _ = nix::sys::signal::kill(Pid::from_raw(pid.cast_signed()), signal);
        }
    }

    /// Waits for its end, and for the last that it had to say.
    pub(super) async fn ended(&mut self) -> Result<i32> {
        let status = self.child.wait().await?;
        if let Some(reader) = self.reader.take() {
            let _ = reader.await;
        }
        Ok(code(status))
    }
}

/// The exit code, or the negated number of the signal that killed it.
fn code(status: ExitStatus) -> i32 {
    status.code().or(status.signal().map(|signal| -signal)).unwrap_or_default()
}

fn marked(dir: &Path) -> Vec<String> {
    let mark = [MARK.as_bytes(), b"=", dir.as_os_str().as_encoded_bytes()].concat();
    let Ok(processes) = fs::read_dir("/proc") else { return Vec::new() };
    let mut marked = Vec::new();
    for process in processes.flatten() {
        // What cannot be read has ended, or is not this user's.
        let environment = fs::read(process.path().join("environ")).unwrap_or_default();
        if environment.split(|byte| *byte == 0).any(|variable| variable == mark) {
            let name = fs::read_to_string(process.path().join("comm")).unwrap_or_default();
            marked.push(format!("{} ({})", name.trim(), process.file_name().display()));
        }
    }
    marked
}
