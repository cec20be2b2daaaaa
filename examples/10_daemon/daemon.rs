//! The daemon: a supervisor without a terminal. What it has done is a program of its own, so that it outlives whatever
//! becomes of that.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use latido::actors::heartbeat::Heartbeat;
use latido::actors::process::{Command, Process, ProcessReport, Readiness};
use latido::prelude::*;
use latido::supervision::Backoff;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

use crate::Outcome;

pub(crate) const DAEMON: &str = "[daemon]";
pub(crate) const WORKER: &str = "[worker]";

pub(crate) const PID: &str = "daemon.pid";
pub(crate) const SOCKET: &str = "daemon.socket";
pub(crate) const LOG: &str = "daemon.log";
pub(crate) const LOG_LIMIT: u64 = 400;

/// Its life, until it is told to stop.
pub(crate) async fn run(dir: &Path) -> Outcome {
    let Some(instance) = only_instance(dir)? else {
        println!("runs already");
        return Ok(());
    };
    // No terminal is its own from here on, and no end of a terminal its end.
    nix::unistd::setsid()?;
    let (dir_of_worker, program) = (dir.to_owned(), std::env::current_exe()?);
    let worker = move || {
        let command = Command::new(&program).arg(WORKER).arg(&dir_of_worker);
        Process::new(command).ready_when(Readiness::Line("alive".to_owned()))
    };
    let backoff = Backoff::exponential(Duration::from_millis(10), Duration::from_secs(10));
    let worker = ChildSpec::new("worker", worker).backoff(backoff);
    let tree = SupervisorSpec::new("daemon").intensity(10, Duration::from_secs(60)).child(worker).start()?;
    let mut events = tree.subscribe();

    let _ = fs::remove_file(dir.join(SOCKET)); // of one that was killed; there is no other now
    let socket = UnixListener::bind(dir.join(SOCKET))?;
    let (mut status, mut is_up) = (String::new(), false);
    loop {
        tokio::select! {
            event = events.next() => {
                let Some(event) = event else { return Err(tree.join().await.to_string().into()) };
                if let Some(ProcessReport::Started { pid, .. }) = event.report() {
                    let own = std::process::id();
                    status = format!("runs, worker {} (daemon {own}, process {pid})\n", event.incarnation);
                }
                if matches!(event.kind, EventKind::Started) && event.path == "daemon/worker" && !is_up {
                    is_up = true;
                    say_that_it_runs()?;
                }
            }
            asked = socket.accept() => {
                let mut asked = asked?.0;
                match question(&mut asked).await.as_str() {
                    "stop" => {
                        tree.stop(Duration::from_secs(10)).await;
                        fs::remove_file(dir.join(SOCKET))?;
                        drop(instance); // whoever hears the answer may start another
                        return Ok(asked.write_all(b"stopped\n").await?);
                    }
                    _ => drop(asked.write_all(status.as_bytes()).await), // nobody may listen any more
                }
            }
        }
    }
}

/// The kernel gives a lock to one, and takes it back from whoever is gone. A pid file by itself says nothing: its number may
/// be that of another by now.
fn only_instance(dir: &Path) -> io::Result<Option<File>> {
    let mut file = File::options().create(true).write(true).truncate(false).open(dir.join(PID))?;
    if file.try_lock().is_err() {
        return Ok(None);
    }
    file.set_len(0)?;
    writeln!(file, "{}", std::process::id())?;
    Ok(Some(file))
}

/// Its last word to whoever has started it; then its output leads nowhere.
fn say_that_it_runs() -> io::Result<()> {
    println!("runs");
    rustix::stdio::dup2_stdout(File::options().write(true).open("/dev/null")?)?;
    Ok(())
}

async fn question(asked: &mut UnixStream) -> String {
    let mut text = String::new();
    let limit = Duration::from_secs(1); // for one who says nothing
    let _ = tokio::time::timeout(limit, asked.read_to_string(&mut text)).await;
    text
}

/// What the daemon has done: it says that it is alive.
pub(crate) async fn work(dir: &Path) -> Outcome {
    let heartbeat = Heartbeat::every(Duration::from_millis(10)).file(dir.join(LOG)).file_limit(LOG_LIMIT);
    let tree = SupervisorSpec::new("worker").child(heartbeat.spec("heartbeat")).start()?;
    let mut events = tree.subscribe();
    events
        .until("worker/heartbeat", |event| event.report::<latido::actors::heartbeat::Beat>().is_some())
        .await;
    println!("alive");
    Err(tree.join().await.to_string().into())
}
