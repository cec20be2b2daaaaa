//! `latido scenario`: a tree at work, what is done to it, and what must be true all the same.
//!
//! | file | idea |
//! |---|---|
//! | [`file`], [`words`], [`error`] | a scenario as it is written, and what is wrong with it |
//! | [`plan`] | the same made ready, with what its seed decides |
//! | [`library`] | those that the program brings along |
//! | [`run`], [`served`], [`program`] | carried out: what a fetch works on, and the program, by its door |
//! | [`record`], [`found`] | what was seen: the events, the files, the journal |
//! | [`hypotheses`] | what must be true, held against that |
//! | [`timeline`], [`verdict`] | what caused what; PASS or FAIL |

use anyhow::{Result, bail};
use console::style;
use futures::stream::{self, StreamExt};
use serde_json::json;

use crate::cli::{ScenarioAction, ScenarioArgs};
use crate::exit::Exit;
use crate::signals::Signals;
use crate::view;

mod error;
mod file;
mod found;
mod hypotheses;
mod library;
mod plan;
mod program;
mod record;
mod run;
mod served;
mod timeline;
mod verdict;
mod words;

use plan::Plan;
use verdict::Verdict;

pub(crate) async fn command(args: &ScenarioArgs) -> Result<Exit> {
    match &args.action {
        ScenarioAction::List { json } => list(*json),
        ScenarioAction::Check { files, json } => check(files, *json),
        ScenarioAction::Run { files, all, parallel, seed, json } => {
            let mut plans = read(&chosen(files, *all)?, *seed)?;
            let mut signals = Signals::listen()?;
            tokio::select! {
                exit = run(&mut plans, usize::from(*parallel), *json) => exit,
                exit = signals.next() => Ok(exit),
            }
        }
    }
}

fn chosen(files: &[String], all: bool) -> Result<Vec<String>> {
    match (files.is_empty(), all) {
        (_, true) => Ok(library::ALL.iter().map(|scenario| scenario.name.to_owned()).collect()),
        (false, false) => Ok(files.to_vec()),
        (true, false) => bail!("which scenario? name files, or some of `latido scenario list`, or --all"),
    }
}

/// All of them are read before any is run: a slip in the last is told at once.
fn read(names: &[String], seed: Option<u64>) -> Result<Vec<Plan>> {
    names.iter().map(|name| Plan::read(name, &plan::text(name)?, seed)).collect()
}

/// Several at a time, told in their order.
async fn run(plans: &mut [Plan], parallel: usize, json: bool) -> Result<Exit> {
    let count = plans.len();
    let runs = stream::iter(plans.iter()).map(async |plan| Ok((plan, run::run(plan).await?)));
    let mut runs = std::pin::pin!(runs.buffered(parallel));
    let mut failed = Vec::new();
    while let Some(ended) = runs.next().await {
        let (plan, outcome) = ended.map_err(|error: anyhow::Error| error)?;
        let verdict = Verdict::of(plan, &outcome);
        if !verdict.passes() {
            failed.push(plan.name.clone());
        }
        match json {
            true => view::say(serde_json::to_string(&verdict)?),
            false => view::say(format!("{verdict}\n")),
        }
    }
    if count > 1 && !json {
        view::say(match failed.is_empty() {
            true => format!("{count} scenarios PASS"),
            false => format!("{} of {count} scenarios FAIL: {}", failed.len(), failed.join(", ")),
        });
    }
    Ok(if failed.is_empty() { Exit::Ok } else { Exit::Failed })
}

fn list(json: bool) -> Result<Exit> {
    for scenario in library::ALL {
        let plan = Plan::read(scenario.name, scenario.text, None)?;
        match json {
            true => view::say(json!({
                "schema": 1, "scenario": plan.name, "title": plan.title, "lesson": scenario.lesson(),
            })),
            false => {
                view::say(format!("{}\n  {}", style(&plan.name).bold(), plan.title));
            }
        }
    }
    Ok(Exit::Ok)
}

/// Says what would be done, with what the seed decides.
fn check(files: &[String], json: bool) -> Result<Exit> {
    for plan in read(files, None)? {
        let steps = plan.steps.iter().map(|step| (step.when.to_string(), step.action.to_string()));
        match json {
            true => {
                let steps: Vec<_> = steps.map(|(when, action)| json!({"when": when, "do": action})).collect();
                view::say(json!({
                    "schema": 1, "scenario": plan.name, "title": plan.title, "seed": plan.seed, "steps": steps,
                }));
            }
            false => {
                view::say(format!("{}: {}", plan.name, plan.title));
                steps.enumerate().for_each(|(n, (when, action))| {
                    view::say(format!("  step {} ({when}): {action}", n + 1))
                });
            }
        }
    }
    Ok(Exit::Ok)
}
