//! Answers that look right and are not: only who knows what the file should be can tell.

use super::row::{CONTENT, Disk, Row, TEN, answer, right, row};
use crate::files::checksum;
use crate::server::{Server, Step, ok, send};

pub(super) fn rows() -> Vec<Row> {
    let flipped = || ok(b"0123456799");
    let portal = || {
        answer(&[("content-type", "text/html"), ("content-length", "21")], &[send("<html>Log in!</html>\n")])
    };
    let large = |flip: usize| {
        let mut bytes = vec![0x55; 3 << 20];
        if let Some(byte) = bytes.get_mut(flip) {
            *byte ^= 1;
        }
        bytes
    };
    let sized = |size: &'static str| {
        move |server: &Server| {
            format!(
                "<metalink xmlns=\"urn:ietf:params:xml:ns:metalink\"><file name=\"file\"><size>{size}</size>\
                 <url>{}</url></file></metalink>",
                server.url("file")
            )
        }
    };
    let listed = |option: &'static str| move |server: &Server| format!("{}\n {option}\n", server.url("file"));
    const MD5: &str = "checksum=md5=781e5e245d69b566979b86e28d23f2c7";
    vec![
        row("a flipped bit", vec![flipped()]).checked().fails("the file is sha-256=").asks(1),
        row("a flipped bit that nobody can see", vec![flipped()]).leaves(Disk::Holds(b"0123456799")),
        row("a flipped bit once", vec![flipped(), right()]).checked().tries(2).asks(2),
        // The same wrong bytes twice are another file.
        row("a flipped bit each time", vec![flipped()]).checked().tries(3).fails("(after 2 tries)").asks(2),
        row("a flipped bit at the beginning of a large file", vec![ok(large(0))])
            .content(large(usize::MAX))
            .checked()
            .fails("the file is sha-256="),
        row("a flipped bit at the end of a large file", vec![ok(large((3 << 20) - 1))])
            .content(large(usize::MAX))
            .checked()
            .fails("the file is sha-256="),
        row("a flipped bit in a large file once", vec![ok(large(2 << 20)), ok(large(usize::MAX))])
            .content(large(usize::MAX))
            .checked()
            .tries(2),
        row("a flipped bit, by md5", vec![flipped()]).list(listed(MD5)).fails("the file is md5="),
        row("the right file, by md5", vec![right()]).list(listed(MD5)),
        row("the portal of a hotel", vec![portal()]).checked().fails("the file is sha-256="),
        row("the portal of a hotel once", vec![portal(), right()]).checked().tries(2).asks(2),
        row("the portal of a hotel, and a length that is known", vec![portal()])
            .list(sized("10"))
            .fails("the file has 21 bytes, not 10")
            .tries(2),
        row("the portal of a hotel once, and a length that is known", vec![portal(), right()])
            .list(sized("10"))
            .tries(2),
        row("a file too short for its known length", vec![ok(b"01234")])
            .list(sized("10"))
            .fails("the file has 5 bytes, not 10")
            .tries(2),
        row("a file too long for its known length", vec![ok(b"0123456789+")])
            .list(sized("10"))
            .fails("the file has 11 bytes, not 10"),
        row("nothing, and a checksum", vec![ok(b"")]).checked().fails("the file is sha-256="),
        row("nothing", vec![ok(b"")]).leaves(Disk::Holds(b"")),
        row("nothing once, and a length that is known", vec![ok(b""), right()]).list(sized("10")).tries(2),
        row("the beginning twice", vec![ok(b"0123401234")]).checked().fails("the file is sha-256="),
        row(
            "an older version breaks off, then the newer",
            vec![answer(&[TEN], &[send("abcde"), Step::Close]), right()],
        )
        .tries(2),
        row("an older version, then the newer, and a checksum", vec![ok(b"abcdefghij"), right()])
            .checked()
            .tries(2)
            .asks(2),
        row("it changes at every try", vec![ok(b"abcdefghij"), ok(b"bcdefghija"), ok(b"cdefghijab")])
            .checked()
            .tries(3)
            .fails("(after 3 tries)"),
        row("two checksums that cannot both be right", vec![right()])
            .list(|server| format!("{}\n checksum={}\n {MD5}\n", server.url("file"), checksum(CONTENT)))
            .refused("given twice"),
        row(
            "a name in a header",
            vec![answer(
                &[
                    TEN,
                    (
                        "content-disposition",
                        "attachment; filename=\"../../evil\"; filename*=UTF-8''%2fetc%2fevil",
                    ),
                ],
                &[send(CONTENT)],
            )],
        ),
        row(
            "a type that says it is an error",
            vec![answer(&[TEN, ("content-type", "text/html")], &[send(CONTENT)])],
        ),
    ]
}
