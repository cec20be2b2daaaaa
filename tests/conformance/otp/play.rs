//! Plays a scenario on a tree of ours, in virtual time, and notes the same things that the recorder notes of OTP.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;
use std::time::Duration;

use actix::prelude::*;
use latido::fault::Fault;
use latido::supervision::*;
use latido::{EventKind, Events, ExitReason};

use super::scenario::{Child, Outcome, Scenario, Step};
use crate::kit::*;

/// Nothing happens any more once nothing has happened for this long.
const SILENCE: Duration = Duration::from_secs(60);
/// No restart of a scenario is forgotten.
const PERIOD: Duration = Duration::from_secs(1_000_000);

/// Plays it until `judge` breaks off.
pub(crate) async fn play(scenario: &Scenario, mut judge: impl FnMut(&Step, &Outcome) -> ControlFlow<()>) {
    let mut player = Player::start(scenario);
    for step in &scenario.steps {
        let answer = player.step(&step.text).await;
        tokio::time::sleep(SILENCE).await;
        player.note_events();
        let trace = std::mem::take(&mut player.trace);
        if judge(step, &Outcome { answer, trace, state: player.state("app") }).is_break() {
            break;
        }
    }
    player.tree.stop(SECOND).await;
}

struct Player {
    tree: Tree,
    events: Events,
    addrs: HashMap<String, Addr<Probe>>,
    backoff: Backoff,
    /// Those supervisors whose children have no order.
    dynamic: HashSet<String>,
    /// Lives that have been up, by path.
    up: HashSet<(String, u64)>,
    trace: Vec<String>,
}

impl Player {
    fn start(scenario: &Scenario) -> Self {
        // An order in between needs time in between. Without it restarts come in the order of the failures.
        let has_between = scenario.steps.iter().any(|step| step.text.contains(" between "));
        let backoff = if has_between { Backoff::exponential(SECOND, SECOND) } else { Backoff::default() };
        let mut addrs = HashMap::new();
        let app = supervisor(scenario, "app", backoff, &mut addrs);
        let tree = app.start().unwrap();
        let events = tree.subscribe();
        let is_dynamic = |child: &Child| child.conduct.as_ref().is_some_and(|conduct| conduct.dynamic);
        let dynamic = scenario.children.iter().filter(|(_, child)| is_dynamic(child));
        let dynamic = dynamic.map(|(path, _)| path.clone()).collect();
        Self { tree, events, addrs, backoff, dynamic, up: HashSet::new(), trace: Vec::new() }
    }

    async fn step(&mut self, text: &str) -> String {
        match *text.splitn(4, ' ').collect::<Vec<_>>() {
            ["crash", one, "and", other] => {
                self.crash(one);
                self.crash(other);
            }
            ["crash", path, "between", order] => {
                self.crash(path);
                self.a_start_fails_or_all_is_quiet().await;
                return self.order(order).await;
            }
            ["crash", path] => self.crash(path),
            ["finish", path] => self.addrs[path].do_send(job(|_, ctx| ctx.stop())),
            ["kill", path] => drop(self.tree.inject(path, Fault::Panic)),
            ["stop"] => drop(self.tree.stop(SECOND).await),
            ["begin"] => {
                all_is_done().await;
                let is_up = crate::kit::state(&self.tree, "app") == ChildState::Running;
                return if is_up { "ok" } else { "failed" }.to_owned();
            }
            _ => return self.order(text).await,
        }
        "ok".to_owned()
    }

    fn crash(&self, path: &str) {
        self.addrs[path].do_send(job(|_, _| -> () { panic!("no") }));
    }

    async fn a_start_fails_or_all_is_quiet(&mut self) {
        loop {
            match tokio::time::timeout(SILENCE, self.events.next()).await {
                Ok(Some(event)) => self.note(&event),
                _ => return,
            }
            if self.trace.last().is_some_and(|sign| sign.starts_with('!')) {
                return all_is_done().await;
            }
        }
    }

    async fn order(&mut self, text: &str) -> String {
        let (order, rest) = text.split_once(' ').unwrap();
        let (path, rules) = rest.split_once(' ').unwrap_or((rest, ""));
        let (parent, _) = path.rsplit_once('/').unwrap();
        let done = match order {
            "start" => {
                let (spec, addr) = worker(path, &Child::read(rules), self.backoff);
                let of_old = |(other, _): &(String, u64)| other == path;
                let old: Vec<_> = self.up.extract_if(of_old).collect();
                let done = self.tree.start_child(parent, spec).await;
                match done {
                    Err(AdminError::Spec(_) | AdminError::Ended) => self.up.extend(old),
                    _ => drop(self.addrs.insert(path.to_owned(), addr)),
                }
                done
            }
            "terminate" => self.tree.terminate_child(path).await,
            "restart" => self.tree.restart_child(path).await,
            "delete" => self.tree.delete_child(path).await,
            _ => panic!("{text}"),
        };
        answer(done).to_owned()
    }

    // ===== looking =====

    fn note_events(&mut self) {
        while let Some(event) = self.events.try_next() {
            self.note(&event);
        }
    }

    fn note(&mut self, event: &latido::Event) {
        let life = (event.path.to_string(), event.incarnation);
        let sign = match &event.kind {
            EventKind::Started => {
                self.up.insert(life);
                '+'
            }
            EventKind::GaveUp { .. } => '^',
            EventKind::Exited { .. } | EventKind::Stopped { .. } if self.up.contains(&life) => '-',
            EventKind::Exited { reason: ExitReason::Normal, .. } => '~',
            EventKind::Exited { .. } => '!',
            _ => return, // Also one that was stopped before it was up: in OTP nobody can be.
        };
        self.trace.push(format!("{sign}{}", event.path.name()));
    }

    fn state(&self, path: &str) -> Vec<String> {
        let snapshot = self.tree.snapshot();
        let child = snapshot.get(path).unwrap();
        let short = path.strip_prefix("app/").unwrap_or(path);
        match (child.state, child.supervisor) {
            (ChildState::Running, None) => vec![short.to_owned()],
            (ChildState::Running, Some((_, budget))) => {
                let is_below = |other: &&ChildInfo| other.path.parent().is_some_and(|parent| parent == path);
                let below = snapshot.children.iter().filter(is_below);
                let mut below: Vec<_> = below.map(|child| self.state(child.path.as_str())).collect();
                if self.dynamic.contains(path) {
                    below.sort();
                }
                [vec![format!("{short}#{}", budget.used)], below.concat()].concat()
            }
            (ChildState::Finished, _) => vec![format!("-{short}")],
            (ChildState::Down, _) if path == "app" => vec!["-app".to_owned()],
            (other, _) => vec![format!("{short} {other:?}")],
        }
    }
}

/// In the recorder's words.
fn answer(done: Result<(), AdminError>) -> &'static str {
    match done {
        Ok(()) => "ok",
        Err(AdminError::Unknown(_)) => "not_found",
        Err(AdminError::Running(_)) => "running",
        Err(AdminError::Restarting(_)) => "restarting",
        Err(AdminError::Ended) => "ended",
        Err(AdminError::StartFailed { reason: ExitReason::Normal, .. }) => "declined",
        Err(AdminError::StartFailed { .. }) => "failed",
        Err(AdminError::Spec(SpecError::DuplicateId(_))) => "duplicate",
        Err(AdminError::Spec(SpecError::SignificantPermanent(_) | SpecError::SignificantForNothing(_))) => {
            "bad_combination"
        }
        Err(error) => panic!("{error}"),
    }
}

// ===== specs =====

fn supervisor(
    scenario: &Scenario,
    path: &str,
    backoff: Backoff,
    addrs: &mut HashMap<String, Addr<Probe>>,
) -> SupervisorSpec {
    let child = scenario.child(path).unwrap();
    let conduct = child.conduct.as_ref().unwrap();
    let (_, name) = path.rsplit_once('/').unwrap_or(("", path));
    let spec = if conduct.dynamic { SupervisorSpec::dynamic(name) } else { SupervisorSpec::new(name) };
    let mut spec = spec
        .restart(child.restart)
        .strategy(conduct.strategy)
        .intensity(conduct.intensity, PERIOD)
        .auto_shutdown(conduct.auto_shutdown)
        .backoff(backoff);
    if child.significant {
        spec = spec.significant();
    }
    for (below, child) in &scenario.children {
        if below.rsplit_once('/').is_none_or(|(parent, _)| parent != path) {
            continue;
        }
        spec = match child.conduct {
            Some(_) => spec.child(supervisor(scenario, below, backoff, addrs)),
            None => {
                let (worker, addr) = worker(below, child, backoff);
                addrs.insert(below.clone(), addr);
                spec.child(worker)
            }
        };
    }
    spec
}

fn worker(path: &str, child: &Child, backoff: Backoff) -> (ChildSpec<Probe>, Addr<Probe>) {
    let starts = child.starts.clone().into_bytes();
    let start = move |life: usize| *starts.get(life - 1).unwrap_or(&b'.');
    let declines = start.clone();
    let hooks = Hooks::default()
        .built(move |life| {
            if start(life) == b'x' {
                latido::crash("no disk")
            }
        })
        .started(move |probe, ctx| {
            if declines(probe.life) == b'~' {
                ctx.stop()
            }
        });
    let (_, name) = path.rsplit_once('/').unwrap();
    let mut spec = child_with(name, hooks).0.restart(child.restart).backoff(backoff);
    if child.significant {
        spec = spec.significant();
    }
    let addr = spec.addr();
    (spec, addr)
}
