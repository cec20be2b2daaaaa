//! Everything at once, by chance: a seed decides what.
//!
//! `LATIDO_STRESS=1000 cargo test --release --test tree stress` tries seeds 0 to 999 instead of a few.

use std::cell::Cell;
use std::rc::Rc;

use actix::fut::wrap_future;
use actix::prelude::*;
use fastrand::Rng;
use futures::future::join_all;
use latido::fault::{Fault, When};
use latido::supervision::*;
use latido::testing::{assert_all_down, assert_conserved};

use crate::support::*;

const ACTORS: usize = 200;
const STEPS: usize = 1_500;

struct Grown {
    addrs: Vec<Addr<Probe>>,
    lives: Vec<Lives>,
    random: Rng,
    shared: Placement,
}

impl Grown {
    fn pick<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.random.usize(..choices.len())].clone()
    }

    fn supervisor(&mut self, id: &str) -> SupervisorSpec {
        let strategy = self.pick(&[Strategy::OneForOne, Strategy::OneForAll, Strategy::RestForOne]);
        let intensity = self.pick(&[2, 20, MANY]);
        let restart = self.pick(&[Restart::Permanent, Restart::Permanent, Restart::Transient]);
        let placement = self.pick(&[Placement::Current, self.shared.clone()]);
        SupervisorSpec::new(id).strategy(strategy).intensity(intensity, SECOND).restart(restart).on(placement)
    }

    fn child(&mut self, id: usize) -> ChildSpec<Probe> {
        let (spec, lives) = child_with(&format!("c{id}"), Hooks::default());
        self.addrs.push(spec.addr());
        self.lives.push(lives);
        let restarts = [Restart::Permanent, Restart::Permanent, Restart::Transient, Restart::Temporary];
        let shutdowns = [Shutdown::default(), Shutdown::BrutalKill, Shutdown::Timeout(MS)];
        let backoffs = [Backoff::NONE, Backoff::exponential(MS, 5 * MS).jitter(1.0)];
        let placements = [Placement::Current, self.shared.clone()];
        spec.restart(self.pick(&restarts))
            .shutdown(self.pick(&shutdowns))
            .backoff(self.pick(&backoffs))
            .on(self.pick(&placements))
    }

    /// Three levels: the root, ten supervisors, and below each of them two more and some children.
    fn tree(&mut self) -> SupervisorSpec {
        let mut root = patient("root").strategy(Strategy::OneForOne);
        for outer in 0..10 {
            let mut middle = self.supervisor(&format!("m{outer}"));
            for inner in 0..2 {
                let mut leaf = self.supervisor(&format!("l{inner}"));
                for _ in 0..ACTORS / 30 {
                    leaf = leaf.child(self.child(self.addrs.len()));
                }
                middle = middle.child(leaf);
            }
            for _ in 0..ACTORS / 10 - 2 * (ACTORS / 30) {
                middle = middle.child(self.child(self.addrs.len()));
            }
            root = root.child(middle);
        }
        root
    }
}

fn message(kind: u8) -> Do<()> {
    job(move |_, ctx| match kind {
        0 => panic!("by chance"),
        1 => latido::crash("by chance"),
        2 => ctx.stop(),
        3 => ctx.terminate(),
        4 => {
            ctx.cancel_future(ctx.handle());
        }
        5 => {
            ctx.spawn(wrap_future(async { panic!("later, by chance") }));
        }
        6 => ctx.wait(wrap_future(actix::clock::sleep(MS))),
        7 => {
            ctx.run_interval(MS, |probe, _| probe.notes.clear());
        }
        _ => {}
    })
}

fn try_seed(seed: u64) {
    run(async move {
        let shared = Placement::Shared(Arbiters::new(2));
        let mut grown = Grown { addrs: Vec::new(), lives: Vec::new(), random: Rng::with_seed(seed), shared };
        let tree = grown.tree().start().unwrap();
        started(&mut tree.subscribe(), "root", 1).await; // failures before that would end it all
        let Grown { addrs, lives, mut random, .. } = grown;
        assert_eq!(addrs.len(), ACTORS);
        let (ok, closed) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
        let mut answers = Vec::new();
        for step in 0..STEPS {
            let addr = &addrs[random.usize(..ACTORS)];
            for _ in 0..random.usize(1..5) {
                let request = addr.send(message(random.u8(..60)));
                let (ok, closed) = (ok.clone(), closed.clone());
                answers.push(actix::spawn(async move {
                    match request.await {
                        Ok(()) => ok.set(ok.get() + 1),
                        Err(_) => closed.set(closed.get() + 1),
                    }
                }));
            }
            if random.u8(..20) == 0 {
                let path = &tree.snapshot().children[random.usize(1..=ACTORS)].path.clone();
                let fault = [Fault::Panic, Fault::Fail, Fault::Stop][random.usize(..3)].clone();
                let when = [When::Now, When::Message(2)][random.usize(..2)];
                tree.inject_when(path.as_str(), fault, when).unwrap();
            }
            if step % 10 == 0 {
                tokio::task::yield_now().await;
            }
        }
        if random.bool() {
            // Half of the time all is quiet before the end, and what can be answered has been.
            actix::clock::sleep(5 * MS).await;
        }
        tree.stop(10 * SECOND).await;
        let sent = answers.len();
        join_all(answers).await;
        assert_eq!(ok.get() + closed.get(), sent, "seed {seed}");
        assert_conserved(&tree);
        assert_all_down(&tree).await;
        for lives in lives {
            assert_eq!(lives.now(), 0, "seed {seed}: all are gone");
            assert!(lives.most_at_once() <= 1, "seed {seed}: no child runs twice");
        }
    });
}

#[test]
fn nothing_hangs_is_lost_or_runs_twice() {
    let seeds = std::env::var("LATIDO_STRESS").map_or(5, |seeds| seeds.parse().unwrap());
    (0..seeds).for_each(try_seed);
}
