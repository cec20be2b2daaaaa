//! What a run shows on a terminal of eighty columns.

use std::fs::File;
use std::io::Read;
use std::process::{Command, Stdio};

use nix::pty::{Winsize, openpty};
use tempfile::tempdir;

use crate::files::not_found;
use crate::latido::BINARY;
use crate::server::{Server, Step, head, ok};

/// Runs with a terminal for all three streams, and gives what was written to it.
fn on_a_terminal(args: &[String]) -> String {
    let dir = tempdir().unwrap();
    let size = Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
    let ends = openpty(Some(&size), None).unwrap();
    let stream = || Stdio::from(ends.slave.try_clone().unwrap());
    let mut command = Command::new(BINARY);
    command.args(args).current_dir(dir.path()).env("TERM", "xterm").env_remove("NO_COLOR");
    let mut run = command.stdin(stream()).stdout(stream()).stderr(stream()).spawn().unwrap();
    drop((command, ends.slave));
    let mut written = Vec::new();
    // When nobody has the other end any more, the system says so with an error.
    let _ = File::from(ends.master).read_to_end(&mut written);
    run.wait().unwrap();
    String::from_utf8_lossy(&written).into_owned()
}

#[test]
fn the_bars_show_percent_speed_and_time_left_of_the_file_and_of_the_run() {
    // 500 bytes, one each 10 ms.
    let server = Server::start(|request| match &*request.path {
        "slow.iso" => vec![head("200 OK", &[("content-length", "500")]), Step::Trickle],
        "gone" => not_found(),
        _ => ok("content"),
    });
    let args = ["fetch".to_owned(), server.url("slow.iso"), server.url("other"), server.url("gone")];
    let shown = on_a_terminal(&args);
    let lines: Vec<_> = shown.split(['\r', '\n']).map(|line| console::strip_ansi_codes(line)).collect();
    let run = |line: &&std::borrow::Cow<'_, str>| {
        line.contains("% of 507 B, ") && line.contains("s left  2/3 files, 1 failed  ")
    };
    let file = |line: &&std::borrow::Cow<'_, str>| {
        let words: Vec<_> = line.split_whitespace().collect();
        words.last() == Some(&"slow.iso")
            && words.iter().any(|word| word.ends_with('%'))
            && line.contains("/s ")
    };
    assert!(lines.iter().any(|line| run(&line)), "{shown}");
    assert!(lines.iter().any(|line| file(&line)), "{shown}");
    let summary = lines.iter().position(|line| line.starts_with("3 files: 2 done (507 B), 2 of them"));
    // Rows of bars are written as one line, which the terminal breaks.
    for line in &lines[summary.unwrap_or_else(|| panic!("{shown}"))..] {
        assert!(console::measure_text_width(line) <= 80, "{line}");
    }
}
