//! The downloader against servers that break the wire. The rule: success means the right file; after anything
//! else the target is as it was, and nothing is left beside it.
#![cfg(feature = "download")]

mod support;

use std::fs;
use std::time::Duration;

use support::download::{IMPATIENT, fetch, fetch_with, files_in};
use support::server::{Server, Step, head, send};
use tempfile::tempdir;

#[actix::test]
async fn every_failure_has_its_words_and_leaves_nothing() {
    const TEN: (&str, &str) = ("content-length", "10");
    const CHUNKED: (&str, &str) = ("transfer-encoding", "chunked");
    let ok = |headers: &[(&str, &str)]| head("200 OK", headers);
    let error = |status: &str| vec![head(status, &[TEN]), send("1234567890")];
    #[rustfmt::skip] // a table
    let transient = vec![
        (vec![ok(&[TEN]), send("12345"), Step::Close], "the body ended after 5 of 10 bytes"),
        (vec![ok(&[TEN]), Step::Close], "the body ended after 0 of 10 bytes"),
        (vec![ok(&[TEN]), send("12345"), Step::Reset], "connection reset"),
        (vec![ok(&[TEN]), send("12345"), Step::Stall], "no bytes for 0.2 s"),
        (vec![ok(&[]), Step::Trickle], "fewer than 1000000 bytes a second for 0.2 s"),
        (vec![ok(&[CHUNKED]), send("5\r\n12345\r\n"), Step::Close], "the body ended after 5 bytes"),
        (vec![ok(&[CHUNKED]), send("5\r\n123"), Step::Close], "the body ended after 3 bytes"),
        (vec![ok(&[CHUNKED]), send("zz\r\n123")], "no proper http answer: "),
        (vec![ok(&[CHUNKED, TEN]), send("3\r\n123\r\n0\r\n\r\n")], "the body ended after 3 of 10 bytes"),
        (
            vec![ok(&[CHUNKED, ("content-length", "2")]), send("3\r\n123\r\n0\r\n\r\n")],
            "the body went on after the 2 bytes it should have had",
        ),
        (vec![ok(&[TEN, ("content-length", "11")]), send("1234567890")], "no proper http answer: "),
        (vec![send("220 ready for mail\r\n\r\n"), Step::Close], "no proper http answer: "),
        (vec![Step::Close], "no proper http answer: "),
        (vec![Step::Reset], "connection reset"),
        (vec![Step::Stall], "no bytes for 0.2 s"),
        (error("408 Request Timeout"), "the server answered 408 Request Timeout"),
        (error("503 Service Unavailable"), "the server answered 503 Service Unavailable"),
    ];
    #[rustfmt::skip]
    let permanent = vec![
        (
            vec![ok(&[TEN, ("content-encoding", "gzip")]), send("1234567890")],
            "the server sent it encoded as gzip, though asked for the bare file",
        ),
        (
            vec![ok(&[("transfer-encoding", "gzip, chunked")]), send("3\r\n123\r\n0\r\n\r\n")],
            "the server sent it encoded as gzip, chunked, though asked for the bare file",
        ),
        (error("206 Partial Content"), "the server answered 206 Partial Content"),
        (vec![head("204 No Content", &[])], "the server answered 204 No Content"),
        (vec![head("304 Not Modified", &[])], "the server answered 304 Not Modified"),
        (error("404 Not Found"), "the server answered 404 Not Found"),
        (error("302 Found"), "the server answered 302 Found"),
        (vec![head("302 Found", &[("location", "/again"), ("content-length", "0")])], "more than 10 redirects"),
    ];
    let cases = transient.into_iter().map(|case| (case, true));
    let cases = cases.chain(permanent.into_iter().map(|case| (case, false)));
    for ((steps, message), transient) in cases {
        let script = steps.clone();
        let server = Server::start(move |_| script.clone());
        let dir = tempdir().unwrap();
        let failure =
            fetch_with(IMPATIENT, server.url("file"), &dir.path().join("file")).await.expect_err(message);
        let said = failure.to_string();
        // What follows a colon is the HTTP library's wording.
        let as_expected = said == message || (message.ends_with(": ") && said.starts_with(message));
        assert!(as_expected, "`{said}`, not `{message}`, after {steps:?}");
        assert_eq!(failure.is_transient(), transient, "{said}");
        assert_eq!(files_in(&dir), [""; 0], "{steps:?}");
    }
}

#[actix::test]
async fn a_failure_leaves_the_file_that_was_there() {
    let server =
        Server::start(|_| vec![head("200 OK", &[("content-length", "10")]), send("12345"), Step::Close]);
    let dir = tempdir().unwrap();
    let target = dir.path().join("file");
    fs::write(&target, "yesterday's").unwrap();
    fetch(server.url("file"), &target).await.unwrap_err();
    assert_eq!(fs::read(&target).unwrap(), b"yesterday's");
    assert_eq!(files_in(&dir), ["file"]);
}

#[actix::test]
async fn a_busy_server_says_how_long_to_wait() {
    let server = Server::start(|_| {
        vec![head("429 Too Many Requests", &[("retry-after", "7"), ("content-length", "0")])]
    });
    let dir = tempdir().unwrap();
    let failure = fetch(server.url("file"), &dir.path().join("file")).await.unwrap_err();
    assert!(failure.is_transient());
    assert_eq!(failure.retry_after(), Some(Duration::from_secs(7)));
}

#[actix::test]
async fn a_url_that_leads_nowhere_says_why() {
    let plain = Server::start(|_| vec![head("400 Bad Request", &[]), Step::Stall]);
    let closed_port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let cases = [
        (format!("http://{closed_port}/file"), "connection refused".to_owned(), true),
        (plain.https_url("file"), "no secure connection: the server does not speak tls".to_owned(), false),
        (
            "ftp://127.0.0.1/file".to_owned(),
            "`ftp://127.0.0.1/file` is no http or https url: its scheme is ftp".to_owned(),
            false,
        ),
        ("file".to_owned(), "`file` is no http or https url: relative URL without a base".to_owned(), false),
    ];
    for (url, message, transient) in cases {
        let dir = tempdir().unwrap();
        let failure = fetch(url, &dir.path().join("file")).await.unwrap_err();
        assert_eq!((failure.to_string(), failure.is_transient()), (message, transient));
        assert!(files_in(&dir).is_empty());
    }
}
