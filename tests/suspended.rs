//! A process that was suspended has no hung actors: this one starts itself again, and stops and continues that.
#![cfg(unix)]

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use actix::prelude::*;
use latido::supervision::{ChildSpec, Placement, SupervisorSpec};

const LIMIT: Duration = Duration::from_secs(1);
const SUBJECT: &str = "LATIDO_SUSPENDED_SUBJECT";
const ROUNDS: usize = 2;

struct Reader;
impl Actor for Reader {
    type Context = Context<Self>;
}

/// Blocks the reader's thread until there is a line.
#[derive(Message)]
#[rtype(result = "()")]
struct Read(mpsc::Receiver<()>);
impl Handler<Read> for Reader {
    type Result = ();
    fn handle(&mut self, Read(lines): Read, _: &mut Context<Self>) {
        println!("reading");
        lines.recv().unwrap();
    }
}

#[test]
fn a_process_that_was_suspended_in_a_handler_restarts_nobody() {
    if env::var_os(SUBJECT).is_some() {
        return System::new().block_on(subject());
    }
    let mut subject = Command::new(env::current_exe().unwrap())
        .args(["--exact", "a_process_that_was_suspended_in_a_handler_restarts_nobody", "--nocapture"])
        .env(SUBJECT, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let pid = subject.id().to_string();
    let signal = |name: &str| assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    let mut lines = BufReader::new(subject.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut stdin = subject.stdin.take().unwrap();
    for _ in 0..ROUNDS {
        assert!(lines.any(|line| line == "reading"), "it hung");
        // Time is the subject of this test: the watchdog has seen the handler, and not for the whole limit; then it
        // stands still with the handler for longer than that; then it looks again.
        thread::sleep(LIMIT * 3 / 10);
        signal("-STOP");
        thread::sleep(LIMIT * 3 / 2);
        signal("-CONT");
        thread::sleep(LIMIT / 10);
        writeln!(stdin, "go on").unwrap();
    }
    assert!(lines.any(|line| line == "incarnation 1, 0 threads lost"));
    assert!(subject.wait().unwrap().success());
}

async fn subject() {
    let spec = ChildSpec::new("reader", || Reader).on(Placement::OwnThread).watchdog(LIMIT);
    let addr = spec.addr();
    let tree = SupervisorSpec::new("app").child(spec).start().unwrap();
    for _ in 0..ROUNDS {
        let (tell, told) = mpsc::channel();
        thread::spawn(move || {
            std::io::stdin().read_line(&mut String::new()).unwrap();
            let _ = tell.send(());
        });
        addr.send(Read(told)).await.expect("it does not hang");
    }
    let reader = tree.snapshot().get("app/reader").unwrap().incarnation;
    println!("incarnation {reader}, {} threads lost", tree.abandoned_threads());
    tree.stop(Duration::from_secs(1)).await;
}
