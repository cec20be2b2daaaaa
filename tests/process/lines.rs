//! What goes in and comes out of a program.

use std::future::pending;
use std::time::Duration;

use actix::fut::wrap_future;
use actix::prelude::*;
use futures::future::join_all;
use latido::actors::process::*;
use latido::exit::ExitReason;
use tokio::sync::oneshot;

use super::support::*;

#[actix::test]
async fn lines_come_back_from_cat_in_the_order_they_were_written() {
    let (to, mut lines) = reader();
    let (cat, end) = run(Process::new(Command::new("cat")).lines_to(to));
    let writes = (0..200).map(|n| cat.send(WriteLine(format!("line {n}"))));
    assert!(within(join_all(writes)).await.iter().all(|written| matches!(written, Ok(Ok(())))));
    for n in 0..200 {
        assert_eq!(within(lines.recv()).await.unwrap(), out(&format!("line {n}")));
    }
    cat.do_send(Stop);
    assert!(matches!(within(end).await.unwrap(), ExitReason::Normal));
}

#[actix::test]
async fn standard_error_is_told_apart() {
    let (to, lines) = reader();
    let (_, end) = run(Process::new(Command::shell("echo fine; echo bad >&2")).lines_to(to));
    within(end).await.unwrap();
    let mut lines = rest(lines);
    lines.sort_by_key(|line| line.stream == StdStream::Err);
    assert_eq!(lines, [out("fine"), Line { stream: StdStream::Err, text: "bad".into() }]);
}

#[actix::test]
async fn every_line_is_delivered_before_the_actor_ends() {
    let (to, lines) = reader();
    let (_, end) = run(Process::new(Command::new("seq").arg("20000")).lines_to(to));
    assert!(matches!(within(end).await.unwrap(), ExitReason::Normal));
    let lines = rest(lines);
    assert_eq!(lines.len(), 20_000);
    assert_eq!(lines[19_999], out("20000"));
}

#[actix::test]
async fn a_program_whose_reader_stalls_comes_to_a_halt() {
    struct Stalled(Option<oneshot::Sender<()>>);
    impl Actor for Stalled {
        type Context = Context<Self>;
    }
    impl Handler<Line> for Stalled {
        type Result = ResponseActFuture<Self, ()>;
        fn handle(&mut self, _: Line, _: &mut Context<Self>) -> Self::Result {
            let _ = self.0.take().expect("a second line came before the first was handled").send(());
            Box::pin(wrap_future(pending()))
        }
    }
    let (first, has_line) = oneshot::channel();
    let stalled = Stalled(Some(first)).start();
    // Some 110 MB, if it is let.
    let script = Command::shell("echo $$ >\"$1\"; exec seq 14000000");
    let dir = tempfile::tempdir().unwrap();
    let seq = Process::new(script.arg(dir.path().join("pid"))).lines_to(stalled.recipient());
    let (seq, end) = run(seq.grace(Duration::from_millis(50)));
    within(has_line).await.unwrap();
    let pid = std::fs::read_to_string(dir.path().join("pid")).unwrap();

    // The pipe fills up; from there on nothing may move, however often the actor gets a chance to read.
    until(|| written_by(&pid) >= 64 * 1024).await;
    for _ in 0..2_000 {
        within(seq.send(WriteLine("x".into()))).await.unwrap().unwrap();
    }
    let written = written_by(&pid);
    assert!(written <= (64 + 8 + 4) * 1024, "pipe and buffer hold less than the {written} bytes written");

    // A reader that never comes back does not keep the program from being stopped.
    seq.do_send(Stop);
    assert!(matches!(within(end).await.unwrap(), ExitReason::Normal));
}

#[actix::test]
async fn a_program_that_does_not_read_holds_its_senders_back() {
    let (sleeper, end) = run(Process::new(Command::new("sleep").arg("1000")));
    let kilobyte = "x".repeat(1023);
    let writes: Vec<_> = (0..200).map(|_| sleeper.send(WriteLine(kilobyte.clone()))).collect();
    let answers = actix::spawn(join_all(writes));
    within(sleeper.send(Ping)).await.unwrap();
    sleeper.do_send(Stop);
    within(end).await.unwrap();
    let written = within(answers).await.unwrap().iter().filter(|answer| matches!(answer, Ok(Ok(())))).count();
    assert!((1..=64).contains(&written), "a pipe holds 64 of these lines, not {written}");
}

#[actix::test]
async fn a_line_for_a_program_that_closed_its_input_is_an_error() {
    let (to, mut lines) = reader();
    let deaf = Command::shell("exec <&-; echo closed; exec sleep 1000");
    let (deaf, end) = run(Process::new(deaf).lines_to(to));
    within(lines.recv()).await.unwrap();
    for _ in 0..2 {
        let answer = within(deaf.send(WriteLine("hello".into()))).await.unwrap();
        assert!(matches!(answer, Err(ProcessError::InputClosed { .. })), "{answer:?}");
    }
    deaf.do_send(Stop);
    within(end).await.unwrap();
}
