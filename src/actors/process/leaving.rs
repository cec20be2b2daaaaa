//! Programs that are on their way out, so that none is started again before nothing is left of it.
//!
//! An actor that crashes or is killed cannot wait for its guard to do its work, and its successor may be there before
//! the program has given back its port, its lock or its file. So it leaves its end of the guard's socket here, under a
//! name, and who is next under that name waits for the guard to go: a guard goes last.
//!
//! An actor that blocks its thread, and was left behind, leaves nothing here until that is free, if ever. So whoever starts
//! a program looks first whether one still runs whose actor has ended, and ends it in that one's place.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Read};
use std::net::Shutdown;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::net::UnixStream;
use tokio::time::timeout;

use crate::Reporter;

/// A guard gives up after five seconds; this is for one that is suspended.
const PATIENCE: Duration = Duration::from_secs(6);

static LEAVING: Mutex<Sockets> = Mutex::new(BTreeMap::new());

static RUNNING: Mutex<Vec<Weak<Leaving>>> = Mutex::new(Vec::new());

/// Dropped while the program runs, it ends the program and leaves word of that.
pub(super) struct Leaving {
    name: String,
    socket: Mutex<Option<StdUnixStream>>,
    /// Whose program it is.
    actor: Reporter,
}

impl Leaving {
    /// `socket` is another descriptor of the one that leads to the program's guard.
    pub(super) fn new(name: String, socket: StdUnixStream) -> Arc<Self> {
        let socket = Mutex::new(Some(socket));
        let leaving = Arc::new(Self { name, socket, actor: Reporter::current() });
        let mut running = lock(&RUNNING);
        if running.len() == running.capacity() {
            running.retain(|leaving| leaving.strong_count() > 0);
        }
        running.push(Arc::downgrade(&leaving));
        leaving
    }

    /// There is nothing to leave.
    pub(super) fn defuse(&self) {
        lock(&self.socket).take();
    }

    fn leave(&self) {
        if let Some(socket) = lock(&self.socket).take() {
            // For the guard that is the end of us, though we still listen for its own.
            let _ = socket.shutdown(Shutdown::Write);
            let mut leaving = lock(&LEAVING);
            forget_the_gone(&mut leaving); // nobody may ever ask for some of the names
            leaving.entry(self.name.clone()).or_default().push(socket);
        }
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        self.leave();
    }
}

/// Ends the programs whose actors have ended and do not know it.
pub(super) fn end_the_orphaned() {
    let running: Vec<_> = lock(&RUNNING).iter().filter_map(Weak::upgrade).collect();
    running.iter().filter(|leaving| leaving.actor.has_ended()).for_each(|leaving| leaving.leave());
}

/// Waits until nothing is left of all that was started under this name before and was cut off.
pub(super) async fn gone(name: &str) {
    end_the_orphaned();
    let sockets: Vec<_> = match lock(&LEAVING).get(name) {
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
    forget_the_gone(&mut lock(&LEAVING));
}

type Sockets = BTreeMap<String, Vec<StdUnixStream>>;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
