//! What can go wrong with a server's answers, on purpose.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use axum::body::Bytes;
use futures::stream::{self, BoxStream, Stream, StreamExt};
use tokio::time::sleep;

/// For so long what was sent before a cut may leave: a server that fails at once sends nothing at all.
const LEAVE: Duration = Duration::from_millis(50);

/// What becomes of one answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mishap {
    /// Some of it comes, and then nothing.
    Stall,
    /// One byte of it is another.
    Corrupt,
    /// Some of it comes, and the connection breaks.
    Cut,
    /// The server is unavailable: 503.
    Refuse,
}

impl Mishap {
    pub(crate) const ALL: [Self; 4] = [Self::Stall, Self::Corrupt, Self::Cut, Self::Refuse];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Stall => "stall",
            Self::Corrupt => "corrupt",
            Self::Cut => "cut",
            Self::Refuse => "refuse",
        }
    }

    pub(crate) fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mishap| mishap.name() == name)
    }

    /// Does it to a body.
    pub(super) fn spoil(
        self,
        chunks: impl Stream<Item = Result<Bytes, Infallible>> + Send + 'static,
    ) -> BoxStream<'static, io::Result<Bytes>> {
        let chunks = chunks.map(|Ok(chunk)| Ok(chunk)).enumerate();
        let half = |(_, chunk): (usize, io::Result<Bytes>)| chunk.map(|chunk| chunk.slice(..chunk.len() / 2));
        match self {
            Self::Corrupt => {
                chunks.map(|(n, chunk)| chunk.map(|chunk| if n == 0 { other(&chunk) } else { chunk })).boxed()
            }
            // Half of the first chunk is half of a small file too.
            Self::Stall => chunks.take(1).map(half).chain(stream::pending()).boxed(),
            Self::Cut | Self::Refuse => {
                let cut = async {
                    sleep(LEAVE).await;
                    Err(io::Error::other("cut on purpose"))
                };
                chunks.take(1).map(half).chain(stream::once(cut)).boxed()
            }
        }
    }
}

/// The same but for one byte.
fn other(chunk: &Bytes) -> Bytes {
    let mut bytes = chunk.to_vec();
    if let Some(byte) = bytes.first_mut() {
        *byte ^= 1;
    }
    bytes.into()
}

/// What is to become of the next answers, and what became of those before.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mishaps(Arc<Mutex<Book>>);

#[derive(Debug, Default)]
struct Book {
    next: VecDeque<Mishap>,
    done: Vec<Done>,
}

/// A mishap that has happened.
#[derive(Clone, Debug)]
pub(crate) struct Done {
    pub(crate) at: SystemTime,
    pub(crate) mishap: Mishap,
    pub(crate) file: String,
}

impl Mishaps {
    pub(crate) fn plan(&self, mishap: Mishap, count: usize) {
        self.with(|book| book.next.extend(std::iter::repeat_n(mishap, count)));
    }

    /// So many are still to come.
    pub(crate) fn left(&self) -> usize {
        self.with(|book| book.next.len())
    }

    pub(crate) fn done(&self) -> Vec<Done> {
        self.with(|book| book.done.clone())
    }

    pub(super) fn next(&self, file: &str) -> Option<Mishap> {
        self.with(|book| {
            let mishap = book.next.pop_front()?;
            book.done.push(Done { at: SystemTime::now(), mishap, file: file.to_owned() });
            Some(mishap)
        })
    }

    fn with<T>(&self, look: impl FnOnce(&mut Book) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
