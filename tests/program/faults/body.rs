//! Bodies in another form than the file's.

use super::row::{CHUNKED, CONTENT, Row, TEN, answer, row};
use crate::server::{Step, send};

const GZIP: &[u8] = b"\x1f\x8b\x08\0\0\0\0\0\0\x03";

pub(super) fn rows() -> Vec<Row> {
    let coded = |coding: &str| answer(&[TEN, ("content-encoding", coding)], &[send(GZIP)]);
    let travelling =
        |coding: &str, body: &[u8]| answer(&[("transfer-encoding", coding)], &[send(body), Step::Close]);
    let chunks = b"a\r\n0123456789\r\n0\r\n\r\n";
    vec![
        row("compressed unasked", vec![coded("gzip")]).fails("the server sent it encoded as gzip").asks(1),
        row("compressed unasked, in capitals", vec![coded("GZIP")]).fails("encoded as GZIP"),
        row("compressed unasked by another", vec![coded("br")]).fails("encoded as br"),
        row("compressed twice", vec![coded("identity, gzip")]).fails("encoded as gzip"),
        row(
            "compressed unasked, in chunks",
            vec![answer(
                &[CHUNKED, ("content-encoding", "gzip")],
                &[send("a\r\n"), send(GZIP), send("\r\n0\r\n\r\n")],
            )],
        )
        .fails("encoded as gzip"),
        row(
            "a coding that is none",
            vec![answer(&[TEN, ("content-encoding", "identity")], &[send(CONTENT)])],
        ),
        row(
            "a file that is compressed by itself",
            vec![answer(&[TEN, ("content-type", "application/gzip")], &[send(GZIP)])],
        )
        .content(GZIP.to_vec())
        .checked(),
        row("compressed on the way, in chunks", vec![travelling("gzip, chunked", chunks)])
            .fails("encoded as gzip, chunked")
            .asks(1),
        row("by no coding on the way", vec![travelling("identity", CONTENT)]),
        row("compressed on the way", vec![travelling("gzip", CONTENT)]).fails("encoded as gzip"),
        row("chunks within something else", vec![travelling("chunked, identity", chunks)])
            .fails("encoded as chunked, identity"),
        row("chunked twice", vec![travelling("chunked, chunked", chunks)])
            .fails("encoded as chunked, chunked"),
    ]
}
