//! However the actor ends, nothing that its program started is left.

use actix::prelude::*;
use latido::actors::process::*;
use latido::prelude::*;
use tokio::sync::oneshot;

use super::support::*;

#[actix::test]
async fn a_grandchild_dies_with_the_actor_that_crashes() {
    let mut held = HeldPipe::new();
    let (to, mut lines) = reader();
    let (family, end) = run(Process::new(held.command("sleep 1000 & echo ready; wait")).lines_to(to));
    within(lines.recv()).await.unwrap();
    held.opened().await;
    family.do_send(Crash);
    assert!(matches!(within(end).await.unwrap(), ExitReason::Failed(_)));
    held.released().await;
}

#[actix::test]
async fn a_grandchild_dies_when_the_program_ends_without_it() {
    let held = HeldPipe::new();
    let (_, end) = run(Process::new(held.command("yes &")));
    assert!(matches!(within(end).await.unwrap(), ExitReason::Normal));
    held.released().await;
}

#[test]
fn a_grandchild_dies_with_the_system_that_its_actor_runs_in() {
    let mut held = HeldPipe::new();
    let command = held.command("trap '' TERM; sleep 1000 & wait");
    let system = System::new();
    system.block_on(async {
        Process::new(command).start();
        held.opened().await;
    });
    drop(system);
    System::new().block_on(held.released());
}

#[derive(Message)]
#[rtype(result = "()")]
struct Ask(Tree, ChildSpec<Process>);

#[actix::test]
async fn a_program_lives_on_when_the_arbiter_ends_from_which_it_was_asked_for() {
    struct Asker(Option<oneshot::Sender<()>>);
    impl Actor for Asker {
        type Context = Context<Self>;
    }
    impl Handler<Ask> for Asker {
        type Result = ();
        fn handle(&mut self, Ask(tree, spec): Ask, ctx: &mut Context<Self>) {
            let done = self.0.take().unwrap();
            let start = async move {
                tree.start_child("app", spec).await.unwrap();
                let _ = done.send(());
            };
            ctx.spawn(start.into_actor(self));
        }
    }
    let (to, mut lines) = reader();
    let tree = SupervisorSpec::new("app").start().unwrap();
    let spec = ChildSpec::new("cat", move || Process::new(Command::new("cat")).lines_to(to.clone()));
    let cat = spec.addr();
    let (done, is_done) = oneshot::channel();
    let arbiter = Arbiter::new();
    let asker = Asker::start_in_arbiter(&arbiter.handle(), move |_| Asker(Some(done)));
    asker.do_send(Ask(tree.clone(), spec));
    within(is_done).await.unwrap();
    arbiter.stop();
    tokio::task::spawn_blocking(|| arbiter.join()).await.unwrap().unwrap();
    within(cat.send(WriteLine("alive".into()))).await.unwrap().unwrap();
    assert_eq!(within(lines.recv()).await.unwrap(), out("alive"));
}

#[test]
fn a_process_whose_system_ends_at_once_never_starts() {
    let dir = tempfile::tempdir().unwrap();
    let touched = dir.path().join("touched");
    let system = System::new();
    system.block_on(async { Process::new(Command::new("touch").arg(&touched)).start() });
    drop(system);
    assert!(!touched.exists());
}

#[actix::test]
async fn a_run_dies_with_the_actor_that_runs_it() {
    let mut held = HeldPipe::new();
    let (runner, end) = run(CommandRunner::default());
    let answer = runner.send(RunCommand::new(held.command("sleep 1000 & wait")));
    let answer = actix::spawn(answer);
    held.opened().await;
    runner.do_send(Crash);
    assert!(matches!(within(end).await.unwrap(), ExitReason::Failed(_)));
    assert!(matches!(within(answer).await.unwrap(), Err(MailboxError::Closed)));
    held.released().await;
}

#[actix::test]
async fn a_run_dies_when_its_sender_stops_waiting() {
    let mut held = HeldPipe::new();
    let runner = CommandRunner::default().start();
    let command = held.command("sleep 1000 & wait");
    let answer = actix::spawn(runner.send(RunCommand::new(command)));
    held.opened().await;
    answer.abort();
    held.released().await;
    assert!(runner.connected());
}

/// Its thread is not free to end them, and its successor has no news of them.
#[actix::test]
async fn what_a_runner_runs_that_hangs_is_gone_before_its_successor_runs_the_same() {
    guarded();
    let mut held = HeldPipe::new();
    let spec = ChildSpec::new("runner", CommandRunner::default).on(Placement::OwnThread);
    let spec = spec.watchdog(std::time::Duration::from_millis(200));
    let runner = spec.actor_ref();
    let tree = SupervisorSpec::new("app").child(spec).start().unwrap();
    let mut events = tree.subscribe();
    let (asked, command) = (runner.clone(), held.command("sleep 1000 & wait"));
    let answer = actix::spawn(async move { asked.ask(RunCommand::new(command)).await });
    held.opened().await;
    tree.inject("app/runner", "block:1000".parse::<latido::fault::Injection>().unwrap()).unwrap();
    let error = within(answer).await.unwrap().unwrap_err();
    assert!(error.to_string().contains("did not answer"), "{error}");
    let is_next = |event: &Event| matches!(event.kind, EventKind::Started) && event.incarnation == 2;
    within(events.until("app/runner", is_next)).await.unwrap();
    within(runner.ask(RunCommand::new(Command::new("true")))).await.unwrap().unwrap();
    held.released().await;
    within(tree.stop(std::time::Duration::from_secs(30))).await;
}

/// Who asked hangs, and drops nothing.
#[actix::test]
async fn a_run_dies_when_the_life_has_ended_that_it_was_asked_for() {
    guarded();
    let mut held = HeldPipe::new();
    let runner = CommandRunner::default().start();
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let spec = ChildSpec::new("asker", move || {
        tell.send(latido::Reporter::current()).unwrap();
        CommandRunner::default()
    });
    let tree = SupervisorSpec::new("app").child(spec).start().unwrap();
    let asker = within(told.recv()).await.unwrap();
    assert!(!asker.has_ended());
    let run = RunCommand::new(held.command("sleep 1000 & wait")).asked_by(asker.clone());
    let answer = actix::spawn(runner.send(run));
    held.opened().await;
    within(tree.stop(std::time::Duration::from_secs(30))).await;
    held.released().await;
    within(asker.ended()).await;
    assert!(matches!(within(answer).await.unwrap(), Err(MailboxError::Closed)));
}
