//! One-for-all and rest-for-one: who goes, who stays, in which order, and what if one cannot come back.

use std::sync::atomic::Ordering;

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
fn temporary_children_of_a_group_go_and_do_not_come_back() {
    run_in_virtual_time(async {
        let a = child("a");
        let addr = a.addr();
        let app = patient("app").strategy(Strategy::OneForAll);
        let tree =
            app.child(a).child(child("t").restart(Restart::Temporary)).child(child("b")).start().unwrap();
        let mut events = tree.subscribe();
        started(&mut events, "app", 1).await;
        crash(&addr).await;
        started(&mut events, "app/b", 2).await;
        assert_eq!(lives_of_all(&tree), "a#2, t#1 Finished, b#2");
        tree.stop(SECOND).await;
    });
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
