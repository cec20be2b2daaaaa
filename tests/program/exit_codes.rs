//! Every exit code that `docs/exit-codes.md` lists happens, and `--help` lists the same.

use std::collections::BTreeSet;

use nix::sys::signal::Signal;
use tempfile::tempdir;

use crate::files::not_found;
use crate::latido::{Running, latido};
use crate::server::{Server, Step, ok};

fn codes<'a>(lines: impl Iterator<Item = &'a str>) -> BTreeSet<i32> {
    lines.filter_map(|line| line.split_whitespace().next()?.parse().ok()).collect()
}

#[test]
fn every_documented_code_ends_some_run_and_help_lists_them_all() {
    let server = Server::start(|request| match &*request.path {
        "there" => ok("content"),
        "stalled" => vec![Step::Stall],
        _ => not_found(),
    });
    let dir = tempdir().unwrap();
    let run = |name: &str| latido(dir.path(), ["fetch", &server.url(name)]).code;
    let signalled = |signal| {
        let before = server.requests().len();
        let run = Running::start(dir.path(), ["fetch", &server.url("stalled")]);
        server.wait_for_requests(before + 1);
        run.signal(signal);
        run.end().code
    };
    let hopeless = vec!["--fault=latido/heartbeat=fail".to_owned(); 20];
    let hopeless = [&["fetch".to_owned(), server.url("stalled")], &hopeless[..]].concat();
    let seen = BTreeSet::from([
        run("there"),
        run("gone"),
        latido(dir.path(), ["fetch", "ftp://a/b"]).code,
        latido(dir.path(), hopeless).code,
        signalled(Signal::SIGINT),
        signalled(Signal::SIGTERM),
    ]);

    let page = include_str!("../../docs/exit-codes.md");
    assert_eq!(seen, codes(page.lines().filter_map(|line| line.strip_prefix("| "))));
    for args in [&["--help"][..], &["fetch", "--help"]] {
        let help = latido(dir.path(), args).with_code(0).stdout;
        let (_, list) = help.split_once("Exit codes:").unwrap();
        assert_eq!(seen, codes(list.lines()), "{help}");
    }
}
