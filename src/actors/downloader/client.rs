//! The HTTP clients of a thread. A pooled connection is driven by the arbiter that opened it: shared between
//! arbiters, one that blocks would stall the other's requests, and one that ends would fail them.
//!
//! There are two ways. [`plain`] is short, and for `http` without a proxy; it gives up wherever anything is out of the
//! ordinary. The other can do everything, and what it says of a failure is what is told.

use std::cell::RefCell;
use std::sync::{Arc, LazyLock};

use hyper::Uri;
use reqwest::header::{ACCEPT_ENCODING, HeaderMap, HeaderValue};
use reqwest::{Client, ClientBuilder, Error, RequestBuilder, Response, Url, redirect};
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};

mod answer;
mod hops;
mod plain;

pub(super) use self::answer::{Answer, BrokenOff};
use self::hops::Hops;
use self::plain::{Outcome, Plain};
use super::settings::Settings;
use super::{FetchError, error};

/// The only encoding that is accepted.
const BARE: &str = "identity";

thread_local! {
    static CLIENTS: RefCell<Vec<Clients>> = const { RefCell::new(Vec::new()) };
}

#[derive(Clone)]
pub(super) struct Clients {
    settings: Arc<Settings>,
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

    /// Sends the request, with `more` headers, and waits for the head of the answer.
    pub(super) async fn get(&self, url: &str, way: Way, more: &HeaderMap) -> Result<Answer, FetchError> {
        let limits = self.settings.limits;
        let hops = match way {
            Way::Any(url) => Hops::new(url, more),
            Way::Plain(uri) => match self.plain.get(uri, more).await {
                Outcome::Answer(answer) => return Ok(answer),
                Outcome::Silence => return Err(FetchError::Silent(limits.silence)),
                Outcome::Unreachable => return Err(FetchError::Unreachable(limits.connect)),
                Outcome::Redirect(to) => {
                    let mut hops = Hops::new(error::parse_url(url)?, more);
                    hops.follow(&to, &self.settings)?;
                    hops
                }
                // It may have been a kept connection, see below.
                Outcome::Failure => {
                    let hops = Hops::new(error::parse_url(url)?, more);
                    let answer = self.request(&self.fresh, &hops).send().await;
                    return self.follow(hops, answer).await;
                }
            },
        };
        let answer = self.ask(&hops).await;
        self.follow(hops, answer).await
    }

    /// Follows redirects, as far as they lead and are allowed.
    async fn follow(
        &self,
        mut hops: Hops<'_>,
        mut answer: Result<Response, Error>,
    ) -> Result<Answer, FetchError> {
        loop {
            let came = answer.map_err(|error| error::of_request(&error, self.settings.limits))?;
            let Some(to) = hops::location(came.status(), came.headers()) else {
                return Ok(Answer::Full(came));
            };
            hops.follow(&to, &self.settings)?;
            answer = self.ask(&hops).await;
        }
    }

    async fn ask(&self, hops: &Hops<'_>) -> Result<Response, Error> {
        match self.request(&self.pooled, hops).send().await {
            // A server may close a kept connection just as a request goes out on it, which says nothing
            // about the request. On a new connection the same failure is the server's.
            Err(error) if error.is_request() && !error.is_connect() && !error.is_timeout() => {
                self.request(&self.fresh, hops).send().await
            }
            answer => answer,
        }
    }

    fn request(&self, client: &Client, hops: &Hops<'_>) -> RequestBuilder {
        let request = client.get(hops.bare_url());
        let at_home = hops.are_at_home();
        let request = match self.settings.credentials.find(hops.url(), at_home) {
            None => request,
            Some((user, password)) => request.basic_auth(user, Some(password)),
        };
        let request = request.headers(hops.more().clone());
        // In place of those of the same name.
        if at_home { request.headers(self.settings.headers.clone()) } else { request }
    }
}

pub(super) fn of_this_thread(settings: &Arc<Settings>) -> Clients {
    CLIENTS.with_borrow_mut(|clients| {
        let same = |known: &&Clients| Arc::ptr_eq(&known.settings, settings);
        let equal = |known: &&Clients| known.settings == *settings;
        if let Some(known) = clients.iter().find(same).or_else(|| clients.iter().find(equal)) {
            return known.clone();
        }
        let built = build(settings.clone()).unwrap_or_else(|error| crate::crash(error));
        clients.push(built.clone());
        built
    })
}

fn build(settings: Arc<Settings>) -> Result<Clients, Error> {
    let tls = match &*settings.authorities {
        [] => TLS.clone(),
        more => {
            let mut roots = mozillas();
            roots.add_parsable_certificates(more.iter().cloned());
            tls(roots)
        }
    };
    Ok(Clients {
        plain: Plain::new(&settings),
        pooled: builder(&settings, tls.clone()).build()?,
        fresh: builder(&settings, tls).pool_max_idle_per_host(0).build()?,
        settings,
    })
}

fn builder(settings: &Settings, tls: ClientConfig) -> ClientBuilder {
    // Said aloud, or a server may choose; a file is wanted as it is, not as it travels.
    let bare = HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static(BARE))]);
    let client = Client::builder()
        .tls_backend_preconfigured(tls)
        .user_agent(settings.user_agent.clone())
        .default_headers(bare)
        .redirect(redirect::Policy::none())
        .referer(false)
        .connect_timeout(settings.limits.connect)
        .read_timeout(settings.limits.silence);
    if settings.proxies { client } else { client.no_proxy() }
}

/// One for the process: its clones share the roots and the session tickets.
static TLS: LazyLock<ClientConfig> = LazyLock::new(|| tls(mozillas()));

fn mozillas() -> RootCertStore {
    RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned())
}

fn tls(roots: RootCertStore) -> ClientConfig {
    let mut tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring has a cipher suite for the default protocol versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    tls
}
