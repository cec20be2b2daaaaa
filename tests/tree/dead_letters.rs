//! Messages that nobody will handle, and who is told of them.

use actix::prelude::*;
use latido::event::Unhandled;
use latido::prelude::*;
use latido::supervision::{ActorRef, AskError, Bound, Overflow};
use latido::testing::assert_conserved;

use super::support::*;

type DeadLetter = (Option<&'static str>, Unhandled, u64);

/// A probe that handles nothing, because it waits for something else.
async fn bounded(overflow: Overflow) -> (ActorRef<Probe>, Tree, Events) {
    let hooks = Hooks::default().started(|_, ctx| ctx.wait(actix::fut::wrap_future(std::future::pending())));
    let (probe, _) = child_with("probe", hooks);
    let probe = probe.mailbox(Bound::new(2, overflow)).shutdown(Shutdown::BrutalKill);
    let messages = probe.actor_ref();
    let tree = SupervisorSpec::new("app").child(probe).start().unwrap();
    let events = tree.subscribe();
    tokio::task::yield_now().await;
    (messages, tree, events)
}

fn dead_letters(events: &mut Events) -> Vec<DeadLetter> {
    let mut told = Vec::new();
    while let Some(event) = events.try_next() {
        if let EventKind::DeadLetter { message, why, total } = event.kind {
            assert_eq!(event.path, "app/probe");
            told.push((message, why, total));
        }
    }
    told
}

#[test]
fn a_flood_of_dead_letters_is_counted_and_is_no_flood_of_events() {
    run(async {
        for overflow in [Overflow::DropNewest, Overflow::DropOldest] {
            let (probe, tree, mut events) = bounded(overflow).await;
            (0..102).for_each(|n| probe.tell(note(n)).unwrap());
            let kind = std::any::type_name::<Do<Vec<u64>>>();
            let wanted = [1, 2, 4, 8, 16, 32, 64].map(|total| (Some(kind), Unhandled::Overflow, total));
            assert_eq!(dead_letters(&mut events), wanted);
            let messages = tree.snapshot().get("app/probe").unwrap().messages;
            assert_eq!((messages.received, messages.dropped, messages.queued), (102, 100, 2));
            assert_conserved(&tree);
            tree.stop(SECOND).await;
        }
    });
}

#[test]
fn what_is_sent_to_a_plain_address_does_not_tell_what_it_was() {
    run(async {
        let (probe, tree, mut events) = bounded(Overflow::DropNewest).await;
        (0..3).for_each(|n| probe.addr().do_send(note(n)));
        assert_eq!(tree.snapshot().get("app/probe").unwrap().messages.dropped, 1);
        assert_eq!(dead_letters(&mut events), [(None, Unhandled::Overflow, 1)]);
        tree.stop(SECOND).await;
    });
}

#[test]
fn a_message_for_a_child_that_is_down_for_good_is_a_dead_letter() {
    run(async {
        let (probe, _) = child_with("probe", Hooks::default());
        let messages = probe.actor_ref();
        let tree = patient("app").child(probe.restart(Restart::Transient)).start().unwrap();
        let mut events = tree.subscribe();
        started(&mut events, "app/probe", 1).await;
        messages.tell(job(|_, ctx| ctx.stop())).unwrap();
        ended(&mut events, "app/probe").await;
        let error = messages.ask(note(1)).await.unwrap_err();
        assert!(matches!(error, AskError::Down), "{error}");
        let told =
            events.until("app/probe", |event| matches!(event.kind, EventKind::DeadLetter { .. })).await;
        let told = told.unwrap().to_string();
        assert!(told.ends_with(" was not handled: the child is down (dead letter 1)"), "{told}");
        tree.stop(SECOND).await;
        assert!(matches!(messages.tell(note(1)), Err(AskError::Down)), "the tree has ended");
    });
}

#[test]
fn who_tells_hears_of_a_full_mailbox_where_that_is_the_rule_and_never_waits() {
    run(async {
        let (probe, tree, mut events) = bounded(Overflow::Reject).await;
        (0..2).for_each(|n| probe.tell(note(n)).unwrap());
        assert!(matches!(probe.tell(note(2)), Err(AskError::Full)));
        assert_eq!(dead_letters(&mut events), [], "it was given back");
        tree.stop(SECOND).await;

        let (probe, tree, _) = bounded(Overflow::Block).await;
        (0..5).for_each(|n| probe.tell(note(n)).unwrap());
        assert_eq!(tree.snapshot().get("app/probe").unwrap().messages.queued, 5);
        tree.stop(SECOND).await;
    });
}

#[test]
fn what_is_told_is_handled_in_the_order_of_sending_whichever_way_it_came() {
    run(async {
        let probe = child("probe");
        let (messages, addr) = (probe.actor_ref(), probe.addr());
        let tree = patient("app").child(probe).start().unwrap();
        for n in 0..100 {
            match n % 3 {
                0 => messages.tell(note(n)).unwrap(),
                _ => addr.do_send(note(n)),
            }
        }
        let notes = messages.ask(note(100)).await.unwrap();
        assert_eq!(notes, (0..=100).collect::<Vec<_>>());
        tree.stop(SECOND).await;
    });
}
