//! `latido top` and `latido replay` on a real terminal.

use std::process::Command;

use nix::sys::signal::Signal;
use tempfile::{TempDir, tempdir};

use crate::latido::{BINARY, Ended, Running};
use crate::pty::{OnTerminal, Screen};

fn latido(dir: &TempDir, args: &[&str]) -> Command {
    let mut command = Command::new(BINARY);
    command.args(args).current_dir(dir.path()).env("TERM", "xterm").env_remove("NO_COLOR");
    command.env("TMPDIR", dir.path()).env("LATIDO_RUNTIME_DIR", dir.path().join("doors"));
    command
}

fn demo(dir: &TempDir, options: &[&str]) -> Running {
    let run = Running::of(latido(dir, &[&["demo", "--endless"], options].concat()));
    run.wait_for_line(": done, ");
    run
}

/// The row of the chosen part.
fn chosen(screen: &Screen) -> String {
    let text = screen.text();
    text.lines().find(|line| line.starts_with(">  ")).unwrap_or_default().to_owned()
}

/// Nothing is left of it: the screen, the cursor and the modes are as they were.
#[track_caller]
fn assert_restored((code, bytes, is_as_before): (i32, Vec<u8>, bool), wanted: i32) -> String {
    let screen = Screen::of(&bytes);
    let text = screen.text();
    assert_eq!(code, wanted, "{text}");
    assert!(is_as_before, "the terminal is left in another mode\n{text}");
    assert!(!screen.is_alternate && !screen.is_cursor_hidden, "{text}");
    text
}

#[test]
fn a_part_is_broken_by_one_key_and_it_is_told_why_it_came_back() {
    let dir = tempdir().unwrap();
    let run = demo(&dir, &[]);
    let mut top = OnTerminal::start(latido(&dir, &["top"]), 80, 24);
    top.until_shown("LIVE");
    top.until_shown(">    0 ");
    top.press("p");
    top.until_shown("latido/downloaders/0 #2 started");
    top.press("w");
    let story = top.until_shown("it was put there on purpose: panic").text();
    assert!(story.contains("latido/downloaders/0 #1 panicked"), "{story}");
    top.until_shown("up again as #2");
    top.press("\u{1b}");
    top.until("the tree", |screen| chosen(screen).contains("running   #2"));
    // A fault that is written by hand, and a stop that is asked about.
    top.press("i");
    top.until_shown("or write one yourself");
    top.press("\u{1b}[Afail\r");
    top.until_shown("latido/downloaders/0 #3 started");
    top.press("sy");
    top.until_shown("it stays down until r restarts it");
    top.until("the part to be down", |screen| chosen(screen).contains("stopped"));
    top.press("r");
    top.until("the part to be up", |screen| chosen(screen).contains("running   #4"));
    top.press("q");
    assert_restored(top.end(), 0);
    run.signal(Signal::SIGINT);
    run.end().with_code(0);
}

#[test]
fn the_terminal_is_as_it_was_after_ctrl_c_a_signal_and_a_panic_of_the_view() {
    let dir = tempdir().unwrap();
    let _run = demo(&dir, &[]);
    let mut top = OnTerminal::start(latido(&dir, &["top"]), 80, 24);
    top.until("the other screen", |screen| screen.is_alternate && screen.text().contains("parts up"));
    top.press("\u{3}");
    assert_restored(top.end(), 130);
    let top = OnTerminal::start(latido(&dir, &["top"]), 80, 24);
    top.until_shown("parts up");
    top.signal(Signal::SIGTERM);
    assert_restored(top.end(), 143);
    let mut command = latido(&dir, &["top"]);
    command.env("LATIDO_TOP_FAULT", "panic@3").env("RUST_BACKTRACE", "0");
    let top = OnTerminal::start(command, 80, 24);
    let text = assert_restored(top.end(), 101);
    assert!(text.contains("injected fault"), "{text}");
}

#[test]
fn the_demo_is_started_shown_broken_and_ended_in_one_go() {
    let dir = tempdir().unwrap();
    let mut top = OnTerminal::start(latido(&dir, &["demo", "--top"]), 100, 30);
    top.until_shown("parts up");
    top.until("a file", |screen| screen.text().contains("jobs 40: ") && !screen.text().contains(" 0 done"));
    top.press("p");
    top.until_shown("latido/downloaders/0 #2 started");
    top.press("q");
    let text = assert_restored(top.end(), 0);
    assert!(text.contains("verdict   PASS: nothing was lost"), "{text}");
}

#[test]
fn a_program_that_is_started_anew_is_shown_again() {
    let dir = tempdir().unwrap();
    let run = demo(&dir, &[]);
    let mut top = OnTerminal::start(latido(&dir, &["top"]), 80, 24);
    top.until_shown("LIVE");
    run.signal(Signal::SIGKILL);
    run.end().with_code(-9);
    top.until_shown("GONE");
    let run = demo(&dir, &[]);
    let pid = format!("latido demo {}", run.pid());
    top.until("the new one", |screen| screen.text().contains(&pid) && screen.text().contains("LIVE"));
    top.press("q");
    assert_restored(top.end(), 0);
}

#[test]
fn a_recording_is_shown_with_what_was_broken_and_why() {
    let dir = tempdir().unwrap();
    let run = demo(&dir, &["--record", "run.jsonl"]);
    Ended::of(latido(&dir, &["inject", "latido/cpu", "panic"]).output().unwrap()).with_code(0);
    run.wait_for_line("latido/cpu #1 panicked");
    run.signal(Signal::SIGINT);
    run.end().with_code(0);
    let mut top = OnTerminal::start(latido(&dir, &["replay", "run.jsonl"]), 120, 30);
    top.until_shown("PLAYS");
    top.press("\u{1b}[F");
    top.until_shown("PAUSED");
    top.press("/cpu\r");
    top.until_shown(">  cpu");
    top.press("w");
    top.until_shown("incident ");
    top.until_shown("latido/cpu #1 panicked: injected fault");
    top.press("qp");
    top.until_shown("nothing can be done to it");
    top.press("q");
    assert_restored(top.end(), 0);
    let ended = Ended::of(latido(&dir, &["replay", "nowhere"]).output().unwrap()).with_code(2);
    assert!(ended.stderr.contains("needs a terminal"), "{}", ended.stderr);
}

#[test]
fn without_a_terminal_or_on_a_dumb_one_it_says_what_to_do_instead() {
    let dir = tempdir().unwrap();
    let ended = Ended::of(latido(&dir, &["top"]).output().unwrap()).with_code(2);
    assert!(
        ended.stderr.contains("needs a terminal") && ended.stderr.contains("`latido tree`"),
        "{}",
        ended.stderr
    );
    let mut dumb = latido(&dir, &["demo", "--top"]);
    dumb.env("TERM", "dumb");
    let (code, bytes, _) = OnTerminal::start(dumb, 80, 24).end();
    let text = Screen::of(&bytes).text();
    assert!(code == 2 && text.contains("TERM is \"dumb\""), "{text}");
    let (code, bytes, _) = OnTerminal::start(latido(&dir, &["top"]), 80, 24).end();
    // Where a line of it breaks is the terminal's affair.
    let text = Screen::of(&bytes).text().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(code == 2 && text.contains("latido demo --top"), "{text}");
}

#[test]
fn who_may_not_act_is_told_how_to_allow_it() {
    let dir = tempdir().unwrap();
    let server = crate::server::Server::start(|_| {
        vec![crate::server::head("200 OK", &[("content-length", "10")]), crate::server::Step::Stall]
    });
    let _run = Running::of(latido(&dir, &["fetch", &server.url("file"), "-d", "new"]));
    server.wait_for_requests(1);
    let mut command = latido(&dir, &["top"]);
    command.env("NO_COLOR", "1");
    let mut top = OnTerminal::start(command, 80, 24);
    top.until_shown("LIVE");
    top.press("p");
    top.until_shown("start that program with --allow-actions");
    top.press("q");
    let ended = top.end();
    let text = String::from_utf8_lossy(&ended.1).into_owned();
    assert!(!text.contains("\u{1b}[38;") && !text.contains("\u{1b}[31"), "there is a colour");
    assert_restored(ended, 0);
}
