//! Redirects: which are followed, and what they must not take along.

use hyper::StatusCode;
use reqwest::Url;
use reqwest::header::{HeaderMap, LOCATION};

use crate::actors::downloader::settings::Settings;
use crate::actors::downloader::{FetchError, error, redacted};

/// From the URL that was asked for to that of the next request.
pub(super) struct Hops<'a> {
    first: Url,
    now: Url,
    count: usize,
    more: &'a HeaderMap,
}

impl<'a> Hops<'a> {
    /// The headers in `more` go along everywhere: they are about the file.
    pub(super) fn new(first: Url, more: &'a HeaderMap) -> Self {
        Self { now: first.clone(), first, count: 0, more }
    }

    pub(super) fn more(&self) -> &HeaderMap {
        self.more
    }

    pub(super) fn url(&self) -> &Url {
        &self.now
    }

    /// Without the name and the password: they go in a header.
    pub(super) fn bare_url(&self) -> Url {
        let mut url = self.now.clone();
        if !url.username().is_empty() || url.password().is_some() {
            // These fail for URLs without a host, which are none of http.
            let _ = url.set_username("");
            let _ = url.set_password(None);
        }
        url
    }

    /// Whether the next request goes to the server that was asked first: what is meant for that may go along.
    pub(super) fn are_at_home(&self) -> bool {
        let [was, is] = [&self.first, &self.now];
        let place = |url: &Url| (url.scheme() == "https", url.port_or_known_default());
        let same = place(was) == place(is);
        // The usual step from http to https on one host.
        let up = place(was) == (false, Some(80)) && place(is) == (true, Some(443));
        was.host_str() == is.host_str() && (same || up)
    }

    /// Goes on to where an answer leads.
    pub(super) fn follow(&mut self, to: &str, settings: &Settings) -> Result<(), FetchError> {
        if self.count == settings.max_redirects {
            return Err(FetchError::Redirects(settings.max_redirects));
        }
        let next = match self.now.join(to) {
            Ok(next) => error::check_scheme(next, to)?,
            Err(problem) => return Err(error::refused(to, problem.to_string())),
        };
        if self.now.scheme() == "https" && next.scheme() == "http" && !settings.may_lose_tls {
            return Err(FetchError::InsecureRedirect(redacted(next.as_str()).into_owned()));
        }
        self.count += 1;
        self.now = next;
        Ok(())
    }
}

/// Where an answer leads, if it does.
pub(super) fn location(status: StatusCode, headers: &HeaderMap) -> Option<String> {
    if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    // Some servers send it in UTF-8, though not encoded.
    let location = std::str::from_utf8(headers.get(LOCATION)?.as_bytes()).ok()?;
    Some(location.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(first: &str, to: &[&str], settings: &Settings) -> Result<(String, bool), String> {
        let more = HeaderMap::new();
        let mut hops = Hops::new(Url::parse(first).unwrap(), &more);
        for to in to {
            hops.follow(to, settings).map_err(|error| error.to_string())?;
        }
        Ok((hops.bare_url().into(), hops.are_at_home()))
    }

    #[test]
    fn only_the_first_host_is_home() {
        let settings = Settings::default();
        for (first, to, url, at_home) in [
            ("http://a/x", "/y", "http://a/y", true),
            ("http://a/x", "https://a/y", "https://a/y", true),
            ("http://a/x", "//b/y", "http://b/y", false),
            ("http://a/x", "http://a:81/y", "http://a:81/y", false),
            ("http://a:8080/x", "https://a/y", "https://a/y", false),
            ("https://me:secret@a/x", "y", "https://a/y", true),
            ("https://a/x", "https://you:secret@a.b/y", "https://a.b/y", false),
        ] {
            assert_eq!(after(first, &[to], &settings), Ok((url.to_owned(), at_home)), "{first} {to}");
        }
        assert_eq!(
            after("http://a/x", &["http://b/", "http://a/y"], &settings).map(|(_, home)| home),
            Ok(true)
        );
    }

    #[test]
    fn a_redirect_that_leads_nowhere_or_into_the_open_is_refused() {
        let settings = Settings::default();
        let error = |to| after("https://a/x", &[to], &settings).unwrap_err();
        assert_eq!(
            error("http://u:secret@a/y"),
            "redirected from https to http (http://u:***@a/y), where anybody may change the file"
        );
        assert!(error("file:///etc/passwd").contains("its scheme is file"));
        assert!(error("https://u:secret@:99999/").starts_with("`https://u:***@:99999/` is no"));
        let open = Settings::default().redirects_to_http(true).max_redirects(1);
        assert_eq!(after("https://a/x", &["http://a/y"], &open), Ok(("http://a/y".to_owned(), false)));
        assert_eq!(after("https://a/x", &["y", "z"], &open).unwrap_err(), "more than 1 redirects");
    }
}
