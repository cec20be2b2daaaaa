//! How a downloader speaks to servers.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::credentials::Credentials;
use super::limit::RateLimit;

const USER_AGENT: &str = concat!("latido/", env!("CARGO_PKG_VERSION"));

/// With these, what comes would be another thing than the file, or be framed by the wrong hands.
const OURS: [&str; 14] = [
    "accept-encoding",
    "connection",
    "content-length",
    "expect",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "range",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// How long a server may take. What exceeds it is a transient [`FetchError`](super::FetchError).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// For a connection, its TLS included. 30 s by default.
    pub connect: Duration,
    /// Without a byte, from the request on. 60 s by default.
    pub silence: Duration,
    /// The fewest bytes a second, taken over `silence` at a time: a trickle is never silent. 100 by default; 0 for a
    /// trickle that may go on.
    pub rate: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connect: Duration::from_secs(30), silence: Duration::from_secs(60), rate: 100 }
    }
}

/// How a [`Downloader`](super::Downloader) speaks to servers. Downloaders of one arbiter whose settings are equal share
/// their connections.
///
/// ```
/// use latido::actors::downloader::{Credentials, Downloader, RateLimit, Settings};
///
/// # fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let settings = Settings::default()
///     .max_redirects(3)
///     .header("x-mirror", "no")?
///     .credentials(Credentials::none().user("me", "secret"))
///     .rate_limit(RateLimit::new(2_000_000));
/// let downloader = Downloader::new(settings);
/// # Ok(()) }
/// # example().unwrap()
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    pub(super) limits: Limits,
    pub(super) max_redirects: usize,
    pub(super) may_lose_tls: bool,
    pub(super) headers: HeaderMap,
    pub(super) user_agent: HeaderValue,
    pub(super) credentials: Credentials,
    pub(super) proxies: bool,
    pub(super) authorities: Vec<CertificateDer<'static>>,
    pub(super) rate_limit: Option<RateLimit>,
}

/// A setting that cannot be.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// No header has such a name or value.
    #[error("`{0}` is no header: a name has letters, digits and `-`, and a value has no line breaks")]
    Header(String),
    /// A header that the downloader sends itself, or must not send.
    #[error("the header `{0}` cannot be set: it would change what comes, and the file would be another")]
    Ours(String),
    /// No PEM, or no certificate in it.
    #[error("no certificate: {0}")]
    Authority(String),
}

impl Settings {
    /// How long a server may take.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// How many redirects may follow one another. 10 by default; one more is a permanent failure.
    pub fn max_redirects(mut self, max: usize) -> Self {
        self.max_redirects = max;
        self
    }

    /// Whether a redirect may lead from `https` to `http`, where anybody on the way can read and change what comes. By
    /// default that is a permanent failure.
    pub fn redirects_to_http(mut self, may: bool) -> Self {
        self.may_lose_tls = may;
        self
    }

    /// Sends this header too. It goes to the host that the URL names, and not to another to which that redirects.
    pub fn header(mut self, name: &str, value: &str) -> Result<Self, SettingsError> {
        let wrong = || SettingsError::Header(name.to_owned());
        let name: HeaderName = name.parse().map_err(|_| wrong())?;
        let mut value = HeaderValue::from_str(value).map_err(|_| wrong())?;
        if OURS.contains(&name.as_str()) {
            return Err(SettingsError::Ours(name.as_str().to_owned()));
        }
        value.set_sensitive(true);
        self.headers.append(name, value);
        Ok(self)
    }

    /// What to call ourselves; `latido/VERSION` by default.
    pub fn user_agent(mut self, name: &str) -> Result<Self, SettingsError> {
        self.user_agent =
            HeaderValue::from_str(name).map_err(|_| SettingsError::Header("user-agent".to_owned()))?;
        Ok(self)
    }

    /// Who to be. Nobody by default.
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = credentials;
        self
    }

    /// Whether to go by the proxies that the environment names: `http_proxy`, `https_proxy`, `all_proxy`, without those
    /// hosts that `no_proxy` has. They may be `http`, `https` or `socks5`. True by default.
    pub fn proxies(mut self, proxies: bool) -> Self {
        self.proxies = proxies;
        self
    }

    /// Trusts these certificate authorities as well, in PEM, beside those that Mozilla trusts.
    pub fn authorities(mut self, pem: &[u8]) -> Result<Self, SettingsError> {
        let before = self.authorities.len();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|error| SettingsError::Authority(error.to_string()))?;
            let mut roots = rustls::RootCertStore::empty();
            roots.add(certificate.clone()).map_err(|error| SettingsError::Authority(error.to_string()))?;
            self.authorities.push(certificate);
        }
        match self.authorities.len() - before {
            0 => Err(SettingsError::Authority("there is none between -----BEGIN and -----END".to_owned())),
            _ => Ok(self),
        }
    }

    /// Lets no more bytes a second come, for all downloaders whose settings have a clone of this limit.
    pub fn rate_limit(mut self, limit: RateLimit) -> Self {
        self.rate_limit = Some(limit);
        self
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            max_redirects: 10,
            may_lose_tls: false,
            headers: HeaderMap::new(),
            user_agent: HeaderValue::from_static(USER_AGENT),
            credentials: Credentials::none(),
            proxies: true,
            authorities: Vec::new(),
            rate_limit: None,
        }
    }
}

impl From<Limits> for Settings {
    fn from(limits: Limits) -> Self {
        Self::default().limits(limits)
    }
}

impl From<Limits> for Arc<Settings> {
    fn from(limits: Limits) -> Self {
        Self::new(limits.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_that_would_change_the_file_or_break_the_request_are_refused() {
        let error = |name, value| Settings::default().header(name, value).unwrap_err().to_string();
        assert!(error("Range", "bytes=1-").contains("`range` cannot be set"));
        assert!(error("Accept-Encoding", "gzip").contains("cannot be set"));
        assert!(error("a b", "c").contains("`a b` is no header"));
        assert!(error("a", "b\r\nc: d").contains("`a` is no header"));
        assert!(Settings::default().user_agent("a\nb").is_err());
    }

    #[test]
    fn no_secret_is_shown() {
        let settings = Settings::default().header("authorization", "secret").unwrap();
        let settings = settings.credentials(Credentials::none().user("me", "secret"));
        assert!(!format!("{settings:?}").contains("secret"), "{settings:?}");
    }

    #[test]
    fn what_is_no_certificate_is_no_authority() {
        let error = |pem: &[u8]| Settings::default().authorities(pem).unwrap_err().to_string();
        assert!(error(b"").contains("there is none"));
        assert!(
            error(b"-----BEGIN CERTIFICATE-----\nMTIz\n-----END CERTIFICATE-----\n")
                .contains("no certificate")
        );
    }
}
