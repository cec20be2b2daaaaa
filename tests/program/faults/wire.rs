//! Connections that end, in good order or bad, or hang, wherever it hurts.

use super::row::{CHUNKED, CONTENT, Row, TEN, When, answer, raw, right, row};
use crate::server::{Step, head, send, whole};

pub(super) fn rows() -> Vec<Row> {
    let large = || vec![7; 3 << 20];
    let large_head = || head("200 OK", &[("content-length", "3145728")]);
    vec![
        row("closed without a word", vec![vec![Step::Close]]).fails("no proper http answer").asks(2),
        row("closed without a word once", vec![vec![Step::Close], right()]).asks(2),
        row("closed without a word twice", vec![vec![Step::Close], vec![Step::Close], right()])
            .tries(2)
            .asks(3),
        row("reset without a word", vec![vec![Step::Reset]]).fails("connection reset").asks(2),
        row("reset without a word once", vec![vec![Step::Reset], right()]).asks(2),
        row("closed in the status line", vec![raw("HTTP/1.1 20")]).fails("no proper http answer"),
        row("closed in the head", vec![raw("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n")])
            .fails("no proper http answer"),
        row("reset in the head", vec![vec![send("HTTP/1.1 200 OK\r\ncontent-le"), Step::Reset]])
            .fails("connection reset"),
        row("closed before the body", vec![answer(&[TEN], &[Step::Close])])
            .fails("the body ended after 0 of 10 bytes")
            .asks(1),
        row("closed in the body", vec![answer(&[TEN], &[send("01234"), Step::Close])])
            .fails("the body ended after 5 of 10 bytes")
            .asks(1),
        row("closed before the last byte", vec![answer(&[TEN], &[send("012345678"), Step::Close])])
            .fails("the body ended after 9 of 10 bytes"),
        row("closed in the body once", vec![answer(&[TEN], &[send("01234"), Step::Close]), right()])
            .tries(2)
            .asks(2),
        row("reset before the body", vec![answer(&[TEN], &[Step::Reset])]).fails("connection reset"),
        row("reset in the body", vec![answer(&[TEN], &[send("01234"), Step::Reset])])
            .fails("connection reset")
            .asks(1),
        row("reset in the body once", vec![answer(&[TEN], &[send("01234"), Step::Reset]), right()])
            .checked()
            .tries(2)
            .asks(2),
        row(
            "reset in the body of a large file",
            vec![vec![large_head(), send(vec![7; 2 << 20]), Step::Reset]],
        )
        .content(large())
        .checked()
        .fails("connection reset"),
        row(
            "closed in the body of a large file once",
            vec![vec![large_head(), send(vec![7; 2 << 20]), Step::Close], vec![send(whole(large()))]],
        )
        .content(large())
        .checked()
        .tries(2),
        row("reset after the body", vec![answer(&[TEN], &[send(CONTENT), Step::Close])]),
        row("hangs without a word", vec![vec![Step::Stall]]).interrupted(When::Stalled),
        row("hangs in the head", vec![vec![send("HTTP/1.1 200 OK\r\n"), Step::Stall]])
            .interrupted(When::Stalled),
        row("hangs before the body", vec![answer(&[TEN], &[Step::Stall])]).interrupted(When::Stalled),
        row("hangs in the body", vec![answer(&[TEN], &[send("01234"), Step::Stall])])
            .interrupted(When::Stalled),
        row("hangs before the last byte", vec![answer(&[TEN], &[send("012345678"), Step::Stall])])
            .checked()
            .interrupted(When::Stalled),
        row(
            "hangs where only the end could tell the length",
            vec![answer(&[], &[send(CONTENT), Step::Stall])],
        )
        .checked()
        .interrupted(When::Stalled),
        row(
            "hangs before the last chunk",
            vec![answer(&[CHUNKED], &[send("a\r\n0123456789\r\n"), Step::Stall])],
        )
        .checked()
        .interrupted(When::Stalled),
        row("hangs after the whole body", vec![answer(&[TEN], &[send(CONTENT), Step::Stall])]),
        row("comes byte by byte", vec![vec![Step::Drip(whole(CONTENT))]]),
        row(
            "comes byte by byte, in chunks",
            vec![vec![Step::Drip(
                b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\n0123\r\n6\r\n456789\r\n0\r\n\r\n"
                    .to_vec(),
            )]],
        ),
        row("nobody listens", vec![right()])
            .url(|_| "http://127.0.0.1:1/file".to_owned(), "file")
            .fails("connection refused")
            .asks(0)
            .never_heals(),
        row("the name has no address", vec![right()])
            .url(|_| "http://nowhere.invalid/file".to_owned(), "file")
            .fails("no address found for `nowhere.invalid`")
            .asks(0)
            .never_heals(),
        row("speaks no tls", vec![right()])
            .url(|server| server.https_url("file"), "file")
            .fails("no secure connection")
            .never_heals(),
    ]
}
