//! Many watched children at once: the busy are left in peace, and hangs in any order lose nobody.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Instant;

use latido::ExitReason;
use latido::supervision::*;

use crate::pulse::returned;
use crate::support::*;

#[test]
fn a_busy_child_that_answers_is_never_declared_hung() {
    run(async {
        let done = Arc::new(AtomicBool::new(false));
        let burners: Vec<_> = (0..2 * std::thread::available_parallelism().unwrap().get())
            .map(|_| {
                let done = done.clone();
                std::thread::spawn(move || while !done.load(Ordering::Relaxed) {})
            })
            .collect();
        let shared = Placement::Shared(Arbiters::new(2));
        let specs: Vec<_> = (0..8)
            .map(|n| child(&n.to_string()).on(shared.clone()).watchdog(50 * MS).message_limit(50 * MS))
            .collect();
        let addrs: Vec<_> = specs.iter().map(ChildSpec::addr).collect();
        let tree = patient("app").children(specs).start().unwrap();
        let mut events = tree.subscribe();
        started(&mut events, "app", 1).await;
        let begin = Instant::now();
        while begin.elapsed() < 5 * SECOND {
            let answers =
                addrs.iter().flat_map(|addr| (0..50).map(|_| addr.send(job(|probe, _| probe.life))));
            for answer in futures::future::join_all(answers).await {
                assert_eq!(answer.unwrap(), 1);
            }
        }
        done.store(true, Ordering::Relaxed);
        burners.into_iter().for_each(|burner| burner.join().unwrap());
        assert!(events.try_next().is_none());
        tree.stop(SECOND).await;
    });
}

#[test]
fn whoever_hangs_by_chance_nobody_is_lost_and_every_question_is_answered() {
    let seeds = std::env::var("LATIDO_STRESS").map_or(3, |seeds| seeds.parse().unwrap());
    (0..seeds).for_each(hang_by_chance);
}

fn hang_by_chance(seed: u64) {
    run(async move {
        let mut random = fastrand::Rng::with_seed(seed);
        let shared = Placement::Shared(Arbiters::new(2));
        let (mut asked, mut all_lives, mut tops) = (Vec::new(), Vec::new(), Vec::new());
        for top in 0..4 {
            let placement = [shared.clone(), Placement::OwnThread][top % 2].clone();
            let strategy = [Strategy::OneForOne, Strategy::OneForAll][top / 2];
            let mut supervisor = patient(&top.to_string()).strategy(strategy).on(placement);
            for n in 0..3 {
                let (spec, lives) = child_with(&n.to_string(), Hooks::default());
                let placement = [Placement::Current, shared.clone(), Placement::OwnThread][n].clone();
                let spec = spec.on(placement).watchdog(20 * MS);
                asked.push(spec.actor_ref());
                all_lives.push(lives);
                supervisor = supervisor.child(spec);
            }
            tops.push(supervisor);
        }
        let tree = patient("app").children(tops).start().unwrap();
        started(&mut tree.subscribe(), "app", 1).await;

        let mut answers = Vec::new();
        for _ in 0..25 {
            let (release, released) = mpsc::channel::<()>();
            let victim = random.usize(..asked.len());
            let hang = asked[victim].ask(job(move |_, _| released.recv().unwrap_or_default()));
            let (hung, _) = futures::join!(hang, async {
                for _ in 0..40 {
                    let child = asked[random.usize(..asked.len())].clone();
                    let dies = random.u8(..20) == 0;
                    let answer = async move { child.ask(job(move |_, _| assert!(!dies))).await };
                    answers.push(actix::spawn(answer));
                    tokio::task::yield_now().await;
                }
            });
            // Its life may have ended before it hung long enough: a neighbour's hang, or crash, took it along.
            assert!(matches!(hung, Err(AskError::Crashed { .. })), "seed {seed}: {hung:?}");
            drop(release);
            if random.bool() {
                returned(&tree).await;
            }
        }
        for answer in futures::future::join_all(answers).await {
            let answer = answer.unwrap();
            assert!(matches!(answer, Ok(()) | Err(AskError::Crashed { .. })), "seed {seed}: {answer:?}");
        }
        returned(&tree).await;
        for (child, lives) in asked.iter().zip(&all_lives) {
            while child.ask(note(1)).await.is_err() || lives.now() > 1 {
                tokio::task::yield_now().await;
            }
        }
        assert!(matches!(tree.stop(10 * SECOND).await, ExitReason::Shutdown), "seed {seed}");
        assert!(all_lives.iter().all(|lives| lives.now() == 0), "seed {seed}");
    });
}
