//! A generator makes student records, a registry owns them, a consumer processes them. Each crashes once; no record is
//! lost, none is processed twice. There is no lock, only messages.
//!
//! Run: cargo run --example 07_student_registry
//!
//! Expect:
//! ```text
//! after 10 records app/generator crashes
//! app/generator #2 started
//! after 20 records app/consumer crashes over the next
//! app/consumer #2 started
//! after 30 records app/registry crashes over the next
//! app/registry #2 started
//! the tree was stopped
//! generated 40, processed 40, lost 0, twice 0
//! ```
//!
//! Change this:
//! - Set `PACE` in `generator.rs` to two seconds and press Ctrl-C: the generator stops first, then the registry once all
//!   it has is processed, then the consumer. Generated and processed are less than 40, and equal.
//! - Leave out the check `id == self.next` in `registry.rs`: the crash of the generator has a record processed twice.
//!
//! What is guaranteed, and by what: the registry writes a record to its file before the generator hears of it, and a
//! result before it hands out the next record; a new registry reads the file. Who gets no answer asks again, and by its
//! number the registry knows what it has. So a crash may have a result computed again, but not recorded again. The file
//! survives the actors and the process; a power failure may cost its last lines, for nothing waits for the disk.

mod consumer;
mod generator;
mod registry;

use std::collections::HashMap;
use std::error::Error;
use std::fs;
use std::time::Duration;

use latido::prelude::*;

use consumer::Consumer;
use generator::{Generator, RECORDS};
use registry::{Processed, Registry};

#[actix::main]
async fn main() -> Result<(), Box<dyn Error>> {
    latido::quiet_panics();
    let file = tempfile::NamedTempFile::new()?.into_temp_path();

    let consumer = ChildSpec::new("consumer", || Consumer).on(Placement::OwnThread);
    let (path, consumes) = (file.to_path_buf(), consumer.addr());
    let registry = move || Registry::open(&path, consumes.clone()).unwrap_or_else(|error| crash(error));
    let registry = ChildSpec::new("registry", registry).on(Placement::OwnThread);
    let registers = registry.addr();
    let generator = move || Generator(registers.clone());
    let generator = ChildSpec::new("generator", generator).on(Placement::OwnThread);
    // Started in this order and stopped in reverse: whoever gives goes before who takes.
    let tree = SupervisorSpec::new("app").child(consumer).child(registry).child(generator).start()?;

    // Main only watches; it could do anything else.
    tokio::select! {
        done = break_each_once(&tree) => done?,
        _ = tokio::signal::ctrl_c() => println!("interrupted"),
    }
    println!("the tree {}", tree.stop(Duration::from_secs(10)).await);

    let (mut generated, mut processed) = (HashMap::new(), HashMap::new());
    let lines = fs::read_to_string(&file)?;
    for line in lines.lines() {
        let (kind, id) = line.split_at(1);
        let lines = if kind == "+" { &mut generated } else { &mut processed };
        *lines.entry(id.split('\t').next()).or_insert(0) += 1;
    }
    let lost = generated.keys().filter(|id| !processed.contains_key(*id)).count();
    let twice = processed.values().filter(|times| **times > 1).count();
    println!("generated {}, processed {}, lost {lost}, twice {twice}", generated.len(), processed.len());
    Ok(())
}

async fn break_each_once(tree: &Tree) -> Result<(), Box<dyn Error>> {
    let (mut progress, mut events) = (tree.subscribe(), tree.subscribe());
    let faults = [
        (10, "app/generator", Rule::default(), "crashes"),
        (20, "app/consumer", Rule::message(1), "crashes over the next"),
        (30, "app/registry", Rule::message(1), "crashes over the next"),
    ];
    for (records, path, rule, what) in faults {
        until_processed(&mut progress, records).await?;
        println!("after {records} records {path} {what}");
        tree.inject(path, Fault::Panic.with(rule))?;
        let is_back = |event: &Event| matches!(event.kind, EventKind::Started) && event.incarnation == 2;
        events.until(path, is_back).await.ok_or("it did not come back")?;
        println!("{path} #2 started");
    }
    until_processed(&mut progress, RECORDS).await
}

async fn until_processed(events: &mut Events, records: u64) -> Result<(), Box<dyn Error>> {
    let are_done = |event: &Event| event.report::<Processed>().is_some_and(|done| done.0 >= records);
    events.until("app/registry", are_done).await.ok_or("the tree has ended")?;
    Ok(())
}
