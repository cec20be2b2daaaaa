//! The guard's side: one program at a time, and no end before everything that it has started is gone.

use std::env;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, getpid, set_child_subreaper, setsid};
use tokio::runtime::Builder;
use tokio::signal::unix::{Signal as Arrivals, SignalKind, signal};

use super::launcher;
use super::tree::Tree;
use super::wire::{End, Launch, Order, Receiver, STDIO, Sender, Told, halves};

/// What somebody may send to every process there is. It is for the programs; a guard that went with them would leave
/// them alone.
const FOR_OTHERS: [fn() -> SignalKind; 6] = [
    SignalKind::hangup,
    SignalKind::interrupt,
    SignalKind::quit,
    SignalKind::terminate,
    SignalKind::user_defined1,
    SignalKind::user_defined2,
];

/// A guard's whole life: until the program that started it has gone.
pub(super) fn main() -> io::Result<()> {
    // A session of its own, so that nobody below shares a group with anybody above, and no terminal is asked.
    setsid()?;
    set_child_subreaper(Some(getpid()))?;
    // Its directory would keep a file system from being unmounted.
    env::set_current_dir("/")?;
    let socket = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    Builder::new_current_thread().enable_all().build()?.block_on(async {
        // Handlers, not "ignore": the programs would inherit that.
        let _deaf = FOR_OTHERS.map(|kind| signal(kind()));
        let deaths = signal(SignalKind::child())?;
        let (sender, receiver) = halves(socket)?;
        Guard { sender, receiver, deaths }.serve().await
    })
}

struct Guard {
    sender: Sender,
    receiver: Receiver,
    deaths: Arrivals,
}

impl Guard {
    async fn serve(mut self) -> io::Result<()> {
        while let Some(order) = self.receiver.receive().await? {
            // Any other order is for a program that has ended meanwhile.
            if let Order::Run(launch) = order {
                let stdio = self.receiver.take_fds();
                self.run(launch, stdio).await?;
            }
        }
        Ok(())
    }

    async fn run(&mut self, launch: Launch, stdio: Vec<OwnedFd>) -> io::Result<()> {
        let stdio: [OwnedFd; STDIO] =
            stdio.try_into().map_err(|_| io::Error::other("a program needs three streams"))?;
        // Its ends of the pipes are closed here as the program has them.
        let child = match launcher::start(launch, stdio.map(Into::into)) {
            Ok(child) => child,
            Err(error) => {
                let told = Told::NotStarted { errno: error.raw_os_error(), text: error.to_string() };
                return self.sender.send(&told, &[]).await;
            }
        };
        let leader = Pid::from_raw(child.id().cast_signed()).expect("a process has a number");
        // An error here is the end of who is told, which comes out below.
        let _ = self.sender.send(&Told::Started { pid: child.id() }, &[]).await;
        let end = self.watch(Tree::new(leader)).await;
        self.sender.send(&Told::Ended(end), &[]).await
    }

    async fn watch(&mut self, mut tree: Tree) -> End {
        let Self { receiver, deaths, .. } = self;
        while !tree.leader_has_ended() {
            tokio::select! {
                _ = deaths.recv() => {}
                order = receiver.receive() => match order {
                    Ok(Some(Order::SignalGroup(signal))) => {
                        with_wake_up(signal, |signal| tree.signal_group(signal));
                    }
                    Ok(Some(Order::SignalLeader(signal))) => {
                        with_wake_up(signal, |signal| tree.signal_leader(signal));
                    }
                    Ok(Some(Order::Signal { signal, is_for_group })) => {
                        match (Signal::from_named_raw(signal), is_for_group) {
                            (Some(signal), true) => tree.signal_group(signal),
                            (Some(signal), false) => tree.signal_leader(signal),
                            (None, _) => {}
                        }
                    }
                    Ok(Some(Order::Escape)) => escape(),
                    Ok(Some(Order::Run(_))) => {}
                    // Or whoever gave the orders is gone.
                    Ok(Some(Order::Kill) | None) | Err(_) => break,
                },
            }
        }
        tree.kill(async || {
            deaths.recv().await;
        })
        .await
    }
}

/// A process that is stopped would not notice.
fn with_wake_up(signal: i32, send: impl Fn(Signal)) {
    if let Some(signal) = Signal::from_named_raw(signal) {
        send(signal);
        send(Signal::CONT);
    }
}

/// A process in a group of its own, the child of the guard: as one that a program has started ends up that has moved
/// itself away and lost its parent.
fn escape() {
    let mut sleep = Command::new("sleep");
    sleep.arg("1000000").process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let _ = sleep.spawn(); // it is reaped with the others
}
