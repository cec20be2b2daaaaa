//! Makes records, at its own pace. It keeps nothing that a crash could take.

use std::time::Duration;

use actix::prelude::*;

use super::registry::{Add, Registry};

pub(crate) const RECORDS: u64 = 40;
const PACE: Duration = Duration::from_millis(2);

pub(crate) struct Generator(pub(crate) Addr<Registry>);

impl Actor for Generator {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        let (registry, mut id) = (self.0.clone(), 0);
        let generate = async move {
            while id < RECORDS {
                actix::clock::sleep(PACE).await;
                // A new life begins with record 0 again: the registry says where to go on. If it crashed over this
                // record, it gets it again.
                id = registry.send(Add(id, student(id))).await.unwrap_or(id);
            }
        };
        ctx.spawn(generate.into_actor(self));
    }
}

/// Name, degree and term by chance, and the same each time for the same number.
fn student(id: u64) -> String {
    let mut random = fastrand::Rng::with_seed(id);
    let mut pick = |words: [&'static str; 3]| words[random.usize(..3)];
    let (name, degree) = (pick(["Ada", "Alan", "Grace"]), pick(["physics", "history", "law"]));
    format!("{name}, {degree}, term {}", random.u8(1..=12))
}
