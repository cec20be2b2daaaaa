//! Small programs that behave badly, or in an unusual way, for the tests of processes: the first argument says which.
//! It is also the guard of what those tests start, and the worker of their pools.

mod escape;
mod host;
#[path = "../jobs.rs"]
mod jobs;
mod speak;

use std::env;
use std::fs;
use std::io::Write;
use std::process::exit;
use std::thread::park;

use nix::sys::signal::{SigSet, Signal, raise};

fn main() {
    jobs::jobs().init();
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["ignore-term"] => ignore_term(),
        ["die-by", signal] => die_by(signal),
        ["third-time-lucky", counter] => third_time_lucky(counter),
        ["open-files"] => open_files(),
        ["hold-lock", file] => hold_lock(file),
        ["escape", ref way @ .., fifo] => escape::go(way, fifo),
        ["storm", fifo] => escape::storm(fifo),
        ["kill-the-guard", fifo] => escape::kill_the_guard(fifo),
        ["print-lines"] => speak::print_lines(),
        ["print-frames"] => speak::print_frames(),
        ["double"] => speak::double(),
        ["notify", ref messages @ ..] => speak::notify(messages),
        ["host", ref fifos @ ..] => host::run(fifos),
        ["guarded", fifo] => host::guarded(fifo),
        ["pool-host", ref fifos @ ..] => jobs::host(fifos),
        _ => panic!("no such program: {args:?}"),
    }
}

/// Says "ready" and stays, whatever it is asked for.
fn ignore_term() {
    block_term();
    println!("ready");
    stay();
}

fn block_term() {
    let mut term = SigSet::empty();
    term.add(Signal::SIGTERM);
    term.thread_block().unwrap(); // there is but this thread
}

fn stay() -> ! {
    loop {
        park();
    }
}

/// Says "locked" and stays, or fails if somebody else has the lock. It has memory enough to take a while to die, and the
/// kernel gives the lock back after the memory.
fn hold_lock(file: &str) {
    let mut lock = fs::File::options().create(true).write(true).truncate(false).open(file).unwrap();
    if lock.try_lock().is_err() {
        eprintln!("somebody else has the lock");
        exit(9);
    }
    let memory = vec![1u8; 200_000_000];
    writeln!(lock, "{}", std::process::id()).unwrap(); // over what the one before has written
    println!("locked");
    std::hint::black_box(&memory);
    stay();
}

/// As many as it may.
fn open_files() {
    let mut files = Vec::new();
    loop {
        match fs::File::open("/dev/null") {
            Ok(file) => files.push(file),
            Err(error) => return println!("{}, then {error}", files.len()),
        }
    }
}

fn die_by(signal: &str) {
    raise(signal.parse().unwrap()).unwrap();
}

/// Fails twice, each time with a line in the file `counter`, then says "ready" and stays.
fn third_time_lucky(counter: &str) {
    let starts = fs::read_to_string(counter).unwrap_or_default().lines().count() + 1;
    fs::write(counter, "start\n".repeat(starts)).unwrap();
    if starts < 3 {
        eprintln!("not yet");
        exit(starts as i32);
    }
    println!("ready");
    stay();
}
