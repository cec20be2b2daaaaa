//! Which ends call for a restart, and who waits for it.

use latido::fault::Fault;
use latido::supervision::*;

use crate::kit::*;

#[test]
fn the_restart_type_and_the_way_a_child_ends_decide() {
    use Restart::{Permanent, Temporary, Transient};
    for (restart, end, is_back) in [
        (Permanent, Fault::Stop, true),
        (Permanent, Fault::Panic, true),
        (Permanent, Fault::Fail, true),
        (Transient, Fault::Stop, false),
        (Transient, Fault::Panic, true),
        (Transient, Fault::Fail, true),
        (Temporary, Fault::Stop, false),
        (Temporary, Fault::Panic, false),
        (Temporary, Fault::Fail, false),
    ] {
        // A worker, and a supervisor with a child of its own.
        let kinds: [(AnySpec, _); 2] = [
            (child("a").restart(restart).into(), ["a#2", "a#1 Finished"]),
            (
                patient("a").restart(restart).child(child("x")).into(),
                ["a#2, x#2", "a#1 Finished, x#1 Finished"],
            ),
        ];
        for (spec, [back, down]) in kinds {
            run_in_virtual_time(async {
                let tree = SupervisorSpec::new("app").intensity(1, SECOND).child(spec).start().unwrap();
                let mut events = tree.subscribe();
                started(&mut events, "app", 1).await;
                tree.inject("app/a", end.clone()).unwrap();
                all_is_done().await;
                let expected = if is_back { back } else { down };
                assert_eq!(lives_of_all(&tree), expected, "{restart:?} {end}");
                let counts = tree.count_children("app").unwrap();
                assert_eq!((counts.specs, counts.active), (1, usize::from(is_back)));
                assert_eq!(used(&tree, "app"), u32::from(is_back), "only a restart counts");
                tree.stop(SECOND).await;
            });
        }
    }
}

/// In OTP a slow `init` blocks the supervisor, whatever its strategy.
#[test]
fn a_restart_that_takes_long_holds_back_no_other_under_one_for_one() {
    run_in_virtual_time(async {
        let (slow, a) = (slow_to_start("slow", 3600 * SECOND), child("a"));
        let addrs = [slow.addr(), a.addr()];
        let tree = patient("app").child(slow).child(a).start().unwrap();
        for addr in &addrs {
            addr.send(note(1)).await.unwrap();
        }
        crash(&addrs[0]).await;
        all_is_done().await;
        let begin = tokio::time::Instant::now();
        crash(&addrs[1]).await;
        addrs[1].send(note(1)).await.unwrap();
        tree.start_child("app", child("b")).await.unwrap();
        assert_eq!(lives_of_all(&tree), "slow#2 Starting, a#2, b#1");
        assert!(begin.elapsed() < SECOND);
        tree.stop(SECOND).await;
    });
}
