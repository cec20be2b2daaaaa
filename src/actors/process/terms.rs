//! On which terms a program runs: how nice it is, what it may use up, and as whom.

use std::time::Duration;

use nix::unistd::{Group, User};

use super::command::{Command, CommandError};
use super::guard::wire::{Account, Resource, Terms};

impl Command {
    /// Adds to its niceness: it gets less of the processor, the more the less; 19 is the most. Less than 0 takes
    /// privileges.
    pub fn nice(mut self, by: i32) -> Self {
        self.terms.nice = Some(by);
        self
    }

    /// Limits its address space, in bytes: what is over it cannot be allocated. That of each process by itself, and not
    /// only of what is in use: a runtime that reserves addresses in advance needs far more than it uses.
    pub fn memory_limit(self, bytes: u64) -> Self {
        self.limit(Resource::Memory, bytes)
    }

    /// Limits its processor time, in whole seconds, at least one: then it gets SIGXCPU, and a second later SIGKILL. Each
    /// process has a time of its own.
    pub fn cpu_limit(self, time: Duration) -> Self {
        self.limit(Resource::Cpu, time.as_secs().max(1))
    }

    /// Limits how many files each of its processes may have open at a time.
    pub fn open_files_limit(self, count: u64) -> Self {
        self.limit(Resource::OpenFiles, count)
    }

    /// Limits how many processes and threads there may be for it to start another. All of its user's count, also those
    /// that it has nothing to do with; root is not limited.
    pub fn processes_limit(self, count: u64) -> Self {
        self.limit(Resource::Processes, count)
    }

    /// Limits how large a core dump it may leave, in bytes; 0 for none.
    pub fn core_limit(self, bytes: u64) -> Self {
        self.limit(Resource::Core, bytes)
    }

    /// Runs it as another user, by name or number: with that user's group, and the others that the user is in. Takes
    /// privileges.
    pub fn user(mut self, user: impl Into<String>) -> Self {
        self.user = Some(user.into());
        self
    }

    /// Runs it in this group, by name or number, instead of its user's. Takes privileges.
    pub fn group(mut self, group: impl Into<String>) -> Self {
        self.group = Some(group.into());
        self
    }

    fn limit(mut self, resource: Resource, value: u64) -> Self {
        self.terms.limits.push((resource, value));
        self
    }

    /// Everything, with names as the numbers that they stand for now.
    pub(super) fn terms(&self) -> Result<Terms, CommandError> {
        let mut terms = self.terms.clone();
        terms.user = self.user.as_deref().map(account).transpose()?;
        terms.group = self.group.as_deref().map(group_number).transpose()?;
        Ok(terms)
    }
}

fn account(user: &str) -> Result<Account, CommandError> {
    let known = match user.parse() {
        Ok(uid) => User::from_uid(nix::unistd::Uid::from_raw(uid)),
        Err(_) => User::from_name(user),
    };
    match (known.ok().flatten(), user.parse()) {
        (Some(user), _) => {
            Ok(Account { uid: user.uid.as_raw(), gid: user.gid.as_raw(), name: Some(user.name) })
        }
        // Numbers need not be known to anybody.
        (None, Ok(uid)) => Ok(Account { uid, gid: uid, name: None }),
        (None, Err(_)) => Err(CommandError::NoUser(user.to_owned())),
    }
}

fn group_number(group: &str) -> Result<u32, CommandError> {
    if let Ok(gid) = group.parse() {
        return Ok(gid);
    }
    let known = Group::from_name(group).ok().flatten();
    known.map(|group| group.gid.as_raw()).ok_or_else(|| CommandError::NoGroup(group.to_owned()))
}
