//! What befalls a program on purpose is the real thing: signals from the kernel, bytes in its pipe, processes that escape.

use actix::prelude::*;
use latido::actors::process::*;
use latido::fault::Injection;
use latido::prelude::*;
use latido::supervision::SupervisorSpec;

use super::support::*;

/// A program that can be broken, as the only child of a tree, and its process number.
async fn breakable(
    process: impl Fn() -> Process + Send + Sync + 'static,
) -> (Tree, Events, Addr<Process>, String) {
    guarded();
    let spec = Process::breakable(ChildSpec::new("program", process));
    let addr = spec.addr();
    let tree = SupervisorSpec::new("app").child(spec).start().unwrap();
    let mut events = tree.subscribe();
    let pid = started(&mut events).await;
    within(events.until("app", |event| matches!(event.kind, EventKind::Started))).await.unwrap();
    (tree, events, addr, pid)
}

async fn started(events: &mut Events) -> String {
    let pid = |event: &Event| match event.report()? {
        ProcessReport::Started { pid, .. } => Some(pid.to_string()),
        _ => None,
    };
    within(events.find_map("app/program", pid)).await.unwrap()
}

async fn exit(events: &mut Events) -> ProcessExit {
    let exit = |event: &Event| match event.report()? {
        ProcessReport::Exited(exit) => Some(exit.clone()),
        _ => None,
    };
    within(events.find_map("app/program", exit)).await.unwrap()
}

fn inject(tree: &Tree, fault: &str) {
    tree.inject("app/program", fault.parse::<Injection>().unwrap()).unwrap();
}

async fn stop(tree: &Tree) {
    within(tree.stop(std::time::Duration::from_secs(30))).await;
}

#[actix::test]
async fn a_program_that_gets_a_signal_dies_of_it_and_comes_back() {
    use std::os::unix::process::ExitStatusExt;
    let (tree, mut events, addr, _) = breakable(|| Process::new(Command::new("cat"))).await;
    for (name, number) in [("SEGV", 11), ("SIGKILL", 9)] {
        inject(&tree, &format!("signal:{name}"));
        assert_eq!(exit(&mut events).await.status.unwrap().signal(), Some(number));
        started(&mut events).await;
    }
    within(addr.send(WriteLine("whole again".into()))).await.unwrap().unwrap();
    let story = tree.incidents()[0].to_string();
    assert!(story.contains("it was put there on purpose: signal:SEGV"), "{story}");
    let error = tree.inject("app/program", "signal:SEGF".parse::<Injection>().unwrap()).unwrap_err();
    assert!(error.to_string().contains("`SEGF` is no signal's name; write signal:NAME"), "{error}");
    stop(&tree).await;
}

#[actix::test]
async fn a_frozen_program_is_suspended_with_its_group_and_goes_on() {
    let (to, mut lines) = reader();
    let process = move || Process::new(Command::shell("sleep 1000 & echo $!; wait")).lines_to(to.clone());
    let (tree, _, _, pid) = breakable(process).await;
    let sleep = within(lines.recv()).await.unwrap().text;
    inject(&tree, "freeze:0.2");
    until(|| state_of(&pid) == Some('T') && state_of(&sleep) == Some('T')).await;
    until(|| state_of(&pid) == Some('S') && state_of(&sleep) == Some('S')).await;
    let [frozen] = &tree.incidents()[..] else { panic!("{:?}", tree.incidents()) };
    assert!(frozen.reason.is_none(), "{frozen}");
    stop(&tree).await;
}

#[actix::test]
async fn a_gush_comes_out_of_the_programs_own_output_and_what_it_says_itself_too() {
    let (to, mut lines) = reader();
    let (tree, _, addr, _) = breakable(move || Process::new(Command::new("cat")).lines_to(to.clone())).await;
    inject(&tree, "gush:5000");
    for _ in 0..5000 {
        let line = within(lines.recv()).await.unwrap();
        assert_eq!(line, out("this line was put into the output on purpose, as one of a flood"));
    }
    within(addr.send(WriteLine("mine".into()))).await.unwrap().unwrap();
    assert_eq!(within(lines.recv()).await.unwrap(), out("mine"));
    stop(&tree).await;
}

#[actix::test]
async fn one_that_escaped_on_purpose_is_found_by_the_census_and_does_not_survive() {
    let (tree, mut events, _, pid) = breakable(|| Process::new(Command::new("cat"))).await;
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let guard = stat.rsplit_once(") ").unwrap().1.split(' ').nth(1).unwrap().to_owned();
    let children = || {
        let tasks = std::fs::read_dir(format!("/proc/{guard}/task")).unwrap();
        let lists = tasks.map(|task| std::fs::read_to_string(task.unwrap().path().join("children")).unwrap());
        lists
            .flat_map(|list| list.split_whitespace().map(ToOwned::to_owned).collect::<Vec<_>>())
            .collect::<Vec<_>>()
    };
    inject(&tree, "escape");
    until(|| children().len() == 2).await;
    let escaped = children().into_iter().find(|child| *child != pid).unwrap();
    inject(&tree, "signal:TERM");
    let census = exit(&mut events).await.census;
    assert_eq!((census.escaped, census.survivors.len()), (1, 0), "{census}");
    until(|| state_of(&escaped).is_none()).await;
    stop(&tree).await;
}

/// A runner that can be broken, as the only child of a tree.
fn breakable_runner() -> (Tree, Addr<CommandRunner>) {
    guarded();
    let spec = CommandRunner::breakable(ChildSpec::new("program", CommandRunner::default));
    let addr = spec.addr();
    (SupervisorSpec::new("app").child(spec).start().unwrap(), addr)
}

#[actix::test]
async fn a_command_gets_the_signal_that_waited_for_one_and_the_next_runs_to_its_end() {
    use std::os::unix::process::ExitStatusExt;
    let (tree, addr) = breakable_runner();
    inject(&tree, "signal:SEGV");
    let sleep = RunCommand::new(Command::new("sleep").arg("1000"));
    let error = within(addr.send(sleep)).await.unwrap().unwrap_err();
    let RunError::Exit { exit, .. } = &error else { panic!("{error}") };
    assert_eq!(exit.status.unwrap().signal(), Some(11));
    let hello = RunCommand::new(Command::new("echo").arg("hello"));
    assert_eq!(within(addr.send(hello)).await.unwrap().unwrap().stdout, "hello\n");
    assert!(tree.incidents()[0].reason.is_none(), "the runner itself is whole");
    stop(&tree).await;
}

#[actix::test]
async fn a_frozen_command_is_suspended_and_goes_on() {
    let (tree, addr) = breakable_runner();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("pid");
    let line = format!("echo $$ > {0}.new; mv {0}.new {0}; while test -e {0}; do :; done", file.display());
    let run = actix::spawn(addr.send(RunCommand::new(Command::shell(line))));
    until(|| file.exists()).await;
    let pid = std::fs::read_to_string(&file).unwrap().trim().to_owned();
    inject(&tree, "freeze:0.2");
    until(|| state_of(&pid) == Some('T')).await;
    until(|| state_of(&pid) != Some('T')).await;
    std::fs::remove_file(&file).unwrap();
    within(run).await.unwrap().unwrap().unwrap();
    stop(&tree).await;
}
