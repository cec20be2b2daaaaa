//! How the program speaks to servers, as its options and its environment say.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use tempfile::tempdir;

use crate::files::not_found;
use crate::latido::{BINARY, Ended, latido, with_input};
use crate::server::{Request, Server, head, ok};
use crate::tls::{AUTHORITY, Background};

fn with_env(dir: &Path, args: &[&str], env: &[(&str, &str)]) -> Ended {
    let mut command = assert_cmd::Command::new(BINARY);
    command.args(args).current_dir(dir).envs(env.iter().copied()).timeout(Duration::from_secs(120));
    Ended::of(command.output().unwrap())
}

/// The value of a header of the last request.
fn sent(server: &Server, name: &str) -> Option<String> {
    let request = server.requests().pop().unwrap();
    let is_it = |line: &&str| line.split(':').next().is_some_and(|found| found.eq_ignore_ascii_case(name));
    let line = request.head.lines().skip(1).find(is_it)?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

#[test]
fn a_value_that_cannot_be_is_named_and_nothing_is_done() {
    let dir = tempdir().unwrap();
    fs::write(dir.path().join("no.pem"), "no certificate").unwrap();
    fs::write(dir.path().join("netrc"), "login me").unwrap();
    for (args, said) in [
        (["--timeout", "0"], "invalid value '0' for '--timeout <SECONDS>': write seconds"),
        (["--connect-timeout", "soon"], "invalid value 'soon' for '--connect-timeout"),
        (["--max-retry-wait", "1e9"], "invalid value '1e9'"),
        (["--limit-rate", "fast"], "invalid value 'fast' for '--limit-rate <RATE>': write bytes a second"),
        (["--lowest-speed-limit", "1KB"], "invalid value '1KB'"),
        (["--max-per-host", "0"], "invalid value '0' for '--max-per-host <N>'"),
        (["--header", "no colon"], "write NAME: VALUE"),
        (["--header", "Range: bytes=1-"], "--header: the header `range` cannot be set"),
        (["--header", "a b: c"], "--header: `a b` is no header"),
        (["--ca-certificate", "no.pem"], "--ca-certificate \"no.pem\"; give a file in PEM: no certificate"),
        (["--ca-certificate", "gone.pem"], "--ca-certificate \"gone.pem\"; give a file in PEM: No such file"),
        (
            ["--netrc-file", "netrc"],
            "netrc \"netrc\"; mend it, or give --no-netrc: line 1: `login` belongs to no machine",
        ),
        (["--netrc-file", "gone"], "netrc \"gone\"; mend it, or give --no-netrc: No such file"),
    ] {
        let ended = latido(dir.path(), [&["fetch", "http://127.0.0.1:1/x"][..], &args].concat()).with_code(2);
        assert!(ended.stderr.contains(said), "{}", ended.stderr);
        assert!(!dir.path().join(".latido.db").exists(), "{args:?}");
    }
}

#[test]
fn headers_and_the_name_of_the_program_are_sent_as_given() {
    let server = Server::start(|_| ok("bytes"));
    let dir = tempdir().unwrap();
    let url = server.url("x");
    let args =
        ["fetch", &url, "-H", "X-A:  1 ", "--header", "X-B: a:b", "-U", "other/1", "--user", "me:se:cret"];
    latido(dir.path(), args).with_code(0);
    for (name, value) in
        [("x-a", "1"), ("x-b", "a:b"), ("user-agent", "other/1"), ("authorization", "Basic bWU6c2U6Y3JldA==")]
    {
        assert_eq!(sent(&server, name).as_deref(), Some(value), "{name}");
    }
}

#[test]
fn as_many_redirects_are_followed_as_are_allowed() {
    let server = Server::start(|request: &Request| match &*request.path {
        "x" => vec![head("302 Found", &[("location", "/y"), ("content-length", "0")])],
        _ => ok("bytes"),
    });
    let dir = tempdir().unwrap();
    let args = |max| ["fetch".to_owned(), server.url("x"), "--max-redirect".to_owned(), max];
    let ended = latido(dir.path(), args("0".to_owned())).with_code(1);
    assert!(ended.stdout.contains("more than 0 redirects (after 1 try)"), "{}", ended.stdout);
    latido(dir.path(), args("1".to_owned())).with_code(0);
}

// ===== passwords =====

#[test]
fn the_netrc_of_the_home_is_read_if_there_is_one_and_no_other_is_named() {
    let server = Server::start(|_| ok("bytes"));
    let home = tempdir().unwrap();
    fs::write(home.path().join(".netrc"), "machine 127.0.0.1 login me password home").unwrap();
    fs::write(home.path().join("other"), "default login me password other").unwrap();
    fs::write(home.path().join("wrong"), "machine a\nlogin me password my secret").unwrap();
    let (here, other) = (home.path().to_str().unwrap(), home.path().join("other"));
    let other = other.to_str().unwrap();
    let empty = tempdir().unwrap();
    for (args, env, password) in [
        (&[][..], &[("HOME", here)][..], Some("Basic bWU6aG9tZQ==")),
        (&[], &[("HOME", here), ("NETRC", other)], Some("Basic bWU6b3RoZXI=")),
        (&["--netrc-file", other], &[("HOME", here)], Some("Basic bWU6b3RoZXI=")),
        (&["--user", "me:user"], &[("HOME", here)], Some("Basic bWU6dXNlcg==")),
        (&["--no-netrc"], &[("HOME", here)], None),
        (&[], &[("HOME", empty.path().to_str().unwrap())], None),
    ] {
        let dir = tempdir().unwrap();
        let url = server.url("x");
        with_env(dir.path(), &[&["fetch", &url], args].concat(), env).with_code(0);
        assert_eq!(sent(&server, "authorization").as_deref(), password, "{args:?} {env:?}");
    }
    let wrong = home.path().join("wrong");
    let ended = latido(here.as_ref(), ["fetch", &server.url("x"), "--netrc-file", wrong.to_str().unwrap()]);
    let ended = ended.with_code(2);
    assert!(ended.stderr.contains("line 2: ") && !ended.stderr.contains("secret"), "{}", ended.stderr);
}

#[test]
fn a_password_in_a_url_is_sent_and_neither_shown_nor_kept() {
    let server = Server::start(|request| if request.path == "gone" { not_found() } else { ok("bytes") });
    let dir = tempdir().unwrap();
    let with = |name: &str| server.url(name).replace("//", "//me:secr%65t@");
    let list = format!("{}\n{}\t{}\n out=z\n", with("x"), with("gone"), with("y"));
    fs::write(dir.path().join("list"), &list).unwrap();
    // Also a ledger that comes after another knows it.
    let args = ["fetch", "-i", "list", "-j", "1", "--fault", "latido/ledger=panic@1"];
    let mut said = vec![latido(dir.path(), args).with_code(0)];
    assert_eq!(sent(&server, "authorization").as_deref(), Some("Basic bWU6c2VjcmV0"));
    let asked = server.requests().len();
    said.push(latido(dir.path(), ["fetch", "-i", "list", "--json"]).with_code(0));
    assert_eq!(server.requests().len(), asked, "what is done is not fetched again");

    let failing = with("gone");
    said.push(latido(dir.path(), ["fetch", &failing, "--json"]).with_code(1));
    said.push(latido(dir.path(), ["fetch", &failing]).with_code(1));
    said.push(latido(dir.path(), ["fetch", &failing, "--dry-run"]).with_code(0));
    said.push(latido(dir.path(), ["jobs"]).with_code(0));
    said.push(latido(dir.path(), ["jobs", "--json"]).with_code(0));
    said.push(
        with_input(dir.path(), ["fetch", "-i", "-"], "hxxp://me:secret@a/b\nhttp://me:secret@:x/\n")
            .with_code(2),
    );
    said.push(latido(dir.path(), ["fetch", &failing, &with("z/gone")]).with_code(2));
    for ended in said {
        let text = (ended.stdout + &ended.stderr).to_lowercase();
        assert!(!text.contains("secret") && !text.contains("secr%65t"), "{text}");
    }
    for entry in
        fs::read_dir(dir.path()).unwrap().map(Result::unwrap).filter(|entry| entry.file_name() != "list")
    {
        let text = String::from_utf8_lossy(&fs::read(entry.path()).unwrap()).to_lowercase();
        assert!(!text.contains("secret") && !text.contains("secr%65t"), "{:?}", entry.file_name());
    }
    let mode = fs::metadata(dir.path().join(".latido.db")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

// ===== tls and proxies =====

#[test]
fn a_certificate_that_is_not_trusted_is_a_failure_for_good() {
    let server = Server::start(|_| ok("bytes"));
    let tls = Background::tls_before(server.address());
    let dir = tempdir().unwrap();
    fs::write(dir.path().join("ca.pem"), AUTHORITY).unwrap();
    let url = tls.https_url("x");
    let ended = latido(dir.path(), ["fetch", &url]).with_code(1);
    assert!(
        ended.stdout.contains("no secure connection: ") && ended.stdout.contains("(after 1 try)"),
        "{ended:?}"
    );
    latido(dir.path(), ["fetch", &url, "--ca-certificate", "ca.pem"]).with_code(0);
    assert_eq!(fs::read(dir.path().join("x")).unwrap(), b"bytes");
}

#[test]
fn proxies_are_those_of_the_environment() {
    let server = Server::start(|_| ok("direct"));
    let proxy = Server::start(|_| ok("by proxy"));
    let with_password = proxy.url("").replace("//", "//me:secret@");
    let none = [("no_proxy", ""), ("HOME", "/nonexistent")];
    for (args, env, came) in [
        (&[][..], &[("http_proxy", &*proxy.url(""))][..], "by proxy"),
        (&[], &[("all_proxy", &with_password)], "by proxy"),
        (&["--user", "a:b"], &[("http_proxy", &with_password)], "by proxy"),
        (&["--no-proxy"], &[("http_proxy", &proxy.url(""))], "direct"),
        (&[], &[("http_proxy", &proxy.url("")), ("no_proxy", "127.0.0.1")], "direct"),
    ] {
        let dir = tempdir().unwrap();
        let url = server.url("x");
        let env = [&none[..], env].concat();
        with_env(dir.path(), &[&["fetch", &url], args].concat(), &env).with_code(0);
        assert_eq!(fs::read_to_string(dir.path().join("x")).unwrap(), came, "{args:?} {env:?}");
        if came == "by proxy" {
            assert_eq!(proxy.requests().pop().unwrap().path, url, "a proxy is told all of the URL");
            let is_named = env.iter().any(|(_, value)| value.contains("secret"));
            let password = is_named.then(|| "Basic bWU6c2VjcmV0".to_owned());
            assert_eq!(sent(&proxy, "proxy-authorization"), password);
        }
    }
}

#[test]
fn https_goes_through_a_tunnel_and_the_proxy_learns_no_more_than_the_host() {
    let server = Server::start(|_| ok("bytes"));
    let tls = Background::tls_before(server.address());
    let proxy = Background::tunnels();
    let dir = tempdir().unwrap();
    fs::write(dir.path().join("ca.pem"), AUTHORITY).unwrap();
    let args = ["fetch", &tls.https_url("x"), "--ca-certificate", "ca.pem", "--user", "me:secret"];
    let by = format!("http://127.0.0.1:{}", proxy.port());
    with_env(dir.path(), &args, &[("https_proxy", &by), ("no_proxy", "")]).with_code(0);
    assert_eq!(fs::read(dir.path().join("x")).unwrap(), b"bytes");
    let seen = proxy.seen();
    assert!(
        seen.len() == 1 && seen[0].starts_with(&format!("CONNECT localhost:{} ", tls.port())),
        "{seen:?}"
    );
    assert!(!seen[0].to_lowercase().contains("authorization"), "{seen:?}");
    assert_eq!(sent(&server, "authorization").as_deref(), Some("Basic bWU6c2VjcmV0"));
}
