//! An actor that works, and ends as it is told.

use std::time::Duration;

use actix::prelude::*;
use latido::crash;

pub(crate) const SECOND: Duration = Duration::from_secs(1);

pub(crate) struct Worker;

impl Actor for Worker {
    type Context = Context<Self>;
}

#[derive(Message, Clone, Copy, PartialEq, Eq, Debug)]
#[rtype(result = "()")]
pub(crate) enum Do {
    Work,
    Panic,
    Crash,
    Stop,
}

impl Handler<Do> for Worker {
    type Result = ();

    fn handle(&mut self, what: Do, ctx: &mut Context<Self>) {
        match what {
            Do::Work => {}
            Do::Panic => panic!("as it was told"),
            Do::Crash => crash("as it was told"),
            Do::Stop => ctx.stop(),
        }
    }
}
