//! Arbiters: what becomes of work that is given to one which ends.

use std::sync::mpsc::{Sender, channel};

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
