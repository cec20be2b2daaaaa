//! Redirects that lead round in circles, to nowhere, or out of HTTP.

use super::row::{CONTENT, Row, TEN, answer, by, right, row, status};
use crate::server::{Request, Step, head, send};

/// Answers a request for `file` by sending the client elsewhere, and every other with the file.
fn to(name: &'static str, location: &'static str) -> Row {
    by(name, move |_, request| match &*request.path {
        "file" => status("302 Found", &[("location", &located(request, location))]),
        _ => right(),
    })
}

/// With the server's own address for `{here}`.
fn located(request: &Request, location: &str) -> String {
    let host = request.head.lines().find_map(|line| line.strip_prefix("host: "));
    location.replace("{here}", host.unwrap_or_default())
}

/// Counts down `/n`, and serves the file at `/0`.
fn chain(name: &'static str, length: usize) -> Row {
    by(name, move |_, request| match request.path.parse().unwrap_or(length) {
        0 => right(),
        n => status("302 Found", &[("location", &format!("/{}", n - 1))]),
    })
}

pub(super) fn rows() -> Vec<Row> {
    let by_status = |line: &'static str| {
        move |_: usize, request: &Request| match &*request.path {
            "file" => status(line, &[("location", "/there")]),
            _ => right(),
        }
    };
    let body = |step: Step| {
        move |_: usize, request: &Request| match &*request.path {
            "file" => vec![head("302 Found", &[("location", "/there"), TEN]), step.clone()],
            _ => right(),
        }
    };
    vec![
        to("to itself", "/file").fails("more than 10 redirects"),
        by("to and fro", |nth, _| status("302 Found", &[("location", ["/there", "/file"][nth % 2])]))
            .fails("more than 10 redirects"),
        by("ever further", |nth, _| status("302 Found", &[("location", &format!("/{nth}"))]))
            .fails("more than 10 redirects"),
        chain("ten in a row", 10).asks(11),
        chain("twelve in a row", 12).fails("more than 10 redirects"),
        by("moved for good", by_status("301 Moved Permanently")),
        by("see other", by_status("303 See Other")),
        by("moved for now", by_status("307 Temporary Redirect")),
        by("moved for good, by the newer word", by_status("308 Permanent Redirect")),
        to("to a whole url", "http://{here}/there"),
        to("to a url without a scheme", "//{here}/there"),
        to("to a path", "/there/file2"),
        to("to a neighbour", "there"),
        to("upwards", "../../there"),
        to("to a query", "?there"),
        to("to a name in capitals", "HTTP://{here}/there"),
        to("with a part that is not sent", "/there#part"),
        to("with a user", "http://user:word@{here}/there"),
        to("with spaces", "/there and there"),
        to("to a name that would climb out", "/..%2f..%2f..%2fetc%2fpasswd"),
        to("to a name of ours", "/.latido.db"),
        to("to files of this machine", "file:///etc/passwd")
            .fails("`file:///etc/passwd` is no http or https url")
            .asks(1),
        to("to ftp", "ftp://{here}/there").fails("/there` is no http or https url").asks(1),
        by("to files of this machine by a detour", |_, request| match &*request.path {
            "file" => status("302 Found", &[("location", "/detour")]),
            _ => status("302 Found", &[("location", "file:///etc/passwd")]),
        })
        .fails("its scheme is file")
        .asks(2),
        to("to data", "data:text/plain,0123456789")
            .fails("`data:text/plain,0123456789` is no http or https url")
            .asks(1),
        to("to a script", "javascript:alert(1)")
            .fails("`javascript:alert(1)` is no http or https url")
            .asks(1),
        to("to no url at all", "http://[:::]/there").fails("invalid IPv6 address"),
        to("to a port that nobody has", "http://127.0.0.1:99999/there").fails("invalid port number"),
        to("to a port where nobody listens", "http://127.0.0.1:1/there").fails("connection refused"),
        to("to tls that is none", "https://{here}/there").fails("no secure connection"),
        row("to nowhere", vec![status("302 Found", &[])]).fails("the server answered 302 Found").asks(1),
        row("to nothing", vec![status("302 Found", &[("location", "")])]).fails("more than 10 redirects"),
        row(
            "to two places",
            vec![status("302 Found", &[("location", "/there"), ("location", "/here")]), right()],
        ),
        by("with a body that hangs", body(Step::Stall)),
        by("with a body without end", body(Step::Flood(b"moved ".to_vec()))),
        by("with a body that is cut off", body(Step::Close)),
        by("to what is not there", |_, request| match &*request.path {
            "file" => status("302 Found", &[("location", "/there")]),
            _ => status("404 Not Found", &[]),
        })
        .fails("the server answered 404 Not Found"),
        by("to what breaks off", |_, request| match &*request.path {
            "file" => status("302 Found", &[("location", "/there")]),
            _ => answer(&[TEN], &[send("01234"), Step::Close]),
        })
        .fails("the body ended after 5 of 10 bytes"),
        row("round in circles once", vec![status("503 Service Unavailable", &[]), right()]).tries(2),
        by("to the portal of a hotel", |_, request| match &*request.path {
            "file" => status("302 Found", &[("location", "/login")]),
            _ => answer(&[TEN, ("content-type", "text/html")], &[send("<a>Log in!")]),
        })
        .checked()
        .fails("the file is sha-256="),
        by("to the portal of a hotel once", |nth, request| match (nth, &*request.path) {
            (0, _) => status("302 Found", &[("location", "/login")]),
            (_, "login") => answer(&[TEN], &[send("<a>Log in!")]),
            _ => answer(&[TEN], &[send(CONTENT)]),
        })
        .checked()
        .tries(2)
        .asks(3),
    ]
}
