//! External programs as actors.
//!
//! [`Process`] is a program that stays: lines go in and come out, and its exit is the actor's exit, so a
//! supervisor restarts it like any other child. [`CommandRunner`] runs one program per message and answers with
//! what became of it.
//!
//! Every program runs in a process group of its own, and the group never outlives the actor: however the actor
//! ends, stopped, crashed or killed, everything the program started ends with it. Out of reach is only what moves
//! itself to another group, as a daemon does with `setsid`, and what runs on when this program itself dies of
//! SIGKILL; a program that reads its standard input sees the end of it even then.

mod child;
mod command;
mod exit;
mod output;
mod resident;
mod runner;

pub use command::{Command, CommandError};
pub use exit::ProcessExit;
pub use resident::{Line, Process, ProcessError, ProcessReport, StdStream, WriteLine};
pub use runner::{CommandOutput, CommandRunner, RunCommand, RunError};
