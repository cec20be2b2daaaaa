//! The one stream that tells what happens.

use std::fmt;

use actix::prelude::*;
use futures::StreamExt;
use latido::fault::Fault;
use latido::supervision::*;
use latido::{Event, EventKind, ExitReason, Report, Reporter};

use crate::support::*;

#[derive(Debug, PartialEq)]
struct Said(u64);
impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "said {}", self.0)
    }
}
impl Report for Said {}

fn say(number: u64) -> Do<()> {
    job(move |_, _| Reporter::current().report(Said(number)))
}

#[test]
fn every_subscriber_reads_the_same_events_in_the_same_order_without_a_gap() {
    run(async {
        let shared = Arbiters::new(2);
        let children: Vec<_> =
            (0..10).map(|n| child(&n.to_string()).on(Placement::Shared(shared.clone()))).collect();
        let addrs: Vec<_> = children.iter().map(ChildSpec::addr).collect();
        let tree = patient("app").children(children).start().unwrap();
        let subscribers = [tree.subscribe(), tree.subscribe()];
        for round in 0..20 {
            addrs.iter().for_each(|addr| addr.do_send(say(round)));
            tree.inject("app/*", Fault::Panic).unwrap();
            for addr in &addrs {
                while addr.send(note(1)).await.is_err() {}
            }
        }
        tree.stop(SECOND).await;
        for subscriber in subscribers {
            let events: Vec<Event> = subscriber.collect().await;
            assert!(events.len() > 10 * 20);
            let seqs: Vec<_> = events.iter().map(|event| event.seq).collect();
            let first = seqs[0];
            assert_eq!(seqs, (first..first + seqs.len() as u64).collect::<Vec<_>>());
            assert!(matches!(events.last().unwrap().kind, EventKind::Stopped { .. }));
            each_life_starts_before_it_ends_and_after_the_one_before(&events);
        }
    });
}

fn each_life_starts_before_it_ends_and_after_the_one_before(events: &[Event]) {
    let mut lives = std::collections::HashMap::new();
    for event in events {
        let (incarnation, up) = lives.entry(event.path.clone()).or_insert((0, false));
        match event.kind {
            EventKind::Started => {
                assert!(!*up && event.incarnation > *incarnation, "{event}");
                (*incarnation, *up) = (event.incarnation, true);
            }
            EventKind::Exited { .. } | EventKind::Stopped { .. } => {
                assert!(event.incarnation > *incarnation || *up, "{event}");
                (*incarnation, *up) = (event.incarnation, false);
            }
            _ => {}
        }
    }
}

#[test]
fn a_report_carries_the_path_and_the_life_of_who_says_it() {
    run(async {
        let hooks = Hooks::default().started(|probe, ctx| {
            Reporter::current().report(Said(probe.life as u64));
            ctx.run_later(MS, |probe, _| Reporter::current().report(Said(10 + probe.life as u64)));
        });
        let (probe, _) = child_with("probe", hooks);
        let tree = patient("app").child(probe).start().unwrap();
        let mut events = tree.subscribe();
        for life in 1..3 {
            for said in [life, 10 + life] {
                let report = events.until("**", |e| matches!(e.kind, EventKind::Report(_))).await.unwrap();
                assert_eq!(report.report(), Some(&Said(said)));
                assert_eq!((report.path.as_str(), report.incarnation), ("app/probe", life));
                assert_eq!(report.to_string(), format!("app/probe #{life}: said {said}"));
            }
            tree.inject("app/probe", Fault::Panic).unwrap();
        }
        assert!(Reporter::current().path().is_none(), "here is no actor");
        tree.stop(SECOND).await;
    });
}

#[test]
fn a_slow_subscriber_is_told_how_many_events_it_missed() {
    run(async {
        let probe = child("probe");
        let addr = probe.addr();
        let tree = patient("app").child(probe).start().unwrap();
        let mut slow = tree.subscribe();
        let (kept, missed) = (65_536, 1_000);
        let say_all = job(move |_, _| {
            let reporter = Reporter::current();
            (0..kept + missed).for_each(|n| reporter.report(Said(n)));
        });
        addr.send(say_all).await.unwrap();
        tree.stop(SECOND).await;
        let mut next_seq = None;
        let (mut read, mut lost) = (0, 0);
        while let Some(event) = slow.next().await {
            assert!(next_seq.is_none_or(|seq| seq == event.seq), "what is missed is accounted for");
            match event.kind {
                EventKind::Missed(count) => {
                    lost += count;
                    next_seq = Some(event.seq + count);
                }
                _ => {
                    read += 1;
                    next_seq = Some(event.seq + 1);
                }
            }
        }
        assert_eq!(read, kept);
        assert!(lost > missed, "{lost}");
    });
}

#[test]
fn the_stream_ends_with_the_tree_for_all_who_subscribed_and_who_come_later() {
    run(async {
        let tree = SupervisorSpec::new("app").child(child("probe")).start().unwrap();
        let mut events = tree.subscribe();
        started(&mut events, "app", 1).await;
        let waiting = actix::spawn(async move { events.until("app/nobody", |_| true).await });
        tree.stop(SECOND).await;
        assert!(waiting.await.unwrap().is_none());
        assert!(tree.subscribe().next().await.is_none());
        assert!(tree.subscribe().until("**", |_| true).await.is_none());
    });
}

#[test]
fn who_subscribes_before_awaiting_anything_misses_nothing_on_whatever_thread_the_tree_lives() {
    run(async {
        for _ in 0..50 {
            let tree = SupervisorSpec::new("app").on(Placement::OwnThread).child(child("a")).start().unwrap();
            // A thread that were already at work would have said something by now.
            std::thread::yield_now();
            let mut events = tree.subscribe();
            assert_eq!(events.next().await.unwrap().seq, 1);
            tree.stop(SECOND).await;
        }
        let tree = SupervisorSpec::new("app").child(child("a")).start().unwrap();
        assert!(matches!(tree.stop(SECOND).await, ExitReason::Shutdown)); // before it came to life
    });
}
