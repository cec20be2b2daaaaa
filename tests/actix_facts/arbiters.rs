//! Arbiters: what becomes of work that is given to one which ends; what the threads of a sync arbiter need.

use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use actix::prelude::*;

/// Tells at its end whether it was run.
struct Order {
    run: bool,
    says: Sender<bool>,
}

impl Order {
    fn carry_out(&mut self) {
        self.run = true;
    }
}

impl Drop for Order {
    fn drop(&mut self) {
        let _ = self.says.send(self.run);
    }
}

#[actix::test]
async fn a_function_that_an_arbiter_accepted_may_be_dropped_unrun_when_it_stops() {
    let arbiter = Arbiter::new();
    let (release, word) = channel::<()>();
    let (says, said) = channel();
    let give = || {
        let mut order = Order { run: false, says: says.clone() };
        arbiter.spawn(async move { order.carry_out() })
    };
    assert!(arbiter.spawn_fn(move || word.recv().unwrap()));
    assert!(give(), "before the stop");
    assert!(arbiter.stop());
    assert!(give(), "after the stop");
    release.send(()).unwrap();
    arbiter.join().unwrap();
    drop(says);
    assert_eq!(said.iter().collect::<Vec<_>>(), [false, false]);
}

#[actix::test]
async fn the_end_of_an_arbiter_drops_its_actors_outside_of_any_runtime() {
    struct Told(Sender<bool>);
    impl Actor for Told {
        type Context = Context<Self>;
        fn stopped(&mut self, _: &mut Context<Self>) {
            let _ = self.0.send(tokio::runtime::Handle::try_current().is_ok());
        }
    }
    #[derive(Message)]
    #[rtype(result = "()")]
    struct Ping;
    impl Handler<Ping> for Told {
        type Result = ();
        fn handle(&mut self, _: Ping, _: &mut Context<Self>) {}
    }
    let arbiter = Arbiter::new();
    let (says, said) = channel();
    let addr = Told::start_in_arbiter(&arbiter.handle(), |_| Told(says));
    addr.send(Ping).await.unwrap();
    arbiter.stop();
    arbiter.join().unwrap();
    assert!(!addr.connected());
    assert_eq!(said.recv(), Ok(false));
}

/// Only a failing test waits for it.
const PATIENCE: Duration = Duration::from_secs(20);

/// Tells that it has started, and where.
struct Sync(Sender<Option<String>>);

impl Actor for Sync {
    type Context = SyncContext<Self>;

    fn started(&mut self, _: &mut SyncContext<Self>) {
        let _ = self.0.send(std::thread::current().name().map(str::to_owned));
    }
}

fn start_sync(says: Sender<Option<String>>) -> Addr<Sync> {
    let thread = || std::thread::Builder::new().name("sync".to_owned());
    SyncArbiter::start_with_thread_builder(1, thread, move || Sync(says.clone()))
}

#[actix::test]
async fn a_sync_actor_starts_on_its_thread_while_the_systems_arbiter_is_blocked_and_nobody_has_its_address() {
    let (says, said) = channel();
    drop(start_sync(says));
    // This is the system's arbiter. A message to the actor would wait until it is free again.
    assert_eq!(said.recv_timeout(PATIENCE), Ok(Some("sync".to_owned())));
}

#[test]
fn a_sync_arbiter_is_started_on_any_thread_that_is_given_a_system_also_when_that_is_gone() {
    let runner = System::new();
    let system = runner.block_on(async { System::current() });
    drop(runner);
    let (says, said) = channel();
    let start = move || {
        assert!(!System::is_registered());
        System::set_current(system);
        drop(start_sync(says));
    };
    std::thread::spawn(start).join().unwrap();
    assert_eq!(said.recv_timeout(PATIENCE), Ok(Some("sync".to_owned())));
}
