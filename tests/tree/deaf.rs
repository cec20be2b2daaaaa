//! Children that wait for ever and take no message meanwhile.

use actix::prelude::*;
use latido::ExitReason;
use latido::exit::Kill;
use latido::supervision::*;

use crate::blocked::{block, thread};
use crate::pulse::{LIMIT, incarnation};
use crate::support::*;

/// Has the probe wait for something that does not come, and take no message meanwhile.
fn wait_for_ever() -> Do<()> {
    job(|probe, ctx| ctx.wait(std::future::pending::<()>().into_actor(probe)))
}

#[test]
fn a_child_that_waits_for_ever_while_messages_wait_is_deaf_and_has_failed() {
    run(async {
        let shared = Placement::Shared(Arbiters::new(1));
        let specs = ["deaf", "idle", "fine"].map(|id| child(id).on(shared.clone()).message_limit(LIMIT));
        let [deaf, idle, fine] = specs.each_ref().map(ChildSpec::addr);
        let tree = patient("app").children(specs).start().unwrap();
        let mut events = tree.subscribe();
        idle.send(wait_for_ever()).await.unwrap();
        fine.send(note(1)).await.unwrap();
        let before = deaf.send(thread()).await.unwrap();
        deaf.send(wait_for_ever()).await.unwrap();
        let waiting = deaf.send(thread());
        let reason = ended(&mut events, "app/deaf").await;
        assert!(matches!(reason, ExitReason::Deaf { waited } if waited >= LIMIT), "{reason}");
        assert!(reason.to_string().starts_with("took no message for "), "{reason}");
        assert_eq!(waiting.await.unwrap(), before, "the thread was not lost");
        assert_eq!(tree.abandoned_threads(), 0);
        assert_eq!(incarnation(&tree, "app/idle"), 1, "nobody wanted anything of it");
        assert_eq!(incarnation(&tree, "app/fine"), 1);
        assert!(matches!(tree.stop(SECOND).await, ExitReason::Shutdown));
    });
}

#[test]
fn one_that_waits_for_ever_is_found_by_its_wait_limit_although_nobody_says_anything() {
    run(async {
        let shared = Placement::Shared(Arbiters::new(1));
        let specs = ["deaf", "idle"].map(|id| child(id).on(shared.clone()).wait_limit(LIMIT));
        let [deaf, idle] = specs.each_ref().map(ChildSpec::addr);
        let paused = child("paused").on(shared).wait_limit(LIMIT);
        let tree = patient("app").children(specs).child(paused).start().unwrap();
        let mut events = tree.subscribe();
        started(&mut events, "app", 1).await;
        tree.pause("app/paused").unwrap();
        for life in 1..=3 {
            deaf.send(wait_for_ever()).await.unwrap();
            let reason = ended(&mut events, "app/deaf").await;
            assert!(matches!(reason, ExitReason::Deaf { waited } if waited >= LIMIT), "{reason}");
            started(&mut events, "app/deaf", life + 1).await;
        }
        idle.send(note(1)).await.unwrap();
        assert_eq!(incarnation(&tree, "app/idle"), 1, "it had nothing to do");
        assert_eq!(incarnation(&tree, "app/paused"), 1, "nor might it");
        assert_eq!(tree.abandoned_threads(), 0);
        assert!(matches!(tree.stop(SECOND).await, ExitReason::Shutdown));
    });
}

#[test]
fn a_child_whose_neighbour_blocks_the_thread_is_not_deaf() {
    run(async {
        let shared = Placement::Shared(Arbiters::new(1));
        let stuck = child("stuck").on(shared.clone()).watchdog(3 * LIMIT);
        let other = child("other").on(shared).message_limit(LIMIT / 3);
        let (stuck_addr, addr) = (stuck.addr(), other.addr());
        let tree = patient("app").child(stuck).child(other).start().unwrap();
        let mut events = tree.subscribe();
        started(&mut events, "app", 1).await;
        let _release = block(&stuck_addr).await;
        assert_eq!(addr.send(note(1)).await.unwrap(), [1]);
        let reason = ended(&mut events, "app/other").await;
        assert!(matches!(reason, ExitReason::Killed(Kill::Displaced)), "{reason}");
        tree.stop(SECOND).await;
    });
}
