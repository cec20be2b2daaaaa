//! Requests that tell why they failed, bounds, and counts that add up.

use std::sync::mpsc;
use std::time::Duration;

use actix::prelude::*;
use latido::prelude::*;
use latido::supervision::{ActorRef, AskError, Bound, MessageCounts, Overflow};
use latido::testing::assert_conserved;

use super::support::*;

const SOON: Duration = Duration::from_millis(20);

/// Does as it is told, and counts what it was told.
#[derive(Default)]
struct Servant(u32);
impl Actor for Servant {
    type Context = Context<Self>;
}

#[derive(Message, Clone)]
#[rtype(result = "u32")]
enum Do {
    Count,
    Panic,
    Crash,
    /// Stops while its answer is still being made.
    StopOwing,
    /// Hands its answer to a task outside the actor, which panics.
    PanicOutside,
    /// Waits for ever, but leaves its thread alone.
    Never,
}

impl Handler<Do> for Servant {
    type Result = ResponseActFuture<Self, u32>;
    fn handle(&mut self, what: Do, ctx: &mut Context<Self>) -> Self::Result {
        self.0 += 1;
        let count = self.0;
        match what {
            Do::Count => {}
            Do::Panic => panic!("over this one"),
            Do::Crash => crash("no more"),
            Do::StopOwing => {
                ctx.stop();
                return Box::pin(std::future::pending().into_actor(self));
            }
            Do::PanicOutside => {
                let outside = actix::spawn(async { panic!("outside") });
                return Box::pin(async { outside.await.unwrap_or(0) }.into_actor(self));
            }
            Do::Never => return Box::pin(std::future::pending().into_actor(self)),
        }
        Box::pin(std::future::ready(count).into_actor(self))
    }
}

/// Holds the thread until the other end is dropped, having said that it does.
#[derive(Message)]
#[rtype(result = "()")]
struct Hold(mpsc::Sender<()>, mpsc::Receiver<()>);
impl Handler<Hold> for Servant {
    type Result = ();
    fn handle(&mut self, Hold(holds, until): Hold, _: &mut Context<Self>) {
        let _ = holds.send(());
        let _ = until.recv();
    }
}

fn servant(bound: Option<Bound>) -> (ChildSpec<Servant>, ActorRef<Servant>) {
    let spec = ChildSpec::new("servant", Servant::default).on(Placement::OwnThread);
    let spec = match bound {
        Some(bound) => spec.mailbox(bound),
        None => spec,
    };
    let servant = spec.actor_ref();
    (spec, servant)
}

/// Has the servant hold its thread; it goes on when what this gives is dropped.
async fn hold(servant: &ActorRef<Servant>) -> mpsc::Sender<()> {
    let (holds, held) = mpsc::channel();
    let (release, until) = mpsc::channel();
    servant.addr().do_send(Hold(holds, until));
    while held.try_recv().is_err() {
        tokio::task::yield_now().await;
    }
    release
}

fn counts(tree: &Tree) -> MessageCounts {
    assert_conserved(tree);
    tree.snapshot().get("app/servant").unwrap().messages
}

#[test]
fn a_request_tells_how_the_incarnation_ended_that_had_it() {
    run(async {
        let (spec, servant) = servant(None);
        let tree =
            SupervisorSpec::new("app").intensity(9, Duration::from_secs(5)).child(spec).start().unwrap();
        for (life, (what, text)) in [
            (Do::Panic, "app/servant #1 panicked: over this one at tests/tree/ask.rs:"),
            (Do::Crash, "app/servant #2 failed: no more"),
            (Do::StopOwing, "app/servant #3 stopped itself"),
        ]
        .into_iter()
        .enumerate()
        {
            let error = servant.ask(what.clone()).await.unwrap_err();
            assert!(error.to_string().starts_with(text), "{error}");
            let AskError::Crashed { incarnation, incident, .. } = error else { panic!("{error}") };
            assert_eq!(incarnation, life as u64 + 1);
            let told = tree.incidents().into_iter().find(|told| Some(told.id) == incident);
            let failed = !matches!(what, Do::StopOwing);
            assert_eq!(told.map(|told| told.incarnation), failed.then_some(incarnation), "{incident:?}");
        }
        assert_eq!(servant.ask(Do::Count).await.unwrap(), 1);
        let counts = counts(&tree);
        assert_eq!((counts.received, counts.handled, counts.lost), (4, 2, 2));
        tree.stop(SECOND).await;
    });
}

#[test]
fn who_asks_hears_of_the_life_that_had_the_message_however_many_have_ended_since() {
    run(async {
        let (spec, servant) = servant(None);
        // All but the asking is on other threads, so that lives can end while nobody looks.
        let tree = SupervisorSpec::new("app").on(Placement::OwnThread);
        let tree = tree.intensity(9, SECOND).child(spec).start().unwrap();
        let asks: Vec<_> = (0..3)
            .map(|_| {
                let servant = servant.clone();
                actix::spawn(async move { servant.ask(Do::Panic).await })
            })
            .collect();
        tokio::task::yield_now().await;
        while tree.snapshot().get("app/servant").unwrap().incarnation < 4 {
            std::thread::yield_now();
        }
        for (n, ask) in asks.into_iter().enumerate() {
            let error = ask.await.unwrap().unwrap_err();
            let life = n as u64 + 1;
            assert!(matches!(error, AskError::Crashed { incarnation, .. } if incarnation == life), "{error}");
        }
        tree.stop(SECOND).await;
    });
}

#[test]
fn an_answer_that_is_dropped_outside_the_actor_is_told_from_a_crash() {
    run(async {
        /// Answers from a task of its own.
        struct Careless;
        impl Actor for Careless {
            type Context = Context<Self>;
        }
        impl Handler<Do> for Careless {
            type Result = ResponseFuture<u32>;
            fn handle(&mut self, _: Do, _: &mut Context<Self>) -> ResponseFuture<u32> {
                Box::pin(async { panic!("outside") })
            }
        }
        let spec = ChildSpec::new("careless", || Careless);
        let careless = spec.actor_ref();
        let tree = SupervisorSpec::new("app").child(spec).start().unwrap();
        assert!(matches!(careless.ask(Do::PanicOutside).await, Err(AskError::NoAnswer)));
        assert_eq!(tree.snapshot().get("app/careless").unwrap().incarnation, 1);
        tree.stop(SECOND).await;
    });
}

#[test]
fn a_child_that_is_down_for_good_says_so_and_so_does_one_that_never_was() {
    run(async {
        let (spec, servant) = servant(None);
        let tree = SupervisorSpec::new("app").child(spec.restart(Restart::Temporary)).start().unwrap();
        assert!(matches!(servant.ask(Do::Panic).await, Err(AskError::Crashed { .. })));
        assert!(matches!(servant.ask(Do::Count).await, Err(AskError::Down)));
        tree.stop(SECOND).await;
        assert!(matches!(servant.ask(Do::Count).await, Err(AskError::Down)));

        let never = ChildSpec::new("never", Servant::default).actor_ref();
        assert!(matches!(never.ask(Do::Count).await, Err(AskError::NeverStarted)));
        assert!(matches!(never.tell(Do::Count), Err(AskError::NeverStarted)));
        let spec = ChildSpec::new("never", Servant::default);
        let waits = spec.actor_ref();
        let waiting = actix::spawn(async move { waits.ask(Do::Count).await });
        tokio::task::yield_now().await;
        drop(spec);
        assert!(matches!(waiting.await.unwrap(), Err(AskError::NeverStarted)));
    });
}

#[test]
fn a_timeout_says_whether_the_message_was_still_waiting_and_then_it_is_not_handled() {
    run(async {
        let (spec, servant) = servant(None);
        let tree = SupervisorSpec::new("app").child(spec).start().unwrap();
        let held = hold(&servant).await;
        assert!(matches!(servant.ask_within(SOON, Do::Count).await, Err(AskError::TimedOutQueued(SOON))));
        drop(held);
        assert_eq!(servant.ask(Do::Count).await.unwrap(), 1, "the late one does not count");
        tree.stop(SECOND).await;
    });
    // In virtual time the limit is not over before the message has been taken.
    run_in_virtual_time(async {
        let (spec, servant) = servant(None);
        let tree = SupervisorSpec::new("app").child(spec.on(Placement::Current)).start().unwrap();
        assert!(matches!(servant.ask_within(SOON, Do::Never).await, Err(AskError::TimedOutRunning(SOON))));
        tree.stop(SECOND).await;
    });
}

#[test]
fn a_full_mailbox_does_as_its_rule_says() {
    run(async {
        for overflow in [Overflow::Reject, Overflow::DropNewest, Overflow::DropOldest] {
            let (spec, servant) = servant(Some(Bound::new(2, overflow)));
            let tree = SupervisorSpec::new("app").child(spec).start().unwrap();
            let held = hold(&servant).await;
            let asks: Vec<_> = (0..3)
                .map(|_| {
                    let servant = servant.clone();
                    actix::spawn(async move { servant.ask(Do::Count).await })
                })
                .collect();
            while counts(&tree).queued < 2 || !asks.iter().any(tokio::task::JoinHandle::is_finished) {
                tokio::task::yield_now().await;
            }
            drop(held);
            let mut answers = Vec::new();
            for ask in asks {
                answers.push(match ask.await.unwrap() {
                    Ok(count) => format!("{count}"),
                    Err(error) => format!("{error:?}"),
                });
            }
            let wanted = match overflow {
                Overflow::Reject => ["1", "2", "Full"],
                Overflow::DropNewest => ["1", "2", "Dropped"],
                _ => ["Dropped", "1", "2"],
            };
            assert_eq!(answers, wanted, "{overflow:?}");
            let counts = counts(&tree);
            assert_eq!(counts.dropped, u64::from(overflow != Overflow::Reject));
            tree.stop(SECOND).await;
        }
    });
}

#[test]
fn who_asks_waits_for_room_where_that_is_the_rule() {
    run(async {
        let (spec, servant) = servant(Some(Bound::new(1, Overflow::Block)));
        let tree = SupervisorSpec::new("app").child(spec).start().unwrap();
        let held = hold(&servant).await;
        let asks: Vec<_> = (0..50)
            .map(|_| {
                let servant = servant.clone();
                actix::spawn(async move { servant.ask(Do::Count).await.unwrap() })
            })
            .collect();
        while counts(&tree).queued == 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(counts(&tree).queued, 1);
        drop(held);
        let mut answers = Vec::new();
        for ask in asks {
            answers.push(ask.await.unwrap());
        }
        answers.sort_unstable();
        assert_eq!(answers, (1..=50).collect::<Vec<_>>());
        tree.stop(SECOND).await;
    });
}

#[test]
fn who_asked_a_child_that_hangs_hears_when_it_is_left_behind() {
    run(async {
        let (spec, servant) = servant(None);
        let spec = spec.shutdown(Shutdown::Timeout(SOON)).restart(Restart::Temporary);
        let tree = SupervisorSpec::new("app").child(spec).start().unwrap();
        let (holds, held) = mpsc::channel();
        let (release, until) = mpsc::channel::<()>();
        let asking = servant.clone();
        let ask = actix::spawn(async move { asking.ask(Hold(holds, until)).await });
        while held.try_recv().is_err() {
            tokio::task::yield_now().await;
        }
        tree.stop(Duration::from_secs(20)).await;
        assert!(matches!(ask.await.unwrap(), Err(AskError::Crashed { reason: ExitReason::Killed(_), .. })));
        drop(release);
    });
}

#[test]
fn who_asked_hears_of_the_right_end_although_the_next_life_has_ended_too() {
    run(async {
        let spec = child("child");
        let asked = spec.actor_ref();
        let tree = patient("app").on(Placement::OwnThread).child(spec).start().unwrap();
        let mut events = tree.subscribe();
        started(&mut events, "app", 1).await;
        // Held until all have asked.
        let (release, until) = mpsc::channel::<()>();
        asked
            .tell(job(move |_, _| {
                let _ = until.recv();
            }))
            .unwrap();
        let dying = || Box::pin(asked.ask(job(|_, _| -> () { panic!("no") })));
        let mut answers = [dying(), dying(), dying()];
        for answer in &mut answers {
            assert!(futures::poll!(answer).is_pending());
        }
        drop(release);
        // Nobody here hears of anything before it has all happened.
        let is_up = |event: latido::Event| event.path == "app/child" && event.incarnation == 4;
        while !events.try_next().is_some_and(is_up) {
            std::thread::yield_now();
        }
        for (n, answer) in (1..).zip(answers) {
            let error = answer.await.unwrap_err();
            assert!(matches!(error, AskError::Crashed { incarnation, .. } if incarnation == n), "{error}");
        }
        tree.stop(SECOND).await;
    });
}
