//! Files that several places have, some of them bad.

use super::row::{CONTENT, Row, TEN, answer, by, right, status};
use crate::files::checksum;
use crate::server::{Server, Step, ok, send};

/// Asks the bad place first. The good one has the right file.
fn bad(name: &'static str, first: Vec<Step>) -> Row {
    let both = by(name, move |_, request| match &*request.path {
        "bad" => first.clone(),
        _ => right(),
    });
    both.list(list).tries(2)
}

fn list(server: &Server) -> String {
    let (bad, good) = (server.url("bad"), server.url("good"));
    format!("{bad}\t{good}\n  out=file\n  checksum={}\n", checksum(CONTENT))
}

pub(super) fn rows() -> Vec<Row> {
    vec![
        bad("first it is not there", status("404 Not Found", &[])).asks(2),
        bad("first it is forbidden", status("403 Forbidden", &[])).asks(2),
        bad("first it is unavailable", status("503 Service Unavailable", &[])).asks(2),
        bad("first it is wrong", ok(b"0123456799")).asks(2),
        bad("first it is a page", ok(b"<html>Log in!</html>")).asks(2),
        bad("first it is empty", ok(b"")),
        bad("first it is compressed", answer(&[TEN, ("content-encoding", "gzip")], &[send(CONTENT)])).asks(2),
        bad("first it is a part", vec![crate::server::head("206 Partial Content", &[TEN]), send(CONTENT)]),
        bad("first it breaks off", answer(&[TEN], &[send("01234"), Step::Close])).asks(2),
        bad("first it is reset", answer(&[TEN], &[send("01234"), Step::Reset])).asks(2),
        bad("first it goes round in circles", status("302 Found", &[("location", "/bad")])),
        bad("first it is no http", vec![send("220 ready\r\n\r\n"), Step::Close]),
        bad("first nobody listens", right())
            .list(|server| list(server).replacen(&server.url("bad"), "http://127.0.0.1:1/bad", 1))
            .asks(1),
        bad("first there is no tls", right()).list(|server| list(server).replacen("http:", "https:", 1)),
        bad("first it is not there, and there is only one try", status("404 Not Found", &[]))
            .tries(1)
            .fails("404 Not Found"),
        by("both do not have it", |_, _| status("404 Not Found", &[]))
            .list(list)
            .tries(5)
            .fails("(after 2 tries)")
            .asks(2),
        by("both are wrong", |_, _| ok(b"0123456799")).list(list).tries(4).fails("(after 2 tries)").asks(2),
        // The one that is gone is not asked again.
        by("one is gone, the other wrong at first", |nth, request| match (nth, &*request.path) {
            (_, "bad") => status("410 Gone", &[]),
            (1, _) => ok(b"0123456799"),
            _ => right(),
        })
        .list(list)
        .tries(4)
        .asks(3),
    ]
}
