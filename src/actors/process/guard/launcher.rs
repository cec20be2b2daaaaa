//! Between a guard and its program: gives itself the terms that the program is to run on, and becomes the program.
//!
//! What has to happen between fork and exec, another program does after an exec of its own. So the fork stays the fast
//! one of posix_spawn(3), and no code of ours runs in a half-made process.

use std::ffi::{CString, OsString};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};

use nix::unistd::{Gid, Uid, close, initgroups, setgid, setgroups, setuid};
use rustix::io::{FdFlags, fcntl_setfd};
use rustix::process::{Resource as Rlimit, Rlimit as Value, nice, setrlimit};
use serde::{Deserialize, Serialize};

use super::wire::{Launch, Resource, Terms};
use super::{GUARDS_PROGRAM, LAUNCHER};

/// A launcher's first argument; the program and its own follow.
#[derive(Serialize, Deserialize)]
struct Task {
    terms: Terms,
    /// Where to write the error number to, if there is no program to become.
    errors: RawFd,
}

/// Starts the program, through a launcher if there are terms.
pub(super) fn start(launch: Launch, stdio: [std::process::Stdio; 3]) -> io::Result<Child> {
    let Launch { program, args, env, bare, dir, terms } = launch;
    let has_terms = terms != Terms::default();
    let mut command = if has_terms { Command::new(GUARDS_PROGRAM) } else { Command::new(&program) };
    let [stdin, stdout, stderr] = stdio;
    command.stdin(stdin).stdout(stdout).stderr(stderr).current_dir(dir).process_group(0);
    if bare {
        command.env_clear();
    }
    command.envs(env);
    if !has_terms {
        return command.args(args).spawn();
    }
    let (mut errors, to) = io::pipe()?;
    // A guard starts one program at a time, so nobody else inherits this.
    fcntl_setfd(&to, FdFlags::empty())?;
    let task = serde_json::to_string(&Task { terms, errors: to.as_raw_fd() })?;
    let mut child = command.arg0(LAUNCHER).arg(task).arg(program).args(args).spawn()?;
    drop(to);
    let mut errno = [0; size_of::<i32>()];
    match errors.read_exact(&mut errno) {
        Ok(()) => {
            child.wait()?;
            Err(io::Error::from_raw_os_error(i32::from_ne_bytes(errno)))
        }
        Err(_) => Ok(child), // closed by its exec
    }
}

/// A launcher's whole life.
pub(super) fn main(mut args: impl Iterator<Item = OsString>) -> Option<()> {
    let task: Task = serde_json::from_str(args.next()?.to_str()?).ok()?;
    let mut command = Command::new(args.next()?);
    command.args(args);
    let mut errors = keep(task.errors).ok()?;
    let error = match task.terms.accept() {
        Ok(()) => command.exec(),
        Err(error) => error,
    };
    errors.write_all(&error.raw_os_error().unwrap_or(0).to_ne_bytes()).ok()
}

/// The same pipe, but closed by an exec.
fn keep(inherited: RawFd) -> io::Result<File> {
    let kept = OpenOptions::new().write(true).open(format!("/proc/self/fd/{inherited}"))?;
    close(inherited)?;
    Ok(kept)
}

impl Terms {
    /// Limits may need the rights of the user that the launcher still is, so the user comes last.
    fn accept(self) -> io::Result<()> {
        if let Some(by) = self.nice {
            nice(by)?;
        }
        for (resource, value) in self.limits {
            let (resource, value, hard) = match resource {
                Resource::Memory => (Rlimit::As, value, value),
                // At the first it is told (SIGXCPU), at the second killed.
                Resource::Cpu => (Rlimit::Cpu, value, value.saturating_add(1)),
                Resource::OpenFiles => (Rlimit::Nofile, value, value),
                Resource::Processes => (Rlimit::Nproc, value, value),
                Resource::Core => (Rlimit::Core, value, value),
            };
            setrlimit(resource, Value { current: Some(value), maximum: Some(hard) })?;
        }
        let gid = self.group.or(self.user.as_ref().map(|user| user.gid)).map(Gid::from_raw);
        if let Some(gid) = gid {
            match self.user.as_ref().and_then(|user| user.name.as_deref()) {
                Some(name) => initgroups(&CString::new(name)?, gid)?,
                None => setgroups(&[gid])?,
            }
            setgid(gid)?;
        }
        if let Some(user) = self.user {
            setuid(Uid::from_raw(user.uid))?;
        }
        Ok(())
    }
}
