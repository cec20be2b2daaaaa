//! Programs as children of a tree: restarted by policy like any other.

use std::time::Duration;

use latido::actors::process::*;
use latido::prelude::*;
use latido::supervision::ChildState;

use super::support::*;

const SECOND: Duration = Duration::from_secs(1);

fn pid(event: &Event) -> Option<u32> {
    match event.report()? {
        ProcessReport::Started { pid, .. } => Some(*pid),
        _ => None,
    }
}

#[actix::test]
async fn a_program_that_is_killed_from_outside_is_started_again_and_what_was_written_meanwhile_reaches_it() {
    let (to, mut lines) = reader();
    let spec = ChildSpec::new("cat", move || Process::new(Command::new("cat")).lines_to(to.clone()));
    let cat = spec.addr();
    let tree = SupervisorSpec::new("app").child(spec).start().unwrap();
    let mut events = tree.subscribe();

    cat.send(WriteLine("one".into())).await.unwrap().unwrap();
    assert_eq!(within(lines.recv()).await.unwrap(), out("one"));
    let first = within(events.find_map("app/cat", pid)).await.unwrap();
    let target = nix::unistd::Pid::from_raw(first.try_into().unwrap());
    nix::sys::signal::kill(target, nix::sys::signal::Signal::SIGKILL).unwrap();
    let exited = |event: &Event| match &event.kind {
        EventKind::Exited { reason, .. } => Some(reason.clone()),
        _ => None,
    };
    let reason = within(events.find_map("app/cat", exited)).await.unwrap();
    assert!(failed(reason).to_string().contains("SIGKILL"));

    cat.send(WriteLine("two".into())).await.unwrap().unwrap();
    assert_eq!(within(lines.recv()).await.unwrap(), out("two"));
    let second = within(events.find_map("app/cat", pid)).await.unwrap();
    assert_ne!(first, second);
    tree.stop(5 * SECOND).await;
}

#[actix::test]
async fn a_transient_program_restarts_on_failure_and_is_done_when_it_exits_with_zero() {
    guarded();
    let dir = tempfile::tempdir().unwrap();
    let script = format!("cd {} && mkdir once 2>/dev/null && exit 3; exit 0", dir.path().display());
    let spec = ChildSpec::new("job", move || Process::new(Command::shell(script.clone())));
    let tree = SupervisorSpec::new("app").child(spec.restart(Restart::Transient)).start().unwrap();
    let mut events = tree.subscribe();
    let exits = |event: &Event| match &event.kind {
        EventKind::Exited { reason, .. } => Some((event.incarnation, reason.clone())),
        _ => None,
    };
    let (first, reason) = within(events.find_map("app/job", exits)).await.unwrap();
    assert_eq!((first, failed(reason).code()), (1, Some(3)));
    let (second, reason) = within(events.find_map("app/job", exits)).await.unwrap();
    assert!(second == 2 && matches!(reason, ExitReason::Normal), "#{second} {reason}");
    until(|| tree.snapshot().get("app/job").unwrap().state == ChildState::Finished).await;
    tree.stop(5 * SECOND).await;
}

#[actix::test]
async fn a_program_that_will_not_stop_is_killed_with_its_group_when_its_child_spec_says_so() {
    let mut held = HeldPipe::new();
    let command = held.command("trap '' TERM; sleep 1000 & wait; wait");
    let spec = ChildSpec::new("deaf", move || Process::new(command.clone()).grace(100 * SECOND));
    let spec = spec.shutdown(Shutdown::Timeout(Duration::from_millis(50)));
    let tree = SupervisorSpec::new("app").child(spec).start().unwrap();
    held.opened().await;
    within(tree.stop(50 * SECOND)).await;
    held.released().await;
}

#[actix::test]
async fn a_program_is_started_again_when_nothing_is_left_of_the_one_before() {
    let dir = tempfile::tempdir().unwrap();
    let (to, mut lines) = reader();
    let command = program("hold-lock").arg(dir.path().join("lock"));
    let spec = ChildSpec::new("program", move || Process::new(command.clone()).lines_to(to.clone()));
    let tree = SupervisorSpec::new("app").intensity(100, SECOND).child(spec).start().unwrap();
    for _ in 0..5 {
        assert_eq!(within(lines.recv()).await.unwrap(), out("locked"));
        tree.inject("app/program", Fault::Fail).unwrap();
    }
    tree.stop(5 * SECOND).await;
}
