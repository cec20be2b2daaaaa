//! Why a try failed: in words for people, and as one of a few names that can be counted and matched.

use std::fmt;
use std::str::FromStr;

use latido::actors::downloader::FetchError;
use latido::actors::process::RunError;

use super::text::presentable;

/// The kinds of failure, as the journal, `--json` and the summary name them. `docs/json.md` lists the names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cause {
    Url,
    Dns,
    Connection,
    /// No connection, no byte, or too few bytes in time.
    Timeout,
    Tls,
    Protocol,
    Redirects,
    /// The server's answer was this status.
    Http(u16),
    Encoding,
    /// Fewer bytes than announced, or more.
    Length,
    Checksum,
    /// The part is in use by another download.
    Busy,
    Disk,
    /// The name that the server gave is another file's.
    Name,
    /// `--exec` was not content.
    Command,
    /// `--exec` was not done in time.
    CommandTimeout,
    Other,
}

impl Cause {
    pub(crate) fn is_of_command(self) -> bool {
        matches!(self, Self::Command | Self::CommandTimeout)
    }
}

/// A failed try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) cause: Cause,
    /// Fit to be shown.
    pub(crate) text: Box<str>,
}

impl Failure {
    pub(crate) fn new(cause: Cause, text: impl fmt::Display) -> Self {
        Self { cause, text: presentable(&text.to_string()).into() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<&RunError> for Failure {
    fn from(error: &RunError) -> Self {
        let cause = match error {
            RunError::TimedOut { .. } => Cause::CommandTimeout,
            _ => Cause::Command,
        };
        Self::new(cause, error)
    }
}

impl From<&FetchError> for Failure {
    fn from(error: &FetchError) -> Self {
        let cause = match error {
            FetchError::Url { .. } => Cause::Url,
            FetchError::Resolve(_) => Cause::Dns,
            FetchError::Connection(_) => Cause::Connection,
            FetchError::Unreachable(_) | FetchError::Silent(_) | FetchError::Slow { .. } => Cause::Timeout,
            FetchError::Tls(_) => Cause::Tls,
            FetchError::Protocol(_) => Cause::Protocol,
            FetchError::Redirects(_) | FetchError::InsecureRedirect(_) => Cause::Redirects,
            FetchError::Status { code, .. } => Cause::Http(*code),
            FetchError::Encoding(_) => Cause::Encoding,
            FetchError::Short { .. } | FetchError::Long { .. } => Cause::Length,
            FetchError::Busy { .. } => Cause::Busy,
            FetchError::Disk { .. } | FetchError::Full { .. } => Cause::Disk,
            _ => Cause::Other,
        };
        Self::new(cause, error)
    }
}

const NAMES: [(&str, Cause); 16] = [
    ("url", Cause::Url),
    ("dns", Cause::Dns),
    ("connection", Cause::Connection),
    ("timeout", Cause::Timeout),
    ("tls", Cause::Tls),
    ("protocol", Cause::Protocol),
    ("redirects", Cause::Redirects),
    ("encoding", Cause::Encoding),
    ("length", Cause::Length),
    ("checksum", Cause::Checksum),
    ("busy", Cause::Busy),
    ("disk", Cause::Disk),
    ("name", Cause::Name),
    ("command", Cause::Command),
    ("command-timeout", Cause::CommandTimeout),
    ("other", Cause::Other),
];

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http(status) => f.pad(&format!("http-{status}")),
            cause => f.pad(NAMES.iter().find(|(_, named)| named == cause).map_or("other", |(name, _)| name)),
        }
    }
}

impl FromStr for Cause {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let status = text.strip_prefix("http-").and_then(|status| status.parse().ok()).map(Self::Http);
        let named = || NAMES.iter().find(|(name, _)| *name == text).map(|(_, cause)| *cause);
        status.or_else(named).ok_or_else(|| format!("`{text}` is no cause of a failure"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_is_documented() {
        let page = include_str!("../../../../docs/json.md");
        for (name, _) in NAMES {
            assert!(page.contains(&format!("| `{name}` |")), "{name}");
        }
    }

    #[test]
    fn every_cause_is_read_back_from_its_name() {
        for cause in NAMES.map(|(_, cause)| cause).into_iter().chain([Cause::Http(404)]) {
            assert_eq!(cause.to_string().parse(), Ok(cause));
        }
        assert!("http-".parse::<Cause>().is_err() && "sneeze".parse::<Cause>().is_err());
    }
}
