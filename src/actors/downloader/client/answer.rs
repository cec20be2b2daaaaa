//! An answer, by whichever way it came.

use std::error::Error;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;

use crate::actors::downloader::silence::Silence;

pub(in crate::actors::downloader) enum Answer {
    Plain(PlainAnswer),
    Full(reqwest::Response),
}

pub(in crate::actors::downloader) struct PlainAnswer {
    pub(super) answer: hyper::Response<Incoming>,
    pub(super) silence: Silence,
}

/// Why a body broke off.
#[derive(Debug)]
pub(in crate::actors::downloader) enum BrokenOff {
    Silence,
    Error(Box<dyn Error>),
}

impl Answer {
    pub(in crate::actors::downloader) fn status(&self) -> StatusCode {
        match self {
            Self::Plain(plain) => plain.answer.status(),
            Self::Full(answer) => answer.status(),
        }
    }

    pub(in crate::actors::downloader) fn headers(&self) -> &HeaderMap {
        match self {
            Self::Plain(plain) => plain.answer.headers(),
            Self::Full(answer) => answer.headers(),
        }
    }

    /// The next bytes of the body; `None` at its end.
    pub(in crate::actors::downloader) async fn chunk(&mut self) -> Result<Option<Bytes>, BrokenOff> {
        match self {
            Self::Plain(plain) => plain.chunk().await,
            Self::Full(answer) => answer.chunk().await.map_err(|error| match error.is_timeout() {
                true => BrokenOff::Silence,
                false => BrokenOff::Error(error.into()),
            }),
        }
    }
}

impl PlainAnswer {
    async fn chunk(&mut self) -> Result<Option<Bytes>, BrokenOff> {
        loop {
            let frame = self.silence.unless(self.answer.body_mut().frame()).await;
            match frame.ok_or(BrokenOff::Silence)? {
                None => return Ok(None),
                Some(Err(error)) => return Err(BrokenOff::Error(error.into())),
                Some(Ok(frame)) => {
                    // Trailers are no part of the file.
                    if let Ok(bytes) = frame.into_data() {
                        return Ok(Some(bytes));
                    }
                }
            }
        }
    }
}
