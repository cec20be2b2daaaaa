//! What an init system hears, as systemd's `sd_notify(3)` has it: datagrams to the socket that `NOTIFY_SOCKET` names.

use std::env;
use std::ffi::OsStr;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::process;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

pub(super) struct Init {
    to: Option<(UnixDatagram, SocketAddr)>,
    /// Within which it wants a sign of life.
    pub(super) watchdog: Option<Duration>,
}

impl Init {
    /// The one that has started this process, if it listens.
    pub(super) fn find() -> io::Result<Self> {
        let set = |name| env::var_os(name).filter(|value| !value.is_empty());
        let to = set("NOTIFY_SOCKET").map(|name| address(&name)).transpose()?;
        let number = |name| set(name)?.to_str()?.parse::<u64>().ok();
        let is_for_us = number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(process::id()));
        let watchdog =
            number("WATCHDOG_USEC").filter(|usec| is_for_us && *usec > 0).map(Duration::from_micros);
        let to = to.map(|to| Ok::<_, io::Error>((UnixDatagram::unbound()?, to))).transpose()?;
        if let Some((socket, _)) = &to {
            // A full queue must not hold up the heartbeat: the next sign says the same.
            socket.set_nonblocking(true)?;
        }
        Ok(Self { to, watchdog })
    }

    pub(super) fn ready(&self) {
        self.say(&format!("READY=1\nMAINPID={}", process::id()));
    }

    pub(super) fn alive(&self) {
        self.say("WATCHDOG=1");
    }

    /// Until the next [`ready`](Self::ready).
    pub(super) fn reloading(&self) {
        let now = clock_gettime(ClockId::Monotonic);
        self.say(&format!("RELOADING=1\nMONOTONIC_USEC={}", now.tv_sec * 1_000_000 + now.tv_nsec / 1_000));
    }

    pub(super) fn stopping(&self) {
        self.say("STOPPING=1");
    }

    fn say(&self, text: &str) {
        if let Some((socket, to)) = &self.to
            && let Err(error) = socket.send_to_addr(text.as_bytes(), to)
        {
            log::warn!("the init system does not hear {text:?}: {error}");
        }
    }
}

/// A path, or a name that is no file's after `@`.
fn address(name: &OsStr) -> io::Result<SocketAddr> {
    match name.as_bytes() {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name),
        [b'/', ..] => SocketAddr::from_pathname(name),
        _ => Err(io::Error::other(format!("NOTIFY_SOCKET={name:?} is no path and no abstract name"))),
    }
}
