//! Makes a result of a record. It answers and forgets; what becomes of the result is the registry's business.

use actix::prelude::*;

pub(crate) struct Consumer;

impl Actor for Consumer {
    type Context = Context<Self>;
}

/// Answers with the student's account: `gr17`.
#[derive(Message)]
#[rtype(result = "String")]
pub(crate) struct Process(pub(crate) u64, pub(crate) String);

impl Handler<Process> for Consumer {
    type Result = String;

    fn handle(&mut self, Process(id, student): Process, _: &mut Context<Self>) -> String {
        format!("{}{id}", student[..2].to_lowercase())
    }
}
