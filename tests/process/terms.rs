//! The terms on which a program runs.

use std::time::Duration;

use latido::actors::process::*;

use super::support::*;

async fn run_to_end(command: Command) -> Result<CommandOutput, RunError> {
    within(runner().send(RunCommand::new(command))).await.unwrap()
}

async fn said(command: Command) -> String {
    run_to_end(command).await.unwrap().stdout.trim().to_owned()
}

fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

#[actix::test]
async fn a_program_is_as_nice_as_it_is_told_to_be() {
    let own: i32 = said(Command::new("nice")).await.parse().unwrap();
    let nicer: i32 = said(Command::new("nice").nice(3)).await.parse().unwrap();
    assert_eq!(nicer, (own + 3).min(19));
}

#[actix::test]
async fn a_program_on_terms_is_what_it_would_be_without() {
    // Its process id is the group's, its arguments and environment its own, and no file is left open to it.
    let script = "echo $0 $1 $V $(ps -o pgid= -p $$) $$; ls /proc/self/fd";
    let command =
        || Command::shell(script).arg("an argument").env("V", "value").env_clear().env("V", "value");
    let (plain, on_terms) = (said(command()).await, said(command().nice(0).core_limit(0)).await);
    for said in [&plain, &on_terms] {
        let line = said.lines().next().unwrap();
        let words: Vec<_> = line.split_whitespace().collect();
        assert_eq!(words[..4], ["sh", "an", "argument", "value"], "{said}");
        assert_eq!(words[4], words[5], "{said}");
    }
    let files = |said: &str| said.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(files(&plain), files(&on_terms));
}

#[actix::test]
async fn what_cannot_be_started_on_terms_says_why_with_its_error_number() {
    let too_long = || Command::new("true").arg("x".repeat(200_000));
    for command in [too_long(), too_long().nice(0)] {
        let error = run_to_end(command).await.unwrap_err();
        let RunError::Start(CommandError::Start { source, .. }) = &error else { panic!("{error}") };
        assert_eq!(source.raw_os_error(), Some(nix::libc::E2BIG), "{error}");
    }
    for command in [Command::new("no-such-program"), Command::new("no-such-program").nice(0)] {
        let error = run_to_end(command).await.unwrap_err();
        assert!(matches!(error, RunError::Start(CommandError::NotFound(_))), "{error}");
    }
}

#[actix::test]
async fn a_program_cannot_allocate_more_than_its_limit() {
    // `tail` keeps all of a line.
    let hoard = || Command::shell("head -c 100000000 /dev/zero | tail | wc -c");
    assert_eq!(said(hoard()).await, "100000000");
    let limited = said(hoard().memory_limit(50_000_000)).await;
    assert_eq!(limited, "0");
}

#[actix::test]
async fn a_program_that_uses_up_its_processor_time_is_killed() {
    let busy = Command::shell("while :; do :; done").cpu_limit(Duration::from_secs(1)).core_limit(0);
    let error = run_to_end(busy).await.unwrap_err();
    let RunError::Exit { exit, .. } = &error else { panic!("{error}") };
    assert_eq!(exit.signal(), Some(nix::libc::SIGXCPU), "{error}");
}

#[actix::test]
async fn a_program_cannot_open_more_files_than_its_limit() {
    // It has three already.
    assert_eq!(
        said(program("open-files").open_files_limit(9)).await,
        "6, then Too many open files (os error 24)"
    );
}

#[actix::test]
async fn a_program_cannot_start_more_processes_than_its_limit() {
    let mut fork = Command::shell("/bin/true; echo forked").processes_limit(1);
    if is_root() {
        fork = fork.user("54321"); // root is not limited; nobody else has this number
    }
    let error = run_to_end(fork).await.unwrap_err();
    let RunError::Exit { exit, .. } = &error else { panic!("{error}") };
    assert!(exit.last_words.iter().any(|line| line.to_lowercase().contains("fork")), "{error}");
}

#[actix::test]
async fn a_program_runs_as_its_user_and_group_or_says_that_it_may_not() {
    let as_nobody = run_to_end(Command::shell("id -un; id -G").user("nobody")).await;
    let as_number = run_to_end(Command::shell("id -u; id -g; id -G").user("54321").group("54322")).await;
    if is_root() {
        let nobody = nix::unistd::User::from_name("nobody").unwrap().unwrap();
        assert_eq!(as_nobody.unwrap().stdout, format!("nobody\n{}\n", nobody.gid));
        assert_eq!(as_number.unwrap().stdout, "54321\n54322\n54322\n");
    } else {
        for error in [as_nobody.unwrap_err(), as_number.unwrap_err()] {
            let RunError::Start(CommandError::Start { source, .. }) = &error else { panic!("{error}") };
            assert_eq!(source.raw_os_error(), Some(nix::libc::EPERM), "{error}");
        }
    }
    for (command, expected) in [
        (Command::new("id").user("no-such-user"), "there is no user `no-such-user` to run as"),
        (Command::new("id").group("no-such-group"), "there is no group `no-such-group` to run in"),
    ] {
        assert_eq!(run_to_end(command).await.unwrap_err().to_string(), expected);
    }
}

#[actix::test]
async fn a_program_of_another_user_is_killed_with_all_that_it_has_started() {
    let mut held = HeldPipe::new();
    let open_to_all = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    for path in [held.path().parent().unwrap().to_owned(), held.path()] {
        std::fs::set_permissions(path, std::fs::Permissions::clone(&open_to_all)).unwrap();
    }
    let mut command = held.command("setsid sleep 1000 & wait");
    if is_root() {
        command = command.user("nobody");
    }
    let (process, end) = run(Process::new(command));
    held.opened().await;
    process.do_send(Crash);
    within(end).await.unwrap();
    held.released().await;
}
