//! Who we are on which host.

use std::fmt;

use percent_encoding::percent_decode_str;
use reqwest::Url;

use super::netrc::Netrc;

/// Names and passwords, for HTTP's basic authentication. They are sent unasked, with the first request to a host. In this
/// order, the first that fits:
///
/// 1. what the URL itself says; if that is a name only, the password that was [remembered](Self::remember) for it or
///    that the netrc has for that name;
/// 2. the [`user`](Self::user), if a redirect has not led to another host;
/// 3. the netrc's entry for the host, and then its `default`.
///
/// So what is meant for one host never goes to another because the first one says so.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Credentials {
    remembered: Vec<Remembered>,
    user: Option<(String, String)>,
    netrc: Option<Netrc>,
}

#[derive(Clone, PartialEq, Eq)]
struct Remembered {
    origin: Origin,
    user: String,
    password: String,
}

/// Scheme, host and port.
type Origin = (String, String, u16);

impl Credentials {
    /// Nobody in particular.
    pub fn none() -> Self {
        Self::default()
    }

    /// For the host of every URL.
    pub fn user(mut self, name: impl Into<String>, password: impl Into<String>) -> Self {
        self.user = Some((name.into(), password.into()));
        self
    }

    /// By the name of the host.
    pub fn netrc(mut self, netrc: Netrc) -> Self {
        self.netrc = Some(netrc);
        self
    }

    /// Takes the password out of a URL and remembers it for this scheme, host, port and name. The answer is the URL
    /// without it, which may be kept and shown; `None` if there is no password in it.
    pub fn remember(&mut self, url: &str) -> Option<String> {
        // Parsing costs more than most URLs are worth.
        let mut url = url.contains('@').then(|| Url::parse(url).ok())??;
        let password = decoded(url.password()?);
        let remembered = Remembered { origin: origin(&url)?, user: decoded(url.username()), password };
        url.set_password(None).ok()?;
        if !self.remembered.contains(&remembered) {
            self.remembered
                .retain(|known| (&known.origin, &known.user) != (&remembered.origin, &remembered.user));
            self.remembered.push(remembered);
        }
        Some(url.into())
    }

    /// Whether a URL without a name in it may need any of this.
    pub(super) fn concern(&self, host: &str) -> bool {
        self.user.is_some() || self.netrc.as_ref().is_some_and(|netrc| netrc.find(host, None).is_some())
    }

    /// Who to be for `url`. `at_home`: no redirect has led to another host.
    pub(super) fn find(&self, url: &Url, at_home: bool) -> Option<(String, String)> {
        let user = decoded(url.username());
        if let Some(password) = url.password() {
            return Some((user, decoded(password)));
        }
        let host = url.host_str().unwrap_or_default();
        let netrc = |login| self.netrc.as_ref().and_then(|netrc| netrc.find(host, login));
        if !user.is_empty() {
            let origin = origin(url);
            let is_it = |known: &&Remembered| Some(&known.origin) == origin.as_ref() && known.user == user;
            let remembered = self.remembered.iter().find(is_it).map(|known| known.password.clone());
            let password = remembered.or_else(|| netrc(Some(&user)).map(|(_, password)| password.to_owned()));
            return Some((user, password.unwrap_or_default()));
        }
        let given = self.user.clone().filter(|_| at_home);
        given.or_else(|| netrc(None).map(|(user, password)| (user.to_owned(), password.to_owned())))
    }
}

fn origin(url: &Url) -> Option<Origin> {
    Some((url.scheme().to_owned(), url.host_str()?.to_owned(), url.port_or_known_default()?))
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// Shows nobody.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(credentials: &Credentials, url: &str, at_home: bool) -> Option<String> {
        let (user, password) = credentials.find(&Url::parse(url).unwrap(), at_home)?;
        Some(format!("{user}:{password}"))
    }

    #[test]
    fn the_url_comes_before_the_user_and_the_user_before_the_netrc() {
        let netrc = Netrc::parse("machine a login n password 1 machine a login m password 2 default login d")
            .unwrap();
        let mut all = Credentials::none().user("u", "0").netrc(netrc.clone());
        assert_eq!(all.remember("https://r%40:p%3A@a/x?y").as_deref(), Some("https://r%40@a/x?y"));
        for (url, at_home, who) in [
            ("https://me:se%20cret@a/", false, "me:se cret"),
            ("https://r%40@a:443/z", true, "r@:p:"),
            ("http://r%40@a/x", true, "r@:"),
            ("https://r%40@b/x", true, "r@:"),
            ("https://m@a/x", false, "m:2"),
            ("https://a/x", true, "u:0"),
            ("https://a/x", false, "n:1"),
            ("https://b/x", false, "d:"),
        ] {
            assert_eq!(find(&all, url, at_home).as_deref(), Some(who), "{url}");
        }
        assert!(all.concern("a") && Credentials::none().netrc(netrc).concern("b"));
        assert_eq!(find(&Credentials::none(), "http://a/", true), None);
    }

    #[test]
    fn of_a_url_the_last_password_is_remembered_and_none_is_shown() {
        let mut some = Credentials::none();
        assert_eq!(some.remember("http://a/x@y"), None);
        assert_eq!(some.remember("http://me@a/"), None);
        assert!(!some.concern("a"));
        for password in ["old", "new", "new"] {
            assert_eq!(some.remember(&format!("http://me:{password}@a/x")).as_deref(), Some("http://me@a/x"));
        }
        assert_eq!(some.remembered.len(), 1);
        assert_eq!(find(&some, "http://me@a/y", true).as_deref(), Some("me:new"));
        assert!(!format!("{some:?}").contains("new"));
    }
}
