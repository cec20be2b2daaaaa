//! Failures, told as stories.

use std::time::Duration;

use actix::prelude::*;
use latido::incident::{Decision, Incident};
use latido::prelude::*;

use super::support::*;

/// A fragile actor that can be told to break.
struct Fragile;
impl Actor for Fragile {
    type Context = Context<Self>;
}

#[derive(Message)]
#[rtype(result = "()")]
struct Break;
impl Handler<Break> for Fragile {
    type Result = ();
    fn handle(&mut self, _: Break, _: &mut Context<Self>) {
        deep_inside();
    }
}

#[inline(never)]
fn deep_inside() {
    panic!("broken")
}

#[derive(Message)]
#[rtype(result = "()")]
struct Rest;
impl Handler<Rest> for Fragile {
    type Result = ();
    fn handle(&mut self, _: Rest, _: &mut Context<Self>) {}
}

/// The story without the times, which differ from run to run, and without a backtrace.
fn story(incident: &Incident) -> Vec<String> {
    let is_time = |word: &str| {
        let word = word.trim_matches(|c: char| "(),;".contains(c));
        word.starts_with(|c: char| c.is_ascii_digit()) && word.ends_with('s')
    };
    let words = |line: &str| {
        let words = line.split(' ').map(|word| if is_time(word) { "T" } else { word });
        words.collect::<Vec<_>>().join(" ").trim().to_owned()
    };
    let is_told = |line: &&str| !line.starts_with("    ") && !line.starts_with("  it had run for");
    incident.to_string().lines().filter(is_told).map(words).collect()
}

#[test]
fn a_failure_is_told_with_what_was_decided_lost_and_kept_and_who_went_with_it() {
    run(async {
        let backoff = Backoff::exponential(Duration::from_millis(5), SECOND);
        let fragile = ChildSpec::new("fragile", || Fragile).backoff(backoff);
        let addr = fragile.addr();
        let tree = SupervisorSpec::new("app")
            .strategy(Strategy::RestForOne)
            .child(fragile)
            .child(child("a"))
            .child(child("b"))
            .start()
            .unwrap();
        let mut events = tree.subscribe();
        events.until("app", |event| matches!(event.kind, EventKind::Started)).await.unwrap();
        addr.do_send(Break);
        (0..2).for_each(|_| drop(actix::spawn(addr.send(Break))));
        tokio::task::yield_now().await;
        events.until("app/b", |event| event.incarnation == 2).await.unwrap();
        let incidents = tree.incidents();
        let told = story(&incidents[0]);
        assert!(told[0].starts_with(&format!(
            "incident {}: app/fragile #1 panicked: broken at tests/tree",
            incidents[0].id
        )));
        assert_eq!(incidents[0].lost, 1);
        assert!(told[1].starts_with("lost 1 message that was being handled; "), "{told:?}");
        assert_eq!(told[2], "decision: restart 1 of 3 in T wait T = min(1s, T x 2^0)");
        assert_eq!(told[3], "the oldest of these restarts was to be forgotten T later");
        assert_eq!(told[4], "stopped with it: app/b T app/a T");
        assert!(told[5].starts_with("up again as #2,"), "{told:?}");
        tree.stop(SECOND).await;
    });
}

#[test]
fn it_tells_which_message_was_being_handled_and_when_the_next_one_was() {
    run(async {
        let fragile = ChildSpec::new("fragile", || Fragile);
        let (asker, addr) = (fragile.actor_ref(), fragile.addr());
        let tree = patient("app").child(fragile).start().unwrap();
        let mut events = tree.subscribe();
        asker.ask(Break).await.unwrap_err();
        let message = events.find_map("app/fragile", |event| match event.kind {
            EventKind::Exited { message, .. } => Some(message),
            _ => None,
        });
        assert_eq!(message.await.unwrap(), Some("tree::incidents::Break"));
        started(&mut events, "app/fragile", 2).await;
        let told = story(&tree.incidents()[0]);
        assert_eq!(told[1], "lost 1 message that was being handled (Break); none was waiting");
        assert_eq!(told[4], "up again as #2, T after it failed", "it has handled nothing yet");
        addr.send(Break).await.unwrap_err();
        started(&mut events, "app/fragile", 3).await;
        assert!(tree.incidents()[0].answered.is_none(), "that one was not handled either");
        addr.send(Rest).await.unwrap();
        let incidents = tree.incidents();
        assert!(
            incidents[0].answered.is_none() && incidents[1].answered >= incidents[1].down,
            "{incidents:?}"
        );
        assert_eq!(incidents[1].message, None, "a plain address does not tell");
        assert_eq!(
            story(&incidents[1])[4],
            "up again as #3, T after it failed; its first message was handled after T"
        );
        tree.stop(SECOND).await;
    });
}

#[test]
fn with_backtraces_it_tells_the_way_of_a_panic_through_the_code_of_the_actor() {
    let this = std::env::current_exe().unwrap();
    let mut child = std::process::Command::new(this);
    child.args(["--exact", "incidents::a_panic_with_a_backtrace", "--ignored", "--nocapture"]);
    let output = child.env("RUST_BACKTRACE", "1").output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{told}");
    let story = told.split("the story\n").nth(1).expect("a story");
    let frames: Vec<_> = story.lines().filter(|line| line.trim_start().contains(": ")).collect();
    assert!(frames[1].contains("tree::incidents::deep_inside"), "{story}");
    assert!(frames[2].contains("tree::incidents::Fragile as actix::handler::Handler"), "{story}");
    assert!(!story.contains("SyncEnvelopeProxy") && !story.contains("begin_unwind"), "{story}");
}

#[test]
#[ignore = "run by the one before, with backtraces"]
fn a_panic_with_a_backtrace() {
    run(async {
        let fragile = ChildSpec::new("fragile", || Fragile);
        let addr = fragile.addr();
        let tree = patient("app").child(fragile).start().unwrap();
        addr.send(Break).await.unwrap_err();
        addr.send(Rest).await.unwrap();
        println!("the story\n{}", tree.incidents()[0]);
        tree.stop(SECOND).await;
    });
}

#[test]
fn a_fault_on_purpose_a_child_that_stays_down_and_a_give_up_say_so() {
    run(async {
        let tree = SupervisorSpec::new("app")
            .intensity(0, SECOND)
            .child(child("once").restart(Restart::Temporary))
            .child(child("always"))
            .start()
            .unwrap();
        let mut events = tree.subscribe();
        tree.inject("app/once", Fault::Panic).unwrap();
        events.until("app/once", |event| matches!(event.kind, EventKind::Exited { .. })).await.unwrap();
        tree.inject("app/always", Fault::Fail).unwrap();
        tree.join().await;
        let incidents = tree.incidents();
        let [once, always, root] = &incidents[..] else { panic!("{incidents:#?}") };
        assert!(matches!((&once.injected, &once.decision), (Some(Fault::Panic), Decision::StaysDown)));
        assert_eq!(story(once)[1..], ["it was put there on purpose: panic", "decision: it stays down"]);
        assert!(matches!((&always.injected, &always.decision), (Some(Fault::Fail), Decision::GiveUp(_))));
        assert_eq!(
            story(always)[2],
            "decision: no restart: it would be number 1 of 0 in T its supervisor gives up"
        );
        assert!(matches!(root.reason, Some(ExitReason::GaveUp { .. })));
    });
}
