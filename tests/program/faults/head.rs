//! Heads of answers that are none, or lie, or never end.

use super::row::{CONTENT, Disk, Row, TEN, When, answer, raw, right, row};
use crate::server::{Step, head, send};

const NONE: &str = "no proper http answer";

pub(super) fn rows() -> Vec<Row> {
    let big = |length| "x".repeat(length);
    let many = |count: usize| (0..count).map(|n| format!("x-{n}: y\r\n")).collect::<String>();
    let ok = |headers: &str| raw(format!("HTTP/1.1 200 OK\r\n{headers}content-length: 10\r\n\r\n0123456789"));
    let length = |text: &str| raw(format!("HTTP/1.1 200 OK\r\ncontent-length: {text}\r\n\r\n0123456789"));
    let hint = "HTTP/1.1 103 Early Hints\r\nlink: </style.css>\r\n\r\n";
    vec![
        row("a mail server", vec![raw("220 ready for mail\r\n\r\n")]).fails(NONE),
        row("noise", vec![raw([0x80, 0, 0xff, 0x16, 3, 1, 2, 0, 1])]).fails(NONE),
        row("a page without a head", vec![raw("<html><body>0123456789</body></html>\r\n\r\n")]).fails(NONE),
        row("only the end of a head", vec![raw("\r\n\r\n")]).fails(NONE),
        row("a version of its own", vec![raw("HTTP/9.9 200 OK\r\ncontent-length: 10\r\n\r\n0123456789")])
            .fails(NONE),
        row("another protocol", vec![raw("ICY 200 OK\r\ncontent-length: 10\r\n\r\n0123456789")]).fails(NONE),
        row("no status", vec![raw("HTTP/1.1\r\ncontent-length: 10\r\n\r\n0123456789")]).fails(NONE),
        row("a status of two digits", vec![raw("HTTP/1.1 20 OK\r\ncontent-length: 10\r\n\r\n0123456789")])
            .fails(NONE),
        row(
            "a status of five digits",
            vec![raw("HTTP/1.1 20000 OK\r\ncontent-length: 10\r\n\r\n0123456789")],
        )
        .fails(NONE),
        row("a status of zeros", vec![raw("HTTP/1.1 000 OK\r\ncontent-length: 10\r\n\r\n0123456789")])
            .fails(NONE),
        row("no words for the status", vec![raw("HTTP/1.1 200\r\ncontent-length: 10\r\n\r\n0123456789")]),
        row("garbage after the status line", vec![ok("\u{1}\u{2}garbage\r\n")]).fails(NONE),
        row("garbage after the status line once", vec![ok("garbage\r\n"), ok("garbage\r\n"), right()])
            .tries(2),
        row("a header without a colon", vec![ok("nothing\r\n")]).fails(NONE),
        row("a header with a space in its name", vec![ok("not this: x\r\n")]).fails(NONE),
        row("a header with a NUL", vec![ok("x: a\0b\r\n")]).fails(NONE),
        row(
            "a header of bytes that are no text",
            vec![raw(
                [b"HTTP/1.1 200 OK\r\nx: \xff\xfe\r\ncontent-length: 10\r\n\r\n" as &[u8], CONTENT].concat()
            )],
        ),
        row("a header on two lines", vec![ok("x: a\r\n b\r\n")]).fails(NONE),
        row("a gigantic header", vec![ok(&format!("x: {}\r\n", big(8 << 20)))]).fails(NONE),
        row("a large header", vec![ok(&format!("x: {}\r\n", big(100_000)))]),
        row("ten thousand headers", vec![ok(&many(10_000))]).fails(NONE),
        row("a flood of headers", vec![vec![send("HTTP/1.1 200 OK\r\n"), Step::Flood(b"x: y\r\n".to_vec())]])
            .fails(NONE),
        row(
            "a status line that never ends",
            vec![vec![send("HTTP/1.1 200 "), Step::Flood(b"OK OK ".to_vec())]],
        )
        .fails(NONE),
        row(
            "a hint first",
            vec![raw(format!("{hint}HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n0123456789"))],
        ),
        row(
            "continue first",
            vec![vec![send("HTTP/1.1 100 Continue\r\n\r\n"), head("200 OK", &[TEN]), send(CONTENT)]],
        ),
        row(
            "a thousand hints first",
            vec![vec![send(hint.repeat(1000)), head("200 OK", &[TEN]), send(CONTENT)]],
        ),
        row("a flood of hints", vec![vec![Step::Flood(hint.into())]]).interrupted(When::Stalled),
        row("only a hint", vec![raw(hint)]).fails(NONE),
        row(
            "another protocol from here on",
            vec![vec![
                head("101 Switching Protocols", &[("upgrade", "chat"), ("connection", "upgrade")]),
                Step::Close,
            ]],
        )
        .fails("the server answered 101 Switching Protocols"),
        // Lengths that lie.
        row("a length too small", vec![length("9")]).leaves(Disk::Holds(b"012345678")),
        row("a length too small, and a checksum", vec![length("9")]).checked().fails("the file is sha-256="),
        row("a length too small once, and a checksum", vec![length("9"), right()]).checked().tries(2).asks(2),
        row("a length too large", vec![length("11")]).fails("the body ended after 10 of 11 bytes"),
        row("a length too large once", vec![length("11"), right()]).tries(2),
        row("a length larger than anything", vec![length("9223372036854775807")])
            .fails("the body ended after 10 of 9223372036854775807 bytes"),
        row("the largest length that a number holds", vec![length("18446744073709551615")]).fails(NONE),
        row("a length that no number holds", vec![length("18446744073709551616")]).fails(NONE),
        row("a length of zero, and a checksum", vec![length("0")]).checked().fails("the file is sha-256="),
        row("a length below zero", vec![length("-10")]).fails(NONE),
        row("a length with a plus", vec![length("+10")]).fails(NONE),
        row("a length in hex", vec![length("0xa")]).fails(NONE),
        row("a length in words", vec![length("ten")]).fails(NONE),
        row("a length with zeros", vec![length("0000000000000000000010")]),
        row("no length in its place", vec![length("")]).fails(NONE),
        row("the same length twice", vec![ok("content-length: 10\r\n")]),
        row("the same length twice in a line", vec![length("10, 10")]),
        row("two lengths", vec![ok("content-length: 11\r\n")]).fails(NONE),
        row("two lengths in a line", vec![length("10, 11")]).fails(NONE),
        // The end of the connection as the end of the file.
        row("no length", vec![raw([b"HTTP/1.1 200 OK\r\n\r\n" as &[u8], CONTENT].concat())]),
        row("the oldest version", vec![raw([b"HTTP/1.0 200 OK\r\n\r\n" as &[u8], CONTENT].concat())]),
        row("no length, and cut off where nobody can tell", vec![raw("HTTP/1.1 200 OK\r\n\r\n01234")])
            .leaves(Disk::Holds(b"01234")),
        row("no length, cut off, and a checksum", vec![raw("HTTP/1.1 200 OK\r\n\r\n01234")])
            .checked()
            .fails("the file is sha-256="),
        row("no length, and a reset", vec![answer(&[], &[send("01234"), Step::Reset])])
            .fails("connection reset"),
        row("no length, cut off once, and a checksum", vec![raw("HTTP/1.1 200 OK\r\n\r\n01234"), right()])
            .checked()
            .tries(2),
        // More than was asked for.
        row(
            "a second answer behind the first",
            vec![vec![
                head("200 OK", &[TEN]),
                send("0123456789HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil"),
            ]],
        ),
        row(
            "a body without end behind the length",
            vec![vec![head("200 OK", &[TEN]), send(CONTENT), Step::Flood(b"more".to_vec())]],
        ),
        row("bare line feeds", vec![raw("HTTP/1.1 200 OK\ncontent-length: 10\n\n0123456789")]),
    ]
}
