//! `--exec`: the command on each file that is right.

use actix::prelude::*;
use latido::actors::process::RunCommand;

use super::Ledger;
use crate::fetch::cause::{Cause, Failure};
use crate::fetch::job::Answer;

impl Ledger {
    pub(super) fn hand_out_commands(&mut self, ctx: &mut Context<Self>) {
        while !self.to_process.is_empty()
            && let Some(runner) = self.idle_runners.pop()
            && let Some(id) = self.to_process.pop_front()
        {
            self.process(id, runner, ctx);
        }
    }

    fn process(&mut self, id: i64, runner: usize, ctx: &mut Context<Self>) {
        let job = &self.jobs[&id];
        let (attempt, target) = (job.attempt, &job.request.target);
        let Some(exec) = &self.plan.exec else { return };
        let run = RunCommand::new(exec.command(target));
        let answer = self.plan.crew.runners[runner].send(run).into_actor(self);
        ctx.spawn(answer.map(move |answer, ledger, ctx| {
            ledger.idle_runners.push(runner);
            let answer = match answer {
                Ok(Ok(_)) => {
                    let command = ledger.plan.exec.as_ref().map(|exec| exec.to_string().into());
                    ledger.change(id, |job| job.processed_by = command);
                    Answer::Processed
                }
                Ok(Err(error)) => Answer::ProcessFailed { error: Failure::new(Cause::Command, error) },
                Err(_) => Answer::Lost,
            };
            ledger.answer(id, attempt, answer, None, ctx);
            ledger.hand_out(ctx);
        }));
    }
}
