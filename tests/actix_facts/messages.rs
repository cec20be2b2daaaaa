//! Mailboxes and addresses: what waits, what is refused, what is forgotten.

use actix::dev::channel::channel;
use actix::prelude::*;

use crate::probe::{Log, NOTE, Probe, STOP, answer, poll};

const CLOSED: Result<(), MailboxError> = Err(MailboxError::Closed);

#[test]
fn an_address_made_from_a_channel_works_before_anything_runs_and_its_messages_wait() {
    let (sender, mailbox) = channel::<Probe>(16);
    let addr = Addr::new(sender);
    let request = addr.send(NOTE);
    assert!(addr.connected());

    let log = Log::default();
    let mut incarnation = Context::with_receiver(mailbox).into_future(Probe::new(&log));
    let _ = poll(&mut incarnation);
    assert_eq!(log.take(), ["started", "handled"]);
    assert_eq!(answer(request), Some(Ok(())));
    assert!(incarnation.address() == addr);
}

#[test]
fn the_drop_of_the_receiver_closes_the_address_and_loses_what_waited() {
    let (sender, mailbox) = channel::<Probe>(16);
    let addr = Addr::new(sender);
    let weak = addr.downgrade();
    let request = addr.send(NOTE);
    drop(mailbox);
    assert!(!addr.connected());
    assert!(weak.upgrade().is_none());
    assert_eq!(answer(request), Some(CLOSED));
    assert_eq!(answer(addr.send(NOTE)), Some(CLOSED));
}

#[test]
fn a_request_dropped_by_its_sender_is_skipped_when_its_turn_comes() {
    let log = Log::default();
    let mut incarnation = Context::new().into_future(Probe::new(&log));
    let addr = incarnation.address();
    drop(addr.send(NOTE));
    let kept = addr.send(NOTE);
    let _ = poll(&mut incarnation);
    assert_eq!(log.take(), ["started", "handled"]);
    assert_eq!(answer(kept), Some(Ok(())));
}

#[test]
fn send_and_do_send_ignore_the_capacity_that_try_send_respects() {
    let (sender, mailbox) = channel::<Probe>(1);
    let addr = Addr::new(sender);
    assert!(addr.try_send(NOTE).is_ok());
    assert!(matches!(addr.try_send(NOTE), Err(SendError::Full(_))));
    // A request for which there is no room gets a slot of its own at its first poll.
    let mut requests: Vec<_> = (0..100).map(|_| Box::pin(addr.send(NOTE))).collect();
    for request in &mut requests {
        assert_eq!(answer(request), None);
    }
    addr.do_send(NOTE);

    let log = Log::default();
    let mut incarnation = Context::with_receiver(mailbox).into_future(Probe::new(&log));
    let _ = poll(&mut incarnation);
    let by_try_send_send_and_do_send = log.take().iter().filter(|line| **line == "handled").count();
    assert_eq!(by_try_send_send_and_do_send, 1 + 100 + 1);
    for request in requests {
        assert_eq!(answer(request), Some(Ok(())));
    }
}

#[test]
fn every_clone_of_an_address_has_one_slot_more_than_the_capacity() {
    let (sender, _mailbox) = channel::<Probe>(1);
    let addr = Addr::new(sender);
    assert!(addr.try_send(NOTE).is_ok());
    assert!(addr.try_send(NOTE).is_err());
    assert!(addr.clone().try_send(NOTE).is_ok());
    assert!(addr.clone().try_send(NOTE).is_ok());
}

#[test]
fn a_mailbox_inside_an_actor_that_stops_loses_its_queue() {
    let log = Log::default();
    let mut incarnation = Context::new().into_future(Probe::new(&log));
    let addr = incarnation.address();
    let (stop, queued) = (addr.send(STOP), addr.send(NOTE));
    let _ = poll(&mut incarnation);
    assert_eq!(log.take(), ["started", "stopping", "stopped"]);
    drop(incarnation);
    assert_eq!((answer(stop), answer(queued)), (Some(Ok(())), Some(CLOSED)));
}
