//! On which thread a child runs, and what becomes of it when that thread ends or hangs.

use std::collections::HashSet;
use std::thread::ThreadId;

use actix::prelude::*;
use latido::ExitReason;
use latido::exit::Kill;
use latido::supervision::*;

use crate::support::*;

fn thread() -> Do<ThreadId> {
    job(|_, _| std::thread::current().id())
}

fn panicking() -> Do<()> {
    job(|_, _| panic!("no"))
}

#[test]
fn a_child_runs_where_its_supervisor_does_unless_it_has_a_thread_of_its_own() {
    run(async {
        let children =
            [child("current"), child("own").on(Placement::OwnThread), child("too").on(Placement::OwnThread)];
        let addrs: Vec<_> = children.iter().map(ChildSpec::addr).collect();
        let nested = child("nested");
        let nested_addr = nested.addr();
        let supervisor = SupervisorSpec::new("supervisor").on(Placement::OwnThread).child(nested);
        let tree = patient("app").children(children).child(supervisor).start().unwrap();
        let mut threads = Vec::new();
        for addr in addrs.iter().chain([&nested_addr]) {
            let before = addr.send(thread()).await.unwrap();
            assert!(addr.send(panicking()).await.is_err());
            assert_eq!(addr.send(thread()).await.unwrap(), before, "it is kept over a restart");
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
        let children: Vec<_> = (0..100).map(|n| child(&n.to_string()).on(shared.clone())).collect();
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
            let (specs, lives): (Vec<_>, Vec<_>) =
                ["a", "b"].map(|id| child_with(id, Hooks::default())).into_iter().unzip();
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
                assert!(matches!(reason, ExitReason::Killed(Kill::ArbiterGone)), "{reason}");
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
        let inner = patient("inner").on(Placement::OwnThread).child(child("first")).child(probe);
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

#[test]
#[cfg(target_os = "linux")]
fn the_threads_of_a_tree_end_with_it() {
    /// The kernel's number of the calling thread, as in `/proc/self/task`.
    fn task() -> Do<std::ffi::OsString> {
        job(|_, _| std::fs::read_link("/proc/thread-self").unwrap().file_name().unwrap().to_owned())
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
