//! Who gets what a program writes, and in which form.

use std::fmt;
use std::sync::Arc;

use actix::prelude::*;
use futures::future::BoxFuture;
use serde::de::DeserializeOwned;
use tokio::sync::mpsc;

use super::messages::{Chunk, Frame, Line, StdStream};
use super::output::Output;

/// What an output becomes. Whatever it is, one piece is delivered when the one before has been handled.
#[derive(Clone)]
pub(super) enum Sink {
    Nobody,
    Lines(Recipient<Line>),
    Chunks(Recipient<Chunk>),
    Frames(Arc<Deliver>),
}

/// Sends one frame, unless it is not of the type that was expected.
type Deliver = dyn Fn(&[u8]) -> serde_json::Result<BoxFuture<'static, ()>> + Send + Sync;

/// What is to be seen in what a program writes.
pub(super) struct Lookout {
    /// A line with this in it says that it is ready.
    pub(super) ready: Option<String>,
    pub(super) seen: mpsc::UnboundedSender<Sight>,
}

pub(super) enum Sight {
    ReadyLine,
    BadFrame(String),
}

impl Sink {
    pub(super) fn frames<T: DeserializeOwned + Send + 'static>(to: Recipient<Frame<T>>) -> Self {
        Self::Frames(Arc::new(move |json| {
            let request = to.send(Frame(serde_json::from_slice(json)?));
            Ok(Box::pin(async move {
                let _ = request.await;
            }))
        }))
    }

    /// Delivers all of an output. A reader that is gone wants no more of it; it is read all the same.
    pub(super) async fn forward(&self, output: &mut Output, stream: StdStream, lookout: &Lookout) {
        match self {
            Self::Nobody => while lookout.next_line(output).await.is_some() {},
            Self::Lines(to) => {
                while let Some(text) = lookout.next_line(output).await {
                    let _ = to.send(Line { stream, text }).await;
                }
            }
            Self::Chunks(to) => {
                while let Some(bytes) = output.next_chunk().await {
                    let _ = to.send(Chunk(bytes)).await;
                }
            }
            Self::Frames(deliver) => {
                while let Some(frame) = output.next_frame().await {
                    let too_long = |length| format!("{length} bytes are too many");
                    let sent =
                        frame.map_err(too_long).and_then(|json| deliver(&json).map_err(|e| e.to_string()));
                    match sent {
                        Ok(sent) => sent.await,
                        // Where the next frame begins is not known either.
                        Err(error) => return lookout.sees(Sight::BadFrame(error)),
                    }
                }
            }
        }
    }
}

impl Lookout {
    async fn next_line(&self, output: &mut Output) -> Option<String> {
        let line = output.next_line().await?;
        if self.ready.as_ref().is_some_and(|ready| line.contains(ready)) {
            self.sees(Sight::ReadyLine);
        }
        Some(line)
    }

    fn sees(&self, sight: Sight) {
        let _ = self.seen.send(sight); // nobody looks any more
    }
}

impl fmt::Debug for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nobody => "Nobody",
            Self::Lines(_) => "Lines",
            Self::Chunks(_) => "Chunks",
            Self::Frames(_) => "Frames",
        })
    }
}
