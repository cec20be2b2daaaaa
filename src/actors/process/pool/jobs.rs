//! Which jobs a worker can do. The pool and its workers are the same executable, and both come by here.

use std::any::TypeId;
use std::collections::{BTreeMap, HashMap};
use std::env;
use std::fmt;
use std::path::PathBuf;
use std::sync::OnceLock;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::worker::{self, Runner};
use crate::actors::cpu_pool::CpuJob;
use crate::actors::process;

/// The argument that makes a worker of this executable.
pub(super) const WORKER: &str = "[process-pool-worker]";

static NAMES: OnceLock<HashMap<TypeId, &'static str>> = OnceLock::new();

/// The jobs that a worker process can do, each under a name. Made in the first statement of `main`, and given to
/// [`init`](Self::init).
///
/// A job is known by its name in events and errors. One that is not among these is refused as it is sent:
/// [`JobError::NotRegistered`](crate::actors::cpu_pool::JobError::NotRegistered).
#[derive(Default)]
#[must_use = "without `init` a worker process runs the whole program instead of jobs"]
pub struct Jobs {
    names: HashMap<TypeId, &'static str>,
    runners: BTreeMap<&'static str, Runner>,
}

impl Jobs {
    /// No jobs yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a job: any that is serialisable, as its result is, and needs no state of its thread.
    ///
    /// # Panics
    ///
    /// If another job has this name, or this job another one.
    pub fn job<J>(mut self, name: &'static str) -> Self
    where
        J: CpuJob + DeserializeOwned,
        J::Result: Serialize,
    {
        assert!(name.len() <= usize::from(u16::MAX), "the name of a job is too long");
        assert!(self.runners.insert(name, worker::run::<J>).is_none(), "there are two jobs named {name:?}");
        let other = self.names.insert(TypeId::of::<J>(), name);
        assert!(other.is_none(), "the job {name:?} has another name already");
        self
    }

    /// Lets this program have process pools, and start [programs](process::init) at all. It has to be the first statement
    /// of `main`: a worker is this same executable, started once more, and this is where it turns to its jobs. What is
    /// before it is done by every worker too. In the program itself it returns at once.
    pub fn init(self) {
        // Whichever it is that is started here, a guard or a launcher goes its own way first.
        process::init();
        if env::args_os().nth(1).is_some_and(|arg| arg == WORKER) {
            worker::main(&self.runners);
        }
        let _ = NAMES.set(self.names);
    }

    /// Lets another program be the workers of this one: any whose `main` begins with [`init`](Self::init) of jobs with the
    /// same names. For tests, which have no `main` of their own, as [`process::init_with`]. The first call counts.
    pub fn init_with(self, program: impl Into<PathBuf>) {
        process::init_with(program);
        let _ = NAMES.set(self.names);
    }
}

/// The name of a job; `None` if it is none of them.
pub(super) fn name_of<J: 'static>() -> Option<&'static str> {
    NAMES.get()?.get(&TypeId::of::<J>()).copied()
}

pub(super) fn are_known() -> bool {
    NAMES.get().is_some()
}

impl fmt::Debug for Jobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.runners.keys()).finish()
    }
}
