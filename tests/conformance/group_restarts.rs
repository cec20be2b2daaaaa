//! One-for-all and rest-for-one: who goes, who stays, in which order, and what if one cannot come back.

use std::sync::atomic::Ordering;

use latido::ExitReason;
use latido::fault::Fault;
use latido::supervision::*;
use tokio::time::Instant;

use crate::kit::*;

#[test]
fn bystanders_keep_their_lives_and_their_state() {
    for (strategy, untouched) in
        [(Strategy::OneForOne, "a c d"), (Strategy::RestForOne, "a"), (Strategy::OneForAll, "")]
    {
        run_in_virtual_time(async move {
            let specs = ["a", "b", "c", "d"].map(child);
            let addrs: Vec<_> = specs.iter().map(ChildSpec::addr).collect();
            let tree = patient("app").strategy(strategy).children(specs).start().unwrap();
            for addr in &addrs {
                addr.send(note(1)).await.unwrap();
            }
            crash(&addrs[1]).await;
            let mut kept = Vec::new();
            for (addr, id) in addrs.iter().zip(["a", "b", "c", "d"]) {
                // Once its new life has taken the message: the notes of the old one are gone.
                all_is_done().await;
                if addr.send(note(2)).await.unwrap().len() == 2 {
                    kept.push(id);
                }
            }
            assert_eq!(kept.join(" "), untouched, "{strategy:?}");
            tree.stop(SECOND).await;
        });
    }
}

#[test]
fn one_for_all_undoes_a_restart_in_which_one_cannot_come_back() {
    run_in_virtual_time(async {
        let (b, _, switch) = breakable("b");
        let b = b.backoff(Backoff::exponential(SECOND, SECOND));
        let c = child("c");
        let addr = c.addr();
        let app = patient("app").strategy(Strategy::OneForAll);
        let tree = app.child(child("a")).child(b).child(c).start().unwrap();
        let mut events = tree.subscribe();
        started(&mut events, "app", 1).await;
        switch.store(true, Ordering::SeqCst);
        crash(&addr).await;
        all_is_done().await;
        switch.store(false, Ordering::SeqCst);
        addr.send(note(1)).await.unwrap();
        assert_eq!(lives_in(&mut events).join(" "), "-c -b -a +a -b -a +a +b +c");
        assert_eq!(used(&tree, "app"), 2, "the failed start counts");
        tree.stop(SECOND).await;
    });
}

#[test]
fn rest_for_one_keeps_those_that_came_back_before_the_one_that_cannot() {
    run_in_virtual_time(async {
        let (b, _, switch) = breakable("b");
        let b = b.backoff(Backoff::exponential(SECOND, SECOND));
        let (a, c) = (child("a"), child("c"));
        let addrs = [a.addr(), c.addr()];
        let app = patient("app").strategy(Strategy::RestForOne);
        let tree = app.child(a).child(b).child(c).start().unwrap();
        let mut events = tree.subscribe();
        started(&mut events, "app", 1).await;
        switch.store(true, Ordering::SeqCst);
        crash(&addrs[0]).await;
        all_is_done().await;
        assert_eq!(addrs[0].send(note(1)).await.unwrap(), [1], "it is up while the others wait");
        switch.store(false, Ordering::SeqCst);
        addrs[1].send(note(1)).await.unwrap();
        assert_eq!(lives_in(&mut events).join(" "), "-a -c -b +a -b +b +c");
        tree.stop(SECOND).await;
    });
}

#[test]
fn a_child_that_finished_or_declined_stays_down_when_its_group_restarts() {
    for strategy in [Strategy::OneForAll, Strategy::RestForOne] {
        run_in_virtual_time(async move {
            let (a, done) = (child("a"), child("done").restart(Restart::Transient));
            let addrs = [a.addr(), done.addr()];
            let app = patient("app").strategy(strategy).child(a).child(done).child(declining("never"));
            let tree = app.child(child("b")).start().unwrap();
            finish(&addrs[1]).await;
            crash(&addrs[0]).await;
            all_is_done().await;
            assert_eq!(lives_of_all(&tree), "a#2, done#1 Finished, never#1 Finished, b#2", "{strategy:?}");
            tree.stop(SECOND).await;
        });
    }
}

#[test]
fn a_child_that_finishes_while_its_group_goes_down_stays_down() {
    for strategy in [Strategy::OneForAll, Strategy::RestForOne] {
        run_in_virtual_time(async move {
            let (a, b) = (child("a"), child("b").restart(Restart::Transient));
            let addrs = [a.addr(), b.addr()];
            let app = patient("app").strategy(strategy).child(a).child(b);
            let tree = app.child(slow_to_stop("slow", 3 * SECOND)).start().unwrap();
            let mut events = tree.subscribe();
            started(&mut events, "app", 1).await;
            crash(&addrs[0]).await;
            all_is_done().await;
            assert_eq!(lives_of_all(&tree), "a#1 Down, b#1, slow#1 Stopping");
            finish(&addrs[1]).await;
            started(&mut events, "app/slow", 2).await;
            assert_eq!(lives_of_all(&tree), "a#2, b#1 Finished, slow#2", "{strategy:?}");
            tree.stop(60 * SECOND).await;
        });
    }
}

#[test]
fn temporary_children_of_a_group_go_and_do_not_come_back() {
    for strategy in [Strategy::OneForAll, Strategy::RestForOne] {
        run_in_virtual_time(async move {
            let a = child("a");
            let addr = a.addr();
            let app = SupervisorSpec::new("app").intensity(1, 60 * SECOND).strategy(strategy);
            let t = child("t").restart(Restart::Temporary);
            let tree = app.child(a).child(t).child(child("b")).start().unwrap();
            let mut events = tree.subscribe();
            started(&mut events, "app", 1).await;
            finish(&addr).await;
            started(&mut events, "app/b", 2).await;
            assert_eq!(lives_of_all(&tree), "a#2, t#1 Finished, b#2");
            assert_eq!(used(&tree, "app"), 1);
            tree.stop(SECOND).await;
        });
    }
}

#[test]
fn a_member_that_cannot_come_back_ends_its_supervisor_and_those_that_came_back_before_it() {
    // A start that fails is an end, too.
    for (strategy, order) in [
        (Strategy::OneForAll, "-a -b +a -b -a +a -b -a -app"),
        (Strategy::RestForOne, "-a -b +a -b -b -a -app"),
    ] {
        run_in_virtual_time(async move {
            let a = child("a");
            let addr = a.addr();
            let (b, tries, broken) = breakable("b");
            let app = SupervisorSpec::new("app").intensity(2, 60 * SECOND).strategy(strategy);
            let tree = app.child(a).child(b).start().unwrap();
            let mut events = tree.subscribe();
            started(&mut events, "app", 1).await;
            broken.store(true, Ordering::SeqCst);
            crash(&addr).await;
            let reason = tree.join().await;
            assert!(matches!(reason, ExitReason::GaveUp { ref child, .. } if child == "app/b"), "{reason}");
            assert_eq!(tries.ever(), 1 + 2, "{strategy:?}");
            assert_eq!(lives_in(&mut events).join(" "), order, "{strategy:?}");
        });
    }
}

#[test]
fn a_crash_while_the_group_is_going_down_changes_nothing() {
    run_in_virtual_time(async {
        let (a, b) = (child("a"), child("b"));
        let addrs = [a.addr(), b.addr()];
        let app = SupervisorSpec::new("app").intensity(1, 60 * SECOND).strategy(Strategy::OneForAll);
        let tree = app.child(a).child(b).child(slow_to_stop("slow", 3 * SECOND)).start().unwrap();
        let mut events = tree.subscribe();
        started(&mut events, "app", 1).await;
        let begin = Instant::now();
        crash(&addrs[1]).await;
        all_is_done().await;
        crash(&addrs[0]).await;
        addrs[0].send(note(1)).await.unwrap();
        assert!(begin.elapsed() >= 3 * SECOND, "it waited for the slow one");
        started(&mut events, "app/slow", 2).await;
        assert_eq!((lives_of_all(&tree), used(&tree, "app")), ("a#2, b#2, slow#2".to_owned(), 1));
        tree.stop(60 * SECOND).await;
    });
}

#[test]
fn a_crash_further_up_while_the_rest_is_going_down_takes_the_larger_group() {
    run_in_virtual_time(async {
        let (a, b) = (child("a"), child("b"));
        let addrs = [a.addr(), b.addr()];
        let app = SupervisorSpec::new("app").intensity(2, 60 * SECOND).strategy(Strategy::RestForOne);
        let tree = app.child(a).child(b).child(slow_to_stop("slow", 3 * SECOND)).start().unwrap();
        let mut events = tree.subscribe();
        started(&mut events, "app", 1).await;
        crash(&addrs[1]).await;
        all_is_done().await;
        crash(&addrs[0]).await;
        started(&mut events, "app/slow", 2).await;
        assert_eq!((lives_of_all(&tree), used(&tree, "app")), ("a#2, b#2, slow#2".to_owned(), 2));
        tree.stop(60 * SECOND).await;
    });
}

#[test]
fn a_member_that_is_a_supervisor_goes_and_comes_with_its_children() {
    run_in_virtual_time(async {
        let inner = patient("inner").child(child("x")).child(child("y"));
        let app = patient("app").strategy(Strategy::OneForAll);
        let tree = app.child(child("a")).child(inner).child(child("b")).start().unwrap();
        let mut events = tree.subscribe();
        started(&mut events, "app", 1).await;
        tree.inject("app/a", Fault::Panic).unwrap();
        started(&mut events, "app/b", 2).await;
        assert_eq!(lives_of_all(&tree), "a#2, inner#2, x#2, y#2, b#2");
        tree.stop(SECOND).await;
    });
}

#[test]
fn a_member_that_gives_up_takes_its_group_along_and_all_of_them_come_back_new() {
    run_in_virtual_time(async {
        let x = child("x");
        let addr = x.addr();
        let inner = |id: &str| SupervisorSpec::new(id).intensity(1, 60 * SECOND);
        let app = SupervisorSpec::new("app").intensity(1, 60 * SECOND).strategy(Strategy::OneForAll);
        let one = inner("one").child(child("y"));
        let tree = app.child(one).child(inner("two").child(x)).child(inner("three")).start().unwrap();
        tree.start_child("app/two", child("added")).await.unwrap();
        tree.terminate_child("app/three").await.unwrap();
        crash(&addr).await;
        all_is_done().await;
        assert_eq!(lives_of_all(&tree), "one#1, y#1, two#1, x#2, added#1, three#1 Finished");
        crash(&addr).await;
        all_is_done().await;
        assert_eq!(lives_of_all(&tree), "one#2, y#2, two#2, x#3, three#1 Finished");
        assert_eq!((used(&tree, "app"), used(&tree, "app/two")), (1, 0));
        tree.stop(SECOND).await;
    });
}
