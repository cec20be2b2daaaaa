//! What becomes of a child that is started by hand when other things happen at the same time.

use std::sync::atomic::Ordering;

use latido::supervision::*;

use crate::kit::*;

#[test]
fn a_start_that_waits_for_its_turn_is_answered_when_the_child_is_terminated() {
    run_in_virtual_time(async {
        let first = slow_to_start("a", 10 * SECOND);
        let tree = patient("app").strategy(Strategy::OneForAll).child(first).start().unwrap();
        let start = meanwhile(&tree, async |tree| tree.start_child("app", child("b")).await);
        all_is_done().await;
        assert_eq!(ids(&tree), ["a", "b"]);
        tree.terminate_child("app/b").await.unwrap();
        let error = start.await.unwrap().unwrap_err();
        assert_eq!(error.to_string(), "app/b could not start: was stopped");
        assert_eq!(ids(&tree), ["a"], "it is not kept");
        tree.stop(SECOND).await;
    });
}

#[test]
fn a_child_terminated_while_it_is_being_started_is_not_kept() {
    run_in_virtual_time(async {
        let tree = patient("app").start().unwrap();
        let slow = slow_to_start("a", 10 * SECOND).shutdown(Shutdown::BrutalKill);
        let start = meanwhile(&tree, async |tree| tree.start_child("app", slow).await);
        all_is_done().await;
        tree.terminate_child("app/a").await.unwrap();
        let error = start.await.unwrap().unwrap_err();
        assert_eq!(error.to_string(), "app/a could not start: was killed: by its shutdown rule");
        assert!(ids(&tree).is_empty());
        tree.stop(SECOND).await;
    });
}

#[test]
fn a_restart_by_hand_that_a_siblings_crash_interrupts_goes_on_with_the_group() {
    run_in_virtual_time(async {
        let c = child("c");
        let crashes = c.addr();
        let app = patient("app").strategy(Strategy::OneForAll);
        let tree = app.child(slow_to_start("b", SECOND)).child(c).start().unwrap();
        crashes.send(note(1)).await.unwrap();
        tree.terminate_child("app/b").await.unwrap();
        let restart = meanwhile(&tree, async |tree| tree.restart_child("app/b").await);
        all_is_done().await;
        assert_eq!(state(&tree, "app/b"), ChildState::Starting);
        crash(&crashes).await;
        restart.await.unwrap().unwrap();
        crashes.send(note(1)).await.unwrap();
        assert_eq!(lives_of_all(&tree), "b#3, c#2");
        tree.stop(SECOND).await;
    });
}

#[test]
fn a_child_once_up_is_retried_like_any_other_however_it_was_started() {
    run_in_virtual_time(async {
        let a = child("a");
        let crashes = a.addr();
        let tree = patient("app").strategy(Strategy::OneForAll).child(a).start().unwrap();
        let (b, lives, switch) = breakable("b");
        let b = b.backoff(Backoff::exponential(SECOND, SECOND));
        tree.start_child("app", b).await.unwrap();
        switch.store(true, Ordering::SeqCst);
        crash(&crashes).await;
        all_is_done().await;
        switch.store(false, Ordering::SeqCst);
        let mut events = tree.subscribe();
        started(&mut events, "app/b", 3).await;
        assert_eq!(lives.ever(), 3);
        tree.stop(SECOND).await;
    });
}

#[test]
fn a_child_that_finished_and_is_started_at_once_reads_its_messages() {
    run(async {
        let spec = child("a").restart(Restart::Transient).on(Placement::OwnThread);
        let addr = spec.addr();
        let tree = patient("app").child(spec).start().unwrap();
        for life in 1..200 {
            addr.send(job(|_, ctx| actix::ActorContext::stop(ctx))).await.unwrap();
            // Some come too early, and some while the end of the life before is being carried out.
            while tree.restart_child("app/a").await.is_err() {}
            assert_eq!(addr.send(note(life)).await.unwrap(), [life]);
        }
        tree.stop(SECOND).await;
    });
}
