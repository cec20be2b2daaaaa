//! `http` without a proxy, which is what large numbers of small files come by: a request costs half of what it costs a
//! client that can do everything.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Empty;
use hyper::header::{ACCEPT, ACCEPT_ENCODING, LOCATION, USER_AGENT as AGENT};
use hyper::{Request, StatusCode, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use reqwest::Url;

use super::answer::{Answer, PlainAnswer};
use super::{BARE, USER_AGENT};
use crate::actors::downloader::Limits;
use crate::actors::downloader::error::find;
use crate::actors::downloader::silence::Silence;

#[derive(Clone)]
pub(super) struct Plain {
    client: Client<HttpConnector, Empty<Bytes>>,
    proxies: Arc<Matcher>,
    silence: Duration,
}

pub(super) enum Outcome {
    Answer(Answer),
    /// The file is somewhere else.
    Redirect(Url),
    /// Nothing came for too long.
    Silence,
    /// No connection came about in time.
    Unreachable,
    /// Anything else went wrong before the head of the answer was there.
    Failure,
    /// It is not for this client.
    NotPlain,
}

impl Plain {
    pub(super) fn new(limits: Limits) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(limits.connect));
        let client = Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(connector);
        Self { client, proxies: Arc::new(Matcher::from_system()), silence: limits.silence }
    }

    pub(super) async fn get(&self, url: &Url) -> Outcome {
        let Some(uri) = self.uri(url) else { return Outcome::NotPlain };
        let request = Request::get(uri)
            .header(AGENT, USER_AGENT)
            .header(ACCEPT, "*/*")
            .header(ACCEPT_ENCODING, BARE)
            .body(Empty::new());
        let Ok(request) = request else { return Outcome::NotPlain };
        let mut silence = Silence::new(self.silence);
        let answer = match silence.unless(self.client.request(request)).await {
            None => return Outcome::Silence,
            Some(Err(error)) if error.is_connect() && timed_out(&error) => return Outcome::Unreachable,
            Some(Err(_)) => return Outcome::Failure,
            Some(Ok(answer)) => answer,
        };
        let location = answer.headers().get(LOCATION).filter(|_| redirects(answer.status()));
        let elsewhere = location.and_then(|location| url.join(location.to_str().ok()?).ok());
        match elsewhere {
            Some(elsewhere) => Outcome::Redirect(elsewhere),
            None => Outcome::Answer(Answer::Plain(PlainAnswer { answer, silence })),
        }
    }

    fn uri(&self, url: &Url) -> Option<Uri> {
        let bare = url.scheme() == "http" && url.username().is_empty() && url.password().is_none();
        let uri: Uri = bare.then(|| url.as_str().parse().ok())??;
        self.proxies.intercept(&uri).is_none().then_some(uri)
    }
}

fn redirects(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

fn timed_out(error: &hyper_util::client::legacy::Error) -> bool {
    find::<io::Error>(error).is_some_and(|error| error.kind() == io::ErrorKind::TimedOut)
}
