//! `--web`: the page for browsers.

use std::net::{Ipv4Addr, SocketAddr};

use clap::Args;

#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct WebArgs {
    /// Serve a page for browsers of this machine, which shows every part, and breaks it if that is allowed. On a port
    /// that is free, or on this one, such as 4780 or [::1]:4780; `latido web` says where
    #[arg(long, value_name = "[ADDRESS:]PORT", num_args = 0..=1, require_equals = true, default_missing_value = "0", value_parser = address)]
    pub(crate) web: Option<SocketAddr>,
}

pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    let address = match text.parse::<u16>() {
        Ok(port) => SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
        Err(_) => text
            .replace("localhost:", "127.0.0.1:")
            .parse()
            .map_err(|_| "write --web, --web=4780 or --web=127.0.0.1:4780")?,
    };
    match address.ip().is_loopback() {
        true => Ok(address),
        false => Err(format!("{} is open to other machines; take 127.0.0.1, and a tunnel", address.ip())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_one_of_the_loopback_interface_and_no_other_is_taken() {
        for (text, expected) in [
            ("0", "127.0.0.1:0"),
            ("4780", "127.0.0.1:4780"),
            ("127.0.0.1:4780", "127.0.0.1:4780"),
            ("localhost:4780", "127.0.0.1:4780"),
            ("[::1]:4780", "[::1]:4780"),
        ] {
            assert_eq!(address(text), Ok(expected.parse().unwrap()), "{text}");
        }
        for (text, why) in
            [("0.0.0.0:80", "open to other machines"), ("x", "write --web"), ("65536", "write --web")]
        {
            assert!(address(text).unwrap_err().contains(why), "{text}");
        }
    }
}
