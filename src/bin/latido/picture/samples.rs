//! Entries for tests.

use latido::control::wire::{
    Budget, Child, Decision, Event, Exit, Incident, Instance, Messages, State, Supervisor, Tree, VERSION,
    What,
};

pub(crate) fn instance(pid: u32) -> Instance {
    Instance {
        api: VERSION,
        program: "latido test".to_owned(),
        version: "1".to_owned(),
        pid,
        root: "app".to_owned(),
        since: 0.0,
        actions: true,
        replay: None,
    }
}

pub(crate) fn budget(used: u32) -> Budget {
    Budget { used, intensity: 5, period: 10.0, frees_in: 3.0 }
}

/// Children that run, in this life; those with something below them are supervisors.
pub(crate) fn tree(at: f64, seq: u64, children: &[(&str, u64)]) -> Tree {
    let child = |(path, incarnation): &(&str, u64)| {
        let is_parent =
            *path == "app" || children.iter().any(|(other, _)| other.starts_with(&format!("{path}/")));
        Child {
            path: (*path).to_owned(),
            kind: if is_parent { "Supervisor" } else { "Worker" }.to_owned(),
            state: State::Running,
            incarnation: *incarnation,
            last_exit: None,
            messages: Messages::default(),
            paused: false,
            draining: false,
            armed: Vec::new(),
            own_faults: Vec::new(),
            supervisor: is_parent
                .then(|| Supervisor { strategy: "one_for_one".to_owned(), budget: budget(0) }),
        }
    };
    Tree { at, seq, abandoned_threads: 0, children: children.iter().map(child).collect() }
}

pub(crate) fn happened(seq: u64, at: f64, path: &str, incarnation: u64, what: What) -> Event {
    let text = format!("{path} #{incarnation} event {seq}");
    Event {
        seq,
        at,
        path: path.to_owned(),
        incarnation,
        level: "info".to_owned(),
        text,
        incident: None,
        what,
    }
}

pub(crate) fn event(seq: u64, at: f64, path: &str, level: &str) -> Event {
    Event { level: level.to_owned(), ..happened(seq, at, path, 1, What::Started) }
}

pub(crate) fn incident(id: u64, at: f64, path: &str) -> Box<Incident> {
    Box::new(Incident {
        id,
        at,
        path: path.to_owned(),
        incarnation: 1,
        reason: Some(Exit { kind: "panicked".to_owned(), text: "panicked: oh".to_owned() }),
        lived: 1.0,
        injected: None,
        healed: None,
        lost: 0,
        message: None,
        kept: 0,
        decision: Decision::Restart { delay: 0.0, wait: String::new(), budget: budget(1), siblings: vec![] },
        stopped: vec![],
        moved: vec![],
        down: Some(0.001),
        answered: None,
        again: None,
        before: None,
        consequences: vec![],
        untold: 0,
        story: format!(
            "incident {id}: {path} #1 panicked: oh\n  it had run for 1.0s\n  decision: restart 1 of 5 in 10s, at once\n  \
             up again as #2, 1.0ms after it failed"
        ),
    })
}
