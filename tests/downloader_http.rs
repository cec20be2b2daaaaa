//! How the downloader speaks to servers: TLS, HTTP/2, redirects and what they must not take along, passwords, headers,
//! limits.
#![cfg(feature = "download")]

mod support;

use std::fs;
use std::time::{Duration, Instant};

use actix::prelude::*;
use latido::actors::downloader::{
    Credentials, Downloader, Fetch, FetchAll, FetchError, Netrc, RateLimit, Settings,
};
use support::server::{Request, Server, Step, head, ok, send};
use support::tls::{AUTHORITY, Background};
use tempfile::tempdir;

fn trusting() -> Settings {
    Settings::default().authorities(AUTHORITY).unwrap()
}

/// What came, as text.
async fn fetch(settings: Settings, url: &str) -> Result<String, FetchError> {
    let dir = tempdir().unwrap();
    let fetch = Fetch::new(url, dir.path().join("file"));
    let fetched = Downloader::new(settings).start().send(fetch).await.unwrap()?;
    Ok(fs::read_to_string(fetched.part()).unwrap())
}

/// The value of a header of a request.
fn value(request: &Request, name: &str) -> Option<String> {
    let is_it = |line: &&str| line.split(':').next().is_some_and(|found| found.eq_ignore_ascii_case(name));
    let line = request.head.lines().skip(1).find(is_it)?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn redirect(to: &str) -> Vec<Step> {
    vec![head("302 Found", &[("location", to), ("content-length", "0")])]
}

// ===== tls =====

#[actix::test]
async fn a_certificate_is_valid_by_an_authority_that_is_trusted_and_for_the_name_it_has() {
    let server = Server::start(|_| ok("bytes"));
    let tls = Background::tls_before(server.address());
    assert_eq!(fetch(trusting(), &tls.https_url("file")).await.unwrap(), "bytes");

    let other_name = format!("https://127.0.0.2:{}/file", tls.port());
    for (settings, url, why) in [
        (Settings::default(), tls.https_url("file"), "UnknownIssuer"),
        (trusting(), other_name, "not valid for name"),
    ] {
        let failure = fetch(settings, &url).await.unwrap_err();
        assert!(matches!(&failure, FetchError::Tls(said) if said.contains(why)), "{failure}");
        assert!(!failure.is_transient());
    }
    assert_eq!(server.requests().len(), 1);
}

#[actix::test]
async fn http2_is_spoken_where_it_is_offered() {
    let server = Background::http2();
    let dir = tempdir().unwrap();
    let fetch = |path: &str| Fetch::new(server.https_url(path), dir.path().join(path));
    let both = FetchAll::new(vec![fetch("one"), fetch("two")]);
    let fetched = Downloader::new(trusting()).start().send(both).await.unwrap();
    for (fetched, path) in fetched.into_iter().zip(["/one", "/two"]) {
        assert_eq!(fs::read_to_string(fetched.unwrap().part()).unwrap(), path);
    }
    assert_eq!(server.seen(), ["connection", "/one", "/two"]);
}

// ===== redirects =====

#[actix::test]
async fn a_redirect_from_https_to_http_is_followed_only_if_that_is_allowed() {
    let open = Server::start(|_| ok("bytes"));
    let to = open.url("file");
    let server = Server::start(move |_| redirect(&to));
    let tls = Background::tls_before(server.address());
    let failure = fetch(trusting(), &tls.https_url("file")).await.unwrap_err();
    assert!(matches!(&failure, FetchError::InsecureRedirect(to) if *to == open.url("file")), "{failure}");
    assert!(!failure.is_transient());
    assert!(open.requests().is_empty());
    let allowed = trusting().redirects_to_http(true);
    assert_eq!(fetch(allowed, &tls.https_url("file")).await.unwrap(), "bytes");
}

#[actix::test]
async fn as_many_redirects_are_followed_as_are_allowed() {
    let server = Server::start(|request: &Request| match &*request.path {
        "0" => ok("there"),
        n => redirect(&format!("/{}", n.parse::<u32>().unwrap() - 1)),
    });
    for (max, start, follows) in [(0, 0, true), (0, 1, false), (2, 2, true), (2, 3, false), (10, 10, true)] {
        for url in [server.url(&start.to_string()), server.url(&format!("{start}#part"))] {
            let result = fetch(Settings::default().max_redirects(max), &url).await;
            match result {
                Ok(text) => assert!(follows && text == "there", "{max} {start}"),
                Err(failure) => {
                    assert!(!follows, "{failure}");
                    assert_eq!(failure.to_string(), format!("more than {max} redirects"));
                }
            }
        }
    }
}

/// On both ways: a fragment leads to the client that can do everything.
#[actix::test]
async fn headers_and_passwords_do_not_follow_a_redirect_to_another_host() {
    let other = Server::start(|_| ok("there"));
    let to = other.url("file");
    let server = Server::start(move |request: &Request| match &*request.path {
        "start" => redirect("/again"),
        _ => redirect(&to),
    });
    let netrc = Netrc::parse("machine other.example login never password sent").unwrap();
    let credentials = Credentials::none().user("me", "secret").netrc(netrc);
    let all = Settings::default().header("x-token", "secret").unwrap().header("Cookie", "secret").unwrap();
    for settings in [all.clone(), all.credentials(credentials)] {
        for path in ["start", "start#part"] {
            assert_eq!(fetch(settings.clone(), &server.url(path)).await.unwrap(), "there");
        }
    }
    let with_password = server.url("start").replace("//", "//you:word@");
    assert_eq!(fetch(Settings::default(), &with_password).await.unwrap(), "there");

    let (mine, theirs) = (server.requests(), other.requests());
    assert_eq!((mine.len(), theirs.len()), (10, 5));
    for request in &mine[..8] {
        assert_eq!(value(request, "x-token").as_deref(), Some("secret"), "{request:?}");
        assert_eq!(value(request, "cookie").as_deref(), Some("secret"), "{request:?}");
    }
    for request in &mine[4..8] {
        assert_eq!(value(request, "authorization").as_deref(), Some("Basic bWU6c2VjcmV0"), "{request:?}");
    }
    // The second is asked for without a name in it, as the server says.
    assert_eq!(value(&mine[8], "authorization").as_deref(), Some("Basic eW91OndvcmQ="));
    for request in &theirs {
        for name in ["x-token", "cookie", "authorization"] {
            assert_eq!(value(request, name), None, "{request:?}");
        }
    }
}

// ===== who asks =====

#[actix::test]
async fn a_password_comes_from_the_url_or_the_user_or_the_netrc() {
    let server = Server::start(|_| ok("bytes"));
    let plain = server.url("file");
    let named = plain.replace("//", "//me@");
    let netrc = || Credentials::none().netrc(Netrc::parse("machine 127.0.0.1 login me password n").unwrap());
    let mut remembered = netrc();
    assert_eq!(remembered.remember(&plain.replace("//", "//me:r@")), Some(named.clone()));
    let cases = [
        (Credentials::none(), plain.clone(), None),
        (Credentials::none(), plain.replace("//", "//me:u@"), Some("Basic bWU6dQ==")),
        (Credentials::none().user("me", "g"), plain.clone(), Some("Basic bWU6Zw==")),
        (netrc(), plain.clone(), Some("Basic bWU6bg==")),
        (netrc().user("me", "g"), plain.clone(), Some("Basic bWU6Zw==")),
        (netrc(), named.clone(), Some("Basic bWU6bg==")),
        (remembered, named, Some("Basic bWU6cg==")),
    ];
    for (n, (credentials, url, sent)) in cases.into_iter().enumerate() {
        fetch(Settings::default().credentials(credentials), &url).await.unwrap();
        let request = &server.requests()[n];
        assert_eq!(value(request, "authorization").as_deref(), sent, "{url}");
        assert_eq!(request.path, "file");
    }
}

#[actix::test]
async fn headers_and_the_name_of_the_program_are_what_was_asked_for() {
    let server = Server::start(|_| ok("bytes"));
    let settings = Settings::default().user_agent("other/1").unwrap();
    let settings = settings.header("Accept", "text/plain").unwrap().header("x-a", "1").unwrap();
    for path in ["file", "file#part"] {
        fetch(settings.clone(), &server.url(path)).await.unwrap();
        let request = server.requests().pop().unwrap();
        for (name, sent) in [("user-agent", "other/1"), ("accept", "text/plain"), ("x-a", "1")] {
            assert_eq!(value(&request, name).as_deref(), Some(sent), "{request:?}");
        }
        assert_eq!(value(&request, "accept-encoding").as_deref(), Some("identity"));
        fetch(Settings::default(), &server.url(path)).await.unwrap();
        let request = server.requests().pop().unwrap();
        assert!(value(&request, "user-agent").unwrap().starts_with("latido/"), "{request:?}");
        assert_eq!(value(&request, "x-a"), None);
    }
}

// ===== answers =====

#[actix::test]
async fn what_travels_encoded_is_never_taken_for_the_file() {
    for headers in [
        [("content-encoding", "gzip"), ("content-length", "3")],
        [("content-encoding", "identity, br"), ("content-length", "3")],
        [("transfer-encoding", "gzip, chunked"), ("connection", "close")],
    ] {
        let server = Server::start(move |_| {
            vec![head("200 OK", &headers), send("3\r\nabc\r\n0\r\n\r\n"), Step::Close]
        });
        for path in ["file", "file#part"] {
            let failure = fetch(Settings::default(), &server.url(path)).await.unwrap_err();
            assert!(matches!(failure, FetchError::Encoding(_)), "{failure}");
        }
    }
}

#[actix::test]
async fn a_server_may_say_when_to_come_again_in_seconds_or_with_a_date() {
    const DATE: (&str, &str) = ("date", "Wed, 21 Oct 2015 07:28:00 GMT");
    let minute = Some(Duration::from_secs(60));
    for (date, after, wait) in [
        (DATE, "60", minute),
        (DATE, " 60 ", minute),
        (DATE, "Wed, 21 Oct 2015 07:29:00 GMT", minute),
        (DATE, "Wednesday, 21-Oct-15 07:29:00 GMT", minute),
        (DATE, "Wed, 21 Oct 2015 07:27:00 GMT", Some(Duration::ZERO)),
        (("x", "y"), "Wed, 21 Oct 2015 07:29:00 GMT", Some(Duration::ZERO)),
        (DATE, "99999999999999999999", None),
        (DATE, "-1", None),
        (DATE, "soon", None),
    ] {
        let headers = [date, ("retry-after", after), ("content-length", "0")];
        let server = Server::start(move |_| vec![head("503 Service Unavailable", &headers)]);
        let failure = fetch(Settings::default(), &server.url("file")).await.unwrap_err();
        assert_eq!(failure.retry_after(), wait, "{after}");
    }
}

#[test]
fn too_many_open_files_are_the_weather_and_a_full_disk_is_not() {
    let failure =
        |code| FetchError::Disk { path: "x".into(), source: std::io::Error::from_raw_os_error(code) };
    assert!([23, 24].into_iter().all(|code| failure(code).is_transient()));
    assert!([13, 28, 30].into_iter().all(|code| !failure(code).is_transient()));
}

// ===== the rate =====

/// However slow the machine is, the files cannot come sooner than that.
#[test]
fn a_rate_is_kept_by_downloaders_on_several_threads_together() {
    const FILE: usize = 50_000;
    System::new().block_on(async {
        let server = Server::start(|_| ok(vec![7; FILE]));
        let dir = tempdir().unwrap();
        let settings = std::sync::Arc::new(Settings::default().rate_limit(RateLimit::new(1_000_000)));
        let arbiters = [Arbiter::new(), Arbiter::new()];
        let start = Instant::now();
        let fetches = arbiters.iter().enumerate().map(|(n, arbiter)| {
            let settings = settings.clone();
            let downloader = Downloader::start_in_arbiter(&arbiter.handle(), |_| Downloader::new(settings));
            let file = |m: usize| Fetch::new(server.url("file"), dir.path().join(format!("{n}{m}")));
            downloader.send(FetchAll::new((0..4).map(file).collect()))
        });
        for fetched in futures::future::join_all(fetches).await {
            for fetched in fetched.unwrap() {
                assert_eq!(fetched.unwrap().bytes(), FILE as u64);
            }
        }
        // Eight files, but for the tenth of a second that may have been saved up.
        assert!(start.elapsed() >= Duration::from_millis(300), "{:?}", start.elapsed());
        for arbiter in arbiters {
            arbiter.stop();
            arbiter.join().unwrap();
        }
    });
}

#[actix::test]
async fn a_transfer_that_we_slow_down_ourselves_is_not_too_slow() {
    let server = Server::start(|_| ok(vec![7; 30_000]));
    let limits = latido::actors::downloader::Limits {
        silence: Duration::from_millis(50),
        rate: 1_000_000,
        ..Default::default()
    };
    let settings = Settings::default().limits(limits).rate_limit(RateLimit::new(100_000));
    assert_eq!(fetch(settings, &server.url("file")).await.unwrap().len(), 30_000);
}
