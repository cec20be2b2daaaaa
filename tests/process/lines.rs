//! What goes in and comes out of a program.

use futures::future::join_all;
use latido::actors::process::*;
use latido::exit::ExitReason;

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
