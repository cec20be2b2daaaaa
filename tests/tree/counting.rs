//! Counting what waits in a mailbox.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix::prelude::*;
use latido::supervision::*;
use latido::testing::assert_conserved;
use tokio::sync::oneshot;

use crate::support::*;

#[test]
fn the_queue_can_be_counted_while_the_actor_is_blocked() {
    run(async {
        let probe = child("probe").on(Placement::OwnThread);
        let addr = probe.addr();
        let tree = SupervisorSpec::new("app").child(probe).start().unwrap();
        let (release, released) = std::sync::mpsc::channel::<()>();
        let (tell, told) = oneshot::channel();
        addr.do_send(job(move |_, _| {
            let _ = tell.send(());
            released.recv().unwrap();
        }));
        told.await.unwrap();
        let queued = || tree.snapshot().get("app/probe").unwrap().messages.queued;
        assert_eq!(queued(), 0, "the one in hand is not queued");
        let answers: Vec<_> = (0..7).map(|n| addr.send(note(n))).collect();
        assert_eq!((queued(), queued()), (7, 7));
        release.send(()).unwrap();
        for (n, answer) in answers.into_iter().enumerate() {
            assert_eq!(answer.await.unwrap().len(), n + 1);
        }
        assert_eq!(queued(), 0);
        tree.stop(SECOND).await;
    });
}

#[test]
fn counting_loses_no_message_and_no_wake_up() {
    run(async {
        let probe = child("probe").on(Placement::OwnThread);
        let addr = probe.addr();
        let tree = SupervisorSpec::new("app").child(probe).start().unwrap();
        let done = Arc::new(AtomicBool::new(false));
        let (counted, is_done) = (tree.clone(), done.clone());
        let counting = std::thread::spawn(move || {
            while !is_done.load(Ordering::Relaxed) {
                counted.snapshot();
            }
        });
        let sum = |n: u64| {
            job(move |probe: &mut Probe, _: &mut Context<Probe>| {
                probe.notes.resize(1, 0);
                probe.notes[0] += n;
                probe.notes[0]
            })
        };
        let (mut expected, mut sent) = (0, 0);
        for burst in 0..20_000u64 {
            // Bursts of 1 let the actor fall asleep each time: a lost wake-up hangs here.
            let answers: Vec<_> = (0..1 + burst % 9).map(|n| addr.send(sum(n))).collect();
            expected += (0..1 + burst % 9).sum::<u64>();
            sent += answers.len() as u64;
            let mut last = 0;
            for answer in answers {
                last = answer.await.unwrap();
            }
            assert_eq!(last, expected);
        }
        done.store(true, Ordering::Relaxed);
        counting.join().unwrap();
        tree.stop(SECOND).await;
        assert_conserved(&tree);
        assert_eq!(
            tree.snapshot().get("app/probe").unwrap().messages.handled,
            sent,
            "the end keeps the counts"
        );
    });
}
