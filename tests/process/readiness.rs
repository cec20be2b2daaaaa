//! When a program counts as started up, and what becomes of one that never does.

use std::fs::{File, OpenOptions};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::PathBuf;
use std::time::Duration;

use actix::prelude::*;
use latido::actors::process::*;
use latido::prelude::*;
use latido::supervision::ChildState;

use super::support::*;

const MOMENT: Duration = Duration::from_millis(50);
/// A time that no test outlasts.
const HOUR: Duration = Duration::from_secs(3600);

fn is_ready(report: &ProcessReport) -> bool {
    matches!(report, ProcessReport::Ready { .. })
}

/// The end of a fifo for which a program waits.
async fn opened(fifo: PathBuf) -> File {
    let open = move || OpenOptions::new().write(true).open(fifo).unwrap();
    tokio::task::spawn_blocking(open).await.unwrap()
}

struct Idle;
impl Actor for Idle {
    type Context = Context<Self>;
}

#[actix::test]
async fn a_program_is_up_when_it_says_so_and_the_children_after_it_wait_for_that() {
    guarded();
    let dir = tempfile::tempdir().unwrap();
    let fifo = dir.path().join("fifo");
    mkfifo(&fifo);
    let script =
        Command::shell("echo warming up; read go <\"$1\"; echo ready to serve; exec sleep 1000").arg(&fifo);
    let server = move || Process::new(script.clone()).ready_when(Readiness::Line("ready".into()));
    let tree = SupervisorSpec::new("app")
        .child(ChildSpec::new("program", server))
        .child(ChildSpec::new("client", || Idle))
        .start()
        .unwrap();
    let mut events = tree.subscribe();
    let go = within(opened(fifo)).await;
    assert_eq!(tree.snapshot().get("app/program").unwrap().state, ChildState::Starting);
    assert_ne!(tree.snapshot().get("app/client").unwrap().state, ChildState::Running);

    drop(go);
    let mut order = Vec::new();
    while order.len() < 3 {
        let event = within(events.next()).await.unwrap();
        match &event.kind {
            EventKind::Started if event.path.name() != "app" => {
                order.push(format!("{} up", event.path.name()))
            }
            _ if event.report().is_some_and(is_ready) => order.push("ready".to_owned()),
            _ => {}
        }
    }
    assert_eq!(order, ["ready", "program up", "client up"]);
    tree.stop(HOUR).await;
}

#[actix::test]
async fn a_program_is_ready_when_it_says_so_to_its_notify_socket() {
    let (tree, mut events) = supervised(|| {
        Process::new(program("notify").args(["STATUS=loading", "READY=1"])).ready_when(Readiness::Notify)
    });
    let reports = reports_until(&mut events, is_ready).await;
    let [_, ProcessReport::Status(status), _] = &reports[..] else { panic!("{reports:?}") };
    assert_eq!(status, "loading");
    tree.stop(HOUR).await;
}

#[actix::test]
async fn what_a_stranger_says_to_the_notify_socket_is_not_heard() {
    let (to, mut lines) = reader();
    let dir = tempfile::tempdir().unwrap();
    let fifo = dir.path().join("fifo");
    mkfifo(&fifo);
    let script = "echo $NOTIFY_SOCKET; read go <\"$1\"; exec \"$0\" notify STATUS=second";
    let command = Command::new("/bin/sh").args(["-c", script, PROGRAMS]).arg(&fifo);
    let (tree, mut events) =
        supervised(move || Process::new(command.clone()).ready_when(Readiness::Notify).lines_to(to.clone()));
    let name = within(lines.recv()).await.unwrap().text;
    let address = SocketAddr::from_abstract_name(name.strip_prefix('@').unwrap()).unwrap();
    UnixDatagram::unbound().unwrap().send_to_addr(b"READY=1\nSTATUS=first", &address).unwrap();
    drop(within(opened(fifo)).await);
    // What was sent first is read first.
    let reports = reports_until(&mut events, |report| matches!(report, ProcessReport::Status(_))).await;
    let [ProcessReport::Started { .. }, ProcessReport::Status(status)] = &reports[..] else {
        panic!("{reports:?}")
    };
    assert_eq!(status, "second");
    within(tree.stop(HOUR)).await;
}

#[actix::test]
async fn a_program_is_ready_when_it_has_lived_for_its_time() {
    let (tree, mut events) =
        supervised(|| Process::new(Command::new("sleep").arg("1000")).ready_when(Readiness::Alive(MOMENT)));
    let reports = reports_until(&mut events, is_ready).await;
    let Some(ProcessReport::Ready { after }) = reports.last() else { unreachable!() };
    assert!(*after >= MOMENT);
    tree.stop(HOUR).await;
}

#[actix::test]
async fn a_program_that_ends_before_it_is_ready_has_failed_to_start_whatever_its_code() {
    for code in [0, 3] {
        let script = Command::shell(format!("echo cannot >&2; exit {code}"));
        let process = Process::new(script).ready_when(Readiness::Alive(HOUR));
        let exit = failed(within(run(process).1).await.unwrap());
        assert_eq!((&exit.cause, exit.code()), (&ExitCause::EndedUnready, Some(code)));
        assert!(
            exit.to_string()
                .contains(&format!(" was never ready: it exited with code {code}; last words: cannot"))
        );
    }
}

#[actix::test]
async fn a_program_that_is_never_ready_is_made_to_end_and_its_tree_fails_to_start() {
    let (tree, _) = supervised(|| {
        let deaf = Process::new(program("ignore-term")).grace(MOMENT);
        deaf.ready_when(Readiness::Line("there is no such line".into())).ready_within(MOMENT)
    });
    let ExitReason::StartFailed { child, reason } = within(tree.join()).await else { panic!("it started") };
    assert_eq!(child.name(), "program");
    let exit = failed(*reason);
    assert_eq!((&exit.cause, exit.signal()), (&ExitCause::NeverReady(MOMENT), Some(9)), "{exit}");
}

#[actix::test]
async fn a_program_that_succeeds_at_its_third_start_costs_its_supervisor_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let command = program("third-time-lucky").arg(dir.path().join("counter"));
    let (tree, mut events) = supervised(move || {
        let lucky = Process::new(command.clone()).ready_when(Readiness::Line("ready".into()));
        lucky.start_attempts(3, Backoff::exponential(Duration::from_millis(1), MOMENT))
    });
    let reports = reports_until(&mut events, is_ready).await;
    let failures: Vec<_> =
        reports
            .iter()
            .filter_map(|report| match report {
                ProcessReport::StartFailed { attempt, attempts, reason, delay } => {
                    assert!(reason.contains(&format!(
                        "never ready: it exited with code {attempt}; last words: not yet"
                    )));
                    Some((*attempt, *attempts, delay.as_millis()))
                }
                _ => None,
            })
            .collect();
    assert_eq!(failures, [(1, 3, 1), (2, 3, 2)]);
    until(|| tree.snapshot().get("app/program").unwrap().state == ChildState::Running).await;
    assert_eq!(tree.snapshot().get("app/program").unwrap().incarnation, 1);
    tree.stop(HOUR).await;
}

#[actix::test]
async fn a_program_that_does_not_succeed_in_its_attempts_fails_with_the_last() {
    let dir = tempfile::tempdir().unwrap();
    let lucky = Process::new(program("third-time-lucky").arg(dir.path().join("counter")));
    let lucky = lucky.ready_when(Readiness::Alive(HOUR)).start_attempts(2, Backoff::NONE);
    let exit = failed(within(run(lucky).1).await.unwrap());
    assert_eq!((exit.cause.clone(), exit.code()), (ExitCause::EndedUnready, Some(2)), "{exit}");
}

#[actix::test]
async fn a_program_that_cannot_be_started_is_tried_as_often() {
    let (tree, mut events) =
        supervised(|| Process::new(Command::new("no-such-program")).start_attempts(2, Backoff::NONE));
    let reason = within(tree.join()).await;
    assert!(reason.to_string().contains("there is no program `no-such-program`"), "{reason}");
    let told = std::iter::from_fn(|| futures::FutureExt::now_or_never(events.next()).flatten());
    let attempts =
        told.filter(|event| matches!(event.report(), Some(ProcessReport::StartFailed { attempt: 1, .. })));
    assert_eq!(attempts.count(), 1);
}

#[actix::test]
async fn a_program_that_was_ready_and_dies_is_not_started_again_behind_its_supervisors_back() {
    let (tree, mut events) = supervised(|| {
        let brief = Process::new(Command::shell("echo ready; exit 5"));
        brief.ready_when(Readiness::Line("ready".into())).start_attempts(9, Backoff::NONE)
    });
    let reports = reports_until(&mut events, is_exit).await;
    let [.., ProcessReport::Exited(exit)] = &reports[..] else { unreachable!() };
    assert_eq!((&exit.cause, exit.code()), (&ExitCause::Itself, Some(5)), "{exit}");
    // The next that is heard of it is that its actor has failed.
    let next = within(events.until("app/program", |_| true)).await.unwrap();
    assert!(matches!(next.kind, EventKind::Exited { .. }), "{next}");
    tree.stop(HOUR).await;
}

#[actix::test]
async fn an_actor_that_waits_for_its_program_or_for_the_next_attempt_can_be_stopped() {
    let unready = Process::new(Command::new("sleep").arg("1000")).ready_when(Readiness::Alive(HOUR));
    let again = Backoff::exponential(HOUR, HOUR);
    let failing =
        Process::new(Command::new("false")).ready_when(Readiness::Alive(HOUR)).start_attempts(2, again);
    for (n, process) in [unready, failing].into_iter().enumerate() {
        let process = std::sync::Mutex::new(Some(process));
        let (tree, mut events) = supervised(move || process.lock().unwrap().take().unwrap());
        let wanted = |report: &ProcessReport| match n {
            0 => matches!(report, ProcessReport::Started { .. }),
            _ => matches!(report, ProcessReport::StartFailed { .. }),
        };
        reports_until(&mut events, wanted).await;
        within(tree.stop(HOUR)).await;
    }
}
