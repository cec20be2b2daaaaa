//! The heartbeat as a supervised child.

#![cfg(feature = "heartbeat")]

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use actix::prelude::*;
use latido::EventKind;
use latido::actors::heartbeat::{Beat, Heartbeat};
use latido::fault::Fault;
use latido::supervision::{ChildSpec, SupervisorSpec};

const SOON: Duration = Duration::from_millis(10);

#[actix::test]
async fn a_restarted_heartbeat_goes_on_counting() {
    latido::quiet_panics();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("beats");
    let jobs = Arc::new(AtomicU64::new(7));
    let done = jobs.clone();
    let heartbeat =
        Heartbeat::every(SOON).file(&file).gauge("jobs_done", move || done.load(Ordering::Relaxed));
    let tree = SupervisorSpec::new("app").child(heartbeat.spec("heartbeat")).start().unwrap();
    let mut events = tree.subscribe();

    events
        .until("app/heartbeat", |event| event.report::<Beat>().is_some_and(|beat| beat.seq == 2))
        .await
        .unwrap();
    tree.inject("app/heartbeat", Fault::Panic).unwrap();
    let mut last = 2;
    let second_life = |event: &latido::Event| {
        let Some(beat) = event.report::<Beat>() else {
            return false;
        };
        assert_eq!(beat.seq, last + 1);
        last = beat.seq;
        event.incarnation == 2 && beat.alive == 1
    };
    let event = events.until("app/heartbeat", second_life).await.unwrap();
    let beat = event.report::<Beat>().unwrap();
    assert_eq!(beat.gauges, [("jobs_done", 7)]);
    assert!(beat.memory.unwrap() > 0);
    tree.stop(Duration::from_secs(5)).await;

    let lines = fs::read_to_string(&file).unwrap();
    let counted: Vec<_> = lines.lines().map(|line| line.split(' ').nth(1).unwrap().to_owned()).collect();
    let wanted: Vec<_> = (1..=counted.len()).map(|seq| format!("seq={seq}")).collect();
    assert_eq!(counted, wanted);
    assert!(lines.lines().all(|line| line.starts_with("time=2") && line.ends_with("jobs_done=7")), "{lines}");
}

/// What an init system is told of: the hook hears each beat, in order, on the thread that beats, over restarts too.
#[actix::test]
async fn a_hook_hears_each_beat_on_the_heartbeats_thread() {
    latido::quiet_panics();
    let (tell, told) = std::sync::mpsc::channel();
    let heartbeat = Heartbeat::every(SOON)
        .on_beat(move |beat| drop(tell.send((beat.seq, beat.gauges.clone(), std::thread::current().id()))))
        .gauge("answer", || 42);
    let tree = SupervisorSpec::new("app").child(heartbeat.spec("heartbeat")).start().unwrap();
    let mut events = tree.subscribe();
    let beat = |n| move |event: &latido::Event| event.report::<Beat>().is_some_and(|beat| beat.seq == n);
    events.until("app/heartbeat", beat(3)).await.unwrap();
    tree.inject("app/heartbeat", Fault::Panic).unwrap();
    events.until("app/heartbeat", |event| event.incarnation == 2 && beat(5)(event)).await.unwrap();
    tree.stop(Duration::from_secs(5)).await;

    let told: Vec<_> = told.try_iter().collect();
    assert!(told.len() >= 5);
    for (n, (seq, gauges, thread)) in told.iter().enumerate() {
        assert_eq!((*seq, &gauges[..]), (n as u64 + 1, &[("answer", 42)][..]));
        assert_ne!(*thread, std::thread::current().id());
    }
}

#[actix::test]
async fn the_file_is_bounded_and_no_beat_is_cut() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("beats");
    let heartbeat = Heartbeat::every(Duration::from_millis(1)).file(&file).file_limit(500);
    let tree = SupervisorSpec::new("app").child(heartbeat.spec("heartbeat")).start().unwrap();
    let mut events = tree.subscribe();
    events
        .until("app/heartbeat", |event| event.report::<Beat>().is_some_and(|beat| beat.seq == 30))
        .await
        .unwrap();
    tree.stop(Duration::from_secs(5)).await;

    let (old, new) =
        (fs::read_to_string(dir.path().join("beats.1")).unwrap(), fs::read_to_string(&file).unwrap());
    assert!(old.len() <= 500 && new.len() <= 500);
    assert!((old + &new).lines().all(|line| line.starts_with("time=") && line.contains(" alive=")));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
}

#[actix::test]
async fn a_file_that_cannot_be_written_does_not_stop_the_heart() {
    let heartbeat = Heartbeat::every(SOON).file("/proc/no/such/place");
    let tree = SupervisorSpec::new("app").child(heartbeat.spec("heartbeat")).start().unwrap();
    let mut events = tree.subscribe();
    events
        .until("app/heartbeat", |event| event.report::<Beat>().is_some_and(|beat| beat.seq == 3))
        .await
        .unwrap();
    assert_eq!(tree.snapshot().get("app/heartbeat").unwrap().incarnation, 1);
    tree.stop(Duration::from_secs(5)).await;
}

/// Keeps its thread until it has heard of three beats.
struct Hog;
impl Actor for Hog {
    type Context = Context<Self>;
}

#[derive(Message)]
#[rtype(result = "u64")]
struct Hold(latido::Events);
impl Handler<Hold> for Hog {
    type Result = u64;
    fn handle(&mut self, Hold(mut events): Hold, _: &mut Context<Self>) -> u64 {
        let started = Instant::now();
        let mut beats = 0;
        while beats < 3 && started.elapsed() < Duration::from_secs(30) {
            match events.try_next() {
                Some(event) => beats += u64::from(matches!(event.kind, EventKind::Report(_))),
                None => std::thread::yield_now(),
            }
        }
        beats
    }
}

#[actix::test]
async fn a_blocked_arbiter_does_not_stop_the_beats() {
    let hog = ChildSpec::new("hog", || Hog);
    let addr = hog.addr();
    let heartbeat = Heartbeat::every(SOON).spec("heartbeat");
    let tree = SupervisorSpec::new("app").child(hog).child(heartbeat).start().unwrap();
    let mut events = tree.subscribe();
    events.until("app", |event| matches!(event.kind, EventKind::Started)).await.unwrap();
    assert_eq!(addr.send(Hold(tree.subscribe())).await.unwrap(), 3);
    tree.stop(Duration::from_secs(5)).await;
}
