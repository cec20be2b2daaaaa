//! How `latido fetch` speaks to servers.

use std::env;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use crate::fetch::hosts::Manners;
use anyhow::{Context, Result};
use clap::Args;
use clap::builder::RangedU64ValueParser;
use latido::actors::downloader::{Credentials, Limits, Netrc, RateLimit, Settings};

#[derive(Args, Debug)]
#[command(next_help_heading = "Servers")]
pub(crate) struct HttpArgs {
    /// Take no longer than this to connect, TLS included
    #[arg(long, value_name = "SECONDS", default_value = "30")]
    connect_timeout: Seconds,

    /// Fail a try when no byte has come for so long
    #[arg(long, value_name = "SECONDS", default_value = "60")]
    timeout: Seconds,

    /// Fail a try that gets fewer bytes a second than this, over the time of --timeout; 0 for any. K, M and G stand for
    /// 1024 and its powers
    #[arg(long, visible_alias = "speed-limit", value_name = "RATE", default_value = "100")]
    lowest_speed_limit: Rate,

    /// Get no more bytes a second than this, all files together; such as 500K or 2M [default: no limit]
    #[arg(long, visible_alias = "max-overall-download-limit", value_name = "RATE")]
    limit_rate: Option<Rate>,

    /// Ask no server for more than N files at the same time, whatever -j says; a server is a scheme, a host and its port.
    /// Files that have to wait keep none of other servers from coming [default: no limit]
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<u16>::new().range(1..=1024))]
    max_per_host: Option<u16>,

    /// Ask again for files that are done and have no checksum, and fetch those that have changed on the server since
    /// (If-Modified-Since). Files get the server's times: give it from the first run on
    #[arg(long, visible_alias = "timestamping")]
    pub(crate) newer: bool,

    /// Call a file what its server calls it (Content-Disposition), in the directory where it would be anyway. It never takes
    /// the place of another file: then the job fails. In later runs the file keeps that name
    #[arg(long)]
    pub(crate) content_disposition: bool,

    /// Wait no longer than this between two tries of a file, whatever the server asks for with Retry-After
    #[arg(long, value_name = "SECONDS", default_value = "600")]
    max_retry_wait: Seconds,

    /// Follow no more than N redirects
    #[arg(long, visible_alias = "max-redirs", value_name = "N", default_value_t = 10)]
    max_redirect: u16,

    /// Follow a redirect from https to http also, where anybody on the way may change the file; give a checksum with it
    #[arg(long)]
    allow_http_redirect: bool,

    /// Send this header, such as 'Authorization: Bearer TOKEN'; it goes to the hosts of the URLs, and not to those to
    /// which they redirect. May be given several times
    #[arg(short = 'H', long, value_name = "NAME: VALUE")]
    header: Vec<Header>,

    /// What to call ourselves [default: latido/VERSION]
    #[arg(short = 'U', long, value_name = "TEXT")]
    user_agent: Option<String>,

    /// Who to be for the hosts of the URLs, by HTTP's basic authentication. Others can see it in the list of processes; a
    /// netrc they cannot
    #[arg(long, value_name = "NAME:PASSWORD")]
    user: Option<Login>,

    /// Read names and passwords by host from FILE [default: $NETRC or ~/.netrc, if there is one]
    #[arg(long, value_name = "FILE", conflicts_with = "no_netrc")]
    netrc_file: Option<PathBuf>,

    /// Read no netrc
    #[arg(long)]
    no_netrc: bool,

    /// Trust the certificate authorities in FILE, in PEM, beside those that Mozilla trusts
    #[arg(long, visible_alias = "cacert", value_name = "FILE")]
    ca_certificate: Option<PathBuf>,

    /// Go by no proxy, whatever http_proxy, https_proxy, all_proxy and no_proxy in the environment say
    #[arg(long)]
    no_proxy: bool,
}

impl HttpArgs {
    /// What the downloaders are to be made with; `credentials` are those from the list.
    pub(crate) fn settings(&self, credentials: Credentials) -> Result<Settings> {
        let limits = Limits {
            connect: self.connect_timeout.0,
            silence: self.timeout.0,
            rate: self.lowest_speed_limit.0,
        };
        let mut settings = Settings::default()
            .limits(limits)
            .max_redirects(self.max_redirect.into())
            .redirects_to_http(self.allow_http_redirect)
            .proxies(!self.no_proxy)
            .credentials(self.credentials(credentials)?);
        for Header { name, value } in &self.header {
            settings = settings.header(name, value).context("--header")?;
        }
        if let Some(name) = &self.user_agent {
            settings = settings.user_agent(name).context("--user-agent")?;
        }
        if let Some(path) = &self.ca_certificate {
            let said = || format!("--ca-certificate {path:?}; give a file in PEM");
            settings = settings.authorities(&fs::read(path).with_context(said)?).with_context(said)?;
        }
        Ok(match self.limit_rate {
            Some(Rate(rate @ 1..)) => settings.rate_limit(RateLimit::new(rate)),
            _ => settings,
        })
    }

    /// How the servers are to be treated by all downloaders together.
    pub(crate) fn manners(&self) -> Manners {
        Manners { max_per_host: self.max_per_host.map(usize::from), max_wait: self.max_retry_wait.0 }
    }

    fn credentials(&self, mut credentials: Credentials) -> Result<Credentials> {
        if let Some(Login { name, password }) = &self.user {
            credentials = credentials.user(name, password);
        }
        let (path, is_asked_for) = match &self.netrc_file {
            _ if self.no_netrc => return Ok(credentials),
            Some(path) => (path.clone(), true),
            None => match usual_netrc() {
                Some(path) => (path, false),
                None => return Ok(credentials),
            },
        };
        Ok(match read_netrc(&path, is_asked_for)? {
            Some(netrc) => credentials.netrc(netrc),
            None => credentials,
        })
    }
}

fn usual_netrc() -> Option<PathBuf> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("NETRC").or_else(|| set("HOME").map(|home| home.join(".netrc")))
}

fn read_netrc(path: &Path, is_asked_for: bool) -> Result<Option<Netrc>> {
    let said = || format!("netrc {path:?}; mend it, or give --no-netrc");
    match fs::read_to_string(path) {
        Err(error) if error.kind() == ErrorKind::NotFound && !is_asked_for => Ok(None),
        text => Netrc::parse(&text.with_context(said)?).with_context(said).map(Some),
    }
}

// ===== values =====

/// A time that is longer than none.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Seconds(Duration);

impl FromStr for Seconds {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WEEK: f64 = 7.0 * 24.0 * 3_600.0;
        match text.parse::<f64>() {
            Ok(seconds) if (0.001..=WEEK).contains(&seconds) => Ok(Self(Duration::from_secs_f64(seconds))),
            _ => Err("write seconds, such as 30 or 0.5, up to 604800"),
        }
    }
}

/// Bytes a second.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Rate(u64);

impl FromStr for Rate {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unit = match text.chars().next_back().map(|unit| unit.to_ascii_uppercase()) {
            Some('K') => 1 << 10,
            Some('M') => 1 << 20,
            Some('G') => 1 << 30,
            _ => 1,
        };
        let number = if unit == 1 { text } else { &text[..text.len() - 1] };
        let wrong = "write bytes a second, such as 500K or 2.5M";
        if unit == 1 {
            return number.parse().map(Self).map_err(|_| wrong);
        }
        let digits = number.chars().all(|c| c.is_ascii_digit() || c == '.');
        let number: f64 = number.parse().ok().filter(|_| digits).ok_or(wrong)?;
        Some(number * f64::from(unit)).filter(|rate| *rate < 1e15).map(|rate| Self(rate as u64)).ok_or(wrong)
    }
}

#[derive(Clone, Debug)]
struct Header {
    name: String,
    value: String,
}

impl FromStr for Header {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, value) = text.split_once(':').ok_or("write NAME: VALUE")?;
        Ok(Self { name: name.trim().to_owned(), value: value.trim().to_owned() })
    }
}

#[derive(Clone)]
struct Login {
    name: String,
    password: String,
}

impl FromStr for Login {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, password) = text.split_once(':').unwrap_or((text, ""));
        Ok(Self { name: name.to_owned(), password: password.to_owned() })
    }
}

/// Shows no password.
impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login").field("name", &self.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_has_the_units_of_other_programs() {
        for (text, rate) in
            [("0", 0), ("100", 100), ("500k", 512_000), ("2M", 2 << 20), ("1.5K", 1_536), ("1G", 1 << 30)]
        {
            assert_eq!(text.parse(), Ok(Rate(rate)), "{text}");
        }
        for wrong in ["", "K", "fast", "-1", "1.5", "1e3M", "infM", "1KB", "99999999999G", "é"] {
            assert!(wrong.parse::<Rate>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_time_is_longer_than_none() {
        assert_eq!("0.5".parse(), Ok(Seconds(Duration::from_millis(500))));
        for wrong in ["", "0", "-1", "nan", "inf", "1e9", "soon"] {
            assert!(wrong.parse::<Seconds>().is_err(), "{wrong}");
        }
    }
}
