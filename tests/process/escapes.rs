//! Whatever a program does to get away, it ends with its actor, and so does all that it has started.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use actix::prelude::*;
use latido::actors::process::*;
use latido::prelude::*;
use rustix::fs::{XattrFlags, setxattr};
use tokio::io::{AsyncBufReadExt, BufReader};

use super::support::*;

/// A time that no test outlasts.
const HOUR: Duration = Duration::from_secs(3600);

/// From the plain double fork of a daemon to a subreaper that catches its own orphans, in the guard's own group, without
/// the environment that could tell where it comes from.
const WAYS: [&[&str]; 8] = [
    &["fork", "setsid", "fork"],
    &["fork", "setsid", "bare", "ignore-term", "fork"],
    &["fork", "setpgid"],
    &["fork", "join-guard", "ignore-term", "fork"],
    &["child", "setsid", "fork", "setsid", "fork", "setsid", "fork"],
    &["subreaper", "setsid", "subreaper", "fork", "setsid", "fork"],
    &["child", "child", "setsid", "child", "bare", "child"],
    &["fork", "ignore-term", "bare", "setsid", "subreaper", "ignore-term", "bare", "fork"],
];

/// One attempt: a program that goes this way, its actor stopped when it has got there, and the exit that was told.
async fn attempt(way: &[&str]) -> ProcessExit {
    let held = HeldPipe::new();
    let script = Command::shell("\"$@\" & exec sleep 1000").arg(PROGRAMS).arg("escape");
    let escape = script.args(way.iter().copied()).arg(held.path());
    stopped_when_held(held, escape).await
}

async fn stopped_when_held(mut held: HeldPipe, command: Command) -> ProcessExit {
    let spec = ChildSpec::new("escape", move || Process::new(command.clone()).grace(Duration::ZERO));
    let tree = SupervisorSpec::new("app").child(spec).start().unwrap();
    let mut events = tree.subscribe();
    held.opened().await;
    within(tree.stop(HOUR)).await;
    held.released().await;
    within(events.find_map("app/escape", exit_of)).await.unwrap()
}

fn exit_of(event: &Event) -> Option<ProcessExit> {
    match event.report()? {
        ProcessReport::Exited(exit) => Some(exit.clone()),
        _ => None,
    }
}

#[actix::test]
async fn a_thousand_attempts_to_escape_leave_no_survivor() {
    let mut escaped = 0;
    // As many at a time as there are ways.
    for round in 0..1_000 / WAYS.len() {
        for exit in futures::future::join_all(WAYS.map(attempt)).await {
            assert!(exit.census.survivors.is_empty(), "round {round}: {}", exit.census);
            escaped += exit.census.escaped;
        }
    }
    assert!(escaped >= 1_000, "only {escaped} were found outside of their group");
}

#[actix::test]
async fn what_forks_faster_than_it_can_be_counted_is_caught_too() {
    for _ in 0..10 {
        let held = HeldPipe::new();
        let storm = program("storm").arg(held.path());
        let exit = stopped_when_held(held, storm).await;
        assert!(exit.census.survivors.is_empty() && exit.census.escaped > 0, "{}", exit.census);
    }
}

#[actix::test]
async fn a_program_that_ends_by_itself_takes_what_has_escaped_along() {
    let mut held = HeldPipe::new();
    let script = held.script_that_escapes("\"$0\" escape fork setsid fork \"$1\"; read leave; exit 7");
    let (to, mut lines) = reader();
    let (shell, end) = run(Process::new(script).lines_to(to));
    assert_eq!(within(lines.recv()).await.unwrap(), out("held"));
    held.opened().await;
    within(shell.send(WriteLine("leave".into()))).await.unwrap().unwrap();
    let exit = failed(within(end).await.unwrap());
    assert_eq!((exit.code(), exit.census.survivors.len()), (Some(7), 0), "{exit}");
    // Those on the way to it may not have ended yet.
    assert!((1..=3).contains(&exit.census.escaped), "{exit}");
    held.released().await;
}

#[actix::test]
async fn a_run_takes_what_has_escaped_along() {
    let held = HeldPipe::new();
    let script = held.script_that_escapes("\"$0\" escape fork setsid fork \"$1\" | read held");
    let runner = runner();
    let output = within(runner.send(RunCommand::new(script))).await.unwrap();
    output.unwrap();
    held.released().await;
}

#[actix::test]
async fn a_program_that_kills_its_guard_dies_with_all_it_has_started_and_is_told_of() {
    let held = HeldPipe::new();
    let killer = program("kill-the-guard").arg(held.path());
    let (_, end) = run(Process::new(killer));
    let exit = failed(within(end).await.unwrap());
    assert_eq!((&exit.cause, exit.status), (&ExitCause::GuardLost, None), "{exit}");
    assert!(exit.census.survivors.is_empty(), "{exit}");
    held.released().await;
}

/// A directory for control groups, where the machine lets us have one.
struct Groups(PathBuf);

impl Groups {
    fn new() -> Option<Self> {
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
        let root = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
        let root = root.filter(|fields| fields[2] == "cgroup2").map(|fields| fields[1].to_owned()).next()?;
        let dir = Path::new(&root).join(format!("tests-of-processes-{}", std::process::id()));
        fs::create_dir(&dir).ok().map(|()| Self(dir))
    }

    fn groups(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|path| path.is_dir()).collect()
    }
}

impl Drop for Groups {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}

/// Runs the host of `guarded` by way of `shell`, and kills its guard.
async fn lose_the_guard(groups: &Groups, shell: &str) {
    let mut held = HeldPipe::new();
    let mut host = tokio::process::Command::new("/bin/sh");
    host.args(["-c", shell]).arg(PROGRAMS).args(["guarded".as_ref(), held.path().as_os_str()]);
    host.env("GROUPS", &groups.0).stdout(Stdio::piped()).kill_on_drop(true);
    let mut host = host.spawn().unwrap();
    let mut said = BufReader::new(host.stdout.take().unwrap()).lines();
    let guard = within(said.next_line()).await.unwrap().unwrap();
    held.opened().await;
    let group = groups.groups().remove(0);
    let members = fs::read_to_string(group.join("cgroup.procs")).unwrap();
    assert!(members.lines().any(|pid| pid == guard) && members.lines().count() >= 3, "{guard} in {members}");
    signal(&guard, "KILL");
    let exit = within(said.next_line()).await.unwrap().unwrap();
    assert!(exit.ends_with("; 0 survivors"), "{exit}");
    held.released().await;
    within(host.wait()).await.unwrap();
}

#[actix::test]
async fn what_has_no_environment_any_more_is_found_by_its_control_group_when_the_guard_is_killed() {
    let Some(groups) = Groups::new() else { return eprintln!("no control groups are to be had here") };
    lose_the_guard(&groups, "LATIDO_CGROUP=$GROUPS exec \"$0\" \"$@\"").await;
    // Nobody is in what that has left, and its owner is no more: the next one clears it away.
    let left = groups.groups();
    setxattr(&groups.0, "trusted.delegate", b"1", XattrFlags::empty()).unwrap();
    lose_the_guard(&groups, "echo $$ > \"$GROUPS/cgroup.procs\"; exec \"$0\" \"$@\"").await;
    assert!(left.iter().all(|group| !group.exists()), "{left:?}");
    assert!(groups.groups().iter().all(|group| fs::remove_dir(group).is_ok()), "somebody is still in one");
}

#[actix::test]
async fn a_guard_that_is_killed_between_two_runs_costs_nobody_anything() {
    let runner = runner();
    let guard = RunCommand::new(Command::shell("echo $PPID"));
    let first = within(runner.send(guard.clone())).await.unwrap().unwrap().stdout;
    let again = within(runner.send(guard.clone())).await.unwrap().unwrap().stdout;
    assert_eq!(first, again, "it is used again");
    let pid = first.trim().to_owned();
    signal(&pid, "KILL");
    until(|| state_of(&pid).is_none_or(|state| state == 'Z')).await;
    let other = within(runner.send(guard)).await.unwrap().unwrap().stdout;
    assert_ne!(first, other);
}

#[actix::test]
async fn what_is_sent_to_every_process_does_not_end_the_guard() {
    let (to, mut lines) = reader();
    let (shell, end) = run(Process::new(Command::shell("echo $PPID; exec cat")).lines_to(to));
    let guard = within(lines.recv()).await.unwrap().text;
    // Nor what is sent by this program's name.
    for (file, name) in [("comm", "process-guard\n"), ("cmdline", "[process-guard]\0")] {
        assert_eq!(std::fs::read_to_string(format!("/proc/{guard}/{file}")).unwrap(), name);
    }
    for name in ["HUP", "INT", "QUIT", "TERM", "USR1", "USR2"] {
        signal(&guard, name);
    }
    within(shell.send(WriteLine("on duty".into()))).await.unwrap().unwrap();
    assert_eq!(within(lines.recv()).await.unwrap(), out("on duty"));
    shell.do_send(Stop);
    assert!(matches!(within(end).await.unwrap(), ExitReason::Normal));
}

#[test]
fn nothing_is_left_a_second_after_latido_was_killed() {
    let mut held: Vec<_> = (0..6).map(|_| HeldPipe::new()).collect();
    let mut host = std::process::Command::new(PROGRAMS);
    let mut host = host.arg("host").args(held.iter().map(HeldPipe::path)).spawn().unwrap();
    let system = System::new();
    system.block_on(async move {
        for held in &mut held {
            held.opened().await;
        }
        host.kill().unwrap();
        let killed = Instant::now();
        for held in held {
            held.released().await;
        }
        let took = killed.elapsed();
        assert!(took < Duration::from_secs(1), "it took {took:?}");
        host.wait().unwrap();
    });
}
