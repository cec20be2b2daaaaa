//! Which children restart when one of three fails, and in which order: the three strategies. `#2` is a second life.
//!
//! Run: cargo run --example 03_strategies
//!
//! Expect:
//! ```text
//! OneForOne: b #1 failed, b #2 started
//! OneForAll: b #1 failed, c #1 stopped, a #1 stopped, a #2 started, b #2 started, c #2 started
//! RestForOne: b #1 failed, c #1 stopped, b #2 started, c #2 started
//! ```
//!
//! Change this:
//! - Let "app/a" fail: now `RestForOne` does the same as `OneForAll`. Let "app/c" fail: now the same as `OneForOne`.
//! - Add `.intensity(0, Duration::from_secs(5))` to the supervisor: one failure is too many. It stops the others and
//!   gives up, and the tree ends.

use std::error::Error;
use std::time::Duration;

use actix::prelude::*;
use latido::prelude::*;

/// It needs no code to fail: failures are put in from outside.
struct Idle;

impl Actor for Idle {
    type Context = Context<Self>;
}

#[actix::main]
async fn main() -> Result<(), Box<dyn Error>> {
    latido::quiet_panics();
    show(Strategy::OneForOne).await?;
    show(Strategy::OneForAll).await?;
    show(Strategy::RestForOne).await
}

/// Lets the second of three children fail and prints what the supervisor does.
async fn show(strategy: Strategy) -> Result<(), Box<dyn Error>> {
    let tree = SupervisorSpec::new("app")
        .strategy(strategy)
        .children(["a", "b", "c"].map(|id| ChildSpec::new(id, || Idle)))
        .start()?;
    let mut events = tree.subscribe();
    // A supervisor is up once its children are.
    events.until("app", |event| matches!(event.kind, EventKind::Started)).await;

    tree.inject("app/b", Fault::Panic)?;
    // The failed child starts again, and so do the siblings that the supervisor's decision names.
    let mut story = Vec::new();
    let mut starts_to_come = 1;
    while starts_to_come > 0
        && let Some(event) = events.next().await
    {
        let who = format!("{} #{}", event.path.name(), event.incarnation);
        match event.kind {
            EventKind::Exited { .. } => story.push(format!("{who} failed")),
            EventKind::Restarting { siblings, .. } => starts_to_come += siblings.len(),
            EventKind::Stopped { .. } => story.push(format!("{who} stopped")),
            EventKind::Started => {
                story.push(format!("{who} started"));
                starts_to_come -= 1;
            }
            _ => {}
        }
    }
    println!("{strategy:?}: {}", story.join(", "));
    tree.stop(Duration::from_secs(1)).await;
    Ok(())
}
