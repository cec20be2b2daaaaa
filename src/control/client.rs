//! Those who knock: `latido tree` and its like, and whoever writes one of their own.

use std::io;
use std::path::{Path, PathBuf};

use axum::body::Bytes;
use futures::Stream;
use futures::stream::unfold;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;

use super::instance::{self, Card};
use super::wire::{Done, Event, FaultInfo, Incident, Inject, Instance, Refused, Target, Tree};

/// Whoever knocks at one door.
#[derive(Clone, Debug)]
pub struct Client {
    socket: PathBuf,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// Nobody is there.
    #[error("nobody answers at {0:?}: {1}")]
    Gone(PathBuf, #[source] io::Error),
    /// It broke off.
    #[error("the program broke off: {0}")]
    Broken(#[from] hyper::Error),
    /// It was refused, and why.
    #[error("{0}")]
    Refused(String),
    /// The program speaks another version of this.
    #[error("the answer is not understood: {0}; is the program of another version?")]
    Answer(#[from] serde_json::Error),
}

/// The doors in `dir` (as a rule [`directory()`](super::directory)) that somebody answers at, the oldest first. What programs that were killed have left behind is
/// removed.
///
/// # Errors
///
/// If the directory cannot be read.
pub async fn find(dir: &Path) -> io::Result<Vec<(Card, Instance)>> {
    let mut found = Vec::new();
    for (path, card) in instance::cards(dir)? {
        match Client::new(&card).instance().await {
            Ok(instance) => found.push((card, instance)),
            Err(ClientError::Gone(_, error)) if is_dead(&error) => instance::clear(&path, &card),
            // It may be of another version, or about to end.
            Err(_) => {}
        }
    }
    Ok(found)
}

fn is_dead(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound)
}

impl Client {
    /// For the door that has this card.
    pub fn new(card: &Card) -> Self {
        Self { socket: card.socket.clone() }
    }

    /// Who answers.
    pub async fn instance(&self) -> Result<Instance, ClientError> {
        self.get("/v1").await
    }

    /// What every child is doing.
    pub async fn tree(&self) -> Result<Tree, ClientError> {
        self.get("/v1/tree").await
    }

    /// The last 256 failures, the oldest first.
    pub async fn incidents(&self) -> Result<Vec<Incident>, ClientError> {
        self.get("/v1/incidents").await
    }

    /// What the program shows beside its tree.
    pub async fn extra<T: DeserializeOwned>(&self, name: &str) -> Result<T, ClientError> {
        self.get(&format!("/v1/extra/{name}")).await
    }

    /// The events after the one of this number, and then those that happen; without a number, from now on. It ends when
    /// the program does.
    pub async fn events(
        &self,
        after: Option<u64>,
    ) -> Result<impl Stream<Item = Result<Event, ClientError>> + use<>, ClientError> {
        let after = after.map_or_else(String::new, |after| format!("&after={after}"));
        let response =
            self.ask(Method::GET, &format!("/v1/events?format=ndjson{after}"), Bytes::new()).await?;
        let body = success(response).await?;
        Ok(unfold(
            (body, Vec::new(), 0),
            |(mut body, mut text, mut read): (Incoming, Vec<u8>, usize)| async move {
                loop {
                    if let Some(length) = text[read..].iter().position(|byte| *byte == b'\n') {
                        let event = serde_json::from_slice(&text[read..read + length]).map_err(Into::into);
                        return Some((event, (body, text, read + length + 1)));
                    }
                    // Many lines come at a time: to move the rest up for each of them would take longer than to read it.
                    text.drain(..read);
                    read = 0;
                    match body.frame().await? {
                        Ok(frame) => text.extend(frame.into_data().unwrap_or_default()),
                        Err(_) => return None,
                    }
                }
            },
        ))
    }

    /// The faults that the children at a path have, or a glob over paths; without one, those that every child has.
    pub async fn faults(&self, path: Option<&str>) -> Result<Vec<FaultInfo>, ClientError> {
        let of = path.map_or_else(String::new, |path| format!("?path={}", url_escaped(path)));
        self.get(&format!("/v1/faults{of}")).await
    }

    /// Puts a failure into children.
    pub async fn inject(&self, inject: &Inject) -> Result<Done, ClientError> {
        self.post("/v1/inject", inject).await
    }

    /// Stops a child, if it runs, and starts it again.
    pub async fn restart(&self, path: &str) -> Result<Done, ClientError> {
        self.post("/v1/restart", &Target { path: path.to_owned() }).await
    }

    /// Stops a child; it stays down until it is restarted.
    pub async fn stop(&self, path: &str) -> Result<Done, ClientError> {
        self.post("/v1/stop", &Target { path: path.to_owned() }).await
    }

    /// Has a child's messages wait.
    pub async fn pause(&self, path: &str) -> Result<Done, ClientError> {
        self.post("/v1/pause", &Target { path: path.to_owned() }).await
    }

    /// Lets them flow again.
    pub async fn resume(&self, path: &str) -> Result<Done, ClientError> {
        self.post("/v1/resume", &Target { path: path.to_owned() }).await
    }

    /// Has a child handle what is queued and take nothing new, and stops it then. Answered when that is done.
    pub async fn drain(&self, path: &str) -> Result<Done, ClientError> {
        self.post("/v1/drain", &Target { path: path.to_owned() }).await
    }

    async fn get<T: DeserializeOwned>(&self, what: &str) -> Result<T, ClientError> {
        answer(self.ask(Method::GET, what, Bytes::new()).await?).await
    }

    async fn post<T: DeserializeOwned>(&self, what: &str, body: &impl Serialize) -> Result<T, ClientError> {
        answer(self.ask(Method::POST, what, serde_json::to_vec(body)?.into()).await?).await
    }

    async fn ask(&self, method: Method, what: &str, body: Bytes) -> Result<Response<Incoming>, ClientError> {
        let stream = UnixStream::connect(&self.socket).await;
        let stream = stream.map_err(|error| ClientError::Gone(self.socket.clone(), error))?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection); // What goes wrong with it, the sender hears.
        let request = Request::builder()
            .method(method)
            .uri(what)
            .header(HOST, "localhost")
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(body))
            .expect("its parts are right");
        Ok(sender.send_request(request).await?)
    }
}

/// As it may stand in a query.
fn url_escaped(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'/' | b'*' => {
                char::from(byte).to_string()
            }
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

async fn answer<T: DeserializeOwned>(response: Response<Incoming>) -> Result<T, ClientError> {
    let body = success(response).await?.collect().await?.to_bytes();
    Ok(serde_json::from_slice(&body)?)
}

async fn success(response: Response<Incoming>) -> Result<Incoming, ClientError> {
    let status = response.status();
    if status.is_success() {
        return Ok(response.into_body());
    }
    let body = response.into_body().collect().await?.to_bytes();
    Err(ClientError::Refused(match serde_json::from_slice(&body) {
        Ok(Refused { error }) => error,
        Err(_) => format!("the program answers {status}"),
    }))
}
