//! `--exec` and `--exec-batch`: the command on files that are right.

use std::time::Instant;

use actix::prelude::*;
use latido::actors::process::{CommandOutput, RunCommand, RunError};

use super::Ledger;
use super::taking_up::facts;
use crate::fetch::cause::Failure;
use crate::fetch::exec::said;
use crate::fetch::job::{Answer, Job, Stage};

impl Ledger {
    /// A file that is to be processed, under way already.
    pub(super) fn enqueue(&mut self, id: i64) {
        if let (Some(exec), Some(queue)) = (&self.plan.exec, &mut self.to_process) {
            queue.push(id, exec.template.bytes(&self.jobs[&id]), Instant::now());
        }
    }

    pub(super) fn hand_out_commands(&mut self, ctx: &mut Context<Self>) {
        while let Some(queue) = &mut self.to_process
            && let Some(runner) = self.idle_runners.pop()
        {
            let is_all = self.plan.board.count(Stage::Processing) == self.unfinished;
            let Some(mut ids) = queue.next(Instant::now(), is_all) else {
                self.idle_runners.push(runner);
                break;
            };
            ids.retain(|id| self.is_fit(*id));
            match ids.is_empty() {
                true => self.idle_runners.push(runner),
                false => self.process(ids, runner, ctx),
            }
        }
        self.wake_up_for_batch(ctx);
    }

    /// A file that a command has written to, and not to its end, is fetched again: a command gets what was verified.
    fn is_fit(&mut self, id: i64) -> bool {
        let job = &self.jobs[&id];
        let is_fit = job.is_as_verified(facts(job));
        if !is_fit {
            self.change(id, Job::fetch_again);
            self.to_fetch.push_back(id);
        }
        is_fit
    }

    /// Sees to it that what waits for company does not wait for ever.
    fn wake_up_for_batch(&mut self, ctx: &mut Context<Self>) {
        let due = self.to_process.as_ref().and_then(|queue| queue.due());
        if let Some(due) = due.filter(|_| !self.is_awake_for_batch && !self.idle_runners.is_empty()) {
            self.is_awake_for_batch = true;
            ctx.run_later(due.saturating_duration_since(Instant::now()), |ledger, ctx| {
                ledger.is_awake_for_batch = false;
                ledger.hand_out(ctx);
            });
        }
    }

    fn process(&mut self, ids: Vec<i64>, runner: usize, ctx: &mut Context<Self>) {
        let Some(exec) = &self.plan.exec else { return };
        let command = exec.template.command(ids.iter().map(|id| &self.jobs[id]));
        let run = RunCommand::new(command).asked_by(self.reporter.clone());
        // The files of a batch may be others the next time; whatever was cut off may be at one of them.
        let run = if exec.most > 1 { run.named("exec-batch") } else { run };
        let run = exec.time_limit.into_iter().fold(run, RunCommand::time_limit);
        let attempts: Vec<_> = ids.iter().map(|id| (*id, self.jobs[id].attempt)).collect();
        let it = self.plan.crew.runners[runner].clone();
        let answer = async move { it.ask(run).await }.into_actor(self);
        ctx.spawn(answer.map(move |answer, ledger, ctx| {
            let rest = match answer {
                Ok(result) => {
                    ledger.runner_losses.answered(runner);
                    if result.is_err() {
                        attempts.iter().for_each(|(id, attempt)| ledger.blame_runner(*id, *attempt, runner));
                    }
                    ledger.processed(&attempts, result, ctx);
                    None
                }
                Err(error) => {
                    let part = ledger.plan.crew.runners[runner].clone();
                    attempts.iter().for_each(|job| ledger.blame_end(*job, &error, &part));
                    ledger.answer_all(&attempts, &Answer::Lost, ctx);
                    ledger.runner_losses.lost(runner)
                }
            };
            match rest {
                None => ledger.idle_runners.push(runner),
                Some(rest) => drop(ctx.run_later(rest, move |ledger, ctx| {
                    ledger.idle_runners.push(runner);
                    ledger.hand_out(ctx);
                })),
            }
            ledger.hand_out(ctx);
        }));
    }

    fn processed(
        &mut self,
        attempts: &[(i64, u32)],
        result: Result<CommandOutput, RunError>,
        ctx: &mut Context<Self>,
    ) {
        let output = match &result {
            Ok(output) => Some(output),
            Err(error) => error.output(),
        };
        // What is said over many is of none of them.
        if let ([(id, _)], Some(output)) = (attempts, output) {
            self.change(*id, |job| job.output = said(output));
        }
        match result {
            Ok(_) => {
                let command: Option<Box<str>> =
                    self.plan.exec.as_ref().map(|exec| exec.template.to_string().into());
                for (id, _) in attempts {
                    self.change(*id, |job| job.processed_by = command.clone());
                }
                self.answer_all(attempts, &Answer::Processed, ctx);
            }
            // What could not be started is not the fault of any file.
            Err(error) if attempts.len() == 1 || matches!(error, RunError::Start(_)) => {
                let error = Failure::from(&error);
                self.answer_all(attempts, &Answer::ProcessFailed { error }, ctx);
            }
            Err(_) => {
                let ids = attempts.iter().map(|(id, _)| *id).collect();
                if let Some(queue) = &mut self.to_process {
                    queue.split(ids);
                }
            }
        }
    }

    fn answer_all(&mut self, attempts: &[(i64, u32)], answer: &Answer, ctx: &mut Context<Self>) {
        for (id, attempt) in attempts {
            self.answer(*id, *attempt, answer.clone(), None, ctx);
        }
    }
}
