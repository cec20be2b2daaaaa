//! A recording for browsers: what a program has written down, on the page that it would have served itself.

use std::io::{self, ErrorKind};
use std::mem::take;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures::Stream;
use futures::stream::unfold;
use tokio::sync::{mpsc, oneshot};

use super::answers::{json, openapi, refused};
use super::guard::{Token, Way, may_ask};
use super::instance::link;
use super::record::{Recorded, recorded};
use super::wire::{Entry, Instance};
use super::{page, server};

/// So much is read before it is handed on.
const PORTION: usize = 64 << 10;

/// A recording that is not served yet.
///
/// What [`Door::record`](super::Door::record) has written is shown on the page that a door serves, on a port of the loopback
/// interface and to nobody without the token. It is no program that runs: no [`find`](super::find) finds it.
///
/// ```no_run
/// let replay = latido::control::Replay::new("run.jsonl").open()?; // closed when it is dropped
/// println!("{}", replay.url());
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// | request | answer |
/// |---|---|
/// | `GET /v1` | [`wire::Instance`](super::wire::Instance): who wrote it last, and the name of its file in `replay` |
/// | `GET /v1/record` | all that is recorded, each line a [`wire::Entry`](super::wire::Entry), as [`recorded`](super::recorded) reads them |
/// | `GET /v1/openapi.json` | what can be asked for, here and at a door |
/// | `GET /` | the page for browsers |
#[derive(Clone, Debug)]
pub struct Replay {
    path: PathBuf,
    address: SocketAddr,
}

/// A recording that is served. It is no longer when this is dropped; pages that have read it go on showing it.
#[derive(Debug)]
pub struct OpenReplay {
    address: SocketAddr,
    url: String,
    close: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

struct Shelf {
    path: PathBuf,
    instance: Instance,
}

impl Replay {
    /// Of what was written to `path`, and before that to what was put aside from it.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), address: (Ipv4Addr::LOCALHOST, 0).into() }
    }

    /// Listens here; without it, on any port of 127.0.0.1 that is free.
    pub fn tcp(mut self, address: SocketAddr) -> Self {
        self.address = address;
        self
    }

    /// Serves it, on a thread of its own. Each page that is opened reads the files anew.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, is no recording, or has no tree of who wrote it last; if the address is not to be
    /// had, or not of the loopback interface.
    pub fn open(self) -> io::Result<OpenReplay> {
        // Whoever serves it may go to another directory.
        let path = std::path::absolute(&self.path)?;
        let instance = whose(&path)
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", self.path.display())))?;
        let tcp = server::listen(self.address)?;
        let address = tcp.local_addr()?;
        let token = Token::new()?;
        let url = link(address, token.as_str());
        let (close, closed) = oneshot::channel();
        let thread = server::run_apart(tcp, router(Shelf { path, instance }, token), closed)?;
        Ok(OpenReplay { address, url, close: Some(close), thread: Some(thread) })
    }
}

impl OpenReplay {
    /// The page for browsers. The token is in the fragment, which browsers keep to themselves; it is as good as the token.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for OpenReplay {
    fn drop(&mut self) {
        self.close.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Who wrote it last, if there is anything to show of them. All of it is read, so that nobody is sent to a page that cannot
/// show it.
fn whose(path: &Path) -> io::Result<Instance> {
    // A pipe could be read but once.
    if !path.metadata()?.is_file() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "it is no file, which could be read again"));
    }
    let (mut last, mut has_tree) = (None::<Instance>, false);
    for entry in recorded(path)? {
        match entry? {
            Entry::Instance(instance) => {
                // A file that was put aside and the next one begin with the same.
                let is_same =
                    last.as_ref().is_some_and(|it| (it.pid, it.since) == (instance.pid, instance.since));
                has_tree &= is_same;
                last = Some(instance);
            }
            Entry::Tree(_) => has_tree = true,
            _ => {}
        }
    }
    let last = last.filter(|_| has_tree);
    let last = last.ok_or_else(|| io::Error::new(ErrorKind::InvalidData, "nothing is recorded there"))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(Instance { actions: false, replay: Some(name), ..last })
}

fn router(shelf: Shelf, token: Token) -> Router {
    Router::new()
        .route("/v1", get(instance))
        .route("/v1/record", get(record))
        .route("/v1/openapi.json", get(openapi))
        .merge(page::routes())
        .fallback(nothing)
        .method_not_allowed_fallback(not_done)
        .layer(from_fn_with_state((token, Way::Tcp), may_ask))
        .with_state(Arc::new(shelf))
}

async fn instance(State(shelf): State<Arc<Shelf>>) -> Response {
    json(&shelf.instance)
}

async fn record(State(shelf): State<Arc<Shelf>>) -> Response {
    let path = shelf.path.clone();
    let begun = tokio::task::spawn_blocking(move || {
        let mut recorded = recorded(&path)?;
        let first = recorded.line().transpose()?;
        Ok::<_, io::Error>((first.map(|(line, _)| line), recorded))
    });
    match begun.await.unwrap_or_else(|error| Err(io::Error::other(error))) {
        Ok((first, rest)) => {
            let body = Body::from_stream(portions(first.unwrap_or_default(), rest));
            ([(CONTENT_TYPE, "application/x-ndjson")], body).into_response()
        }
        // It was there when this began.
        Err(error) => {
            refused(StatusCode::INTERNAL_SERVER_ERROR, format!("{}: {error}", shelf.path.display()))
        }
    }
}

/// The lines, as fast as they are read at the other end. The disk has a thread of its own, or nobody else would be answered
/// meanwhile.
fn portions(first: Vec<u8>, mut rest: Recorded) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    let (sender, receiver) = mpsc::channel(2);
    tokio::task::spawn_blocking(move || {
        let mut portion = first;
        while let Some(read) = rest.line() {
            match read {
                Ok((line, _)) => portion.extend(line),
                // The answer breaks off.
                Err(error) => return drop(sender.blocking_send(Err(error))),
            }
            // Whoever has gone away needs no more of it.
            if portion.len() >= PORTION && sender.blocking_send(Ok(take(&mut portion).into())).is_err() {
                return;
            }
        }
        let _ = sender.blocking_send(Ok(portion.into()));
    });
    unfold(receiver, async |mut receiver| Some((receiver.recv().await?, receiver)))
}

async fn nothing() -> Response {
    refused(
        StatusCode::NOT_FOUND,
        "this is a recording, not a program that runs: there are /v1, /v1/record and the page",
    )
}

async fn not_done() -> Response {
    refused(
        StatusCode::METHOD_NOT_ALLOWED,
        "this is a recording: GET looks at it, and nothing can be done to it",
    )
}
