//! Chunks that are broken in every way that there is.

use super::row::{CHUNKED, Disk, Row, TEN, answer, right, row};
use crate::server::{Step, send};

const NONE: &str = "no proper http answer";

pub(super) fn rows() -> Vec<Row> {
    let chunks = |text: &str| answer(&[CHUNKED], &[send(text), Step::Close]);
    let long = |length| "x".repeat(length);
    vec![
        row("chunks", vec![chunks("4\r\n0123\r\n6\r\n456789\r\n0\r\n\r\n")]),
        row(
            "one chunk a byte",
            vec![chunks(
                &("0123456789".chars().map(|c| format!("1\r\n{c}\r\n")).collect::<String>() + "0\r\n\r\n"),
            )],
        ),
        row("chunks with extensions", vec![chunks("a;name=\"value\";x\r\n0123456789\r\n0;y\r\n\r\n")]),
        row("chunks with trailers", vec![chunks("a\r\n0123456789\r\n0\r\ndigest: x\r\nx: y\r\n\r\n")]),
        row("sizes with zeros", vec![chunks("000a\r\n0123456789\r\n00\r\n\r\n")]),
        row("sizes in capitals", vec![chunks("A\r\n0123456789\r\n0\r\n\r\n")]),
        row("no chunk at all, and a checksum", vec![chunks("0\r\n\r\n")])
            .checked()
            .fails("the file is sha-256="),
        row("no chunk at all", vec![chunks("0\r\n\r\n")]).leaves(Disk::Holds(b"")),
        row("cut between chunks", vec![chunks("5\r\n01234\r\n")]).fails("the body ended after 5 bytes"),
        row("cut between chunks once", vec![chunks("5\r\n01234\r\n"), right()]).tries(2).asks(2),
        row("cut in a chunk", vec![chunks("a\r\n01234")]).fails("the body ended after 5 bytes"),
        row("cut before the last chunk", vec![chunks("a\r\n0123456789\r\n")])
            .fails("the body ended after 10 bytes"),
        row("cut in the last chunk", vec![chunks("a\r\n0123456789\r\n0\r\n")])
            .fails("the body ended after 10 bytes"),
        row("cut in a size", vec![chunks("a\r\n0123456789\r\n1")]).fails("the body ended after 10 bytes"),
        row("reset between chunks", vec![answer(&[CHUNKED], &[send("5\r\n01234\r\n"), Step::Reset])])
            .fails("connection reset"),
        row(
            "reset before the last chunk",
            vec![answer(&[CHUNKED], &[send("a\r\n0123456789\r\n"), Step::Reset])],
        )
        .fails("connection reset"),
        row("a size that is none", vec![chunks("zz\r\n0123456789\r\n0\r\n\r\n")]).fails(NONE),
        row("a size that is none later", vec![chunks("5\r\n01234\r\nzz\r\n56789\r\n0\r\n\r\n")]).fails(NONE),
        row("a size below zero", vec![chunks("-a\r\n0123456789\r\n0\r\n\r\n")]).fails(NONE),
        row("a size in C's hex", vec![chunks("0xa\r\n0123456789\r\n0\r\n\r\n")]).fails(NONE),
        row("no size", vec![chunks("\r\n0123456789\r\n0\r\n\r\n")]).fails(NONE),
        row("the largest size", vec![chunks("ffffffffffffffff\r\n0123456789")])
            .fails("the body ended after 10 bytes"),
        row("a size that no number holds", vec![chunks("10000000000000000\r\n0123456789\r\n0\r\n\r\n")])
            .fails(NONE),
        row("a size too small", vec![chunks("9\r\n0123456789\r\n0\r\n\r\n")]).fails(NONE),
        row("a size too large", vec![chunks("b\r\n0123456789\r\n0\r\n\r\n")]).fails(NONE),
        row("no line end after a chunk", vec![chunks("a\r\n01234567890\r\n\r\n")]).fails(NONE),
        row(
            "an extension without end",
            vec![answer(&[CHUNKED], &[send("a;"), Step::Flood(long(100).into())])],
        )
        .fails(NONE),
        row(
            "trailers without end",
            vec![answer(&[CHUNKED], &[send("a\r\n0123456789\r\n0\r\n"), Step::Flood(b"x: y\r\n".to_vec())])],
        )
        .fails(NONE),
        row("a trailer that is none", vec![chunks("a\r\n0123456789\r\n0\r\n\0garbage\r\n\r\n")]).fails(NONE),
        row("not chunked, though said", vec![chunks("<html>0123456789</html>")]).fails(NONE),
        row(
            "chunks, and a right length too",
            vec![answer(&[CHUNKED, TEN], &[send("a\r\n0123456789\r\n0\r\n\r\n")])],
        ),
        row(
            "chunks, and a length too large",
            vec![answer(&[CHUNKED, ("content-length", "11")], &[send("a\r\n0123456789\r\n0\r\n\r\n")])],
        )
        .fails("the body ended after 10 of 11 bytes"),
        row(
            "chunks, and a length too small",
            vec![answer(&[CHUNKED, ("content-length", "9")], &[send("a\r\n0123456789\r\n0\r\n\r\n")])],
        )
        .fails("the body went on after the 9 bytes"),
        row(
            "a second answer behind the chunks",
            vec![answer(
                &[CHUNKED],
                &[send("a\r\n0123456789\r\n0\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil")],
            )],
        ),
        row(
            "chunks in the oldest version",
            vec![vec![
                send("HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\na\r\n0123456789\r\n0\r\n\r\n"),
                Step::Close,
            ]],
        )
        .fails(NONE),
    ]
}
