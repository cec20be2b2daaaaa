//! The events, as they happen.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::pin::pin;
use std::time::Duration;

use futures::StreamExt;
use latido::EventKind;
use latido::control::wire::What;
use latido::control::{Client, OpenDoor};
use latido::fault::Fault;

use crate::support::{Watched, door, tree};

async fn fail(Watched { tree, events, .. }: &mut Watched, times: usize) {
    for _ in 0..times {
        tree.inject("app/two", Fault::Fail).unwrap();
        events.until("app/two", |event| matches!(event.kind, EventKind::Started)).await.unwrap();
    }
}

fn follow(door: &OpenDoor, query: &str, headers: &str) -> impl Iterator<Item = String> + use<> {
    let mut stream = UnixStream::connect(&door.card().socket).unwrap();
    write!(stream, "GET /v1/events{query} HTTP/1.1\r\nHost: x\r\n{headers}\r\n").unwrap();
    BufReader::new(stream).lines().map(Result::unwrap)
}

#[actix::test]
async fn events_are_read_from_any_of_them_on_without_a_gap() {
    let mut watched = tree().await;
    let open = door(&watched.tree).open().unwrap();
    let client = Client::new(open.card());
    fail(&mut watched, 3).await;
    let mut all = pin!(client.events(Some(0)).await.unwrap());
    let first = all.next().await.unwrap().unwrap();
    assert!(
        matches!(first.what, What::Missed { .. }),
        "what was before the door was opened, it does not know"
    );
    fail(&mut watched, 3).await;
    let mut seqs = vec![first.seq];
    let mut restarts = 0;
    while restarts < 6 {
        let event = all.next().await.unwrap().unwrap();
        restarts += usize::from(matches!(event.what, What::Restarting { .. }));
        seqs.push(event.seq);
    }
    assert!(seqs.windows(2).all(|pair| pair[1] == pair[0] + 1), "{seqs:?}");
    let after = seqs[seqs.len() - 2];
    let mut last = pin!(client.events(Some(after)).await.unwrap());
    assert_eq!(last.next().await.unwrap().unwrap().seq, after + 1);
}

#[actix::test]
async fn a_browser_that_comes_back_goes_on_where_it_was() {
    let mut watched = tree().await;
    let open = door(&watched.tree).open().unwrap();
    fail(&mut watched, 2).await;
    let lines = follow(&open, "?after=0", "");
    let lines: Vec<_> = lines.filter(|line| line.starts_with("id: ")).take(3).collect();
    let last = lines[2].strip_prefix("id: ").unwrap();
    let mut again = follow(&open, "?after=0", &format!("Last-Event-ID: {last}\r\n"));
    let next: u64 = last.parse::<u64>().unwrap() + 1;
    assert_eq!(again.find(|line| line.starts_with("id: ")), Some(format!("id: {next}")));
    assert!(again.next().unwrap().starts_with(&format!("data: {{\"seq\":{next},")));
}

#[actix::test]
async fn no_more_follow_than_there_is_room_for_and_who_goes_makes_room() {
    let watched = tree().await;
    let open = door(&watched.tree).open().unwrap();
    let status = |mut lines: Box<dyn Iterator<Item = String>>| (lines.next().unwrap(), lines);
    let mut followers = Vec::new();
    let refused = loop {
        let (head, lines) = status(Box::new(follow(&open, "", "")));
        if head != "HTTP/1.1 200 OK" {
            break head;
        }
        followers.push(lines);
        assert!(followers.len() < 1_000, "there is no limit");
    };
    assert_eq!(refused, "HTTP/1.1 503 Service Unavailable");
    followers.pop();
    while status(Box::new(follow(&open, "", ""))).0 != "HTTP/1.1 200 OK" {} // once it is seen to be gone
}

#[actix::test]
async fn whoever_follows_hears_the_end_of_the_tree_and_then_of_the_door() {
    let watched = tree().await;
    let open = door(&watched.tree).open().unwrap();
    let mut events = pin!(Client::new(open.card()).events(Some(0)).await.unwrap());
    watched.tree.stop(Duration::from_secs(1)).await;
    loop {
        let event = events.next().await.unwrap().unwrap();
        if event.path == "app" && matches!(event.what, What::Stopped { .. }) {
            break;
        }
    }
    drop(open);
    assert!(events.next().await.is_none());
}

/// How a program ended is what those wait for who follow it.
#[actix::test]
async fn who_follows_the_events_reads_the_last_of_them_when_the_door_closes() {
    let mut watched = tree().await;
    let open = door(&watched.tree).open().unwrap();
    let mut all = pin!(Client::new(open.card()).events(Some(0)).await.unwrap());
    watched.tree.stop(Duration::from_secs(5)).await;
    let mut last = 0;
    while let Some(event) = watched.events.try_next() {
        last = event.seq;
    }
    drop(open);
    assert!(last > 0);
    let mut read = 0;
    while let Some(event) = all.next().await {
        read = event.unwrap().seq;
    }
    assert_eq!(read, last);
}
