//! Who may ask, and how often.
//!
//! Over a Unix socket the file system has answered: the socket lies in a directory that only its owner may enter. Over TCP
//! anybody on this machine may connect, and any web page may send the browser here: so the token is needed, the name
//! that was asked for must be this machine's (or a page could have its own name point here), and no other page's request
//! is taken.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use subtle::ConstantTimeEq;

use super::answers::refused;
use super::page;

/// How a request came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Unix,
    Tcp,
}

/// What everybody who comes over TCP has to know.
#[derive(Clone)]
pub(super) struct Token(String);

impl Token {
    /// 128 bits that nobody can guess.
    pub(super) fn new() -> std::io::Result<Self> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(std::io::Error::other)?;
        Ok(Self(bytes.iter().map(|byte| format!("{byte:02x}")).collect()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Takes as long for a wrong one that begins well as for any other.
    fn is(&self, other: &str) -> bool {
        self.0.as_bytes().ct_eq(other.as_bytes()).into()
    }
}

/// Lets a request in, or refuses it. No answer is kept anywhere, nor taken for what it is not.
pub(super) async fn may_ask(
    State((token, way)): State<(Token, Way)>,
    request: Request,
    next: Next,
) -> Response {
    let is_page = page::has(request.uri().path());
    let mut response = match check(way, request.headers(), &token, is_page) {
        Ok(()) => next.run(request).await,
        Err((status, why)) => refused(status, why),
    };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff"));
    response
}

/// Whether a request is taken, by its headers; else why not. `is_page` may be asked for by anybody who can name this
/// machine: it has no secrets, and asks for the token itself.
fn check(
    way: Way,
    headers: &HeaderMap,
    token: &Token,
    is_page: bool,
) -> Result<(), (StatusCode, &'static str)> {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    if way == Way::Unix {
        return match text(ORIGIN) {
            None => Ok(()),
            Some(_) => Err((StatusCode::FORBIDDEN, "no web page has business here")),
        };
    }
    let host = text(HOST).unwrap_or_default();
    if !is_loopback(host) {
        return Err((StatusCode::FORBIDDEN, "ask for 127.0.0.1, [::1] or localhost by that name"));
    }
    if let Some(origin) = text(ORIGIN)
        && origin.strip_prefix("http://") != Some(host)
    {
        return Err((StatusCode::FORBIDDEN, "another web page has no business here"));
    }
    let given = text(AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
    match given {
        _ if is_page => Ok(()),
        Some(given) if token.is(given) => Ok(()),
        Some(_) => Err((StatusCode::UNAUTHORIZED, "this is not the token of this run")),
        None => Err((
            StatusCode::UNAUTHORIZED,
            "send `Authorization: Bearer TOKEN`; the program said the token when it opened the door",
        )),
    }
}

fn is_loopback(host: &str) -> bool {
    let is_port = |port: &str| port.parse::<u16>().is_ok();
    let name = match host.rsplit_once(':') {
        Some((name, port)) if is_port(port) => name,
        _ => host,
    };
    ["127.0.0.1", "[::1]", "localhost"].iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// How often something may happen: a bucket that holds `burst` and fills with `per_second`.
#[derive(Debug)]
pub(super) struct Rate {
    burst: f64,
    per_second: f64,
    left: Mutex<(f64, Instant)>,
}

impl Rate {
    pub(super) fn new(burst: u32, per_second: u32) -> Self {
        let burst = f64::from(burst);
        Self { burst, per_second: f64::from(per_second), left: Mutex::new((burst, Instant::now())) }
    }

    pub(super) fn take(&self) -> bool {
        self.take_at(Instant::now())
    }

    fn take_at(&self, now: Instant) -> bool {
        let mut left = self.left.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let passed = now.checked_duration_since(left.1).unwrap_or(Duration::ZERO);
        *left = ((left.0 + passed.as_secs_f64() * self.per_second).min(self.burst), now.max(left.1));
        let is_there = left.0 >= 1.0;
        if is_there {
            left.0 -= 1.0;
        }
        is_there
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(way: Way, pairs: &[(&'static str, &str)], is_page: bool) -> u16 {
        let token = Token("secret".to_owned());
        let headers =
            pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        check(way, &headers, &token, is_page).map_or_else(|(status, _)| status.as_u16(), |()| 200)
    }

    #[test]
    fn over_tcp_only_who_has_the_token_and_names_this_machine_gets_an_answer() {
        let token = ("authorization", "Bearer secret");
        for (expected, host, others) in [
            (200, "127.0.0.1:7717", vec![token]),
            (200, "localhost", vec![token]),
            (200, "LOCALHOST:1", vec![token]),
            (200, "[::1]:7717", vec![token]),
            (200, "127.0.0.1:7717", vec![token, ("origin", "http://127.0.0.1:7717")]),
            (401, "127.0.0.1:7717", vec![]),
            (401, "127.0.0.1:7717", vec![("authorization", "Bearer secre")]),
            (401, "127.0.0.1:7717", vec![("authorization", "Bearer secrets")]),
            (401, "127.0.0.1:7717", vec![("authorization", "Basic secret")]),
            (401, "127.0.0.1:7717", vec![("authorization", "secret")]),
            (403, "example.org", vec![token]),
            (403, "127.0.0.1.example.org", vec![token]),
            (403, "127.0.0.1:x", vec![token]),
            (403, "", vec![token]),
            (403, "127.0.0.1:7717", vec![token, ("origin", "http://example.org")]),
            (403, "127.0.0.1:7717", vec![token, ("origin", "http://127.0.0.1:7718")]),
            (403, "127.0.0.1:7717", vec![token, ("origin", "https://127.0.0.1:7717")]),
            (403, "127.0.0.1:7717", vec![token, ("origin", "null")]),
        ] {
            let headers: Vec<_> = others.iter().copied().chain([("host", host)]).collect();
            assert_eq!(status(Way::Tcp, &headers, false), expected, "{headers:?}");
        }
        assert_eq!(status(Way::Tcp, &[token], false), 403, "it does not say whom it asks");
    }

    #[test]
    fn the_page_needs_no_token_but_the_name_of_this_machine() {
        assert_eq!(status(Way::Tcp, &[("host", "127.0.0.1:7717")], true), 200);
        assert_eq!(status(Way::Tcp, &[("host", "example.org")], true), 403);
    }

    #[test]
    fn over_the_socket_no_token_is_needed_and_no_page_is_heard() {
        assert_eq!(status(Way::Unix, &[], false), 200);
        assert_eq!(status(Way::Unix, &[("origin", "http://localhost")], false), 403);
    }

    #[test]
    fn each_token_is_another() {
        let (one, other) = (Token::new().unwrap(), Token::new().unwrap());
        assert_ne!(one.0, other.0);
        assert_eq!(one.0.len(), 32);
    }

    #[test]
    fn a_rate_allows_a_burst_and_then_so_many_a_second() {
        let rate = Rate::new(3, 10);
        let start = Instant::now();
        let taken = |at: Duration| (0..10).filter(|_| rate.take_at(start + at)).count();
        assert_eq!(taken(Duration::ZERO), 3);
        assert_eq!(taken(Duration::from_millis(200)), 2);
        assert_eq!(taken(Duration::from_secs(60)), 3);
    }
}
