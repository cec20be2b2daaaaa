//! What is asked of a program that runs, by its door.

use std::io::{self, Write, stderr, stdout};
use std::pin::pin;

use anyhow::{Context, Result, bail};
use futures::StreamExt;
use latido::TreePath;
use latido::control::wire::{Event, Inject, Instance};
use latido::control::{Card, Client, directory, find};
use latido::fault::{Fault, Injection};
use serde::Serialize;

use crate::cli::{At, EventsArgs, InjectArgs, PageArgs, PartArgs, PsArgs, TreeArgs, WhyArgs};
use crate::exit::Exit;

mod show;

pub(crate) use show::{clock, doing, is_stopped};

/// `latido ps`.
pub(crate) async fn ps(args: &PsArgs) -> Result<Exit> {
    let found = running().await?;
    if found.is_empty() && !args.json {
        heard(writeln!(
            stderr(),
            "nothing runs that could be looked at; start something, such as `latido demo`"
        ));
    }
    let mut out = stdout().lock();
    for (n, (card, instance)) in found.iter().enumerate() {
        if args.json {
            line(&mut out, instance);
        } else if let Ok(tree) = Client::new(card).tree().await {
            // One that is just ending has nothing more to show.
            heard(show::program(&mut out, instance, &tree, n == 0));
        }
    }
    Ok(Exit::Ok)
}

/// `latido tree`.
pub(crate) async fn tree(args: &TreeArgs) -> Result<Exit> {
    let (client, _) = choose(&args.at).await?;
    let tree = client.tree().await?;
    let mut out = stdout().lock();
    match args.json {
        true => line(&mut out, &tree),
        false => heard(show::tree(&mut out, &tree)),
    }
    Ok(Exit::Ok)
}

/// `latido web`.
pub(crate) async fn web(args: &PageArgs) -> Result<Exit> {
    let mut found = running().await?;
    if args.at.pid.is_none() && found.iter().any(|(card, _)| card.url().is_some()) {
        found.retain(|(card, _)| card.url().is_some());
    }
    let (card, instance) = choose_of(found, &args.at)?;
    let Some(url) = card.url() else {
        bail!(
            "{} ({}) serves no page; start it with --web, as in `latido demo --endless --web`",
            instance.program,
            instance.pid
        );
    };
    heard(writeln!(stdout(), "{url}"));
    Ok(Exit::Ok)
}

/// `latido events`.
pub(crate) async fn events(args: &EventsArgs) -> Result<Exit> {
    let (client, _) = choose(&args.at).await?;
    let last = client.tree().await?.seq;
    let mut events = pin!(client.events(Some(0)).await?);
    let mut out = stdout().lock();
    let is_meant =
        |event: &Event| args.path.as_ref().is_none_or(|pattern| TreePath::root(&event.path).matches(pattern));
    while let Some(event) = events.next().await {
        let event = event?;
        if is_meant(&event) {
            let written = match args.json {
                true => writeln!(out, "{}", serde_json::to_string(&event)?),
                false => show::event(&mut out, &event),
            };
            if written.and_then(|()| out.flush()).is_err() {
                break; // Nobody reads it any more.
            }
        }
        if !args.follow && event.seq >= last {
            break;
        }
    }
    Ok(Exit::Ok)
}

/// `latido why`.
pub(crate) async fn why(args: &WhyArgs) -> Result<Exit> {
    let (client, instance) = choose(&args.at).await?;
    let mut incidents = client.incidents().await?;
    match &args.what {
        // The last failure, and a fault that was put in after it.
        None => {
            let failure = incidents.iter().rfind(|incident| incident.reason.is_some()).map(|it| it.id);
            let last = incidents.last().map(|it| it.id);
            incidents.retain(|it| [failure, last].contains(&Some(it.id)));
        }
        Some(what) => incidents.retain(|incident| match what.parse::<u64>() {
            Ok(id) => incident.id == id,
            Err(_) => incident.befell(what) || TreePath::root(&incident.path).matches(what),
        }),
    }
    if incidents.is_empty() {
        match &args.what {
            None => bail!("nothing has failed in {} ({}), nor was broken", instance.program, instance.pid),
            Some(what) if what.parse::<u64>().is_err() && !has_part(&client, what).await? => {
                bail!("there is no part {what:?}; `latido tree` shows which there are")
            }
            Some(what) => bail!("no incident of {what:?} is known; `latido why '**'` tells all of them"),
        }
    }
    let mut out = stdout().lock();
    for (n, incident) in incidents.iter().enumerate() {
        match args.json {
            true => line(&mut out, incident),
            false => heard(writeln!(out, "{}{}", if n > 0 { "\n" } else { "" }, incident.story)),
        }
    }
    Ok(Exit::Ok)
}

async fn has_part(client: &Client, pattern: &str) -> Result<bool> {
    Ok(client.tree().await?.children.iter().any(|child| TreePath::root(&child.path).matches(pattern)))
}

/// `latido inject`.
pub(crate) async fn inject(args: &InjectArgs) -> Result<Exit> {
    let Some(fault) = &args.fault else {
        let (client, _) = choose(&args.at).await?;
        let known = client.faults(Some(&args.path)).await?;
        heard(show::faults(&mut stdout().lock(), &known));
        return Ok(Exit::Ok);
    };
    // What cannot be, nobody need be asked.
    let injection = fault.parse::<Injection>()?.or_seed(args.seed);
    let (client, instance) = choose(&args.at).await?;
    let fault = injection.to_string();
    let inject = Inject { path: args.path.clone(), fault: fault.clone(), at_message: None };
    let done = client.inject(&inject).await?;
    let parts = if done.children == 1 { "1 part".to_owned() } else { format!("{} parts", done.children) };
    let what = match injection.fault {
        Fault::Heal => format!("what was put into {parts} was taken back"),
        _ if args.path == instance.root => {
            format!("{fault} was put into {}, which nobody is above: what ends it ends all of it", args.path)
        }
        _ => format!("{fault} was put into {parts}; `latido why` tells what comes of it"),
    };
    heard(writeln!(stdout(), "{what}"));
    Ok(Exit::Ok)
}

/// `latido pause`.
pub(crate) async fn pause(args: &PartArgs) -> Result<Exit> {
    choose(&args.at).await?.0.pause(&args.path).await?;
    heard(writeln!(stdout(), "{0} is paused; its messages wait until `latido resume {0}`", args.path));
    Ok(Exit::Ok)
}

/// `latido resume`.
pub(crate) async fn resume(args: &PartArgs) -> Result<Exit> {
    choose(&args.at).await?.0.resume(&args.path).await?;
    heard(writeln!(stdout(), "{} takes messages again", args.path));
    Ok(Exit::Ok)
}

/// `latido drain`.
pub(crate) async fn drain(args: &PartArgs) -> Result<Exit> {
    choose(&args.at).await?.0.drain(&args.path).await?;
    heard(writeln!(
        stdout(),
        "{0} has handled what was queued and was stopped; it stays down until `latido restart {0}`",
        args.path
    ));
    Ok(Exit::Ok)
}

/// `latido restart`.
pub(crate) async fn restart(args: &PartArgs) -> Result<Exit> {
    choose(&args.at).await?.0.restart(&args.path).await?;
    heard(writeln!(stdout(), "{} was stopped and started again", args.path));
    Ok(Exit::Ok)
}

/// `latido stop`.
pub(crate) async fn stop(args: &PartArgs) -> Result<Exit> {
    choose(&args.at).await?.0.stop(&args.path).await?;
    heard(writeln!(stdout(), "{0} was stopped; it stays down until `latido restart {0}`", args.path));
    Ok(Exit::Ok)
}

async fn running() -> Result<Vec<(Card, Instance)>> {
    let dir = directory();
    find(&dir).await.with_context(|| format!("{dir:?} cannot be read"))
}

pub(crate) async fn choose(at: &At) -> Result<(Client, Instance)> {
    let (card, instance) = choose_of(running().await?, at)?;
    Ok((Client::new(&card), instance))
}

fn choose_of(mut found: Vec<(Card, Instance)>, at: &At) -> Result<(Card, Instance)> {
    if let Some(pid) = at.pid {
        found.retain(|(_, instance)| instance.pid == pid);
        return found
            .pop()
            .with_context(|| format!("no program with the number {pid} has a door; see `latido ps`"));
    }
    match found.len() {
        0 => bail!("no program runs that could be asked; start one, such as `latido demo --top`"),
        1 => Ok(found.remove(0)),
        _ => {
            let all: Vec<_> = found.iter().map(|(_, it)| format!("{} ({})", it.pid, it.program)).collect();
            bail!("several programs run: {}; choose one with --pid", all.join(", "))
        }
    }
}

fn line(out: &mut impl Write, value: &impl Serialize) {
    let text = serde_json::to_string(value).expect("it has no maps and no bytes");
    heard(writeln!(out, "{text}"));
}

/// That nobody reads it any more is no failure.
fn heard(_: io::Result<()>) {}
