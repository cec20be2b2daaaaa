//! What this program and a guard tell each other: messages as JSON behind their length, file descriptors beside them.

use std::ffi::OsString;
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream as StdUnixStream;
use std::sync::Arc;

use rustix::cmsg_space;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, recvmsg, send, sendmsg,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::Interest;
use tokio::net::UnixStream;

/// Standard input, output and error.
pub(crate) const STDIO: usize = 3;

const LENGTH: usize = size_of::<u32>();

/// To a guard.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Order {
    /// Start a program. Its three standard streams come with the message.
    Run(Launch),
    /// Send its group a signal, and wake what is suspended.
    SignalGroup(i32),
    /// Send the program itself a signal, and wake it if it is suspended.
    SignalLeader(i32),
    /// Send the program, or its group, a signal and nothing else, on purpose.
    Signal { signal: i32, is_for_group: bool },
    /// Have a process below it that has left its group, on purpose.
    Escape,
    /// Kill it and all that it has started.
    Kill,
}

/// From a guard.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Told {
    Started {
        pid: u32,
    },
    /// With the error number, if the operating system gave one.
    NotStarted {
        errno: Option<i32>,
        text: String,
    },
    Ended(End),
}

/// The program has ended, and everything it had started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct End {
    /// As wait(2) gives it. `None` if not even the program could be killed.
    pub(crate) status: Option<i32>,
    /// How many processes outside its group had to be killed one by one.
    pub(crate) escaped: usize,
    /// What could not be killed: process ids and names.
    pub(crate) survivors: Vec<(u32, String)>,
}

/// What to run, in full.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Launch {
    pub(crate) program: OsString,
    pub(crate) args: Vec<OsString>,
    pub(crate) env: Vec<(OsString, OsString)>,
    /// Whether `env` is all of the environment.
    pub(crate) bare: bool,
    pub(crate) dir: OsString,
    pub(crate) terms: Terms,
}

/// What a program has to be given between fork and exec. A launcher does that.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Terms {
    pub(crate) nice: Option<i32>,
    pub(crate) limits: Vec<(Resource, u64)>,
    pub(crate) user: Option<Account>,
    pub(crate) group: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Resource {
    /// Bytes of address space.
    Memory,
    /// Seconds of processor time.
    Cpu,
    OpenFiles,
    /// Processes of the same user.
    Processes,
    /// Bytes of a core dump.
    Core,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Account {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    /// Its name, if it has one: it says which other groups the user is in.
    pub(crate) name: Option<String>,
}

/// The two halves of one end.
pub(crate) fn halves(socket: StdUnixStream) -> io::Result<(Sender, Receiver)> {
    socket.set_nonblocking(true)?;
    let socket = Arc::new(UnixStream::from_std(socket)?);
    Ok((Sender(socket.clone()), Receiver { socket, bytes: Vec::new(), fds: Vec::new() }))
}

pub(crate) struct Sender(Arc<UnixStream>);

impl Sender {
    pub(crate) async fn send(&self, message: &impl Serialize, fds: &[BorrowedFd<'_>]) -> io::Result<()> {
        let bytes = packed(message)?;
        let mut sent = 0;
        while sent < bytes.len() {
            sent += self
                .0
                .async_io(Interest::WRITABLE, || {
                    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(STDIO))];
                    let mut beside = SendAncillaryBuffer::new(&mut space);
                    // They go with the first byte.
                    if sent == 0 && !fds.is_empty() {
                        beside.push(SendAncillaryMessage::ScmRights(fds));
                    }
                    Ok(sendmsg(&*self.0, &[IoSlice::new(&bytes[sent..])], &mut beside, SendFlags::NOSIGNAL)?)
                })
                .await?;
        }
        Ok(())
    }

    /// The same end under another descriptor.
    pub(crate) fn duplicate(&self) -> io::Result<StdUnixStream> {
        Ok(self.0.as_fd().try_clone_to_owned()?.into())
    }

    /// Sends a short message at once. The other end reads all the time, so there is room for it; and if it is gone,
    /// nobody needs the message.
    pub(crate) fn send_now(&self, message: &impl Serialize) {
        let bytes = packed(message).expect("an order can be written as JSON");
        let _ = send(&*self.0, &bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL);
    }
}

pub(crate) struct Receiver {
    socket: Arc<UnixStream>,
    bytes: Vec<u8>,
    fds: Vec<OwnedFd>,
}

impl Receiver {
    /// The next message; `None` when the other end is gone. May be dropped half-way and asked again.
    pub(crate) async fn receive<T: DeserializeOwned>(&mut self) -> io::Result<Option<T>> {
        loop {
            if let Some(message) = self.unpack()? {
                return Ok(Some(message));
            }
            let Self { socket, bytes, fds } = self;
            let read = socket.async_io(Interest::READABLE, || read_some(socket, bytes, fds)).await;
            match read {
                Ok(0) => return Ok(None),
                Ok(_) => {}
                // It went away with messages unread.
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(None),
                Err(error) => return Err(error),
            }
        }
    }

    /// The file descriptors that came with the last message.
    pub(crate) fn take_fds(&mut self) -> Vec<OwnedFd> {
        std::mem::take(&mut self.fds)
    }

    fn unpack<T: DeserializeOwned>(&mut self) -> io::Result<Option<T>> {
        let Some((length, rest)) = self.bytes.split_first_chunk::<LENGTH>() else { return Ok(None) };
        let length = u32::from_ne_bytes(*length) as usize;
        let Some(json) = rest.get(..length) else { return Ok(None) };
        let message = serde_json::from_slice(json)?;
        self.bytes.drain(..LENGTH + length);
        Ok(Some(message))
    }
}

fn packed(message: &impl Serialize) -> io::Result<Vec<u8>> {
    let json = serde_json::to_vec(message)?;
    let length = u32::try_from(json.len()).map_err(io::Error::other)?;
    Ok([&length.to_ne_bytes()[..], &json].concat())
}

fn read_some(socket: &UnixStream, bytes: &mut Vec<u8>, fds: &mut Vec<OwnedFd>) -> io::Result<usize> {
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(STDIO))];
    let mut beside = RecvAncillaryBuffer::new(&mut space);
    let mut buffer = [0; 4096];
    let received =
        recvmsg(socket, &mut [IoSliceMut::new(&mut buffer)], &mut beside, RecvFlags::CMSG_CLOEXEC)?;
    bytes.extend_from_slice(&buffer[..received.bytes]);
    for message in beside.drain() {
        if let RecvAncillaryMessage::ScmRights(received) = message {
            fds.extend(received);
        }
    }
    Ok(received.bytes)
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::*;

    #[actix::test]
    async fn messages_of_any_size_arrive_with_their_file_descriptors() {
        let (ours, theirs) = StdUnixStream::pair().unwrap();
        let (sender, _kept) = halves(ours).unwrap();
        let (_, mut receiver) = halves(theirs).unwrap();
        let (mut reader, mut writer) = io::pipe().unwrap();
        let long = vec!["x".repeat(1_000_000), "y".to_owned()];
        let (sent, received) = futures::future::join(
            async {
                sender.send(&long, &[writer.as_fd()]).await?;
                sender.send(&"short", &[]).await
            },
            async {
                let first: Vec<String> = receiver.receive().await.unwrap().unwrap();
                let fds = receiver.take_fds();
                let second: String = receiver.receive().await.unwrap().unwrap();
                (first, fds, second)
            },
        )
        .await;
        sent.unwrap();
        let (first, mut fds, second) = received;
        assert_eq!((first, second.as_str()), (long, "short"));

        writer.write_all(b"one ").unwrap();
        drop(writer);
        std::fs::File::from(fds.remove(0)).write_all(b"pipe").unwrap();
        assert!(fds.is_empty());
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(text, "one pipe");
    }

    #[actix::test]
    async fn the_end_of_the_other_side_is_no_error() {
        let (ours, theirs) = StdUnixStream::pair().unwrap();
        let (_, mut receiver) = halves(ours).unwrap();
        drop(theirs);
        assert!(receiver.receive::<Told>().await.unwrap().is_none());
    }
}
