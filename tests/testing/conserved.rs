//! A thousand crashes with messages in flight, by chance: a seed decides what. Every message is accounted for.

use std::time::Duration;

use fastrand::Rng;
use futures::future::join_all;
use latido::prelude::*;
use latido::supervision::AskError;
use latido::testing::*;

use crate::support::*;

const CRASHES: usize = 1_000;

fn worker(id: &str) -> ChildSpec<Worker> {
    ChildSpec::new(id, || Worker)
}

#[actix::test]
async fn no_message_is_unaccounted_for_after_a_thousand_random_crashes() {
    quiet_panics();
    let seed = std::env::var("LATIDO_SEED").map_or_else(|_| fastrand::u64(..), |seed| seed.parse().unwrap());
    println!("LATIDO_SEED={seed} repeats it");
    let mut random = Rng::with_seed(seed);

    let workers = [
        worker("here"),
        worker("own").on(Placement::OwnThread),
        worker("slow").backoff(Backoff::exponential(Duration::from_micros(10), Duration::from_millis(1))),
        worker("a").on(Placement::OwnThread),
        worker("b"),
    ];
    let refs = workers.each_ref().map(ChildSpec::actor_ref);
    let [here, own, slow, a, b] = workers;
    let together = SupervisorSpec::new("together")
        .strategy(Strategy::OneForAll)
        .intensity(u32::MAX, SECOND)
        .children([a, b]);
    let tree = SupervisorSpec::new("app")
        .intensity(u32::MAX, SECOND)
        .children([here, own, slow])
        .child(together)
        .start()
        .unwrap();
    let recorder = Recorder::of(&tree);
    recorder.started("app", 1).await;

    let paths = ["app/here", "app/own", "app/slow", "app/together/a", "app/together/b"];
    let (mut sent, mut to_crash, mut asks) = ([0; 5], 0, Vec::new());
    while to_crash < CRASHES {
        let to = random.usize(..refs.len());
        let what = random.choice([Do::Work, Do::Work, Do::Work, Do::Panic, Do::Crash, Do::Stop]).unwrap();
        to_crash += usize::from(matches!(what, Do::Panic | Do::Crash));
        sent[to] += 1;
        if random.bool() {
            refs[to].addr().do_send(what);
        } else {
            let worker = refs[to].clone();
            asks.push(actix::spawn(async move { (what, worker.ask(what).await) }));
        }
        if random.u8(..20) == 0 {
            assert_conserved(&tree); // with messages in flight
            tokio::task::yield_now().await;
        }
    }
    let asked = join_all(asks).await;
    for _ in 0..CRASHES {
        let to = random.usize(..refs.len());
        sent[to] += 1;
        refs[to].addr().do_send(Do::Work); // the tree stops with these in its mailboxes
    }
    tree.stop(Duration::from_secs(10)).await;

    assert_conserved(&tree);
    assert_all_down(&tree).await;
    let snapshot = tree.snapshot();
    let mut lost = 0;
    for (path, sent) in paths.iter().zip(sent) {
        let messages = snapshot.get(path).unwrap().messages;
        assert_eq!(messages.received, sent, "{path}, LATIDO_SEED={seed}");
        assert_eq!((messages.queued, messages.in_hand), (0, false));
        lost += messages.lost;
    }
    // One crash costs one message, the one in hand.
    let crashes = recorder.events().iter().filter(|event| is_crash(event)).count() as u64;
    assert_eq!(lost, crashes, "LATIDO_SEED={seed}");
    for (what, answer) in asked.into_iter().map(Result::unwrap) {
        match answer {
            Ok(()) => assert!(matches!(what, Do::Work | Do::Stop)),
            Err(AskError::Crashed { .. }) => assert!(matches!(what, Do::Panic | Do::Crash), "{what:?}"),
            Err(error) => panic!("{what:?}: {error}"),
        }
    }
}

fn is_crash(event: &Event) -> bool {
    let reason = match &event.kind {
        EventKind::Exited { reason, .. } | EventKind::Stopped { reason, .. } => reason,
        _ => return false,
    };
    matches!(reason, ExitReason::Panicked(_) | ExitReason::Failed(_))
}
