//! Ctrl-C and SIGTERM: the first asks for an end in order, the second for an end.

use std::thread;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::sleep;

use crate::exit::Exit;

/// How long the program may take after the second signal: longer than a supervisor waits for a child that it killed.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// Once listened to, the signals no longer end the program by themselves.
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Listens from now on. A second signal ends the program soon, also when its main thread is stuck.
    pub(crate) fn listen() -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let mut insistent = {
            let _inside = runtime.enter();
            Self::new()?
        };
        thread::Builder::new().name("signals".into()).spawn(move || {
            runtime.block_on(async {
                let exit = insistent.next().await;
                insistent.next().await;
                sleep(LAST_WORDS).await;
                std::process::exit(exit as i32)
            })
        })?;
        Self::new()
    }

    fn new() -> std::io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// The exit code of the next signal.
    pub(crate) async fn next(&mut self) -> Exit {
        tokio::select! {
            _ = self.interrupt.recv() => Exit::Interrupted,
            _ = self.terminate.recv() => Exit::Terminated,
        }
    }
}
