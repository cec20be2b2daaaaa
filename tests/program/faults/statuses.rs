//! Every answer but 200, with and without a second chance.

use super::row::{CONTENT, Row, TEN, When, answer, right, row, status};
use crate::server::{Step, head, send};

pub(super) fn rows() -> Vec<Row> {
    let busy = |after: &str| status("503 Service Unavailable", &[("retry-after", after)]);
    let partial = |range: &str, body: &[u8]| {
        let length = body.len().to_string();
        vec![
            head("206 Partial Content", &[("content-range", range), ("content-length", &length)]),
            send(body),
        ]
    };
    #[rustfmt::skip] // a table
    let for_good = [
        ("bad request", "400 Bad Request"), ("unauthorized", "401 Unauthorized"),
        ("forbidden", "403 Forbidden"), ("not found", "404 Not Found"),
        ("no such method", "405 Method Not Allowed"), ("proxy wants a password", "407 Proxy Authentication Required"),
        ("gone", "410 Gone"), ("no such range", "416 Range Not Satisfiable"), ("a teapot", "418 I'm a teapot"),
        ("censored", "451 Unavailable For Legal Reasons"), ("created", "201 Created"), ("accepted", "202 Accepted"),
        ("several choices", "300 Multiple Choices"), ("a proxy of old", "305 Use Proxy"),
    ];
    let passing = [
        ("too late", "408 Request Timeout"),
        ("too many", "429 Too Many Requests"),
        ("server error", "500 Internal Server Error"),
        ("bad gateway", "502 Bad Gateway"),
        ("unavailable", "503 Service Unavailable"),
        ("gateway too late", "504 Gateway Timeout"),
        ("full", "507 Insufficient Storage"),
    ];
    let mut rows = vec![
        row("no content", vec![vec![head("204 No Content", &[])]])
            .fails("the server answered 204 No Content"),
        row("not modified", vec![vec![head("304 Not Modified", &[])]]).fails("304 Not Modified"),
        row("reset content", vec![status("205 Reset Content", &[])]).fails("205 Reset Content"),
        row("a status of nobody", vec![status("799 Whatever", &[])]).fails("the server answered 799"),
        row("an error that hangs", vec![vec![head("404 Not Found", &[TEN]), Step::Stall]])
            .fails("404 Not Found"),
        row("an error without end", vec![vec![head("500 Error", &[]), Step::Flood(b"error ".to_vec())]])
            .fails("500"),
        row("an error that is as long as the file", vec![vec![head("500 Error", &[TEN]), send(CONTENT)]])
            .fails("500"),
        row("a part unasked", vec![partial("bytes 5-9/10", b"56789")]).fails("206 Partial Content").asks(1),
        row("the first part unasked", vec![partial("bytes 0-4/10", b"01234")]).fails("206 Partial Content"),
        row("the whole as a part", vec![partial("bytes 0-9/10", CONTENT)]).fails("206 Partial Content"),
        row("a part of nothing", vec![vec![head("206 Partial Content", &[TEN]), send(CONTENT)]]).fails("206"),
        row(
            "200 that says it is a part",
            vec![answer(&[TEN, ("content-range", "bytes 10-19/20")], &[send(CONTENT)])],
        )
        .checked(),
        // Retry-After.
        row("comes back after a second", vec![busy("1"), right()]).tries(2).asks(2),
        row("comes back at once", vec![busy("0"), right()]).tries(2).asks(2),
        row("comes back at a time of the past", vec![busy("Wed, 21 Oct 2015 07:28:00 GMT"), right()])
            .tries(2),
        row("comes back some time", vec![busy("soon"), right()]).tries(2).asks(2),
        row("comes back before it went", vec![busy("-5"), right()]).tries(2).asks(2),
        row("comes back never", vec![busy("18446744073709551616"), right()]).tries(2).asks(2),
        row("comes back in an hour", vec![busy("3600")])
            .tries(2)
            .interrupted(When::Said("again in 600.0s"))
            .asks(1),
        row("comes back after the end of the world", vec![busy("18446744073709551615")])
            .tries(2)
            .interrupted(When::Said("again in"))
            .asks(1),
        row("comes back in an hour, but that was the last try", vec![busy("3600")]).fails("503").asks(1),
    ];
    rows.extend(for_good.map(|(name, line)| row(name, vec![status(line, &[])]).tries(3).fails(line).asks(1)));
    rows.extend(passing.map(|(name, line)| row(name, vec![status(line, &[])]).fails(line).asks(1)));
    rows.extend(passing.map(|(name, line)| row(name, vec![status(line, &[]), right()]).tries(2).asks(2)));
    rows
}
