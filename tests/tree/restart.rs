//! The whole of it once, with an actor that knows nothing of tests.

use actix::prelude::*;
use latido::fault::Fault;
use latido::supervision::*;
use latido::{EventKind, ExitReason};

use crate::support::{SECOND, run};

#[derive(Default)]
struct Counter(u64);
impl Actor for Counter {
    type Context = Context<Self>;
}

#[derive(Message)]
#[rtype(result = "u64")]
struct Add(u64);
impl Handler<Add> for Counter {
    type Result = u64;
    fn handle(&mut self, Add(n): Add, _: &mut Context<Self>) -> u64 {
        self.0 += n;
        self.0
    }
}

#[derive(Message)]
#[rtype(result = "()")]
struct Die;
impl Handler<Die> for Counter {
    type Result = ();
    fn handle(&mut self, _: Die, _: &mut Context<Self>) {
        panic!("asked to die")
    }
}

#[test]
fn a_crashed_child_comes_back_empty_at_the_same_address() {
    run(async {
        let counter = ChildSpec::new("counter", Counter::default);
        let addr = counter.addr();
        let early = addr.send(Add(1));
        let tree = SupervisorSpec::new("app").child(counter).start().unwrap();
        let mut events = tree.subscribe();
        assert_eq!(early.await.unwrap(), 1);
        assert_eq!(addr.send(Add(1)).await.unwrap(), 2);
        let dead = addr.send(Die);
        let queued = addr.send(Add(5));
        assert!(matches!(dead.await, Err(MailboxError::Closed)));
        assert_eq!(queued.await.unwrap(), 5);
        events
            .until("app/counter", |e| matches!(e.kind, EventKind::Started) && e.incarnation == 2)
            .await
            .unwrap();
        tree.inject("app/*", Fault::Panic).unwrap();
        events
            .until("app/counter", |e| matches!(e.kind, EventKind::Started) && e.incarnation == 3)
            .await
            .unwrap();
        assert!(matches!(tree.stop(SECOND).await, ExitReason::Shutdown));
        assert!(matches!(addr.send(Add(1)).await, Err(MailboxError::Closed)));
    });
}
