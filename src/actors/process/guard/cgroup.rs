//! A control group for a guard and all that is below it, where one is to be had. Nothing leaves it by itself, and the kernel
//! kills all that is in it at once. So what a guard has left behind that was killed is found also if it has thrown its
//! environment away.
//!
//! It is to be had where the init system has handed its part of the hierarchy over to this program (`Delegate=yes`), or
//! the user says where: `LATIDO_CGROUP`. Elsewhere the hierarchy is somebody else's to arrange.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::{env, fs};

use rustix::fs::getxattr;
use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};

/// How a group is called: this, the process that has made it, and what tells it from others.
const NAME: &str = "latido-";
/// Marks what an init system has handed over, to the user's own services and to the machine's.
const DELEGATED: [&str; 2] = ["user.delegate", "trusted.delegate"];

/// Groups that somebody was still in when they were to go.
static LEFT: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// It goes when it is dropped, or as soon as it is empty then.
#[derive(Debug)]
pub(super) struct Cgroup {
    dir: PathBuf,
}

impl Cgroup {
    /// A new one whose name ends in `tail`, which no other has.
    pub(super) fn new(tail: &str) -> Option<Self> {
        let parent = parent()?;
        sweep(&parent);
        let dir = parent.join(format!("{NAME}{tail}"));
        match fs::create_dir(&dir) {
            Ok(()) => Some(Self { dir }),
            Err(error) => {
                log::debug!("no control group {dir:?}: {error}");
                None
            }
        }
    }

    /// Moves a process that has no children yet into it.
    pub(super) fn take_in(&self, process: u32) {
        if let Err(error) = fs::write(self.dir.join("cgroup.procs"), process.to_string()) {
            log::debug!("process {process} is in no control group: {error}");
        }
    }

    pub(super) fn kill(&self) {
        // A kernel before 5.14 has no such file; then each is killed by itself.
        let _ = fs::write(self.dir.join("cgroup.kill"), "1");
    }

    pub(super) fn members(&self) -> Vec<Pid> {
        let members = fs::read_to_string(self.dir.join("cgroup.procs")).unwrap_or_default();
        members.lines().filter_map(|pid| Pid::from_raw(pid.parse().ok()?)).collect()
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        // A guard that is just ending is still in it.
        if !remove(&self.dir) {
            left().push(self.dir.clone());
        }
    }
}

/// Where groups may be made.
fn parent() -> Option<PathBuf> {
    match env::var_os("LATIDO_CGROUP") {
        Some(dir) if !dir.is_empty() => Some(dir.into()),
        _ => own().filter(|dir| is_delegated(dir)),
    }
}

/// This process's own group.
fn own() -> Option<PathBuf> {
    let own = fs::read_to_string("/proc/self/cgroup").ok()?;
    let path = own.lines().find_map(|line| line.strip_prefix("0::/"))?.to_owned();
    let mounts = fs::read_to_string("/proc/self/mounts").ok()?;
    let root = mounts.lines().find_map(|line| {
        let mut fields = line.split(' ').skip(1);
        let dir = fields.next()?;
        (fields.next() == Some("cgroup2")).then_some(dir)
    })?;
    Some(Path::new(root).join(path))
}

fn is_delegated(dir: &Path) -> bool {
    DELEGATED.iter().any(|name| {
        let mut value = [0; 8];
        getxattr(dir, *name, &mut value[..]).is_ok_and(|length| value.get(..length) == Some(b"1"))
    })
}

/// Removes groups that are empty now, and those of programs that were killed.
fn sweep(parent: &Path) {
    left().retain(|dir| !remove(dir));
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let owner = name.to_str().and_then(|name| name.strip_prefix(NAME)?.split('-').next()?.parse().ok());
        if let Some(owner) = owner.and_then(Pid::from_raw)
            && test_kill_process(owner) == Err(Errno::SRCH)
        {
            remove(&entry.path());
        }
    }
}

/// Answers whether nothing is left of it.
fn remove(dir: &Path) -> bool {
    match fs::remove_dir(dir) {
        Ok(()) => true,
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    }
}

fn left() -> std::sync::MutexGuard<'static, Vec<PathBuf>> {
    LEFT.lock().unwrap_or_else(PoisonError::into_inner)
}
