//! External programs as actors.
//!
//! [`Process`] is a program that stays: lines, bytes or values go in and come out, and its exit is the actor's exit, so
//! a supervisor restarts it like any other child. [`CommandRunner`] runs one program per message and answers with what
//! became of it. [`pool`] runs CPU jobs in processes of this program's own.
//!
//! # Nothing is left behind
//!
//! Between this program and each that it starts is a guard: a process that outlives the program and all that it has
//! started, and kills them when the program ends, when its actor does, and when this program does, be it by SIGKILL. It
//! is the subreaper of them all, so neither `setsid` nor a double fork nor a clean environment gets anything out of its
//! reach; it counts what is left until nothing is, and the count, the [`Census`], is part of the exit.
//!
//! The guard is this program's own executable, started again. Therefore **`main` has to begin with [`init`]**; without
//! it nothing is started, and the error says so. Tests, which have no `main`, name a program that has it:
//! [`init_with`].
//!
//! Out of reach is what others start on a program's behalf (`at`, `systemd-run`, `docker`), what runs as another user so
//! that it may not be killed (it is in the census), and what throws away its environment after somebody has killed its
//! guard with SIGKILL; but that is found too where this program may make control groups (version 2): where its own was
//! delegated to it, as by systemd with `Delegate=yes`, or `LATIDO_CGROUP` names a directory of that hierarchy.

mod command;
mod exit;
mod guard;
mod input;
mod leaving;
mod life;
mod messages;
mod mishap;
mod notify;
mod output;
pub mod pool;
mod program;
mod resident;
mod run;
mod runner;
mod sink;
mod terms;
mod watch;

pub use command::{Command, CommandError};
pub use exit::{Census, ExitCause, ProcessExit, Survivor};
pub use guard::{init, init_with};
pub use messages::{
    Chunk, CloseInput, Frame, Line, ProcessError, ProcessReport, StdStream, WriteBytes, WriteFrame, WriteLine,
};
pub use resident::Process;
pub use run::{CommandOutput, RunCommand, RunError};
pub use runner::CommandRunner;
pub use watch::Readiness;
