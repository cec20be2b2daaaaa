//! Why a download failed, in words for people, and whether it is worth another try.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use reqwest::header::{DATE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{StatusCode, Url};
use rustls::CertificateError;

use super::client::BrokenOff;
use super::redact::redacted;
use super::{Limits, room};

/// The system has too many open files.
const ENFILE: i32 = 23;
/// This process has.
const EMFILE: i32 = 24;

/// Why a download failed. After any of them the target is as it was, and the part file is gone, unless it can be gone on
/// with ([`Fetch::resume`](super::Fetch::resume)).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The URL cannot be fetched by anybody.
    #[error("`{url}` is no http or https url: {problem}")]
    Url {
        /// As it was given, without its password.
        url: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The name has no address, or the resolver does not answer.
    #[error("no address found for `{0}`")]
    Resolve(String),
    /// The connection could not be made, or broke.
    #[error("{0}")]
    Connection(io::ErrorKind),
    /// No connection within [`Limits::connect`].
    #[error("no connection within {} s", .0.as_secs_f64())]
    Unreachable(Duration),
    /// No byte for [`Limits::silence`].
    #[error("no bytes for {} s", .0.as_secs_f64())]
    Silent(Duration),
    /// Fewer bytes a second than [`Limits::rate`].
    #[error("fewer than {rate} bytes a second for {} s", .period.as_secs_f64())]
    Slow {
        /// The least, in bytes a second.
        rate: u64,
        /// The time it was measured over.
        period: Duration,
    },
    /// The server's certificate is not valid for this URL, or the server speaks no TLS that we do.
    #[error("no secure connection: {0}")]
    Tls(String),
    /// What came is not HTTP, or the connection was closed where the answer should have been.
    #[error("no proper http answer: {0}")]
    Protocol(String),
    /// More redirects than [`Settings::max_redirects`](super::Settings::max_redirects), which is a loop more often than
    /// not.
    #[error("more than {0} redirects")]
    Redirects(usize),
    /// A redirect from `https` to this `http` URL, see
    /// [`Settings::redirects_to_http`](super::Settings::redirects_to_http).
    #[error("redirected from https to http ({0}), where anybody may change the file")]
    InsecureRedirect(String),
    /// Any status but 200.
    #[error("the server answered {code} {phrase}")]
    Status {
        /// The status code.
        code: u16,
        /// Its standard name.
        phrase: &'static str,
        /// How long the server asks to be left alone.
        retry_after: Option<Duration>,
    },
    /// It has not changed since the time of [`Fetch::if_modified_since`](super::Fetch::if_modified_since).
    #[error("it has not changed on the server")]
    NotModified,
    /// The file came compressed, unasked.
    #[error("the server sent it encoded as {0}, though asked for the bare file")]
    Encoding(String),
    /// The body ended early.
    #[error("the body ended after {received}{} bytes", .announced.map(|n| format!(" of {n}")).unwrap_or_default())]
    Short {
        /// The bytes that came.
        received: u64,
        /// The bytes that the server had announced, if it had.
        announced: Option<u64>,
    },
    /// The body went on after the announced length.
    #[error("the body went on after the {announced} bytes it should have had")]
    Long {
        /// The bytes that the server had announced.
        announced: u64,
    },
    /// The part file belongs to another download right now, of this process or another.
    #[error("`{}` is in use by another download", .path.display())]
    Busy {
        /// The part file.
        path: PathBuf,
    },
    /// There is no room for the file, or not for all of it.
    #[error(
        "`{}`: no space left on device: the file system at `{}` has {available} bytes free{}",
        .path.display(), .file_system.display(), .needed.map(|n| format!(", and {n} are needed")).unwrap_or_default()
    )]
    Full {
        /// The part file.
        path: PathBuf,
        /// Where its file system is mounted.
        file_system: PathBuf,
        /// How many bytes are free there. A quota may allow fewer.
        available: u64,
        /// How many bytes are missing of the file, if that is known.
        needed: Option<u64>,
    },
    /// A file or directory of ours failed, not the server.
    #[error("`{}`: {source}", .path.display())]
    Disk {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl FetchError {
    /// Whether the same fetch may succeed later: true for the weather (a broken connection, a silent or busy
    /// server, a short body), false for what stays until somebody mends it (the URL, a certificate, a full disk).
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Resolve(_)
            | Self::Connection(_)
            | Self::Unreachable(_)
            | Self::Silent(_)
            | Self::Slow { .. }
            | Self::Protocol(_)
            | Self::Short { .. }
            | Self::Long { .. }
            | Self::Busy { .. } => true,
            Self::Status { code, .. } => matches!(code, 408 | 429 | 500..=599),
            // Too many open files: some of them will be closed.
            Self::Disk { source, .. } => matches!(source.raw_os_error(), Some(ENFILE | EMFILE)),
            Self::Url { .. }
            | Self::Tls(_)
            | Self::Redirects(_)
            | Self::InsecureRedirect(_)
            | Self::NotModified
            | Self::Full { .. }
            | Self::Encoding(_) => false,
        }
    }

    /// How long the server asks to be left alone. It may say anything: whoever waits for so long should know a limit.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    pub(super) fn disk(path: &Path, source: io::Error) -> Self {
        if matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
            return room::full(path, None);
        }
        Self::Disk { path: path.to_owned(), source }
    }
}

// ===== out of what the http client says =====

pub(super) fn parse_url(text: &str) -> Result<Url, FetchError> {
    let url = Url::parse(text).map_err(|error| refused(text, error.to_string()))?;
    check_scheme(url, text)
}

pub(super) fn check_scheme(url: Url, text: &str) -> Result<Url, FetchError> {
    match url.scheme() {
        "http" | "https" => Ok(url),
        other => Err(refused(text, format!("its scheme is {other}"))),
    }
}

pub(super) fn refused(url: &str, problem: String) -> FetchError {
    FetchError::Url { url: redacted(url).into_owned(), problem }
}

pub(super) fn of_status(status: StatusCode, headers: &HeaderMap) -> FetchError {
    FetchError::Status {
        code: status.as_u16(),
        phrase: status.canonical_reason().unwrap_or("(not a standard status)"),
        retry_after: retry_after(headers),
    }
}

/// In seconds, or a date: then what the server's own clock says is compared with it, if it says anything.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).map(str::trim);
    let after = text(RETRY_AFTER)?;
    if let Ok(seconds) = after.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = httpdate::parse_http_date(after).ok()?;
    let now =
        text(DATE).and_then(|date| httpdate::parse_http_date(date).ok()).unwrap_or_else(SystemTime::now);
    Some(until.duration_since(now).unwrap_or_default())
}

/// An error before the head of the answer was there.
pub(super) fn of_request(error: &reqwest::Error, limits: Limits) -> FetchError {
    if error.is_builder() {
        refused(error.url().map(Url::as_str).unwrap_or_default(), innermost(error).to_string())
    } else if error.is_dns() {
        FetchError::Resolve(error.url().and_then(Url::host_str).unwrap_or_default().to_owned())
    } else if error.is_timeout() && error.is_connect() {
        FetchError::Unreachable(limits.connect)
    } else if let Some(tls) = find::<rustls::Error>(error).filter(|_| error.is_connect()) {
        FetchError::Tls(match tls {
            rustls::Error::InvalidMessage(_) => "the server does not speak tls".to_owned(),
            // Its text would be a debug dump of the wrapping.
            rustls::Error::InvalidCertificate(CertificateError::Other(cause)) => {
                format!("invalid peer certificate: {cause}")
            }
            other => other.to_string(),
        })
    } else if error.is_timeout() {
        FetchError::Silent(limits.silence)
    } else {
        of_connection(error)
    }
}

/// An error after the head, with the body `received` bytes long.
pub(super) fn of_body(error: BrokenOff, limits: Limits, received: u64, announced: Option<u64>) -> FetchError {
    let error = match error {
        BrokenOff::Silence => return FetchError::Silent(limits.silence),
        BrokenOff::Error(error) => error,
    };
    match of_connection(&*error) {
        FetchError::Connection(io::ErrorKind::UnexpectedEof) => FetchError::Short { received, announced },
        other => other,
    }
}

fn of_connection(error: &(dyn Error + 'static)) -> FetchError {
    match find::<io::Error>(error) {
        // The system's own errors, and the end of a stream; the others are a decoder's.
        Some(io) if io.raw_os_error().is_some() || io.kind() == io::ErrorKind::UnexpectedEof => {
            FetchError::Connection(io.kind())
        }
        _ => FetchError::Protocol(innermost(error).to_string()),
    }
}

/// The first error of type `E` in the chain. An `io::Error` hides what it wraps from the chain.
pub(super) fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let chain = std::iter::successors(Some(error), |error| wrapped(*error));
    chain.into_iter().find_map(|error| error.downcast_ref())
}

fn innermost<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    std::iter::successors(Some(error), |error| wrapped(*error)).last().unwrap_or(error)
}

fn wrapped<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>() {
        Some(io) => io.get_ref().map(|inner| inner as &(dyn Error + 'static)),
        None => error.source(),
    }
}
