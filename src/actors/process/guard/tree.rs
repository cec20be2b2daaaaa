//! The processes below a guard.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, WaitOptions, getpgid, getpgrp, kill_process, kill_process_group,
    wait, waitid,
};
use tokio::time::{sleep, timeout};

use super::wire::End;

/// How long what was killed may take to be gone. Only a process that hangs in the kernel takes that long, or one that
/// may not be killed because it runs as another user.
const LIMIT: Duration = Duration::from_secs(5);

/// How long to wait for the next death before looking again.
const LOOK: Duration = Duration::from_millis(10);

/// One program and all that it starts.
///
/// The guard is their subreaper: whoever loses its parent becomes the guard's own child, wherever it has moved itself
/// with `setsid` and whatever it has forked. Two things follow. When the guard has no child left, nothing is left: that
/// is what wait(2) says, not a search that could miss something. And only children are signalled, which keep their
/// process id until the guard itself reaps them, so no signal can hit a stranger.
pub(super) struct Tree {
    leader: Pid,
    /// How the leader ended.
    status: Option<i32>,
}

#[derive(PartialEq, Eq)]
enum Children {
    Some,
    None,
}

impl Tree {
    pub(super) fn new(leader: Pid) -> Self {
        Self { leader, status: None }
    }

    /// Reaps who has died, and tells whether the leader has.
    pub(super) fn leader_has_ended(&mut self) -> bool {
        self.reap();
        self.status.is_some()
    }

    pub(super) fn signal_group(&self, signal: Signal) {
        // Once the leader is reaped its number may be somebody else's.
        if self.status.is_none() {
            // It fails when there is nobody whom it may signal.
            let _ = kill_process_group(self.leader, signal);
        }
    }

    pub(super) fn signal_leader(&self, signal: Signal) {
        if self.status.is_none() {
            let _ = kill_process(self.leader, signal);
        }
    }

    /// Kills everything, until wait(2) says that nothing is left. A process that dies hands its children to the guard,
    /// so children are killed again and again. `died` waits for the next death of a child.
    pub(super) async fn kill(&mut self, mut died: impl AsyncFnMut()) -> End {
        let begun = Instant::now();
        let mut escaped = HashSet::new();
        // A group is killed in one go: none of its members can fork out of it.
        self.signal_group(Signal::KILL);
        while self.reap() == Children::Some && begun.elapsed() < LIMIT {
            for child in children().unwrap_or_default() {
                self.kill_child(child, &mut escaped);
            }
            let _ = timeout(LOOK, died()).await;
        }
        End { status: self.status, escaped: escaped.len(), survivors: self.survivors().await }
    }

    fn kill_child(&self, child: Pid, escaped: &mut HashSet<Pid>) {
        if let Ok(group) = getpgid(Some(child))
            && group != self.leader
        {
            escaped.insert(child);
            // The guard leads a session, so all groups here but its own are made up of what is below it. What forks
            // faster than it can be counted is caught by its group.
            if group != getpgrp() {
                let _ = kill_process_group(group, Signal::KILL);
            }
        }
        let _ = kill_process(child, Signal::KILL);
    }

    async fn survivors(&mut self) -> Vec<(u32, String)> {
        if self.reap() == Children::None {
            return Vec::new();
        }
        sleep(LOOK).await; // one that was killed at the last moment
        self.reap();
        let named = |pid: Pid| (pid.as_raw_nonzero().get().cast_unsigned(), name(pid));
        children().unwrap_or_default().into_iter().map(named).collect()
    }

    fn reap(&mut self) -> Children {
        loop {
            // Until it is reaped the leader keeps the number of its group from anybody else, so what is left of the
            // group is killed before.
            let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
            if self.status.is_none() && matches!(waitid(WaitId::Pid(self.leader), look), Ok(Some(_))) {
                self.signal_group(Signal::KILL);
            }
            match wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) if pid == self.leader => self.status = Some(status.as_raw()),
                Ok(Some(_)) | Err(Errno::INTR) => {}
                Ok(None) => return Children::Some,
                Err(_) => return Children::None, // ECHILD
            }
        }
    }
}

/// The guard's children, whichever of its threads they are said to be of.
fn children() -> io::Result<Vec<Pid>> {
    let mut children = Vec::new();
    for thread in fs::read_dir("/proc/self/task")? {
        match fs::read_to_string(thread?.path().join("children")) {
            Ok(list) => children.extend(list.split_whitespace().filter_map(pid)),
            // A kernel without CONFIG_PROC_CHILDREN.
            Err(_) => return children_by_walk(),
        }
    }
    Ok(children)
}

fn children_by_walk() -> io::Result<Vec<Pid>> {
    let guard = std::process::id().to_string();
    let is_child = |pid: &Pid| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // The name, in parentheses, may hold anything; then come the state and the parent.
        stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(1)) == Some(&guard)
    };
    let names = fs::read_dir("/proc")?.flatten().map(|entry| entry.file_name());
    Ok(names.filter_map(|name| pid(name.to_str()?)).filter(is_child).collect())
}

fn pid(text: &str) -> Option<Pid> {
    Pid::from_raw(text.parse().ok()?)
}

pub(super) fn name(pid: Pid) -> String {
    fs::read_to_string(format!("/proc/{pid}/comm")).map_or_else(|_| "?".into(), |name| name.trim_end().into())
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn children_are_found_with_and_without_the_kernels_list() {
        let mut cat = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let cats = Pid::from_raw(cat.id().cast_signed()).unwrap();
        assert!(children().unwrap().contains(&cats));
        assert!(children_by_walk().unwrap().contains(&cats));
        assert_eq!(name(cats), "cat");
        cat.kill().unwrap();
        cat.wait().unwrap();
        assert!(!children().unwrap().contains(&cats));
        assert!(!children_by_walk().unwrap().contains(&cats));
    }
}
