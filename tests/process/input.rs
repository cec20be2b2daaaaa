//! What is written to a program, and one that does not want it.

use std::time::Duration;

use latido::actors::process::*;
use latido::prelude::*;

use super::support::*;

fn input_closed(report: &ProcessReport) -> Option<usize> {
    match report {
        ProcessReport::InputClosed { unwritten } => Some(*unwritten),
        _ => None,
    }
}

#[actix::test]
async fn a_program_that_closes_its_input_is_told_of_though_nobody_writes_and_who_writes_gets_an_error() {
    guarded();
    let spec = ChildSpec::new("program", || Process::new(Command::shell("exec <&-; exec sleep 1000")));
    let deaf = spec.addr();
    let tree = SupervisorSpec::new("app").child(spec).start().unwrap();
    let mut events = tree.subscribe();
    let reports = reports_until(&mut events, |report| input_closed(report).is_some()).await;
    assert_eq!(reports.last().and_then(input_closed), Some(0));
    for _ in 0..2 {
        let answer = within(deaf.send(WriteLine("hello".into()))).await.unwrap();
        assert!(matches!(answer, Err(ProcessError::InputClosed { .. })), "{answer:?}");
    }
    within(tree.stop(Duration::from_secs(60))).await;
}

#[actix::test]
async fn a_write_that_breaks_is_told_of_with_those_behind_it() {
    guarded();
    let (to, mut lines) = reader();
    let dir = tempfile::tempdir().unwrap();
    let fifo = dir.path().join("fifo");
    mkfifo(&fifo);
    let script = Command::shell("echo ready; read go <\"$1\"; exec <&-; exec sleep 1000").arg(&fifo);
    let spec = ChildSpec::new("program", move || Process::new(script.clone()).lines_to(to.clone()));
    let program = spec.addr();
    let tree = SupervisorSpec::new("app").child(spec).start().unwrap();
    let mut events = tree.subscribe();
    within(lines.recv()).await.unwrap();
    // More than a pipe holds, so it stands in the middle of this when the other end is closed.
    let writes = [1_000_000, 1, 1].map(|size| actix::spawn(program.send(WriteBytes(vec![b'x'; size]))));
    within(program.send(Ping)).await.unwrap();
    drop(std::fs::OpenOptions::new().write(true).open(&fifo).unwrap());
    for write in writes {
        let answer = within(write).await.unwrap().unwrap();
        assert!(matches!(answer, Err(ProcessError::InputClosed { .. })), "{answer:?}");
    }
    let reports = reports_until(&mut events, |report| input_closed(report).is_some()).await;
    assert_eq!(reports.last().and_then(input_closed), Some(3));
    assert!(reports.last().unwrap().to_string().contains("EPIPE"));
    within(tree.stop(Duration::from_secs(60))).await;
}

#[actix::test]
async fn a_program_that_ends_or_whose_input_was_closed_here_is_not_told_of_as_one_that_closed_its_input() {
    for script in ["exit 0", "exit 3", "kill -KILL $$", "exec cat"] {
        guarded();
        let spec = ChildSpec::new("program", move || Process::new(Command::shell(script)));
        let program = spec.addr();
        let spec = spec.restart(Restart::Temporary);
        let tree = SupervisorSpec::new("app").child(spec).start().unwrap();
        let mut events = tree.subscribe();
        if script == "exec cat" {
            within(program.send(CloseInput)).await.unwrap();
        }
        let reports = reports_until(&mut events, is_exit).await;
        assert!(!reports.iter().any(|report| input_closed(report).is_some()), "{script}: {reports:?}");
        within(tree.stop(Duration::from_secs(60))).await;
    }
}
