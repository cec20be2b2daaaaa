//! How to find what a guard has left behind that was killed itself.

use std::fs;
use std::time::{Duration, Instant};

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use tokio::time::sleep;

use super::cgroup::Cgroup;
use super::tree::name;
use super::wire::End;

/// How long what was killed may take to be gone.
const LIMIT: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(5);

const NAME: &str = "LATIDO_PROCESS";

/// What a guard and everything below it bear: a variable in their environment, and, where there is one to be had, their
/// control group. Without its guard an orphan is no child of anybody's, but these still say where it comes from.
pub(crate) struct Mark {
    name: String,
    cgroup: Option<Cgroup>,
}

impl Mark {
    pub(super) fn new() -> Self {
        let name = format!("{}-{:016x}", std::process::id(), fastrand::u64(..));
        Self { cgroup: Cgroup::new(&name), name }
    }

    /// Marks a guard that has been given the [`variable`](Self::variable), and has started nothing yet.
    pub(super) fn put_on(&self, guard: u32) {
        if let Some(cgroup) = &self.cgroup {
            cgroup.take_in(guard);
        }
    }

    pub(super) fn variable(&self) -> (&'static str, &str) {
        (NAME, &self.name)
    }

    /// Kills all that bear it.
    pub(crate) async fn kill(&self) -> End {
        let begun = Instant::now();
        let mut found = self.bearers();
        while !found.is_empty() && begun.elapsed() < LIMIT {
            if let Some(cgroup) = &self.cgroup {
                cgroup.kill();
            }
            for pid in &found {
                self.kill_one(*pid);
            }
            sleep(LOOK).await;
            found = self.bearers();
        }
        let survivors = found.into_iter().map(|pid| (pid.as_raw_nonzero().get().cast_unsigned(), name(pid)));
        End { status: None, escaped: 0, survivors: survivors.collect() }
    }

    fn kill_one(&self, pid: Pid) {
        // The number may have been given to another since it was found. What the descriptor stands for never changes,
        // so the second look is at the very process that is hit.
        if let Ok(process) = pidfd_open(pid, PidfdFlags::empty())
            && self.is_on(pid)
        {
            let _ = pidfd_send_signal(process, Signal::KILL);
        }
    }

    fn bearers(&self) -> Vec<Pid> {
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        let pids = entries.filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?));
        pids.filter(|pid| self.is_on(*pid)).collect()
    }

    /// A zombie has neither environment nor group any more.
    fn is_on(&self, pid: Pid) -> bool {
        let variable = format!("{NAME}={}", self.name);
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|entry| entry == variable.as_bytes())
            || self.cgroup.as_ref().is_some_and(|cgroup| cgroup.members().contains(&pid))
    }
}
