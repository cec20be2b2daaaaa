//! What befalls a downloader on purpose: the faults of its own.

use std::io;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use bytes::Bytes;
use rustix::io::Errno;
use tokio::time::sleep;

use super::Downloader;
use super::client::{Answer, BrokenOff};
use crate::fault::DiskError;
use crate::supervision::ChildSpec;

/// At most one waits on each of the two ways that bytes go. Whichever file's bytes come next have it.
#[derive(Debug, Default)]
pub(super) struct Mishaps {
    on_the_wire: AtomicU8,
    on_the_disk: AtomicU8,
}

const NOTHING: u8 = 0;
const CUT: u8 = 1;
const CORRUPT: u8 = 2;
const STALL: u8 = 3;
const BROKEN: u8 = 4;
const FULL: u8 = 5;

impl Mishaps {
    fn cause(way: &AtomicU8, what: u8) {
        way.store(what, Ordering::Relaxed);
    }

    fn next(way: &AtomicU8) -> u8 {
        match way.load(Ordering::Relaxed) {
            NOTHING => NOTHING,
            _ => way.swap(NOTHING, Ordering::Relaxed),
        }
    }

    /// The next bytes of an answer, and what befalls them. After an error the answer is dropped, and with what is left of
    /// its body unread its connection is closed.
    pub(super) async fn chunk(
        &self,
        answer: &mut Answer,
        silence: Duration,
    ) -> Result<Option<Bytes>, BrokenOff> {
        let chunk = answer.chunk().await?;
        match (Self::next(&self.on_the_wire), chunk) {
            (CUT, _) => Err(BrokenOff::Error(io::Error::from(Errno::CONNRESET).into())),
            (CORRUPT, Some(bytes)) if !bytes.is_empty() => {
                let mut bytes = Vec::from(bytes);
                // The same wrong file twice would not be taken for bytes that were damaged on their way.
                let place = fastrand::usize(..bytes.len());
                bytes[place] ^= 1 << fastrand::u32(..8);
                Ok(Some(bytes.into()))
            }
            (STALL, _) => {
                sleep(silence).await;
                Err(BrokenOff::Silence)
            }
            (_, chunk) => Ok(chunk),
        }
    }

    /// Whether the next write fails.
    pub(super) fn of_write(&self) -> io::Result<()> {
        match Self::next(&self.on_the_disk) {
            NOTHING => Ok(()),
            BROKEN => Err(DiskError::Io.into()),
            _ => Err(DiskError::Full.into()),
        }
    }
}

impl Downloader {
    /// Gives a downloader the faults of its own: `cut` closes the connection by which the next bytes come, `corrupt`
    /// flips a bit of them, `stall` has none come any more, and `write-error:EIO` or `write-error:ENOSPC` has the next write
    /// fail. The first file that has anything to do with bytes is struck.
    ///
    /// ```
    /// # use latido::actors::downloader::Downloader;
    /// # use latido::supervision::ChildSpec;
    /// let spec = Downloader::breakable(ChildSpec::new("downloader", Downloader::default));
    /// ```
    pub fn breakable(spec: ChildSpec<Self>) -> ChildSpec<Self> {
        let wire = |what| {
            move |it: &mut Self, _: &mut actix::Context<Self>| Mishaps::cause(&it.mishaps.on_the_wire, what)
        };
        spec.fault("cut", "the connection by which the next bytes come is closed", wire(CUT))
            .fault("corrupt", "a bit of the next bytes that come is wrong", wire(CORRUPT))
            .fault("stall", "a server says nothing more, until its silence is too long", wire(STALL))
            .fault_with(
                "write-error:EIO|ENOSPC",
                "the disk does not take the next bytes",
                |it: &mut Self, error: DiskError, _| {
                    Mishaps::cause(
                        &it.mishaps.on_the_disk,
                        if error == DiskError::Full { FULL } else { BROKEN },
                    );
                },
            )
    }
}
