//! `http` without a proxy, which is what large numbers of small files come by: a request costs half of what it costs a
//! client that can do everything.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Empty;
use hyper::header::{ACCEPT, ACCEPT_ENCODING, HeaderMap, HeaderValue, USER_AGENT};
use hyper::http::uri::Scheme;
use hyper::rt::Executor;
use hyper::{Request, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::TokioTimer;

use super::answer::{Answer, PlainAnswer};
use super::{BARE, hops};
use crate::actors::downloader::error::find;
use crate::actors::downloader::settings::Settings;
use crate::actors::downloader::silence::Silence;

#[derive(Clone)]
pub(super) struct Plain {
    client: Client<HttpConnector, Empty<Bytes>>,
    proxies: Option<Arc<Matcher>>,
    settings: Arc<Settings>,
}

/// Drives connections beside the actors, and not beside the arbiter: a request goes to and fro between them a few times.
#[derive(Clone, Copy)]
struct Here;

impl<F: Future<Output = ()> + 'static> Executor<F> for Here {
    fn execute(&self, connection: F) {
        actix::spawn(connection);
    }
}

pub(super) enum Outcome {
    Answer(Answer),
    /// The file is there.
    Redirect(String),
    /// Nothing came for too long.
    Silence,
    /// No connection came about in time.
    Unreachable,
    /// Anything else went wrong before the head of the answer was there.
    Failure,
}

impl Plain {
    pub(super) fn new(settings: &Arc<Settings>) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(settings.limits.connect));
        let client = Client::builder(Here).pool_timer(TokioTimer::new()).build(connector);
        let proxies = settings.proxies.then(|| Arc::new(Matcher::from_system()));
        Self { client, proxies, settings: settings.clone() }
    }

    /// Whether `url` is for this client.
    pub(super) fn takes(&self, url: &str) -> Option<Uri> {
        let uri: Uri = is_written_plainly(url).then(|| url.parse().ok())??;
        let is_http = uri.scheme() == Some(&Scheme::HTTP);
        let is_direct = self.proxies.as_ref().is_none_or(|proxies| proxies.intercept(&uri).is_none());
        let is_anonymous = !self.settings.credentials.concern(uri.host().unwrap_or_default());
        (is_http && is_direct && is_anonymous).then_some(uri)
    }

    pub(super) async fn get(&self, uri: Uri, more: &HeaderMap) -> Outcome {
        let mut request = Request::new(Empty::new());
        *request.uri_mut() = uri;
        let headers = request.headers_mut();
        headers.insert(USER_AGENT, self.settings.user_agent.clone());
        headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(BARE));
        if !self.settings.headers.is_empty() {
            replace(headers, &self.settings.headers);
        }
        headers.extend(more.iter().map(|(name, value)| (name.clone(), value.clone())));
        let mut silence = Silence::new(self.settings.limits.silence);
        match silence.unless(self.client.request(request)).await {
            None => Outcome::Silence,
            Some(Err(error)) if error.is_connect() && timed_out(&error) => Outcome::Unreachable,
            Some(Err(_)) => Outcome::Failure,
            Some(Ok(answer)) => match hops::location(answer.status(), answer.headers()) {
                Some(to) => Outcome::Redirect(to),
                None => Outcome::Answer(Answer::Plain(PlainAnswer { answer, silence })),
            },
        }
    }
}

/// Whether it certainly is the way in which [`Url`](reqwest::Url) would write it, without anything that has to be
/// encoded, decoded, left out or sent apart. Parsing it as one takes two per cent of all the time that a small file takes.
fn is_written_plainly(url: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/:?&=+,".contains(&byte);
    url.bytes().all(is_plain) && !url.contains("/.")
}

/// Puts headers in place of those of the same name.
fn replace(headers: &mut HeaderMap, by: &HeaderMap) {
    by.keys().for_each(|name| drop(headers.remove(name)));
    for (name, value) in by {
        headers.append(name, value.clone());
    }
}

fn timed_out(error: &hyper_util::client::legacy::Error) -> bool {
    find::<io::Error>(error).is_some_and(|error| error.kind() == io::ErrorKind::TimedOut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_written_as_a_url_would_be_is_taken_as_it_stands() {
        let plain = Plain::new(&Arc::default());
        for url in ["http://a/b", "http://127.0.0.1:8080/a/b-c_d.tar?e=f&g", "http://a.example/"] {
            assert_eq!(reqwest::Url::parse(url).unwrap().as_str(), url);
            assert_eq!(plain.takes(url).unwrap().to_string(), url);
        }
        for url in [
            "https://a/b",
            "ftp://a/b",
            "file",
            "",
            "http://user:word@a/b",
            "http://a/b c",
            "http://a/../b",
            "http://a/%2e%2e/b",
            "http://a/./b",
            "http://a/ñ",
            "http://ñ.example/",
            "http://a/b#c",
            "http:\\\\a\\b",
            "http://a/{b}",
        ] {
            assert!(plain.takes(url).is_none(), "{url}");
        }
    }
}
