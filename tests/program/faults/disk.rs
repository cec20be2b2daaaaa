//! Something is under the name already.

use super::row::{Before, CONTENT, Disk, Row, TEN, When, answer, right, row, status};
use crate::server::{Step, ok, send};

pub(super) fn rows() -> Vec<Row> {
    let old = Before::File(b"yesterday's");
    let half = || answer(&[TEN], &[send("01234"), Step::Close]);
    let stalls = || answer(&[TEN], &[send("01234"), Step::Stall]);
    vec![
        row("an old file, and a new one", vec![right()]).before(old),
        row("an old file, and a new one with a checksum", vec![right()]).before(old).checked(),
        row("an old file, and half a new one", vec![half()])
            .before(old)
            .fails("the body ended after 5 of 10 bytes")
            .leaves(Disk::Before),
        row("an old file, and a wrong one", vec![ok(b"0123456799")])
            .before(old)
            .checked()
            .fails("the file is sha-256=")
            .leaves(Disk::Before),
        row("an old file, and none", vec![status("404 Not Found", &[])])
            .before(old)
            .fails("404 Not Found")
            .leaves(Disk::Before),
        row("an old file, and one that hangs", vec![stalls()])
            .before(old)
            .interrupted(When::Stalled)
            .leaves(Disk::Before),
        row("an old file that is longer", vec![right()]).before(Before::File(&[b'x'; 5000])),
        row("half of the file from somewhere else", vec![right()]).before(Before::File(b"01234")).checked(),
        row("the right file already, and half of it again", vec![half()])
            .before(Before::File(CONTENT))
            .checked()
            .fails("the body ended after 5 of 10 bytes")
            .leaves(Disk::Before),
        row("a link", vec![right()]).before(Before::Link),
        row("a link, and a wrong file", vec![ok(b"0123456799")])
            .before(Before::Link)
            .checked()
            .fails("the file is sha-256=")
            .leaves(Disk::Before),
        row("a link, and half a file", vec![half()])
            .before(Before::Link)
            .fails("the body ended after 5 of 10 bytes")
            .leaves(Disk::Before),
        row("a link that leads nowhere", vec![right()]).before(Before::Dangling),
        row("a link that leads nowhere, and half a file", vec![half()])
            .before(Before::Dangling)
            .fails("the body ended after 5 of 10 bytes")
            .leaves(Disk::Before),
        row("a second name of another file", vec![right()]).before(Before::HardLink),
        row("a second name of another file, and half a file", vec![half()])
            .before(Before::HardLink)
            .fails("the body ended after 5 of 10 bytes")
            .leaves(Disk::Before),
        row("a directory", vec![right()]).before(Before::Directory).refused("is a directory"),
    ]
}
