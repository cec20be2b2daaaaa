//! Names that lead out of the directory, or to files of ours.

use super::row::{Row, right, row};
use crate::server::Server;

pub(super) fn rows() -> Vec<Row> {
    let path = |name: &'static str, path: &'static str, file: &'static str| {
        row(name, vec![right()]).url(move |server| server.url(path), file)
    };
    let bad = |name: &'static str, at: &'static str, said| path(name, at, "file").refused(said);
    let listed = |name: &'static str, option: &'static str, said: &'static str| {
        let list = move |server: &Server| format!("{}\n  {option}\n", server.url("file"));
        row(name, vec![right()]).list(list).refused(said)
    };
    vec![
        bad("climbs out by coded slashes", "..%2f..%2fetc%2fpasswd", "has a slash in it"),
        bad("is absolute by a coded slash", "%2fetc%2fpasswd", "has a slash in it"),
        bad("has a NUL", "x%00.txt", "has a NUL in it"),
        bad("is the journal's", ".latido.db", "latido's own files"),
        bad("is the journal's, coded", "%2elatido.db", "latido's own files"),
        path("climbs out by coded dots", "a/%2e%2e", "index.html"),
        path("climbs out by dots", "a/../../..", "index.html"),
        path("has no name", "", "index.html"),
        path("has control characters", "a%1b%5b31m%0ab", "a\u{1b}[31m\nb"),
        path("has two dots and no slash", "..file", "..file"),
        path("has a backslash", "a%5cb", "a\\b"),
        path("begins with a dash", "-rf", "-rf"),
        path("has a query with slashes", "file?../../etc/passwd", "file"),
        listed("climbs out by the list", "out=../file", "has `..`"),
        listed("climbs out further down", "out=a/../../file", "has `..`"),
        listed("is absolute by the list", "out=/etc/file", "is absolute"),
        listed("is the journal's by the list", "out=.latido.db", "latido's own files"),
        listed("is empty", "out=", "the name is empty"),
        listed("has a directory that climbs out", "dir=..", "has `..`"),
        row("climbs out by a Metalink", vec![right()])
            .list(|server| {
                format!(
                    "<metalink xmlns=\"urn:ietf:params:xml:ns:metalink\"><file name=\"../file\"><url>{}</url></file>\
                     </metalink>",
                    server.url("file")
                )
            })
            .refused("has `..`"),
    ]
}
