//! One operating system process and the group that it leads.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;
use tokio::process::{ChildStderr, ChildStdin, ChildStdout};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::time::timeout;

use super::command::{Command, CommandError};
use super::output::Output;

/// How long a program may take to end once it is asked to.
pub(super) const GRACE: Duration = Duration::from_secs(5);

/// A running program. Dropping it kills the group.
///
/// A group is signalled by number, and a number belongs to nobody once its process has been reaped and its group
/// is empty: the next signal could hit a stranger. So the leader stays unreaped, at worst as a zombie that holds
/// the number, for as long as anybody can signal the group. The order of the fields is that rule: `group` is
/// dropped, and killed, before `leader` is reaped.
pub(super) struct Child {
    group: Group,
    leader: tokio::process::Child,
    ended: watch::Sender<bool>,
}

/// The ends of its pipes that are ours.
pub(super) struct Pipes {
    pub(super) stdin: Option<ChildStdin>,
    pub(super) stdout: Output<ChildStdout>,
    pub(super) stderr: Output<ChildStderr>,
}

struct Group(Pid);

impl Child {
    /// Starts the command in a process group of its own.
    pub(super) fn spawn(command: &Command, stdin: Stdio) -> Result<(Self, Pipes), CommandError> {
        let spawned = command
            .to_tokio()
            .process_group(0)
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        // The operating system says "no such file" for all that is missing; the check says what.
        let mut leader = spawned.map_err(|source| {
            command
                .check()
                .err()
                .unwrap_or_else(|| CommandError::Start { command: command.to_string(), source })
        })?;
        let pid = leader.id().expect("it was not waited for").cast_signed();
        let (ended, is_ended) = watch::channel(false);
        let pipes = Pipes {
            stdin: leader.stdin.take(),
            stdout: Output::new(leader.stdout.take().expect("piped"), is_ended.clone()),
            stderr: Output::new(leader.stderr.take().expect("piped"), is_ended),
        };
        let group = Group(Pid::from_raw(pid));
        Ok((Self { group, leader, ended }, pipes))
    }

    pub(super) fn pid(&self) -> u32 {
        self.group.0.as_raw().cast_unsigned()
    }

    /// Waits until the leader has ended, and kills what is left of its group.
    pub(super) async fn exited(&self) {
        // Listening starts before the first look, so that no exit falls in between.
        let mut exits = signal(SignalKind::child()).expect("an arbiter's runtime handles signals");
        // tokio's own `wait` would reap the leader; WNOWAIT leaves it as it is. Anything but "still alive" is an
        // end: nix answers EINVAL for a death by a realtime signal.
        let look = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
        while let Ok(WaitStatus::StillAlive) = waitid(Id::Pid(self.group.0), look) {
            exits.recv().await;
        }
        self.kill();
        self.ended.send_replace(true);
    }

    /// Asks the group to end, and kills it if `run`, its run with all of its output, is not over in time.
    pub(super) async fn end(&self, grace: Duration, run: impl Future) {
        self.terminate();
        if timeout(grace, run).await.is_err() {
            self.kill();
            self.exited().await;
        }
    }

    /// Takes the exit status, once there is one. To be called by a future of an actor's own context.
    pub(super) async fn reap(self) -> ExitStatus {
        self.exited().await;
        let Self { group, mut leader, .. } = self;
        drop(group);
        leader.wait().await.unwrap_or_else(|error| {
            crate::crash(format!("something else here waits for children that are not its own: {error}"))
        })
    }

    fn terminate(&self) {
        self.group.signal(Signal::SIGTERM);
        // A stopped process would not notice.
        self.group.signal(Signal::SIGCONT);
    }

    fn kill(&self) {
        self.group.signal(Signal::SIGKILL);
    }
}

impl Group {
    fn signal(&self, signal: Signal) {
        // It fails when the group is beyond our reach: gone, or of another user by now. Nothing is left to do.
        let _ = killpg(self.0, signal);
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::SIGKILL);
    }
}
