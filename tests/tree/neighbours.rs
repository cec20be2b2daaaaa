//! Who else is on a thread that a child blocks, and what becomes of them.

use latido::exit::Kill;
use latido::supervision::*;
use latido::{EventKind, ExitReason};

use crate::blocked::block;
use crate::pulse::{LIMIT, hung, incarnation, returned, used};
use crate::support::*;

#[test]
fn neighbours_on_a_blocked_thread_move_at_no_cost_and_answer_what_waits() {
    run(async {
        let shared = Placement::Shared(Arbiters::new(1));
        let specs = ["before", "stuck", "after"].map(|id| child_with(id, Hooks::default()));
        let [(before, _), (stuck, _), (after, lives)] = specs;
        let (nested, elsewhere) = (child("nested"), child("elsewhere"));
        let addrs = [before.addr(), after.addr(), nested.addr(), elsewhere.addr()];
        let stuck_addr = stuck.addr();
        let branch = SupervisorSpec::new("branch")
            .intensity(0, SECOND)
            .on(shared.clone())
            .child(nested)
            .child(elsewhere.on(Placement::OwnThread));
        let tree = SupervisorSpec::new("app")
            .intensity(1, 100 * SECOND)
            .child(before.on(shared.clone()))
            .child(stuck.on(shared.clone()).watchdog(LIMIT))
            .child(after.on(shared.clone()).restart(Restart::Temporary))
            .child(branch);
        let tree = tree.start().unwrap();
        let mut events = tree.subscribe();
        started(&mut events, "app", 1).await;

        let release = block(&stuck_addr).await;
        let waiting = addrs.each_ref().map(|addr| addr.send(note(1)));
        for (addr, waiting) in addrs.iter().zip(waiting) {
            match addr == &addrs[3] {
                // It was not on that thread, but its supervisor was: it may have answered in either life.
                true => drop(waiting.await.unwrap()),
                false => assert_eq!(waiting.await.unwrap(), [1]),
            }
        }
        stuck_addr.send(note(1)).await.unwrap();
        let snapshot = tree.snapshot();
        for path in ["app/before", "app/after", "app/branch"] {
            let child = snapshot.get(path).unwrap();
            let reason = child.last_exit.as_ref().unwrap();
            assert!(matches!(reason, ExitReason::Killed(Kill::Displaced)), "{path} {reason}");
            assert_eq!(child.incarnation, 2, "{path}");
        }
        assert_eq!((used(&tree, "app"), used(&tree, "app/branch"), tree.abandoned_threads()), (1, 0, 1));
        let story = tree.incidents().into_iter().find(|story| story.path == "app/stuck").unwrap();
        let mut moved: Vec<_> = story.moved.iter().map(ToString::to_string).collect();
        moved.sort();
        assert_eq!(moved, ["app/after", "app/before", "app/branch"], "{story}");

        drop(release);
        returned(&tree).await;
        while lives.now() > 1 {
            addrs[1].send(note(1)).await.unwrap();
        }
        assert_eq!(incarnation(&tree, "app/after"), 2);
        assert!(matches!(tree.stop(SECOND).await, ExitReason::Shutdown));
    });
}

#[test]
fn neighbours_of_a_child_that_is_killed_and_does_not_go_move_too() {
    run(async {
        let shared = Placement::Shared(Arbiters::new(1));
        let stuck = child("stuck").on(shared.clone()).shutdown(Shutdown::BrutalKill);
        let neighbour = child("neighbour").on(shared);
        let (stuck_addr, addr) = (stuck.addr(), neighbour.addr());
        let tree = SupervisorSpec::new("app").intensity(0, SECOND).child(stuck).child(neighbour);
        let tree = tree.start().unwrap();
        let release = block(&stuck_addr).await;
        let waiting = addr.send(note(1));
        tree.terminate_child("app/stuck").await.unwrap();
        assert_eq!(waiting.await.unwrap(), [1]);
        assert_eq!((incarnation(&tree, "app/neighbour"), tree.abandoned_threads()), (2, 1));
        drop(release);
        returned(&tree).await;
        assert_eq!(addr.send(note(2)).await.unwrap(), [1, 2], "the old thread takes nothing with it");
        assert!(matches!(tree.stop(SECOND).await, ExitReason::Shutdown));
    });
}

#[test]
fn the_events_say_who_hung_and_who_moved() {
    run(async {
        let shared = Placement::Shared(Arbiters::new(1));
        let (stuck, other) = (child("stuck").on(shared.clone()).watchdog(LIMIT), child("other").on(shared));
        let addr = stuck.addr();
        let tree = patient("app").child(stuck).child(other).start().unwrap();
        let mut events = tree.subscribe();
        started(&mut events, "app", 1).await;
        let _release = block(&addr).await;
        let mut told = Vec::new();
        while !told.iter().any(|text| text == "app/other #2 started") {
            let event = events.next().await.unwrap();
            match &event.kind {
                EventKind::Exited { .. } => told.push(format!("{} exited", event.path)),
                _ => told.push(event.to_string().split(" (took").next().unwrap().to_owned()),
            }
        }
        let position = |wanted: &str| told.iter().position(|text| text.starts_with(wanted)).expect(wanted);
        let moved = "app/other #1 stopped, but was killed: another actor blocks its thread";
        assert!(position("app/stuck exited") < position(moved), "{told:?}");
        assert!(position("app/stuck exited") < position("app/stuck restarts at once"), "{told:?}");
        assert!(!told.iter().any(|text| text.starts_with("app/other restarts")), "{told:?}");
        tree.stop(SECOND).await;
    });
}

#[test]
fn a_supervisor_whose_thread_a_child_blocks_fails_with_it_and_its_parent_decides() {
    for placement in [Placement::OwnThread, Placement::Shared(Arbiters::new(1))] {
        run(async {
            let (elsewhere, lives) = child_with("elsewhere", Hooks::default());
            let (sibling, stuck) = (child("sibling"), child("stuck").watchdog(LIMIT));
            let addrs = [sibling.addr(), stuck.addr(), elsewhere.addr()];
            let deep = patient("deep").child(stuck);
            let inner = patient("inner").on(placement.clone()).child(sibling).child(deep);
            let inner = inner.child(elsewhere.on(Placement::OwnThread));
            let tree = patient("app").child(inner).start().unwrap();
            let mut events = tree.subscribe();
            started(&mut events, "app", 1).await;
            let release = block(&addrs[1]).await;
            let waiting = addrs[0].send(note(1));
            hung(&mut events, "app/inner/deep/stuck").await;
            started(&mut events, "app/inner", 2).await;
            assert_eq!(waiting.await.unwrap(), [1]);
            assert_eq!(addrs[1].send(note(1)).await.unwrap(), [1]);
            let inner = tree.snapshot().get("app/inner").unwrap().last_exit.clone().unwrap();
            assert!(matches!(inner, ExitReason::Unresponsive { .. }), "{inner}");
            assert_eq!((used(&tree, "app"), tree.abandoned_threads()), (1, 1));
            drop(release);
            returned(&tree).await;
            assert_eq!(addrs[2].send(note(1)).await.unwrap(), [1], "the old supervisor does not kill it");
            assert!(matches!(tree.stop(SECOND).await, ExitReason::Shutdown));
            assert_eq!((lives.most_at_once(), lives.ever()), (1, 2));
        });
    }
}
