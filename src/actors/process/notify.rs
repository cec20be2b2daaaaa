//! The socket over which a program says that it is ready and alive, as with systemd's `sd_notify`.

use std::ffi::OsString;
use std::fs;
use std::io::{self, IoSliceMut};
use std::os::fd::{AsRawFd, RawFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram as StdUnixDatagram};

use nix::cmsg_space;
use nix::sys::socket::{
    ControlMessageOwned, MsgFlags, UnixCredentials, recvmsg, setsockopt, sockopt::PassCred,
};
use nix::unistd::close;
use tokio::io::Interest;
use tokio::net::UnixDatagram;

/// The most file descriptors that can come with one message.
const SCM_MAX_FD: usize = 253;

/// One program's socket. It has a name, not a file, so there is none to be left over.
pub(super) struct Notify {
    socket: UnixDatagram,
    name: String,
}

/// One thing that a program can say.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Notice {
    Ready,
    Alive,
    /// It asks to be treated as if it were not alive.
    Trigger,
    Status(String),
}

impl Notify {
    pub(super) fn open() -> io::Result<Self> {
        let name = format!("latido-notify-{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..));
        let socket = StdUnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name)?)?;
        socket.set_nonblocking(true)?;
        // Every message comes with the process that sent it, by the kernel's word.
        setsockopt(&socket, PassCred, &true)?;
        Ok(Self { socket: UnixDatagram::from_std(socket)?, name })
    }

    /// The value of `NOTIFY_SOCKET`.
    pub(super) fn address(&self) -> OsString {
        format!("@{}", self.name).into()
    }

    /// The next message from the program, or from what it has started. Anybody on the machine can send one; those of
    /// others are dropped.
    pub(super) async fn next(&self, leader: u32) -> Vec<Notice> {
        loop {
            let received = self.socket.async_io(Interest::READABLE, || receive(&self.socket)).await;
            match received {
                Ok((sender, text)) if descends(sender, leader) => return notices(&text),
                _ => {}
            }
        }
    }
}

fn receive(socket: &UnixDatagram) -> io::Result<(u32, String)> {
    let mut space = cmsg_space!(UnixCredentials, [RawFd; SCM_MAX_FD]);
    let mut buffer = [0; 4096];
    let mut parts = [IoSliceMut::new(&mut buffer)];
    let received =
        recvmsg::<()>(socket.as_raw_fd(), &mut parts, Some(&mut space), MsgFlags::MSG_CMSG_CLOEXEC)?;
    let mut sender = 0;
    for message in received.cmsgs()? {
        match message {
            ControlMessageOwned::ScmCredentials(credentials) => sender = credentials.pid().cast_unsigned(),
            // Nobody wants them. With BARRIER=1 that they are closed is the answer.
            ControlMessageOwned::ScmRights(fds) => {
                for fd in fds {
                    let _ = close(fd);
                }
            }
            _ => {}
        }
    }
    let length = received.bytes;
    Ok((sender, String::from_utf8_lossy(&buffer[..length]).into_owned()))
}

fn notices(text: &str) -> Vec<Notice> {
    let notice = |line: &str| match line.split_once('=')? {
        ("READY", "1") => Some(Notice::Ready),
        ("WATCHDOG", "1") => Some(Notice::Alive),
        ("WATCHDOG", "trigger") => Some(Notice::Trigger),
        ("STATUS", status) => Some(Notice::Status(status.to_owned())),
        _ => None,
    };
    text.lines().filter_map(notice).collect()
}

/// Whether a process is `leader` or below the same guard.
fn descends(mut pid: u32, leader: u32) -> bool {
    let guard = parent(leader);
    while pid > 1 {
        if pid == leader || Some(pid) == guard {
            return true;
        }
        let Some(next) = parent(pid) else { return false };
        pid = next;
    }
    false
}

fn parent(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_may_say_several_things_and_what_is_not_known_is_passed_over() {
        let said = notices("READY=1\nSTATUS=up and running\nMAINPID=7\nWATCHDOG=1\nnonsense");
        assert_eq!(said, [Notice::Ready, Notice::Status("up and running".into()), Notice::Alive]);
    }
}
