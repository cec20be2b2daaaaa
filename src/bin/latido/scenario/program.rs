//! The program that a scenario is for, started as a user would, and looked at by its door.

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
    /// The program and its arguments.
    pub(super) line: Vec<OsString>,
    /// It is not `latido fetch`: it may open its door when its tree is up already.
    pub(super) is_own: bool,
    /// The scenario's directory; unlike any other, so it is the mark too.
    pub(super) dir: PathBuf,
}

/// One life of the program.
pub(super) struct Program {
    child: Child,
    /// Who has the door.
    pid: Pid,
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
        let (program, arguments) = self.line.split_first().context("no program")?;
        let mut child = Command::new(program)
            .args(arguments)
            .env("LATIDO_RUNTIME_DIR", self.doors())
            .env(MARK, &self.dir)
            .stdin(Stdio::null())
            // What a fetch says there is for programs.
            .stdout(if self.is_own { said.try_clone()?.into() } else { Stdio::null() })
            .stderr(said)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{program:?} cannot be started"))?;
        let started = child.id().unwrap_or_default();
        record.begin(started);
        let door = loop {
            if child.try_wait()?.is_some() {
                break None;
            }
            // Nobody else knows the directory. A program may be started by another, such as cargo.
            if let Some((card, _)) = find(&self.doors()).await?.pop() {
                break Some(card);
            }
            tokio::time::sleep(LOOK).await;
        };
        let client = door.as_ref().map(Client::new);
        let mut reader = None;
        if let Some(client) = &client
            && let (Ok(tree), Ok(events)) = (client.tree().await, client.events(Some(0)).await)
        {
            record.meet(&tree);
            reader = Some(actix::spawn(read(client.clone(), events, record.clone(), self.is_own)));
        }
        let pid = door.map_or(started, |card| card.pid);
        Ok(Program { child, pid: Pid::from_raw(pid.cast_signed()), client, reader })
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
async fn read(
    client: Client,
    events: impl Stream<Item = Result<Event, ClientError>>,
    record: Writing,
    is_own: bool,
) {
    let mut events = pin!(events.enumerate());
    while let Some((n, event)) = events.next().await {
        let Ok(event) = event else { return };
        if is_own && n == 0 && matches!(event.what, What::Missed { .. }) {
            continue; // what was before the door was there
        }
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
    pub(super) fn door(&self) -> Result<&Client> {
        self.client.as_ref().context("the program has no door")
    }

    pub(super) fn signal(&self, signal: Signal) {
        if self.child.id().is_some() {
            // It may have ended in this moment; the record will tell.
            let _ = nix::sys::signal::kill(self.pid, signal);
        }
    }

    /// For somebody else to end it while its end is waited for.
    pub(super) fn way_out(&self) -> WayOut {
        WayOut(self.child.id().map(|_| self.pid))
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

/// A program, or none if it has ended.
pub(super) struct WayOut(Option<Pid>);

impl WayOut {
    pub(super) fn interrupt(self) {
        if let Some(pid) = self.0 {
            let _ = nix::sys::signal::kill(pid, Signal::SIGINT);
        }
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
