//! Programs that are on their way out, so that none is started again before nothing is left of it.
//!
//! An actor that crashes or is killed cannot wait for its guard to do its work, and its successor may be there before
//! the program has given back its port, its lock or its file. So it leaves its end of the guard's socket here, under a
//! name, and who is next under that name waits for the guard to go: a guard goes last.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Read};
use std::net::Shutdown;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::UnixStream;
use tokio::time::timeout;

/// A guard gives up after five seconds; this is for one that is suspended.
const PATIENCE: Duration = Duration::from_secs(6);

static LEAVING: Mutex<Sockets> = Mutex::new(BTreeMap::new());

/// Dropped while the program runs, it ends the program and leaves word of that.
pub(super) struct Leaving {
    name: String,
    socket: Option<StdUnixStream>,
}

impl Leaving {
    /// `socket` is another descriptor of the one that leads to the program's guard.
    pub(super) fn new(name: String, socket: StdUnixStream) -> Self {
        Self { name, socket: Some(socket) }
    }

    /// There is nothing to leave.
    pub(super) fn defuse(mut self) {
        self.socket = None;
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        if let Some(socket) = self.socket.take() {
            // For the guard that is the end of us, though we still listen for its own.
            let _ = socket.shutdown(Shutdown::Write);
            let mut leaving = all();
            forget_the_gone(&mut leaving); // nobody may ever ask for some of the names
            leaving.entry(std::mem::take(&mut self.name)).or_default().push(socket);
        }
    }
}

/// Waits until nothing is left of all that was started under this name before and was cut off.
pub(super) async fn gone(name: &str) {
    let sockets: Vec<_> = match all().get(name) {
        Some(sockets) => sockets.iter().filter_map(|socket| socket.try_clone().ok()).collect(),
        None => return,
    };
    for socket in sockets {
        let Ok(socket) = UnixStream::from_std(socket) else { continue };
        let wait = async {
            while !is_gone(|buffer| socket.try_read(buffer)) {
                let _ = socket.readable().await;
            }
        };
        let _ = timeout(PATIENCE, wait).await;
    }
    forget_the_gone(&mut all());
}

type Sockets = BTreeMap<String, Vec<StdUnixStream>>;

fn all() -> MutexGuard<'static, Sockets> {
    LEAVING.lock().unwrap_or_else(PoisonError::into_inner)
}

fn forget_the_gone(leaving: &mut Sockets) {
    leaving.retain(|_, sockets| {
        sockets.retain(|mut socket| !is_gone(|buffer| socket.read(buffer)));
        !sockets.is_empty()
    });
}

/// Whether the other end is closed. What it says before does not matter any more.
fn is_gone(mut read: impl FnMut(&mut [u8]) -> io::Result<usize>) -> bool {
    let mut buffer = [0; 1024];
    loop {
        match read(&mut buffer) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => return error.kind() != ErrorKind::WouldBlock,
        }
    }
}
