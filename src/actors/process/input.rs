//! What is written to a program.

use std::fs;

use tokio::io::{AsyncWriteExt, Interest};
use tokio::net::unix::pipe;
use tokio::sync::{mpsc, oneshot};

/// Bytes on their way into a program.
pub(super) struct Write {
    pub(super) bytes: Vec<u8>,
    /// Told once they are in the pipe; dropped if they never will be.
    pub(super) written: oneshot::Sender<()>,
}

/// The program has closed its end.
pub(super) struct Closed {
    /// The writes that are lost by that.
    pub(super) unwritten: usize,
}

/// Writes one after the other. Ends with the channel, or when the program closes its end, be it in the middle of a
/// write or while nobody writes.
pub(super) async fn write_all(
    mut stdin: pipe::Sender,
    mut writes: mpsc::UnboundedReceiver<Write>,
) -> Option<Closed> {
    loop {
        tokio::select! {
            biased;
            write = writes.recv() => {
                let Write { bytes, written } = write?;
                if stdin.write_all(&bytes).await.is_err() {
                    drop(written);
                    return Some(Closed { unwritten: 1 + waiting(writes) });
                }
                let _ = written.send(()); // the sender no longer waits
            }
            _ = stdin.ready(Interest::ERROR) => return Some(Closed { unwritten: waiting(writes) }),
        }
    }
}

fn waiting(mut writes: mpsc::UnboundedReceiver<Write>) -> usize {
    writes.close();
    std::iter::from_fn(|| writes.try_recv().ok()).count()
}

/// Whether a process is about to end or has ended: then it closes everything, and its exit says so. The kernel marks it
/// before it closes the first file.
pub(super) fn is_exiting(pid: u32) -> bool {
    const PF_EXITING: u32 = 4;
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { return true };
    let flags = stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(6)?.parse::<u32>().ok());
    flags.is_none_or(|flags| flags & PF_EXITING != 0)
}
