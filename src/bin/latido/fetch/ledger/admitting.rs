//! More files, while the ledger is at work: for a run that stays.

use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use latido::actors::heartbeat::Beat;
use latido::supervision::{ActorRef, AnySpec};

use super::taking_up::facts;
use super::{Ledger, sound};
use crate::fetch::hung::HungAfter;
use crate::fetch::job::Stage;
use crate::fetch::request::Request;

/// What a run has that goes on when nothing is left to do.
#[derive(Clone)]
pub(crate) struct Standing {
    /// The part that brings in more files, made for the ledger that takes them.
    pub(crate) way_in: Arc<WayIn>,
    /// Called at each beat, on the heartbeat's thread.
    pub(crate) on_beat: Arc<dyn Fn(&Beat) + Send + Sync>,
    /// From beat to beat.
    pub(crate) beat: Duration,
}

type WayIn = dyn Fn(ActorRef<Ledger>, HungAfter) -> AnySpec + Send + Sync;

/// Takes more files in: all of them, or none. They are in the journal when the answer comes.
#[derive(Message)]
#[rtype(result = "Result<Admission, Vec<String>>")]
pub(crate) struct Admit(pub(crate) Vec<Request>);

/// What became of files that were taken in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Admission {
    /// Are fetched now, or processed.
    pub(crate) begun: usize,
    /// Were on their way already.
    pub(crate) on_their_way: usize,
    /// Are there already, and right.
    pub(crate) there: usize,
}

impl Handler<Admit> for Ledger {
    type Result = MessageResult<Admit>;

    fn handle(&mut self, Admit(requests): Admit, ctx: &mut Context<Self>) -> MessageResult<Admit> {
        // What is finished is no longer in hand from here on: the journal alone has it.
        self.write();
        let known: Vec<_> =
            requests.iter().map(|request| sound(self.journal().known(&request.target))).collect();
        let refused = requests.iter().zip(&known).filter_map(|(request, known)| {
            let known = known.as_ref().filter(|known| !known.is_finished() && known.request != *request)?;
            // Two downloads must not write to one file, nor one go on with another's answer.
            Some(format!(
                "{}: it is being fetched already, from another place or as another file ({}); add it again when that \
                 has ended",
                request.name(),
                latido::actors::downloader::redacted(known.request.url()),
            ))
        });
        let refused: Vec<_> = refused.collect();
        if !refused.is_empty() {
            return MessageResult(Err(refused));
        }
        let before: Vec<Option<Stage>> = known.into_iter().map(|known| known.map(|job| job.stage)).collect();
        let targets: Vec<_> = requests.iter().map(|request| request.target.clone()).collect();
        let admitted = sound(self.journal().admit_for_good(requests));
        for part in &admitted.orphans {
            // That it is gone already is as good.
            let _ = std::fs::remove_file(part);
        }
        if let Some(exec) = &self.plan.exec {
            sound(self.journal().process_anew(&admitted.jobs, &exec.template.to_string()));
        }
        let mut admission = Admission::default();
        for (target, before) in targets.iter().zip(before) {
            match before {
                Some(stage) if !matches!(stage, Stage::Done | Stage::Failed) => admission.on_their_way += 1,
                _ if self.begin(target, before, ctx) => admission.begun += 1,
                _ => admission.there += 1,
            }
        }
        self.hand_out(ctx);
        MessageResult(Ok(admission))
    }
}

impl Ledger {
    /// Takes up a job that nobody is at. Answers whether there is anything to do.
    fn begin(&mut self, target: &std::path::Path, before: Option<Stage>, ctx: &mut Context<Self>) -> bool {
        let mut job = sound(self.journal().known(target)).expect("it was admitted");
        let admitted = job.clone();
        job.recover(facts(&job), &self.plan.rules);
        match before {
            // Its bytes are not counted: they may be of an earlier run.
            Some(before) => self.plan.board.moved(before, job.stage, 0),
            None => self.plan.board.enter(job.stage, 0),
        }
        self.take_in(job, &admitted, ctx)
    }
}

/// Asks for nothing but to be handled: a ledger that does works.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Ping;

impl Handler<Ping> for Ledger {
    type Result = ();

    fn handle(&mut self, _: Ping, _: &mut Context<Self>) {}
}
