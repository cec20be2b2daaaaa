//! Each assertion fails when it should, and says why.

use std::any::Any;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::mpsc;

use actix::prelude::*;
use futures::FutureExt;
use latido::prelude::*;
use latido::testing::*;

use crate::support::*;

/// A tree of one worker that has failed once, and its recorder.
async fn failed_once() -> (Tree, Recorder) {
    quiet_panics();
    let worker = ChildSpec::new("worker", || Worker);
    let tree = SupervisorSpec::new("app").child(worker).start().unwrap();
    let recorder = Recorder::of(&tree);
    recorder.started("app", 1).await;
    tree.inject("app/worker", Fault::Fail).unwrap();
    recorder.started("app/worker", 2).await;
    (tree, recorder)
}

/// What the assertion said when it failed.
async fn complaint(assertion: impl Future<Output = ()>) -> String {
    let panic = AssertUnwindSafe(assertion).catch_unwind().await.unwrap_err();
    let panic: Box<dyn Any> = panic;
    *panic.downcast::<String>().unwrap()
}

#[actix::test]
async fn a_story_is_told_without_times() {
    let (tree, recorder) = failed_once().await;
    tree.stop(SECOND).await;
    assert_eq!(
        recorder.story(),
        "app/worker #1 started\n\
         app #1 started\n\
         app/worker #1 gets a fault on purpose: fail\n\
         app/worker #1 failed: injected fault\n\
         app/worker #1 restarts at once (failure 1 in a row, restart 1 of 3 in 5s)\n\
         app/worker #2 started\n\
         app/worker #2 stopped\n\
         app #1 stopped\n"
    );
    assert_story(&recorder, "app", &["app #1 started", "app #1 stop..."]);
}

#[actix::test]
async fn a_story_that_differs_is_shown_beside_the_expected_one_from_the_first_difference_on() {
    let (tree, recorder) = failed_once().await;
    tree.stop(SECOND).await;
    let expected = [
        "app/worker #1 started",
        "app/worker #1 gets a ...",
        "app/worker #1 panicked: injected fault",
        "app/worker #1 restarts in ...",
        "app/worker #2 started",
    ];
    let complaint = complaint(async { assert_story(&recorder, "app/*", &expected) }).await;
    assert_eq!(
        complaint,
        "the story of app/* is not as expected:
    app/worker #1 started
    app/worker #1 gets a fault on purpose: fail
> - app/worker #1 panicked: injected fault
> + app/worker #1 failed: injected fault
  - app/worker #1 restarts in ...
  + app/worker #1 restarts at once (failure 1 in a row, restart 1 of 3 in 5s)
    app/worker #2 started
  - (nothing)
  + app/worker #2 stopped
"
    );
}

#[actix::test]
async fn what_does_not_happen_in_time_is_told_with_the_last_events() {
    let (tree, recorder) = failed_once().await;
    let recorder = recorder.patience(SECOND / 100);
    let missing = complaint(recorder.started("app/worker", 3)).await;
    assert!(
        missing.starts_with("nothing came within 10ms; the last events were\n    app/worker #1 started\n"),
        "{missing}"
    );
    assert!(missing.ends_with("\n    app/worker #2 started"), "{missing}");
    let fresh = Recorder::of(&tree);
    let nothing = complaint(fresh.within(SECOND / 100, std::future::pending())).await;
    assert_eq!(nothing, "nothing came within 10ms; there were no events");
    tree.stop(SECOND).await;
    let ended = complaint(recorder.started("app/worker", 3)).await;
    assert!(
        ended.starts_with("the tree ended before it happened to app/worker; the last events were\n"),
        "{ended}"
    );
    recorder.started("app/worker", 2).await; // the past counts, also after the end
}

#[actix::test]
async fn a_tree_that_runs_is_not_all_down() {
    let (tree, _) = failed_once().await;
    let running = complaint(assert_all_down(&tree)).await;
    assert_eq!(running, "still up: app #1, app/worker #2; stop the tree first");
    tree.stop(SECOND).await;
    assert_all_down(&tree).await;
}

#[derive(Message)]
#[rtype(result = "()")]
struct Hold(mpsc::Sender<()>, mpsc::Receiver<()>);

impl Handler<Hold> for Worker {
    type Result = ();

    fn handle(&mut self, Hold(holds, until): Hold, _: &mut Context<Self>) {
        let _ = holds.send(());
        let _ = until.recv();
    }
}

#[actix::test]
async fn a_child_that_hangs_after_the_end_is_a_leak_with_its_thread_until_it_returns() {
    let worker = ChildSpec::new("worker", || Worker).on(Placement::OwnThread);
    let addr = worker.addr();
    let tree = SupervisorSpec::new("app").child(worker).start().unwrap();
    let (holds, held) = mpsc::channel();
    let (release, until) = mpsc::channel();
    addr.do_send(Hold(holds, until));
    while held.try_recv().is_err() {
        tokio::task::yield_now().await;
    }
    tree.stop(SECOND / 100).await;
    assert_conserved(&tree);
    assert_eq!(tree.snapshot().get("app/worker").unwrap().messages.lost, 1);
    let leak = complaint(assert_all_down(&tree)).await;
    assert_eq!(leak, "left behind: an incarnation of app/worker, a thread of app/worker");
    drop(release);
    assert_all_down(&tree).await;
}

#[test]
fn an_hour_passes_in_no_time_and_is_an_hour() {
    const HOUR: std::time::Duration = std::time::Duration::from_secs(3600);
    let real = std::time::Instant::now();
    let waited = in_virtual_time(async {
        let worker = ChildSpec::new("worker", || Worker).backoff(Backoff::exponential(HOUR, HOUR));
        let tree = SupervisorSpec::new("app").child(worker).start().unwrap();
        let recorder = Recorder::of(&tree).patience(2 * HOUR);
        recorder.started("app", 1).await;
        let failed = tokio::time::Instant::now();
        tree.inject("app/worker", Fault::Fail).unwrap();
        recorder.started("app/worker", 2).await;
        let waited = failed.elapsed();
        tree.stop(HOUR).await;
        assert_all_down(&tree).await;
        waited
    });
    assert_eq!(waited, HOUR);
    assert!(real.elapsed() < HOUR / 60);
}
