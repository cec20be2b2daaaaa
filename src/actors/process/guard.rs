//! A process between us and each program, so that nothing the program starts can outlive it, or us.
//!
//! ```text
//! this program --- a socket ---> guard ---> the program ---> whatever it starts
//! ```
//!
//! A guard is this same executable, started again under another name; [`init`] is where it turns off the road. It is
//! the subreaper of all that is below it, see `tree.rs`. When its socket closes, and that is what the kernel does with
//! the socket of a process that was killed, it kills all of them and ends.

mod cgroup;
mod launcher;
mod mark;
mod server;
mod tree;
pub(super) mod wire;

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, OnceLock};
use std::{env, process, thread};

use nix::sys::prctl::set_name;
use rustix::process::Signal;
use tokio::process::{Child, Command as TokioCommand};

pub(super) use self::mark::Mark;
use self::wire::{Order, Receiver, Sender, Told, halves};
use super::command::{Command, CommandError};
use super::leaving::Leaving;

/// The name that makes of this executable a guard. It has no word of the program's own name, so that what is sent to
/// that by name (`pkill`) does not hit the guards, which have to outlive it.
const GUARD: &str = "[process-guard]";
const LAUNCHER: &str = "[process-launcher]";
pub(super) const GUARDS_PROGRAM: &str = "/proc/self/exe";

static PROGRAM: OnceLock<PathBuf> = OnceLock::new();

/// Lets this program guard the programs that it starts. It has to be the first statement of `main`: a guard is this
/// same executable, started once more, and this is where it goes its own way. In the program itself it returns at once.
///
/// ```
/// #[actix::main]
/// async fn main() {
///     latido::actors::process::init();
///     // the program
/// }
/// ```
pub fn init() {
    let mut args = env::args_os();
    let name = args.next().unwrap_or_default();
    if name == GUARD {
        let _ = set_name(c"process-guard"); // that of the first thread is the process's
        // `main` may run on a runtime already, and a runtime takes a thread that has none.
        let guard = thread::spawn(server::main);
        process::exit(i32::from(!matches!(guard.join(), Ok(Ok(())))));
    }
    if name == LAUNCHER {
        launcher::main(args);
        process::exit(1); // there was nothing to become
    }
    init_with(GUARDS_PROGRAM);
}

/// Lets another program guard those that this one starts: any whose `main` begins with [`init`]. For tests, which have
/// no `main` of their own: `init_with(env!("CARGO_BIN_EXE_name"))`. The first call counts.
pub fn init_with(program: impl Into<PathBuf>) {
    let _ = PROGRAM.set(program.into());
}

/// A guard, with a program or ready for the next. Dropping it kills whatever is below it.
pub(super) struct Guard {
    process: Child,
    mark: Mark,
    orders: Sender,
    receiver: Receiver,
}

impl Guard {
    /// Starts a guard. It has `held` open, if there is anything to hold, until it ends.
    pub(super) fn start(held: Option<&File>) -> Result<Self, CommandError> {
        let program = PROGRAM.get().ok_or(CommandError::NoGuard)?;
        let start = || {
            let (ours, theirs) = UnixStream::pair()?;
            let mark = Mark::new();
            let (name, value) = mark.variable();
            let process = TokioCommand::new(program)
                .arg0(GUARD)
                .env(name, value)
                .stdin(OwnedFd::from(theirs))
                // It has nothing to say: this is the one way to hand a file on without code between fork and exec.
                .stdout(held.map_or(Ok(Stdio::null()), |held| held.try_clone().map(Stdio::from))?)
                .stderr(Stdio::null())
                .spawn()?;
            process.id().into_iter().for_each(|guard| mark.put_on(guard));
            let (orders, receiver) = halves(ours)?;
            Ok(Self { process, mark, orders, receiver })
        };
        start().map_err(CommandError::Guard)
    }

    /// See [`Leaving`].
    pub(super) fn leaving(&self, name: String) -> Result<Arc<Leaving>, CommandError> {
        Ok(Leaving::new(name, self.orders.duplicate().map_err(CommandError::Guard)?))
    }

    /// Starts a program. Its error says what is missing.
    pub(super) async fn run(&mut self, command: &Command, stdio: [OwnedFd; 3]) -> Result<u32, CommandError> {
        let launch = command.launch()?;
        let fds = stdio.each_ref().map(AsFd::as_fd);
        self.orders.send(&Order::Run(launch), &fds).await.map_err(CommandError::Guard)?;
        drop(stdio);
        match self.receiver.receive().await.map_err(CommandError::Guard)? {
            Some(Told::Started { pid }) => Ok(pid),
            Some(Told::NotStarted { errno, text }) => {
                let source = errno.map_or_else(|| io::Error::other(text), io::Error::from_raw_os_error);
                // The operating system says "no such file" for all that is missing; the check says what.
                Err(command
                    .check()
                    .err()
                    .unwrap_or_else(|| CommandError::Start { command: command.to_string(), source }))
            }
            Some(Told::Ended(_)) | None => {
                Err(CommandError::Guard(io::Error::other("it does not answer as a guard does")))
            }
        }
    }

    /// Orders about the program, and the wait for its end.
    pub(super) fn parts(&mut self) -> (Orders<'_>, &mut Receiver, &Mark) {
        (Orders(&self.orders), &mut self.receiver, &self.mark)
    }

    /// Ends a guard that has nothing below it, and reaps it.
    pub(super) async fn dismiss(self) {
        let Self { mut process, orders, receiver, .. } = self;
        drop((orders, receiver));
        let _ = process.wait().await;
    }
}

/// What a guard can be told about the program that it has.
#[derive(Clone, Copy)]
pub(super) struct Orders<'a>(&'a Sender);

impl Orders<'_> {
    pub(super) fn terminate(self) {
        self.0.send_now(&Order::SignalGroup(Signal::TERM.as_raw()));
    }

    pub(super) fn abort(self) {
        self.0.send_now(&Order::SignalLeader(Signal::ABORT.as_raw()));
    }

    /// Does something to it on purpose.
    pub(super) fn meddle(self, order: &Order) {
        self.0.send_now(order);
    }

    pub(super) fn kill(self) {
        self.0.send_now(&Order::Kill);
    }
}
