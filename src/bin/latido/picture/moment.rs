//! The picture of one moment: the last tree before it, and what has happened since.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use latido::control::wire::{Child, Event, Exit, Incident, Instance, State, Tree, What};
use serde_json::Value;

use super::past::Run;

/// A tree at one moment, and what is known of the time before it.
#[derive(Clone, Debug)]
pub(crate) struct Picture {
    /// When: seconds since 1970.
    pub(crate) at: f64,
    pub(crate) instance: Instance,
    /// Parents before children, siblings in starting order.
    pub(crate) parts: Vec<Part>,
    pub(crate) abandoned_threads: usize,
    /// What has happened, the last first: what is worth a line, and everything.
    pub(crate) notable: Vec<Arc<Event>>,
    pub(crate) events: Vec<Arc<Event>>,
    /// The failures, the oldest first.
    pub(crate) incidents: Vec<Arc<Incident>>,
    pub(crate) jobs: Option<Jobs>,
}

/// One child.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Part {
    pub(crate) child: Child,
    /// Messages handled in a second, if that can be known.
    pub(crate) rate: Option<f64>,
    /// What it said last, and when.
    pub(crate) said: Option<(f64, Arc<Event>)>,
}

/// The jobs of a run.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Jobs {
    pub(crate) value: Value,
    /// Bytes a second, if that can be known.
    pub(crate) speed: Option<f64>,
}

/// As many events as any screen has room for.
const EVENTS: usize = 500;
/// Two looks that are closer to each other say little about how fast something is.
const APART: f64 = 0.9;
/// A look that is older says nothing about now.
const STALE: f64 = 2.5;

impl Part {
    pub(crate) fn name(&self) -> &str {
        self.child.path.rsplit('/').next().unwrap_or_default()
    }

    pub(crate) fn depth(&self) -> usize {
        self.child.path.matches('/').count()
    }

    pub(crate) fn restarts(&self) -> u64 {
        self.child.incarnation.saturating_sub(1)
    }
}

impl Picture {
    /// What happened last to the child at `path`, by its own doing or its neighbours'; if nothing has, to what is below it.
    pub(crate) fn incident(&self, path: &str) -> Option<&Arc<Incident>> {
        let below = |incident: &&Arc<Incident>| {
            incident.path.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'))
        };
        let last = || self.incidents.iter().rev();
        last().find(|incident| incident.befell(path)).or_else(|| last().find(below))
    }
}

pub(super) fn picture(run: &Run, at: f64) -> Picture {
    let next = run.trees.partition_point(|tree| tree.at <= at);
    let tree = next.checked_sub(1).map(|n| &run.trees[n]);
    let mut parts: Vec<Part> = tree.map_or_else(Vec::new, |tree| {
        let part = |child: &Child| Part { child: child.clone(), rate: None, said: None };
        tree.children.iter().map(part).collect()
    });
    if let Some(tree) = tree {
        rates(&mut parts, run, tree, next - 1, at);
        bring_up_to_date(&mut parts, run, tree, at);
    }
    let until = |events: &VecDeque<Arc<Event>>| {
        let before = |event: &&Arc<Event>| event.at <= at;
        events.iter().rev().skip_while(|event| event.at > at).filter(before).take(EVENTS).cloned().collect()
    };
    Picture {
        at,
        instance: run.instance.clone(),
        parts,
        abandoned_threads: tree.map_or(0, |tree| tree.abandoned_threads),
        notable: until(&run.notable),
        events: until(&run.events),
        incidents: run.incidents.values().filter(|incident| incident.at <= at).cloned().collect(),
        jobs: jobs(run, at),
    }
}

/// Messages a second, from two trees.
fn rates(parts: &mut [Part], run: &Run, tree: &Tree, n: usize, at: f64) {
    let is_apart = |before: &&Arc<Tree>| before.at <= tree.at - APART;
    let Some(before) =
        run.trees.iter().take(n).rev().find(is_apart).or_else(|| run.trees.iter().take(n).next())
    else {
        return;
    };
    let time = tree.at - before.at;
    if time <= 0.0 {
        return;
    }
    // Nobody writes a tree down in which nothing has changed.
    let is_stale = at - tree.at > STALE.max(2.0 * time);
    let counts: HashMap<&str, u64> =
        before.children.iter().map(|child| (&*child.path, child.messages.handled)).collect();
    for part in parts {
        let Some(handled) = counts.get(&*part.child.path) else { continue };
        let handled = part.child.messages.handled.saturating_sub(*handled);
        part.rate = Some(if is_stale { 0.0 } else { handled as f64 / time });
    }
}

/// What has happened since the tree was looked at, and what was said before.
fn bring_up_to_date(parts: &mut [Part], run: &Run, tree: &Tree, at: f64) {
    /// A part that has said nothing for so many events has nothing to say.
    const LOOK_BACK: usize = 2_000;
    let places: HashMap<&str, usize> =
        tree.children.iter().enumerate().map(|(n, child)| (&*child.path, n)).collect();
    let first = run.events.partition_point(|event| event.seq <= tree.seq);
    for event in run.events.iter().skip(first.saturating_sub(LOOK_BACK)).take_while(|event| event.at <= at) {
        let Some(&n) = places.get(&*event.path) else { continue };
        if let What::Report { .. } = event.what {
            parts[n].said = Some((event.at, event.clone()));
        }
        if event.seq > tree.seq {
            apply(parts, n, event, &places);
        }
    }
}

fn apply(parts: &mut [Part], n: usize, event: &Event, places: &HashMap<&str, usize>) {
    let child = &mut parts[n].child;
    let ended = |child: &mut Child, reason: &Exit| {
        child.state = State::Down;
        child.last_exit = Some(reason.clone());
    };
    match &event.what {
        What::Started => {
            child.state = State::Running;
            child.incarnation = event.incarnation;
        }
        What::Exited { reason, .. } | What::Stopped { reason, .. } => ended(child, reason),
        What::Restarting { budget, .. } => {
            child.state = State::Waiting;
            let parent = event.path.rsplit_once('/').and_then(|(parent, _)| places.get(parent));
            if let Some(supervisor) = parent.and_then(|n| parts[*n].child.supervisor.as_mut()) {
                supervisor.budget = *budget;
            }
        }
        What::GaveUp { budget, .. } => {
            child.state = State::Stopping;
            if let Some(supervisor) = &mut child.supervisor {
                supervisor.budget = *budget;
            }
        }
        _ => {}
    }
}

fn jobs(run: &Run, at: f64) -> Option<Jobs> {
    let mut all = run.extras.iter().rev().filter(|extra| extra.name == "jobs" && extra.at <= at);
    let last = all.next()?;
    let bytes = |value: &Value| value["bytes"].as_f64();
    let speed = all.find(|before| before.at <= last.at - APART).and_then(|before| {
        let (time, bytes) = (last.at - before.at, bytes(&last.value)? - bytes(&before.value)?);
        // They can become fewer, when files are fetched anew.
        Some(if at - last.at > STALE.max(2.0 * time) { 0.0 } else { (bytes / time).max(0.0) })
    });
    Some(Jobs { value: last.value.clone(), speed })
}

#[cfg(test)]
mod tests {
    use latido::control::wire::{Budget, Entry, Extra};

    use super::super::Past;
    use super::super::samples::{budget, event, happened, incident, instance, tree};
    use super::*;

    fn past(entries: impl IntoIterator<Item = Entry>) -> Past {
        let mut past = Past::new(1 << 20);
        past.push(Entry::Instance(instance(1)));
        entries.into_iter().for_each(|entry| past.push(entry));
        past
    }

    fn exit(kind: &str) -> Exit {
        Exit { kind: kind.to_owned(), text: format!("{kind}: oh") }
    }

    #[test]
    fn the_states_are_those_of_the_last_tree_and_of_what_happened_since() {
        let exited = What::Exited { reason: exit("panicked"), lived: 1.0, lost: 0, message: None, kept: 0 };
        let restarting = What::Restarting {
            delay: 0.1,
            wait: String::new(),
            failures: 1,
            budget: budget(1),
            siblings: vec![],
        };
        let gave_up =
            What::GaveUp { child: "app/one".to_owned(), reason: exit("panicked"), budget: budget(5) };
        let stopped = What::Stopped { reason: exit("shutdown"), took: 0.1 };
        let past = past([
            Entry::Tree(tree(10.0, 5, &[("app", 1), ("app/one", 1), ("app/two", 1)])),
            // It is in the tree already, although it comes after it.
            Entry::Event(happened(5, 9.9, "app/one", 1, exited.clone())),
            Entry::Event(happened(6, 11.0, "app/one", 1, exited)),
            Entry::Event(happened(7, 12.0, "app/one", 1, restarting)),
            Entry::Event(happened(8, 13.0, "app/one", 2, What::Started)),
            Entry::Event(happened(9, 14.0, "app", 1, gave_up)),
            Entry::Event(happened(10, 15.0, "app/two", 1, stopped)),
            Entry::Tree(tree(16.0, 10, &[("app", 1), ("app/one", 3), ("app/two", 1)])),
        ]);
        use State::{Down, Running, Stopping, Waiting};
        for (at, states, incarnation, used) in [
            (9.0, [Running; 3], 1, 0), // nothing is known of before
            (10.5, [Running; 3], 1, 0),
            (11.5, [Running, Down, Running], 1, 0),
            (12.5, [Running, Waiting, Running], 1, 1),
            (13.5, [Running; 3], 2, 1),
            (14.5, [Stopping, Running, Running], 2, 5),
            (15.5, [Stopping, Running, Down], 2, 5),
            (16.0, [Running; 3], 3, 0),
        ] {
            let picture = past.picture(at).unwrap();
            let found: Vec<State> = picture.parts.iter().map(|part| part.child.state).collect();
            assert_eq!(found, states, "at {at}");
            assert_eq!(picture.parts[1].child.incarnation, incarnation, "at {at}");
            let Budget { used: found, .. } = picture.parts[0].child.supervisor.as_ref().unwrap().budget;
            assert_eq!(found, used, "at {at}");
        }
        assert_eq!(past.picture(11.5).unwrap().parts[1].child.last_exit, Some(exit("panicked")));
    }

    #[test]
    fn messages_a_second_come_of_two_trees_that_are_a_second_apart() {
        let handled = |at: f64, handled: u64| {
            let mut tree = tree(at, 0, &[("app", 1), ("app/one", 1)]);
            tree.children[1].messages.handled = handled;
            Entry::Tree(tree)
        };
        let past = past([handled(1.0, 0), handled(1.5, 100), handled(2.0, 150), handled(2.5, 400)]);
        let rate = |at| past.picture(at).unwrap().parts[1].rate;
        assert_eq!(rate(1.0), None, "one tree says nothing");
        assert_eq!(rate(1.5), Some(200.0), "there is no better one");
        assert_eq!(rate(2.5), Some(300.0), "not of the last half second, in which it had 250");
        assert_eq!(rate(10.0), Some(0.0), "nothing has changed since");
    }

    #[test]
    fn what_is_shown_happened_before() {
        let jobs = |at: f64, bytes: u64| {
            Entry::Extra(Extra { name: "jobs".to_owned(), at, value: serde_json::json!({"bytes": bytes}) })
        };
        let said = What::Report { report: "beat 7".to_owned(), data: serde_json::Value::Null };
        let past = past([
            Entry::Tree(tree(1.0, 1, &[("app", 1), ("app/one", 1)])),
            Entry::Event(event(1, 0.9, "app/one", "info")),
            Entry::Event(event(2, 2.0, "app/one", "warn")),
            Entry::Event(Event { level: "debug".to_owned(), ..happened(3, 3.0, "app/one", 1, said) }),
            Entry::Incident(incident(2, 2.0, "app/one")),
            Entry::Incident(incident(4, 5.0, "app/one")),
            jobs(1.0, 1_000),
            jobs(2.0, 3_000),
        ]);
        let before = past.picture(1.5).unwrap();
        assert_eq!((before.notable.len(), before.events.len(), before.incidents.len()), (1, 1, 0));
        assert_eq!(before.jobs.unwrap().speed, None);
        let after = past.picture(4.0).unwrap();
        let seqs: Vec<u64> = after.events.iter().map(|event| event.seq).collect();
        assert_eq!((seqs, after.notable.len()), (vec![3, 2, 1], 2));
        assert_eq!(after.parts[1].said.as_ref().map(|(at, _)| *at), Some(3.0));
        assert_eq!(after.jobs.unwrap().speed, Some(2_000.0));
        assert_eq!(past.picture(6.0).unwrap().jobs.unwrap().speed, Some(0.0), "it was long ago");
    }

    #[test]
    fn the_story_of_a_part_is_its_last_failure_or_else_that_of_what_is_below_it() {
        let past = past([
            Entry::Tree(tree(1.0, 0, &[("app", 1)])),
            Entry::Incident(incident(1, 1.0, "app/one")),
            Entry::Incident(incident(2, 1.0, "app/one/two")),
            Entry::Incident(incident(3, 1.0, "app/oneself")),
        ]);
        let picture = past.picture(2.0).unwrap();
        let story = |path| picture.incident(path).map(|incident| incident.id);
        assert_eq!((story("app/one"), story("app"), story("app/on")), (Some(1), Some(3), None));
    }
}
