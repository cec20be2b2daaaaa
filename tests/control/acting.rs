//! What is done.

use latido::control::Client;
use latido::control::wire::{Inject, State};
use latido::{EventKind, ExitReason};

use crate::support::{Double, door, tree};

#[actix::test]
async fn a_failure_put_in_through_the_door_strikes_and_is_restarted() {
    let mut watched = tree().await;
    let open = door(&watched.tree).allow_actions().open().unwrap();
    let inject = Inject { path: "app/*".into(), fault: "panic".into(), at_message: None };
    assert_eq!(Client::new(open.card()).inject(&inject).await.unwrap().children, 2);
    for path in ["app/one", "app/two"] {
        let is_back =
            |event: &latido::Event| event.incarnation == 2 && matches!(event.kind, EventKind::Started);
        watched.events.until(path, is_back).await.unwrap();
    }
    assert_eq!(watched.worker.send(Double(4)).await, Ok(8));
}

#[actix::test]
async fn a_failure_at_a_message_waits_for_it() {
    let watched = tree().await;
    let open = door(&watched.tree).allow_actions().open().unwrap();
    let inject = Inject { path: "app/one".into(), fault: "panic".into(), at_message: Some(2) };
    Client::new(open.card()).inject(&inject).await.unwrap();
    assert_eq!(watched.worker.send(Double(1)).await, Ok(2));
    assert!(watched.worker.send(Double(1)).await.is_err());
    assert_eq!(watched.worker.send(Double(1)).await, Ok(2));
}

#[actix::test]
async fn a_child_is_restarted_and_stopped_at_no_cost() {
    let mut watched = tree().await;
    let open = door(&watched.tree).allow_actions().open().unwrap();
    let client = Client::new(open.card());
    client.restart("app/one").await.unwrap();
    let is_asked = |event: &latido::Event| {
        matches!(&event.kind, EventKind::Stopped { reason: ExitReason::Shutdown, .. })
    };
    watched.events.until("app/one", is_asked).await.unwrap();
    let shown = client.tree().await.unwrap();
    assert_eq!((shown.children[1].state, shown.children[1].incarnation), (State::Running, 2));
    assert_eq!(shown.children[0].supervisor.as_ref().unwrap().budget.used, 0);

    client.stop("app/one").await.unwrap();
    assert_eq!(client.tree().await.unwrap().children[1].state, State::Finished);
    assert!(watched.worker.send(Double(1)).await.is_err());
    client.restart("app/one").await.unwrap();
    assert_eq!(watched.worker.send(Double(1)).await, Ok(2));
    assert!(client.stop("app").await.unwrap_err().to_string().contains("stop the tree instead"));
}

#[actix::test]
async fn a_fault_comes_with_its_rule_and_is_shown_until_it_is_over() {
    let watched = tree().await;
    let open = door(&watched.tree).allow_actions().open().unwrap();
    let client = Client::new(open.card());
    let inject = |fault: &str, at_message| Inject { path: "app/one".into(), fault: fault.into(), at_message };
    client.inject(&inject("panic@times=2", Some(2))).await.unwrap();
    client.inject(&inject("drop:1@p=1,seed=3", None)).await.unwrap();
    let armed = client.tree().await.unwrap().children[1].armed.clone();
    assert_eq!(armed, ["panic@2,times=2", "drop:1@p=1,seed=3"]);
    assert!(watched.worker.send(Double(1)).await.is_err(), "dropped");
    assert!(watched.worker.send(Double(1)).await.is_err(), "over the second");
    client.inject(&inject("heal", None)).await.unwrap();
    assert!(client.tree().await.unwrap().children[1].armed.is_empty());
    for _ in 0..4 {
        assert_eq!(watched.worker.send(Double(1)).await, Ok(2));
    }
}

#[actix::test]
async fn the_faults_that_there_are_can_be_asked_for() {
    let watched = tree().await;
    let open = door(&watched.tree).open().unwrap();
    let client = Client::new(open.card());
    let all = client.faults(None).await.unwrap();
    assert!(all.iter().any(|fault| fault.usage == "block:SECONDS" && fault.says.contains("thread")));
    assert_eq!(client.faults(Some("app/*")).await.unwrap(), all);
    let of_root = client.faults(Some("app")).await.unwrap();
    assert!(of_root.len() < all.len() && !of_root.iter().any(|fault| fault.usage == "hang"));
}

#[actix::test]
async fn a_child_is_paused_resumed_and_drained_through_the_door() {
    let watched = tree().await;
    let open = door(&watched.tree).allow_actions().open().unwrap();
    let client = Client::new(open.card());
    let one = async || client.tree().await.unwrap().children[1].clone();
    client.pause("app/one").await.unwrap();
    let waiting = actix_rt::spawn(watched.worker.send(Double(1)));
    tokio::task::yield_now().await;
    let shown = one().await;
    assert!(shown.paused && shown.messages.queued == 1 && shown.state == State::Running, "{shown:?}");
    client.resume("app/one").await.unwrap();
    assert_eq!(waiting.await.unwrap(), Ok(2));
    assert!(!one().await.paused);
    client.drain("app/one").await.unwrap();
    let shown = one().await;
    assert!(!shown.draining && shown.state == State::Finished, "{shown:?}");
    client.restart("app/one").await.unwrap();
    assert_eq!(watched.worker.send(Double(1)).await, Ok(2));
    assert!(client.drain("app").await.unwrap_err().to_string().contains("is a supervisor"));
}
