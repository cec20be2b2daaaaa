//! A program that runs, seen from here.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use rustix::pipe::fcntl_setpipe_size;
use tokio::net::unix::pipe;
use tokio::sync::watch;

use super::command::{Command, CommandError};
use super::exit::{Census, ExitCause, ProcessExit, Survivor};
use super::guard::wire::{End, Receiver, Told};
use super::guard::{Guard, Mark, Orders};
use super::leaving::{Leaving, gone};
use super::output::{BUFFER, Output};

/// How long a program may take to end once it is asked to.
pub(super) const GRACE: Duration = Duration::from_secs(5);

/// How much a pipe for values holds and how much of it is read at a time, in bytes. A value that does not fit costs a change
/// of process for each part of it.
const LARGE: usize = 256 * 1024;

/// A running program. Dropping it kills it and whatever it has started.
pub(super) struct Program {
    leaving: Arc<Leaving>,
    guard: Guard,
    pid: u32,
    ending: Option<Ending>,
    is_over: watch::Sender<bool>,
}

/// The ends of its pipes that are ours.
pub(super) struct Pipes {
    /// `None` if it was started with nothing to read.
    pub(super) stdin: Option<pipe::Sender>,
    /// The program's end of that, if it was started so.
    pub(super) unread: Option<OwnedFd>,
    pub(super) stdout: Output,
    pub(super) stderr: Output,
}

/// What a program is given to read.
pub(super) enum Input {
    Pipe,
    /// A pipe the other end of which we keep as well, so that it can be seen what the program has not read. In return
    /// nobody notices by writing that the program has closed its own.
    WatchedPipe,
    Nothing,
}

enum Ending {
    Told(End),
    /// The guard had gone instead of telling.
    GuardLost(End),
}

/// The wait for the end of a program.
pub(super) struct Run<'a> {
    receiver: &'a mut Receiver,
    mark: &'a Mark,
    ending: &'a mut Option<Ending>,
    is_over: &'a watch::Sender<bool>,
}

impl Program {
    /// Under `name` only one runs at a time, as far as those before it were cut off.
    pub(super) async fn start(
        mut guard: Guard,
        name: String,
        command: &Command,
        input: Input,
    ) -> Result<(Self, Pipes), CommandError> {
        gone(&name).await;
        let (is_over, over) = watch::channel(false);
        let (theirs, pipes) = streams(input, &over).map_err(CommandError::Guard)?;
        let leaving = guard.leaving(name)?;
        let pid = guard.run(command, theirs).await?;
        Ok((Self { leaving, guard, pid, ending: None, is_over }, pipes))
    }

    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    pub(super) fn parts(&mut self) -> (Orders<'_>, Run<'_>) {
        let Self { guard, ending, is_over, .. } = self;
        let (orders, receiver, mark) = guard.parts();
        (orders, Run { receiver, mark, ending, is_over })
    }

    /// Waits for the end and takes what there is to know about it. The guard comes back if it can have another
    /// program.
    pub(super) async fn finish(
        mut self,
        command: &Command,
        cause: ExitCause,
        last_words: Vec<String>,
    ) -> (ProcessExit, Option<Guard>) {
        self.parts().1.over().await;
        let Self { leaving, guard, ending, .. } = self;
        leaving.defuse();
        let (cause, end) = match ending {
            Some(Ending::Told(end)) => (cause, end),
            Some(Ending::GuardLost(end)) => (ExitCause::GuardLost, end),
            None => unreachable!("it was waited for"),
        };
        // What has survivors below it is not fit for another program.
        let guard = (cause != ExitCause::GuardLost && end.survivors.is_empty()).then_some(guard);
        let survivors = end.survivors.into_iter().map(|(pid, name)| Survivor { pid, name }).collect();
        let exit = ProcessExit {
            command: command.to_string(),
            cause,
            status: end.status.map(ExitStatus::from_raw),
            census: Census { escaped: end.escaped, survivors },
            last_words,
        };
        (exit, guard)
    }
}

impl Run<'_> {
    /// Waits until the program and all that it has started are gone. It may be dropped half-way, and asked again.
    pub(super) async fn over(&mut self) {
        if self.ending.is_none() {
            *self.ending = Some(match self.receiver.receive().await {
                Ok(Some(Told::Ended(end))) => Ending::Told(end),
                _ => Ending::GuardLost(self.mark.kill().await),
            });
            self.is_over.send_replace(true);
        }
    }
}

/// The program's ends, and ours.
fn streams(input: Input, over: &watch::Receiver<bool>) -> io::Result<([OwnedFd; 3], Pipes)> {
    let is_watched = matches!(input, Input::WatchedPipe);
    let enlarge = |pipe: &io::PipeReader| {
        if is_watched {
            let _ = fcntl_setpipe_size(pipe, LARGE); // there is a limit to all pipes of a user
        }
    };
    let (stdin, to, unread) = match input {
        Input::Pipe | Input::WatchedPipe => {
            let (reader, writer) = io::pipe()?;
            enlarge(&reader);
            let unread = is_watched.then(|| reader.try_clone()).transpose()?;
            let to = pipe::Sender::from_owned_fd(writer.into())?;
            (OwnedFd::from(reader), Some(to), unread.map(OwnedFd::from))
        }
        Input::Nothing => (File::open("/dev/null")?.into(), None, None),
    };
    let (from_out, stdout) = io::pipe()?;
    enlarge(&from_out);
    let (from_err, stderr) = io::pipe()?;
    let buffer = if is_watched { LARGE } else { BUFFER };
    let output = |pipe: io::PipeReader, buffer| -> io::Result<Output> {
        Ok(Output::new(pipe::Receiver::from_owned_fd(pipe.into())?, buffer, over.clone()))
    };
    let (from_out, from_err) = (output(from_out, buffer)?, output(from_err, BUFFER)?);
    let pipes = Pipes { stdin: to, unread, stdout: from_out, stderr: from_err };
    Ok(([stdin, stdout.into(), stderr.into()], pipes))
}
