//! The HTTP clients of a thread. A pooled connection is driven by the arbiter that opened it: shared between
//! arbiters, one that blocks would stall the other's requests, and one that ends would fail them.
//!
//! There are two ways. [`plain`] is short, and for `http` without a proxy; it gives up wherever anything is out of the
//! ordinary. The other can do everything, and what it says of a failure is what is told.

use std::cell::RefCell;
use std::sync::{Arc, LazyLock};

use hyper::Uri;
use reqwest::header::{ACCEPT_ENCODING, HeaderMap, HeaderValue};
use reqwest::{Client, ClientBuilder, Error, Response, Url, redirect};
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};

mod answer;
mod plain;

pub(super) use self::answer::{Answer, BrokenOff};
use self::plain::{Outcome, Plain};
use super::{FetchError, Limits, error};

pub(super) const MAX_REDIRECTS: usize = 10;

const USER_AGENT: &str = concat!("latido/", env!("CARGO_PKG_VERSION"));
/// The only encoding that is accepted.
const BARE: &str = "identity";

thread_local! {
    static CLIENTS: RefCell<Vec<(Limits, Clients)>> = const { RefCell::new(Vec::new()) };
}

#[derive(Clone)]
pub(super) struct Clients {
    limits: Limits,
    plain: Plain,
    pooled: Client,
    fresh: Client,
}

/// Where a request goes, and by which way.
pub(super) enum Way {
    Plain(Uri),
    Any(Url),
}

impl Clients {
    /// The way to `url`, if it is one.
    pub(super) fn way(&self, url: &str) -> Result<Way, FetchError> {
        match self.plain.takes(url) {
            Some(uri) => Ok(Way::Plain(uri)),
            None => error::parse_url(url).map(Way::Any),
        }
    }

    /// Sends the request and waits for the head of the answer.
    pub(super) async fn get(&self, url: &str, way: Way) -> Result<Answer, FetchError> {
        let answer = match way {
            Way::Any(url) => self.get_anything(url).await,
            Way::Plain(uri) => match self.plain.get(uri).await {
                Outcome::Answer(answer) => return Ok(answer),
                Outcome::Silence => return Err(FetchError::Silent(self.limits.silence)),
                Outcome::Unreachable => return Err(FetchError::Unreachable(self.limits.connect)),
                Outcome::Redirect(to) => {
                    let url = error::parse_url(url)?;
                    self.get_anything(to.and_then(|to| url.join(&to).ok()).unwrap_or(url)).await
                }
                // It may have been a kept connection, see below.
                Outcome::Failure => self.fresh.get(error::parse_url(url)?).send().await,
            },
        };
        answer.map(Answer::Full).map_err(|error| error::of_request(&error, self.limits))
    }

    async fn get_anything(&self, url: Url) -> Result<Response, Error> {
        match self.pooled.get(url.clone()).send().await {
            // A server may close a kept connection just as a request goes out on it, which says nothing
            // about the request. On a new connection the same failure is the server's.
            Err(error) if error.is_request() && !error.is_connect() && !error.is_timeout() => {
                self.fresh.get(url).send().await
            }
            answer => answer,
        }
    }
}

pub(super) fn of_this_thread(limits: Limits) -> Clients {
    CLIENTS.with_borrow_mut(|clients| {
        if let Some((_, known)) = clients.iter().find(|(of, _)| *of == limits) {
            return known.clone();
        }
        let built = build(limits).unwrap_or_else(|error| crate::crash(error));
        clients.push((limits, built.clone()));
        built
    })
}

fn build(limits: Limits) -> Result<Clients, Error> {
    Ok(Clients {
        limits,
        plain: Plain::new(limits),
        pooled: builder(limits).build()?,
        fresh: builder(limits).pool_max_idle_per_host(0).build()?,
    })
}

fn builder(limits: Limits) -> ClientBuilder {
    // Said aloud, or a server may choose; a file is wanted as it is, not as it travels.
    let bare = HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static(BARE))]);
    Client::builder()
        .tls_backend_preconfigured(TLS.clone())
        .user_agent(USER_AGENT)
        .default_headers(bare)
        .redirect(redirect::Policy::limited(MAX_REDIRECTS))
        .referer(false)
        .connect_timeout(limits.connect)
        .read_timeout(limits.silence)
}

/// One for the process: its clones share the roots and the session tickets.
static TLS: LazyLock<ClientConfig> = LazyLock::new(|| {
    let roots = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring has a cipher suite for the default protocol versions")
        .with_root_certificates(roots)
        .with_no_client_auth()
});
