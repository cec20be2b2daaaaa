//! Many children of a supervisor that keeps them in an order and keeps their specs.

use std::time::{Duration, Instant};

use actix::System;
use latido::supervision::*;

use crate::kit::*;

#[test]
fn thousands_are_started_terminated_and_deleted_where_the_order_matters_too() {
    for strategy in [Strategy::OneForOne, Strategy::RestForOne] {
        run(async move { come_and_go(strategy, 2_000).await });
    }
}

/// By hand: `cargo test --release --test conformance -- --ignored --nocapture in_an_order`
#[test]
#[ignore = "a measurement"]
fn a_hundred_thousand_in_an_order_cost_as_much_each_as_a_thousand() {
    for count in [1_000, 10_000, 100_000] {
        System::new().block_on(come_and_go(Strategy::OneForOne, count));
    }
}

async fn come_and_go(strategy: Strategy, count: u32) {
    let tree = SupervisorSpec::new("app").strategy(strategy).start().unwrap();
    let timed = |begin: Instant| begin.elapsed() / count;
    let begin = Instant::now();
    for n in 0..count {
        tree.start_child("app", child(&n.to_string())).await.unwrap();
    }
    let started: Duration = timed(begin);
    assert_eq!(tree.count_children("app").unwrap().active, count as usize);
    let begin = Instant::now();
    for n in 0..count {
        tree.terminate_child(&format!("app/{n}")).await.unwrap();
    }
    let terminated = timed(begin);
    let counts = tree.count_children("app").unwrap();
    assert_eq!((counts.specs, counts.active), (count as usize, 0));
    let begin = Instant::now();
    for n in 0..count {
        tree.delete_child(&format!("app/{n}")).await.unwrap();
    }
    let deleted = timed(begin);
    assert_eq!(tree.count_children("app").unwrap(), Counts::default());
    tree.stop(SECOND).await;
    println!(
        "{count} children: {started:?} to start each, {terminated:?} to terminate, {deleted:?} to delete"
    );
}
