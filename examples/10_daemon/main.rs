//! A thread, a process, and a real daemon: start, status, stop, one instance only, a log that does not grow for ever. What
//! it does is killed, and starts again; the daemon itself is killed, and nothing of it is left.
//!
//! Run: cargo run --example 10_daemon
//!
//! Expect:
//! ```text
//! thread: works on one of its own
//! process: works as another, and has ended
//! status: not running
//! start: runs
//! start: runs already
//! status: runs, worker 1
//! the log says that it is alive, and is begun anew at 400 bytes
//! its worker is killed
//! status: runs, worker 2
//! the daemon itself is killed
//! status: not running
//! nothing of it is left but a pid file and a socket, which are in nobody's way
//! start: runs
//! stop: stopped
//! status: not running
//! ```
//!
//! Each of the commands can be given by hand: `cargo run --example 10_daemon start DIR`, then `status DIR`, `stop DIR`.
//!
//! Change this:
//! - Start it by hand, and close the terminal: the daemon has a session of its own, and lives on.
//! - Set the intensity in `daemon.rs` to 0: the daemon ends with its worker.

mod commands;
mod daemon;

use std::env;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use actix::prelude::*;
use latido::actors::process::{Command as Program, CommandRunner, RunCommand};
use latido::prelude::*;

type Outcome = Result<(), Box<dyn Error>>;

fn main() -> Outcome {
    latido::actors::process::init(); // programs are guarded by this one, started again
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        [] => System::new().block_on(demonstrate()),
        ["start", dir] => commands::start(Path::new(dir)),
        ["status", dir] => commands::ask(Path::new(dir), "status"),
        ["stop", dir] => commands::ask(Path::new(dir), "stop"),
        // What `start` starts, and what that starts.
        [daemon::DAEMON, dir] => System::new().block_on(daemon::run(Path::new(dir))),
        [daemon::WORKER, dir] => System::new().block_on(daemon::work(Path::new(dir))),
        _ => Err("start DIR, status DIR or stop DIR".into()),
    }
}

async fn demonstrate() -> Outcome {
    let worker = ChildSpec::new("worker", || Worker).on(Placement::OwnThread);
    let programs = ChildSpec::new("programs", CommandRunner::default);
    let (on_thread, run) = (worker.addr(), programs.addr());
    let tree = SupervisorSpec::new("app").child(worker).child(programs).start()?;
    assert_ne!(on_thread.send(Work).await?, thread::current().id());
    println!("thread: works on one of its own");
    let pid: u32 = run.send(RunCommand::new(Program::shell("echo $$"))).await??.stdout.trim().parse()?;
    assert_ne!(pid, std::process::id());
    println!("process: works as another, and has ended");
    tree.stop(Duration::from_secs(5)).await; // it joins them

    let place = tempfile::tempdir()?;
    let outcome = daemon_life(place.path());
    let _ = answer("stop", place.path()); // if it went wrong half-way
    outcome
}

fn daemon_life(dir: &Path) -> Outcome {
    let log = dir.join(daemon::LOG);
    tell("status", dir)?;
    tell("start", dir)?;
    tell("start", dir)?;
    let told = tell("status", dir)?;
    until(|| dir.join("daemon.log.1").exists())?;
    let size = fs::metadata(&log).map_or(0, |log| log.len());
    assert!(size <= daemon::LOG_LIMIT && fs::read_to_string(dir.join("daemon.log.1"))?.contains("alive=1"));
    println!("the log says that it is alive, and is begun anew at {} bytes", daemon::LOG_LIMIT);

    println!("its worker is killed");
    kill(&number(&told, "process")?)?;
    until(|| answer("status", dir).is_ok_and(|told| told.contains("worker 2")))?;
    let told = tell("status", dir)?;

    println!("the daemon itself is killed");
    kill(&number(&told, "daemon")?)?;
    until(|| answer("status", dir).is_ok_and(|told| told == "not running"))?;
    tell("status", dir)?;
    let worker = format!("/proc/{}", number(&told, "process")?);
    until(|| !Path::new(&worker).exists())?;
    assert!(dir.join(daemon::PID).exists() && dir.join(daemon::SOCKET).exists());
    println!("nothing of it is left but a pid file and a socket, which are in nobody's way");
    tell("start", dir)?;
    tell("stop", dir)?;
    tell("status", dir).map(drop)
}

struct Worker;

impl Actor for Worker {
    type Context = Context<Self>;
}

#[derive(Message)]
#[rtype(result = "thread::ThreadId")]
struct Work;

impl Handler<Work> for Worker {
    type Result = MessageResult<Work>;

    fn handle(&mut self, _: Work, _: &mut Context<Self>) -> MessageResult<Work> {
        MessageResult(thread::current().id())
    }
}

/// Gives a command as a shell would, and says what it says but for the numbers of processes.
fn tell(command: &str, dir: &Path) -> Result<String, Box<dyn Error>> {
    let told = answer(command, dir)?;
    println!("{command}: {}", told.split(" (").next().unwrap_or_default());
    Ok(told)
}

fn answer(command: &str, dir: &Path) -> Result<String, Box<dyn Error>> {
    let output = Command::new(env::current_exe()?).arg(command).arg(dir).output()?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// The number of a process, out of `(daemon 12, process 34)`.
fn number(told: &str, of: &str) -> Result<String, Box<dyn Error>> {
    let after = told.split_once(of).ok_or_else(|| format!("no {of} in {told:?}"))?.1;
    Ok(after.trim_start().chars().take_while(char::is_ascii_digit).collect())
}

fn kill(pid: &str) -> Outcome {
    Command::new("kill").args(["-KILL", pid]).status()?;
    Ok(())
}

/// Nobody tells this program of what another does.
fn until(reached: impl Fn() -> bool) -> Outcome {
    let begun = Instant::now();
    while !reached() {
        if begun.elapsed() > Duration::from_secs(30) {
            return Err("it never happened".into());
        }
        thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}
