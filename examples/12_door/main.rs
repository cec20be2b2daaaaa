//! A program of your own with a door: other processes see its tree, break it, and read why what happened happened.
//!
//! Run: cargo run --example 12_door
//!
//! Expect:
//! ```text
//! to be seen: app, app/counters, app/counters/0, app/counters/1, app/asker
//! done to 1 part: panic in app/counters/0
//! app/counters/0 #1 panicked, by a panic on purpose; restart 1 of 5
//! app/counters/0 is in life 2, app/counters/1 in life 1
//! below 1000 there are 168 primes, says the one that was broken
//! ```
//!
//! It can stay, to be looked at from another terminal with the program of this crate:
//!
//! ```console
//! $ cargo run --example 12_door -- stay
//! $ latido top                                  # ? shows the keys, p lets the chosen part panic
//! $ latido inject 'app/counters/*' block:5
//! $ latido why
//! $ latido web                                  # the link of its page
//! ```
//!
//! And a scenario starts it, breaks it, and says PASS or FAIL:
//!
//! ```console
//! $ latido scenario run examples/12_door/a-counter-breaks.toml
//! ```
//!
//! Change this:
//! - Leave `.allow_actions()` out: it can be seen, and not be broken.
//! - Leave `.watchdog(..)` out: a counter that blocks its thread stays as it is, and the scenario says what is wrong.

use std::error::Error;
use std::time::Duration;

use actix::prelude::*;
use latido::control::wire::{Child, Decision, Inject};
use latido::control::{Client, Door};
use latido::prelude::*;

#[derive(Message)]
#[rtype(result = "usize")]
struct PrimesBelow(u64);

struct Counter;

impl Actor for Counter {
    type Context = Context<Self>;
}

impl Handler<PrimesBelow> for Counter {
    type Result = usize;

    fn handle(&mut self, PrimesBelow(limit): PrimesBelow, _: &mut Context<Self>) -> usize {
        (2..limit).filter(|n| (2..=n.isqrt()).all(|divisor| n % divisor != 0)).count()
    }
}

/// Asks the counters in turn, for ever.
struct Asker(Vec<Addr<Counter>>);

impl Actor for Asker {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        ctx.run_interval(Duration::from_millis(50), |asker, _| {
            asker.0.rotate_left(1);
            asker.0[0].do_send(PrimesBelow(10_000));
        });
    }
}

fn tree() -> (SupervisorSpec, Vec<Addr<Counter>>) {
    let counter = |n: usize| {
        let backoff = Backoff::exponential(Duration::from_millis(10), Duration::from_millis(250));
        let spec = ChildSpec::new(n.to_string(), || Counter).on(Placement::OwnThread);
        spec.watchdog(Duration::from_secs(1)).backoff(backoff)
    };
    let counters: Vec<_> = (0..2).map(counter).collect();
    let addresses: Vec<_> = counters.iter().map(ChildSpec::addr).collect();
    let asked = addresses.clone();
    let tree = SupervisorSpec::new("app")
        .child(SupervisorSpec::new("counters").intensity(5, Duration::from_secs(10)).children(counters))
        .child(ChildSpec::new("asker", move || Asker(asked.clone())));
    (tree, addresses)
}

#[actix::main]
async fn main() -> Result<(), Box<dyn Error>> {
    latido::quiet_panics(); // They are incidents, with all that is known of them.
    let (spec, counters) = tree();
    let tree = spec.start()?;
    // This is all that a program has to do. The port is for the page, and any that is free.
    let door = Door::new(&tree).program("12_door").tcp("127.0.0.1:0".parse()?).allow_actions().open()?;
    match std::env::args().nth(1).as_deref() {
        None => demonstrate(&tree, Client::new(door.card()), &counters).await?,
        Some("stay") => tokio::signal::ctrl_c().await?,
        Some(_) => return Err("without an argument, or stay".into()),
    }
    tree.stop(Duration::from_secs(5)).await;
    Ok(())
}

/// Does what another process would do.
async fn demonstrate(tree: &Tree, door: Client, counters: &[Addr<Counter>]) -> Result<(), Box<dyn Error>> {
    let mut events = tree.subscribe();
    let parts = door.tree().await?.children;
    println!("to be seen: {}", parts.iter().map(|part| &*part.path).collect::<Vec<_>>().join(", "));

    let broken = "app/counters/0";
    let inject = Inject { path: broken.to_owned(), fault: "panic".to_owned(), at_message: None };
    let done = door.inject(&inject).await?;
    println!("done to {} part: {} in {broken}", done.children, inject.fault);
    let is_up_again = |event: &Event| event.incarnation == 2 && matches!(event.kind, EventKind::Started);
    events.until(broken, is_up_again).await.ok_or("it never came back")?;

    for incident in door.incidents().await? {
        let (Decision::Restart { budget, .. }, Some(reason)) = (incident.decision, incident.reason) else {
            continue;
        };
        let (path, life, how) = (incident.path, incident.incarnation, reason.kind);
        let fault = incident.injected.unwrap_or_default();
        println!(
            "{path} #{life} {how}, by a {fault} on purpose; restart {} of {}",
            budget.used, budget.intensity
        );
    }
    let parts = door.tree().await?.children;
    let life =
        |path: &str| parts.iter().find(|part: &&Child| part.path == path).map_or(0, |it| it.incarnation);
    println!("{broken} is in life {}, app/counters/1 in life {}", life(broken), life("app/counters/1"));
    let primes = counters[0].send(PrimesBelow(1_000)).await?;
    println!("below 1000 there are {primes} primes, says the one that was broken");
    Ok(())
}
