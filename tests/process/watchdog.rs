//! A program that has to give signs of life.

use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use latido::actors::process::*;
use latido::prelude::*;
use tokio::time::{advance, pause, resume};

use super::support::*;

const MOMENT: Duration = Duration::from_millis(50);
const MINUTE: Duration = Duration::from_secs(60);

fn watched(command: Command, limit: Duration) -> Process {
    Process::new(command).ready_when(Readiness::Notify).watchdog(limit)
}

#[actix::test]
async fn a_program_that_gives_no_sign_of_life_is_aborted() {
    let (_, end) = run(watched(program("notify").arg("READY=1"), MOMENT));
    let exit = failed(within(end).await.unwrap());
    assert_eq!((&exit.cause, exit.signal()), (&ExitCause::Watchdog(MOMENT), Some(6)), "{exit}");
    assert!(exit.to_string().contains(" gave no sign of life for 50ms: it was killed by SIGABRT"), "{exit}");
}

#[actix::test]
async fn a_program_that_outlives_that_is_killed() {
    let script = "trap '' ABRT; \"$0\" notify READY=1";
    let script = Command::new("/bin/sh").args(["-c", script, PROGRAMS]);
    let (_, end) = run(watched(script, MOMENT).grace(MOMENT));
    let exit = failed(within(end).await.unwrap());
    assert_eq!((&exit.cause, exit.signal()), (&ExitCause::Watchdog(MOMENT), Some(9)), "{exit}");
}

#[actix::test]
async fn a_program_that_asks_for_it_is_aborted_at_once() {
    let (_, end) = run(watched(program("notify").args(["READY=1", "WATCHDOG=trigger"]), 60 * MINUTE));
    let exit = failed(within(end).await.unwrap());
    assert_eq!((&exit.cause, exit.signal()), (&ExitCause::Watchdog(60 * MINUTE), Some(6)), "{exit}");
}

#[actix::test]
async fn each_sign_of_life_is_good_for_the_whole_limit() {
    guarded();
    let spec = ChildSpec::new("program", || watched(program("notify").arg("READY=1"), MINUTE));
    let program = spec.addr();
    let tree = SupervisorSpec::new("app").child(spec.restart(Restart::Temporary)).start().unwrap();
    let mut events = tree.subscribe();
    let is_ready = |event: &Event| matches!(event.report(), Some(ProcessReport::Ready { .. }));
    within(events.until("app/program", is_ready)).await.unwrap();
    let clock = StoppedClock::new();
    for n in 0..3 {
        advance(MINUTE - Duration::from_secs(1)).await;
        let status = format!("alive {n}");
        for line in ["WATCHDOG=1".to_owned(), format!("STATUS={status}")] {
            within(program.send(WriteLine(line))).await.unwrap().unwrap();
        }
        let is_heard = |event: &Event| event.report() == Some(&ProcessReport::Status(status.clone()));
        within(events.until("app/program", is_heard)).await.unwrap();
    }
    advance(MINUTE + Duration::from_secs(1)).await;
    let exit = |event: &Event| match event.report() {
        Some(ProcessReport::Exited(exit)) => Some(exit.clone()),
        _ => None,
    };
    let exit = within(events.find_map("app/program", exit)).await.unwrap();
    assert_eq!(exit.cause, ExitCause::Watchdog(MINUTE));
    drop(clock);
    tree.stop(MINUTE).await;
}

/// Time passes when the test says so: neither by itself, nor because there is nothing else to do.
struct StoppedClock {
    _held: Sender<()>,
}

impl StoppedClock {
    fn new() -> Self {
        pause();
        let (held, hold) = channel::<()>();
        // While somebody works on another thread the clock does not jump. If he does for too long, what the test waits
        // for will not come, and the time for that is to pass.
        tokio::task::spawn_blocking(move || hold.recv_timeout(MINUTE));
        Self { _held: held }
    }
}

impl Drop for StoppedClock {
    fn drop(&mut self) {
        resume();
    }
}
