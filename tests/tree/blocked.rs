//! Children that block their threads: who waits for them, and for how long.

use std::sync::mpsc;
use std::thread::ThreadId;
use std::time::Instant;

use actix::prelude::*;
use latido::ExitReason;
use latido::exit::Kill;
use latido::fault::Fault;
use latido::supervision::*;
use tokio::sync::oneshot;

use crate::support::*;

pub(crate) fn thread() -> Do<ThreadId> {
    job(|_, _| std::thread::current().id())
}

fn panicking() -> Do<()> {
    job(|_, _| panic!("no"))
}

/// Blocks its thread until the returned sender is used or dropped. Ready once it blocks.
pub(crate) async fn block(addr: &Addr<Probe>) -> mpsc::Sender<()> {
    let (release, released) = mpsc::channel();
    let (tell, told) = oneshot::channel();
    addr.do_send(job(move |_, _| {
        let _ = tell.send(());
        let _ = released.recv();
    }));
    told.await.unwrap();
    release
}

#[test]
fn a_stop_returns_in_time_although_children_are_blocked_and_what_comes_back_disturbs_nothing() {
    run(async {
        let (specs, lives): (Vec<_>, Vec<_>) =
            ["a", "b", "c"].map(|id| child_with(id, Hooks::default())).into_iter().unzip();
        let addrs: Vec<_> = specs.iter().map(ChildSpec::addr).collect();
        let specs = specs.into_iter().map(|spec| spec.on(Placement::OwnThread));
        let tree = SupervisorSpec::new("app").children(specs).start().unwrap();
        let mut events = tree.subscribe();
        let mut blocked = Vec::new();
        for addr in &addrs {
            blocked.push((block(addr).await, addr.send(note(1))));
        }
        let asked = Instant::now();
        let reason = tree.stop(100 * MS).await;
        assert!(asked.elapsed() < 2 * SECOND, "it took {:?}", asked.elapsed());
        assert!(matches!(reason, ExitReason::Killed(Kill::Late(_))), "{reason}");
        while events.next().await.is_some() {}
        for (release, queued) in blocked {
            assert!(matches!(queued.await, Err(MailboxError::Closed)));
            drop(release);
        }
        for lives in lives {
            while lives.now() > 0 {
                tokio::task::yield_now().await;
            }
            assert_eq!(lives.ever(), 1);
        }
    });
}

#[test]
fn a_stop_returns_in_time_although_a_supervisor_is_blocked() {
    run(async {
        let (inner, outer) = (child("inner"), child("outer"));
        let (addr, outer_addr) = (inner.addr(), outer.addr());
        let tree = SupervisorSpec::new("app")
            .on(Placement::OwnThread)
            .child(outer.on(Placement::OwnThread))
            .child(inner);
        let tree = tree.start().unwrap();
        let release = block(&addr).await;
        outer_addr.send(note(1)).await.unwrap();
        let asked = Instant::now();
        let reason = tree.stop(100 * MS).await;
        assert!(asked.elapsed() < 4 * SECOND, "it took {:?}", asked.elapsed());
        assert!(matches!(reason, ExitReason::Killed(Kill::Late(_))), "{reason}");
        assert!(matches!(outer_addr.send(note(1)).await, Err(MailboxError::Closed)));
        drop(release);
    });
}

#[test]
fn a_blocked_child_is_left_behind_and_its_successor_has_the_mailbox_and_a_new_thread() {
    leave_behind(Placement::OwnThread);
    leave_behind(Placement::Shared(Arbiters::new(1)));
}

fn leave_behind(placement: Placement) {
    run(async {
        let (stuck, lives) = child_with("stuck", Hooks::default());
        let stuck = stuck.on(placement).shutdown(Shutdown::BrutalKill);
        let sibling = child("sibling");
        let (addr, sibling_addr) = (stuck.addr(), sibling.addr());
        let tree = patient("app").strategy(Strategy::OneForAll).child(sibling).child(stuck).start().unwrap();
        let before = addr.send(thread()).await.unwrap();
        let release = block(&addr).await;
        let queued: Vec<_> = (0..10).map(|n| addr.send(note(n))).collect();
        assert!(sibling_addr.send(panicking()).await.is_err());
        for (n, answer) in queued.into_iter().enumerate() {
            assert_eq!(answer.await.unwrap().len(), n + 1, "the new life answers");
        }
        let after = addr.send(thread()).await.unwrap();
        assert_ne!(before, after);
        drop(release);
        while lives.now() > 1 {
            assert_eq!(addr.send(thread()).await.unwrap(), after, "the old life takes no message");
        }
        assert_eq!(tree.snapshot().get("app/stuck").unwrap().incarnation, 2);
        assert!(matches!(tree.stop(SECOND).await, ExitReason::Shutdown));
    });
}

#[test]
fn a_supervisor_that_crashes_over_a_blocked_child_comes_back_without_it() {
    run(async {
        let (stuck, lives) = child_with("stuck", Hooks::default());
        let stuck = stuck.on(Placement::OwnThread);
        let sibling = child("sibling");
        let (addr, sibling_addr) = (stuck.addr(), sibling.addr());
        let tree = patient("app").child(patient("inner").child(stuck).child(sibling)).start().unwrap();
        let mut events = tree.subscribe();
        started(&mut events, "app", 1).await;
        let release = block(&addr).await;
        tree.inject("app/inner", Fault::Panic).unwrap();
        started(&mut events, "app/inner", 2).await;
        assert_eq!(addr.send(note(1)).await.unwrap(), [1]);
        assert_eq!(sibling_addr.send(note(1)).await.unwrap(), [1]);
        drop(release);
        while lives.now() > 1 {
            addr.send(note(1)).await.unwrap();
        }
        assert!(matches!(tree.stop(SECOND).await, ExitReason::Shutdown));
        assert_eq!(lives.ever(), 2);
    });
}

#[test]
fn a_blocked_supervisor_that_is_left_behind_leaves_its_children_to_its_successor() {
    run(async {
        let (elsewhere, lives) = child_with("elsewhere", Hooks::default());
        let (stuck, sibling) = (child("stuck"), child("sibling"));
        let addrs = (stuck.addr(), elsewhere.addr(), sibling.addr());
        let inner = patient("inner").on(Placement::OwnThread).shutdown(Shutdown::BrutalKill);
        let inner = inner.child(elsewhere.on(Placement::OwnThread)).child(stuck);
        let tree = patient("app").strategy(Strategy::OneForAll).child(sibling).child(inner).start().unwrap();
        let mut events = tree.subscribe();
        started(&mut events, "app", 1).await;
        let release = block(&addrs.0).await;
        assert!(addrs.2.send(panicking()).await.is_err());
        started(&mut events, "app/inner", 2).await;
        let settled = addrs.1.send(note(1)).await.unwrap();
        assert_eq!(settled, [1]);
        drop(release);
        // The old supervisor ends on its thread now; that thread ends with it.
        while addrs.0.send(note(1)).await.is_err() {}
        assert_eq!(addrs.1.send(note(2)).await.unwrap(), [1, 2], "it is not killed by its former supervisor");
        assert!(matches!(tree.stop(5 * SECOND).await, ExitReason::Shutdown));
        assert_eq!((lives.most_at_once(), lives.ever()), (1, 2));
    });
}

#[test]
fn a_child_that_waits_for_a_blocked_thread_goes_at_once_when_it_is_killed() {
    run(async {
        let shared = Placement::Shared(Arbiters::new(1));
        let blocker = child("blocker").on(shared.clone());
        let addr = blocker.addr();
        let tree = patient("app").child(blocker).start().unwrap();
        let mut events = tree.subscribe();
        started(&mut events, "app", 1).await;
        let release = block(&addr).await;
        let (late, lives) = child_with("late", Hooks::default());
        let late = late.on(shared).shutdown(Shutdown::BrutalKill);
        let starting = tree.clone();
        let order = actix::spawn(async move { starting.start_child("app", late).await });
        while tree.snapshot().get("app/late").is_none_or(|late| late.incarnation == 0) {
            tokio::task::yield_now().await;
        }
        tree.terminate_child("app/late").await.unwrap();
        let reason = ended(&mut events, "app/late").await;
        assert!(matches!(reason, ExitReason::Killed(Kill::Brutal)), "{reason}");
        assert_eq!(tree.abandoned_threads(), 0, "nobody had to be left behind");
        order.await.unwrap().unwrap_err();
        drop(release);
        addr.send(note(1)).await.unwrap();
        assert_eq!(lives.ever(), 0, "it was never built");
        tree.stop(SECOND).await;
    });
}
