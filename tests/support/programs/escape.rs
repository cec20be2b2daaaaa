//! Ways out of a process group, and past whoever watches it.

use std::env;
use std::fs::OpenOptions;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use nix::sys::prctl::set_child_subreaper;
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, getpgid, getppid, setpgid, setsid};

use super::{block_term, stay};

/// Takes the steps of `way`, one process after the other, and opens `fifo` at its end, to hold it until death.
pub(crate) fn go(way: &[&str], fifo: &str) {
    let Some((step, rest)) = way.split_first() else {
        block_term();
        let _held = OpenOptions::new().write(true).open(fifo).unwrap();
        let _ = writeln!(io::stdout(), "held"); // nobody may listen
        stay()
    };
    let mut next = Command::new(env::current_exe().unwrap());
    next.arg("escape").args(rest).arg(fifo);
    match *step {
        // The parent goes, so whoever is next is an orphan.
        "fork" => drop(next.spawn().unwrap()),
        // The parent stays.
        "child" => {
            next.status().unwrap();
            stay()
        }
        "setsid" => drop(setsid().map(|_| next.exec()).unwrap()),
        "setpgid" => drop(setpgid(Pid::this(), Pid::this()).map(|()| next.exec()).unwrap()),
        // Into the group of the guard itself.
        "join-guard" => {
            while getpgid(Some(getppid())) != Ok(getppid()) {
                std::thread::yield_now(); // the parent is still there
            }
            drop(setpgid(Pid::this(), getppid()).map(|()| next.exec()).unwrap())
        }
        "ignore-term" => {
            block_term();
            drop(next.exec())
        }
        // Nothing that could tell where it comes from.
        "bare" => {
            drop(next.env_clear().stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).exec())
        }
        // Orphans below are this one's from now on.
        "subreaper" => {
            set_child_subreaper(true).unwrap();
            next.status().unwrap();
            stay()
        }
        _ => panic!("no such step: {step}"),
    }
}

/// In a session of its own: each generation forks the next and ends, as fast as it can.
pub(crate) fn storm(fifo: &str) {
    let storm = "exec 9>\"$1\"; f() { f & }; f";
    Command::new("setsid").args(["sh", "-c", storm, "sh", fifo]).status().unwrap();
    stay()
}

/// Starts one that gets away and holds the fifo, and then kills the guard of both.
pub(crate) fn kill_the_guard(fifo: &str) {
    let mut way = Command::new(env::current_exe().unwrap());
    way.args(["escape", "fork", "setsid", "fork", fifo]);
    let said = way.stdout(Stdio::piped()).spawn().unwrap().stdout.unwrap();
    assert_eq!(BufReader::new(said).lines().next().unwrap().unwrap(), "held");
    kill(getppid(), Signal::SIGKILL).unwrap();
    stay()
}
