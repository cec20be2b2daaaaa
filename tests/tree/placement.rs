//! On which thread a child runs, and what becomes of it when that thread ends or hangs.

use std::collections::HashSet;
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

fn thread() -> Do<ThreadId> {
    job(|_, _| std::thread::current().id())
}

fn panicking() -> Do<()> {
    job(|_, _| panic!("no"))
}

/// Blocks its thread until the returned sender is used or dropped. Ready once it blocks.
async fn block(addr: &Addr<Probe>) -> mpsc::Sender<()> {
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
fn a_child_runs_where_its_supervisor_does_unless_it_has_a_thread_of_its_own() {
    run(async {
        let children = [
            child("current"),
            child("own").on(Placement::OwnThread),
            child("too").on(Placement::OwnThread),
        ];
        let addrs: Vec<_> = children.iter().map(ChildSpec::addr).collect();
        let nested = child("nested");
        let nested_addr = nested.addr();
        let supervisor = SupervisorSpec::new("supervisor")
            .on(Placement::OwnThread)
            .child(nested);
        let tree = patient("app")
            .children(children)
            .child(supervisor)
            .start()
            .unwrap();
        let mut threads = Vec::new();
        for addr in addrs.iter().chain([&nested_addr]) {
            let before = addr.send(thread()).await.unwrap();
            assert!(addr.send(panicking()).await.is_err());
            assert_eq!(
                addr.send(thread()).await.unwrap(),
                before,
                "it is kept over a restart"
            );
            threads.push(before);
        }
        assert_eq!(threads[0], std::thread::current().id());
        assert_eq!(threads.iter().collect::<HashSet<_>>().len(), 4);
        tree.stop(SECOND).await;
    });
}

#[test]
fn a_hundred_children_share_two_threads() {
    run(async {
        let shared = Placement::Shared(Arbiters::new(2));
        let children: Vec<_> = (0..100)
            .map(|n| child(&n.to_string()).on(shared.clone()))
            .collect();
        let addrs: Vec<_> = children.iter().map(ChildSpec::addr).collect();
        let tree = patient("app").children(children).start().unwrap();
        let mut threads = Vec::new();
        for addr in &addrs {
            threads.push(addr.send(thread()).await.unwrap());
        }
        assert_eq!(threads.iter().collect::<HashSet<_>>().len(), 2);
        assert_eq!(threads.iter().filter(|&&id| id == threads[0]).count(), 50);
        assert!(addrs[0].send(panicking()).await.is_err());
        assert_eq!(addrs[0].send(thread()).await.unwrap(), threads[0]);
        tree.stop(SECOND).await;
    });
}

#[test]
fn a_child_whose_arbiter_is_stopped_under_it_comes_back_on_another() {
    for placement in [Placement::OwnThread, Placement::Shared(Arbiters::new(1))] {
        run(async {
            let (specs, lives): (Vec<_>, Vec<_>) = ["a", "b"]
                .map(|id| child_with(id, Hooks::default()))
                .into_iter()
                .unzip();
            let addrs: Vec<_> = specs.iter().map(ChildSpec::addr).collect();
            let specs = specs.into_iter().map(|spec| spec.on(placement.clone()));
            let tree = patient("app").children(specs).start().unwrap();
            let mut events = tree.subscribe();
            started(&mut events, "app", 1).await;
            for _ in 0..5 {
                let before = addrs[0].send(thread()).await.unwrap();
                addrs[0].do_send(job(|_, _| {
                    Arbiter::current().stop();
                }));
                let reason = ended(&mut events, "app/a").await;
                assert!(
                    matches!(reason, ExitReason::Killed(Kill::ArbiterGone)),
                    "{reason}"
                );
                // What is sent while the thread ends may still be handled there, or be lost with it.
                let mut after = addrs[0].send(thread()).await;
                while !matches!(after, Ok(id) if id != before) {
                    after = addrs[0].send(thread()).await;
                }
                while addrs[1].send(note(1)).await.is_err() {}
            }
            assert!(matches!(tree.stop(SECOND).await, ExitReason::Shutdown));
            for lives in lives {
                assert_eq!((lives.now(), lives.most_at_once()), (0, 1));
            }
        });
    }
}

#[test]
fn a_supervisor_whose_arbiter_is_stopped_under_it_comes_back_with_its_children() {
    run(async {
        let (probe, lives) = child_with("probe", Hooks::default());
        let addr = probe.addr();
        let inner = patient("inner")
            .on(Placement::OwnThread)
            .child(child("first"))
            .child(probe);
        let tree = patient("app").child(inner).start().unwrap();
        let mut events = tree.subscribe();
        started(&mut events, "app", 1).await;
        for incarnation in 2..6 {
            addr.do_send(job(|_, _| {
                Arbiter::current().stop();
            }));
            started(&mut events, "app/inner", incarnation).await;
            addr.send(note(1)).await.unwrap();
        }
        assert!(matches!(tree.stop(SECOND).await, ExitReason::Shutdown));
        assert_eq!((lives.now(), lives.most_at_once()), (0, 1));
    });
}

// ===== blocked =====

#[test]
fn a_stop_returns_in_time_although_children_are_blocked_and_what_comes_back_disturbs_nothing() {
    run(async {
        let (specs, lives): (Vec<_>, Vec<_>) = ["a", "b", "c"]
            .map(|id| child_with(id, Hooks::default()))
            .into_iter()
            .unzip();
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
        assert!(matches!(
            outer_addr.send(note(1)).await,
            Err(MailboxError::Closed)
        ));
        drop(release);
    });
}

#[test]
fn a_blocked_child_is_left_behind_and_its_successor_has_the_mailbox_and_a_new_thread() {
    run(async {
        let (stuck, lives) = child_with("stuck", Hooks::default());
        let stuck = stuck.on(Placement::OwnThread).shutdown(Shutdown::BrutalKill);
        let sibling = child("sibling");
        let (addr, sibling_addr) = (stuck.addr(), sibling.addr());
        let tree = patient("app")
            .strategy(Strategy::OneForAll)
            .child(sibling)
            .child(stuck)
            .start()
            .unwrap();
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
            assert_eq!(
                addr.send(thread()).await.unwrap(),
                after,
                "the old life takes no message"
            );
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
        let tree = patient("app")
            .child(patient("inner").child(stuck).child(sibling))
            .start()
            .unwrap();
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
        let inner = patient("inner")
            .on(Placement::OwnThread)
            .shutdown(Shutdown::BrutalKill);
        let inner = inner.child(elsewhere.on(Placement::OwnThread)).child(stuck);
        let tree = patient("app")
            .strategy(Strategy::OneForAll)
            .child(sibling)
            .child(inner)
            .start()
            .unwrap();
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
        assert_eq!(
            addrs.1.send(note(2)).await.unwrap(),
            [1, 2],
            "it is not killed by its former supervisor"
        );
        assert!(matches!(tree.stop(5 * SECOND).await, ExitReason::Shutdown));
        assert_eq!((lives.most_at_once(), lives.ever()), (1, 2));
    });
}

#[test]
#[cfg(target_os = "linux")]
fn the_threads_of_a_tree_end_with_it() {
    /// The kernel's number of the calling thread, as in `/proc/self/task`.
    fn task() -> Do<std::ffi::OsString> {
        job(|_, _| {
            std::fs::read_link("/proc/thread-self")
                .unwrap()
                .file_name()
                .unwrap()
                .to_owned()
        })
    }
    run(async {
        let shared = Placement::Shared(Arbiters::new(3));
        let own = (0..5).map(|n| child(&n.to_string()).on(Placement::OwnThread));
        let sharing = (5..15).map(|n| child(&n.to_string()).on(shared.clone()));
        let children: Vec<_> = own.chain(sharing).collect();
        let addrs: Vec<_> = children.iter().map(ChildSpec::addr).collect();
        let tree = patient("app").children(children).start().unwrap();
        drop(shared);
        let mut tasks = HashSet::new();
        for addr in &addrs {
            tasks.insert(addr.send(task()).await.unwrap());
        }
        assert_eq!(tasks.len(), 5 + 3);
        tree.stop(SECOND).await;
        let all = std::path::Path::new("/proc/self/task");
        assert!(all.exists());
        // The handle is still held: it is the tree's end that ends them, not its handle's.
        while tasks.iter().any(|task| all.join(task).exists()) {
            tokio::task::yield_now().await;
        }
    });
}
