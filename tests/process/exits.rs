//! How a program ends, and what its actor makes of it.

use std::os::unix::process::ExitStatusExt;
use std::time::{Duration, Instant};

use latido::actors::process::*;
use latido::exit::ExitReason;

use super::support::*;

#[actix::test]
async fn a_program_that_fails_crashes_its_actor_with_its_code_and_last_words() {
    let script = "for n in 1 2 3 4 5 6 7 8 9 10 11 12; do echo error $n >&2; done; exit 3";
    let exit = failed(within(run(Process::new(Command::shell(script))).1).await.unwrap());
    assert_eq!(exit.code(), Some(3));
    assert_eq!(exit.last_words.len(), 10);
    assert_eq!(exit.last_words[9], "error 12");
    assert!(exit.to_string().contains(" exited with code 3; last words: error 3 | "), "{exit}");
}

#[actix::test]
async fn a_program_that_is_killed_crashes_its_actor_with_the_signal() {
    for (name, number) in [("KILL", 9), ("RTMIN", 34)] {
        let script = Command::shell(format!("kill -s {name} $$"));
        let exit = failed(within(run(Process::new(script)).1).await.unwrap());
        assert_eq!(exit.signal(), Some(number), "{exit}");
    }
}

#[actix::test]
async fn an_exit_says_whether_there_is_a_core_dump() {
    let dir = tempfile::tempdir().unwrap(); // where the dump goes
    for (limit, dumped) in [(0, false), (100_000_000, true)] {
        let abort = program("die-by").arg("SIGABRT").current_dir(dir.path()).core_limit(limit);
        let exit = failed(within(run(Process::new(abort)).1).await.unwrap());
        assert_eq!((exit.signal(), exit.status.unwrap().core_dumped()), (Some(6), dumped), "{exit}");
    }
}

#[actix::test]
async fn which_codes_are_success_is_up_to_the_command() {
    let exits = |code: i32| Command::shell(format!("exit {code}")).success_codes([0, 3]);
    for code in [0, 3] {
        assert!(matches!(within(run(Process::new(exits(code))).1).await.unwrap(), ExitReason::Normal));
        within(runner().send(RunCommand::new(exits(code)))).await.unwrap().unwrap();
    }
    assert_eq!(failed(within(run(Process::new(exits(1))).1).await.unwrap()).code(), Some(1));
    let error = within(runner().send(RunCommand::new(exits(1)))).await.unwrap().unwrap_err();
    assert!(matches!(error, RunError::Exit { exit, .. } if exit.code() == Some(1)));
    let nothing_is = Command::new("true").success_codes([]);
    assert_eq!(failed(within(run(Process::new(nothing_is)).1).await.unwrap()).code(), Some(0));
}

#[actix::test]
async fn a_program_that_is_not_there_crashes_its_actor_with_its_name() {
    let reason = within(run(Process::new(Command::new("no-such-program"))).1).await.unwrap();
    assert_eq!(
        reason.to_string(),
        "failed: there is no program `no-such-program`: install it, or give its full path"
    );
    let reason = within(run(Process::new(Command::new("cat").arg("nul\0byte"))).1).await.unwrap();
    let ExitReason::Failed(failure) = &reason else { panic!("{reason}") };
    assert!(matches!(failure.downcast_ref(), Some(CommandError::Start { .. })), "{reason}");
}

#[actix::test]
async fn a_program_that_is_asked_to_stop_may_say_good_bye() {
    let (to, mut lines) = reader();
    let polite = Command::shell("trap 'echo bye; exit 7' TERM; echo ready; sleep 1000 & wait");
    let (polite, end) = run(Process::new(polite).lines_to(to));
    within(lines.recv()).await.unwrap();
    polite.do_send(Stop);
    assert!(matches!(within(end).await.unwrap(), ExitReason::Normal), "its code no longer matters");
    assert_eq!(rest(lines), [out("bye")]);
}

#[actix::test]
async fn a_program_that_ignores_sigterm_is_killed_after_the_grace() {
    let (to, mut lines) = reader();
    let grace = Duration::from_millis(100);
    let (stubborn, end) = run(Process::new(program("ignore-term")).lines_to(to).grace(grace));
    within(lines.recv()).await.unwrap();
    let start = Instant::now();
    stubborn.do_send(Stop);
    assert!(matches!(within(end).await.unwrap(), ExitReason::Normal));
    assert!(start.elapsed() >= grace);
}

#[actix::test]
async fn a_program_that_is_asked_to_stop_sees_the_end_of_its_input() {
    let (to, mut lines) = reader();
    let filter = Command::shell("trap '' TERM; echo ready; cat; echo end of input");
    // A grace that no test would outlast.
    let (filter, end) = run(Process::new(filter).lines_to(to).grace(Duration::from_secs(3600)));
    within(lines.recv()).await.unwrap();
    filter.do_send(Stop);
    assert!(matches!(within(end).await.unwrap(), ExitReason::Normal));
    assert_eq!(rest(lines), [out("end of input")]);
}

#[actix::test]
async fn a_suspended_program_hears_that_it_is_to_stop() {
    let (to, mut lines) = reader();
    let suspended = Command::shell("echo $$; kill -STOP $$; exec sleep 1000");
    let (suspended, end) = run(Process::new(suspended).lines_to(to).grace(Duration::from_secs(3600)));
    let pid = within(lines.recv()).await.unwrap().text;
    until(|| state_of(&pid) == Some('T')).await;
    suspended.do_send(Stop);
    assert!(matches!(within(end).await.unwrap(), ExitReason::Normal));
}
