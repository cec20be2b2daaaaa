//! One program per message.

use std::fs;
use std::path::Path;
use std::time::Duration;

use actix::prelude::*;
use futures::future::join_all;
use latido::actors::process::*;
use latido::exit::ExitReason;

use super::support::*;

#[actix::test]
async fn a_run_answers_with_what_the_program_said() {
    let output = run_once("echo fine; echo hm >&2", None).await.unwrap();
    assert_eq!((&*output.stdout, &*output.stderr), ("fine\n", "hm\n"));
    let output = run_once("seq 1000000", None).await.unwrap();
    assert_eq!(output.stdout.len(), 64 * 1024);
    assert!(output.stdout.ends_with("\n999999\n1000000\n"));
}

#[actix::test]
async fn a_run_that_fails_answers_with_its_exit() {
    let error = run_once("echo out; echo no >&2; exit 4", None).await.unwrap_err();
    let RunError::Exit { exit, output } = error else { panic!("{error}") };
    assert_eq!((&*output.stdout, &*output.stderr), ("out\n", "no\n"));
    assert_eq!(exit.code(), Some(4));
    assert_eq!(exit.last_words, ["no"]);
}

#[actix::test]
async fn a_run_of_a_program_that_is_not_there_is_an_error_and_the_runner_lives() {
    guarded();
    let runner = CommandRunner::default().start();
    for _ in 0..2 {
        let command = Command::new("no-such-program");
        let answer = within(runner.send(RunCommand::new(command))).await.unwrap();
        assert!(matches!(answer, Err(RunError::Start(CommandError::NotFound(_)))), "{answer:?}");
    }
}

#[actix::test]
async fn a_run_that_takes_too_long_is_asked_to_end() {
    let limit = Duration::from_millis(50);
    let error = run_once("exec sleep 1000", Some(limit)).await.unwrap_err();
    let RunError::TimedOut { limit: told, exit, .. } = &error else { panic!("{error}") };
    assert_eq!((*told, exit.signal()), (limit, Some(15)), "{error}");
}

#[actix::test]
async fn a_run_that_takes_too_long_and_ignores_it_is_killed() {
    let mut held = HeldPipe::new();
    let runner = CommandRunner::default().start();
    let command = held.command_after("echo on it >&2; trap '' TERM", "sleep 1000");
    let answer = actix::spawn(runner.send(RunCommand::new(command).time_limit(Duration::from_secs(20))));
    held.opened().await;
    tokio::time::pause(); // what is left of the limit, and the grace, pass at once
    let error = answer.await.unwrap().unwrap().unwrap_err();
    let RunError::TimedOut { exit, output, .. } = &error else { panic!("{error}") };
    assert_eq!((exit.signal(), &*output.stderr), (Some(9), "on it\n"), "{error}");
    assert_eq!(exit.last_words, ["on it"]);
    tokio::time::resume();
    held.released().await;
}

#[actix::test]
async fn runs_do_not_wait_for_one_another() {
    guarded();
    let runner = CommandRunner::default().start();
    let dir = tempfile::tempdir().unwrap();
    let fifo = dir.path().join("fifo");
    mkfifo(&fifo);
    // Each end of a fifo waits for the other to be opened.
    let ends = ["cat \"$1\"", "echo met >\"$1\""].map(|script| {
        let command = Command::shell(script).arg(&fifo);
        runner.send(RunCommand::new(command))
    });
    let answers = within(join_all(ends)).await;
    assert_eq!(answers[0].as_ref().unwrap().as_ref().unwrap().stdout, "met\n");
}

#[actix::test]
async fn a_run_begins_when_nothing_is_left_of_the_same_run_that_was_given_up() {
    take_a_lock_in_turn(|file, _| RunCommand::new(program("hold-lock").arg(file))).await;
}

#[actix::test]
async fn a_run_under_a_name_begins_when_nothing_is_left_of_another_under_it_that_was_given_up() {
    // No two of the command lines are the same.
    let other = |file: &Path, n| file.with_file_name(format!("{}lock", "./".repeat(n)));
    take_a_lock_in_turn(|file, n| RunCommand::new(program("hold-lock").arg(other(file, n))).named("one"))
        .await;
}

/// What `run` gives takes a lock on a file, and each is given up when it has it.
async fn take_a_lock_in_turn(run: impl Fn(&Path, usize) -> RunCommand) {
    let runner = runner();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("lock");
    let mut holder = String::new();
    for n in 0..5 {
        let run = actix::spawn(runner.send(run(&file, n)));
        let holds_it = || fs::read_to_string(&file).unwrap_or_default();
        until(|| run.is_finished() || (holds_it().ends_with('\n') && holds_it() != holder)).await;
        assert!(!run.is_finished(), "{:?}", run.await);
        holder = holds_it();
        run.abort();
        assert!(run.await.unwrap_err().is_cancelled());
    }
}

/// A runner with a program that traps SIGTERM as it says, and is asked to stop once that has a pipe open.
async fn stopped(
    trap: &str,
) -> (Result<Result<CommandOutput, RunError>, MailboxError>, ExitReason, HeldPipe) {
    let mut held = HeldPipe::new();
    let (runner, end) = run(CommandRunner::default());
    let command = held.command_after(trap, "while :; do sleep 0.01; done");
    let answer = actix::spawn(runner.send(RunCommand::new(command)));
    held.opened().await;
    runner.send(Stop).await.unwrap();
    let reason = within(end).await.unwrap();
    (within(answer).await.unwrap(), reason, held)
}

#[actix::test]
async fn what_runs_when_its_runner_is_stopped_is_asked_to_end_and_may_tidy_up() {
    let dir = tempfile::tempdir().unwrap();
    let tidy = dir.path().join("tidy");
    let (answer, reason, held) =
        stopped(&format!("trap 'echo tidy > {}; exit 0' TERM", tidy.display())).await;
    // It may have ended before its work was done, whatever its exit code.
    assert!(matches!(answer, Err(MailboxError::Closed)), "{answer:?}");
    assert!(matches!(reason, ExitReason::Normal), "{reason}");
    assert_eq!(fs::read_to_string(tidy).unwrap(), "tidy\n");
    held.released().await;
}

#[actix::test]
async fn what_ignores_that_is_killed_after_the_grace_and_nothing_new_begins() {
    let mut held = HeldPipe::new();
    let (runner, end) = run(CommandRunner::default());
    let command = held.command_after("trap '' TERM", "sleep 1000");
    let answer = actix::spawn(runner.send(RunCommand::new(command)));
    held.opened().await;
    runner.send(Stop).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let late = dir.path().join("late");
    let late_answer = actix::spawn(runner.send(RunCommand::new(Command::new("touch").arg(&late))));
    tokio::time::pause(); // the grace passes at once
    assert!(matches!(end.await.unwrap(), ExitReason::Normal));
    tokio::time::resume();
    assert!(matches!(within(answer).await.unwrap(), Err(MailboxError::Closed)));
    assert!(within(late_answer).await.unwrap().is_err());
    assert!(!late.exists());
    held.released().await;
}

#[actix::test]
async fn a_runner_with_nothing_to_run_stops_at_once() {
    let (runner, end) = run(CommandRunner::default());
    runner.send(RunCommand::new(Command::new("true"))).await.unwrap().unwrap();
    runner.send(Stop).await.unwrap();
    assert!(matches!(within(end).await.unwrap(), ExitReason::Normal));
}
