//! That the rules see what breaks them: short histories, written by hand.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use latido::event::{Budget, Wait};
use latido::supervision::*;
use latido::{Event, EventKind, ExitReason, TreePath};

use super::{Found, budget, causes, lives, order};
use crate::history::History;
use crate::notes::Note;
use crate::plan::{Conditions, Kind, NodePlan, PERIOD, Place, Plan, SECOND, SupervisorPlan, WorkerPlan};

/// `app` with the workers `c1`, `c2` and `c3`, and one restart.
fn plan(strategy: Strategy, restart: Restart) -> Plan {
    let node = |number, kind| NodePlan {
        number,
        restart,
        shutdown: Shutdown::Timeout(SECOND),
        backoff: Backoff::NONE,
        place: Place::Same,
        significant: false,
        kind,
    };
    let worker = || Kind::Worker(WorkerPlan { watched: false, listens: false, bound: None });
    let supervisor = SupervisorPlan {
        strategy,
        dynamic: false,
        max_children: None,
        auto_shutdown: AutoShutdown::Never,
        intensity: Some(1),
        children: (1..4).map(|number| node(number, worker())).collect(),
    };
    let conditions = Conditions { apart: false, early: false, calm_end: true, deadline: SECOND };
    Plan { root: node(0, Kind::Supervisor(supervisor)), steps: Vec::new(), conditions }
}

/// `c1 built, c1 up, c1 fails, c1 restarts with c2, c2 stops, quiet`: an event each.
fn events(story: &str) -> Vec<Event> {
    let mut lives: HashMap<String, u64> = HashMap::new();
    let mut used = 0;
    let path = |name: &str| match name {
        "app" => TreePath::root("app"),
        name => TreePath::root("app").join(name),
    };
    let event = |(n, moment): (usize, &str)| {
        let mut words = moment.split_whitespace();
        let name = words.next().expect("a name");
        let what = words.next().unwrap_or(name);
        let life = lives.entry(name.to_owned()).or_insert(u64::from(name == "app"));
        let budget = |used| Budget { used, intensity: 1, period: PERIOD, frees_in: Duration::ZERO };
        let kind = match what {
            "built" => {
                *life += 1;
                EventKind::Report(std::sync::Arc::new(Note::Built(std::thread::current().id())))
            }
            "is-late" => EventKind::Report(std::sync::Arc::new(Note::Built(std::thread::current().id()))),
            "dropped" => EventKind::Report(std::sync::Arc::new(Note::Dropped)),
            "quiet" => EventKind::Report(std::sync::Arc::new(Note::Quiet)),
            "up" => EventKind::Started,
            "stops" => EventKind::Stopped { reason: ExitReason::Shutdown, took: Duration::ZERO },
            "fails" | "hangs" | "finishes" => EventKind::Exited {
                reason: match what {
                    "fails" => ExitReason::failed("x"),
                    "hangs" => ExitReason::Unresponsive { blocked: SECOND },
                    _ => ExitReason::Normal,
                },
                lived: SECOND,
                lost: 0,
                message: None,
                kept: 0,
            },
            "restarts" => {
                used += 1;
                EventKind::Restarting {
                    delay: Duration::ZERO,
                    wait: Wait { first: Duration::ZERO, doublings: 0, stretch: 1.0, cap: Duration::ZERO },
                    failures: 1,
                    budget: budget(used),
                    siblings: words.skip(1).map(path).collect(),
                }
            }
            other => panic!("{other}?"),
        };
        let at = SystemTime::UNIX_EPOCH + SECOND * n as u32;
        Event { seq: n as u64 + 1, at, path: path(name), incarnation: *life, incident: None, kind }
    };
    story.split(',').map(str::trim).enumerate().map(event).collect()
}

/// The rules that a story breaks, after which all three are up.
fn broken(strategy: Strategy, restart: Restart, story: &str) -> Vec<&'static str> {
    let plan = plan(strategy, restart);
    let up = "c1 built, c1 up, c2 built, c2 up, c3 built, c3 up, app up";
    let events = events(&format!("{up}, {story}"));
    let history = History::of(&plan, &events);
    let mut found = Found::default();
    for (path, lives) in &history.lives {
        lives::one_after_the_other(path, lives, &mut found);
    }
    for family in &history.families {
        order::check(family, &history, &mut found);
        causes::check(family, &history, &mut found);
        budget::check(family, &history, &mut found);
    }
    let mut rules: Vec<_> = found.0.into_iter().map(|violation| violation.rule).collect();
    rules.dedup();
    rules
}

const STOP: &str = "c3 stops, c2 stops, c1 stops, app stops";

#[test]
fn what_is_right_breaks_no_rule() {
    use Restart::{Permanent, Transient};
    for (strategy, restart, story) in [
        (Strategy::OneForOne, Permanent, "c2 fails, c2 restarts, c2 built, c2 up, quiet"),
        // It was left behind in the middle of its start.
        (Strategy::OneForOne, Permanent, "c2 hangs, c2 is-late, c2 restarts, c2 built, c2 up, quiet"),
        (Strategy::OneForOne, Transient, "c2 finishes, quiet, c3 stops, c1 stops, app stops"),
        (
            Strategy::OneForAll,
            Permanent,
            "c2 fails, c2 restarts with c1 c3, c3 stops, c1 stops, c1 built, c1 up, c2 built, c2 up, c3 built, c3 up",
        ),
        (
            Strategy::RestForOne,
            Permanent,
            "c2 fails, c2 restarts with c3, c3 stops, c2 built, c2 up, c3 built, c3 up, quiet",
        ),
    ] {
        let story = if story.ends_with("app stops") { story.to_owned() } else { format!("{story}, {STOP}") };
        assert!(broken(strategy, restart, &story).is_empty(), "{strategy:?}: {story}");
    }
}

#[test]
fn each_rule_sees_what_breaks_it() {
    use Strategy::{OneForAll, OneForOne, RestForOne};
    for (rule, strategy, story) in [
        ("stop order", OneForOne, "c3 stops, c1 stops, c2 stops, app stops"),
        ("end after its children", OneForOne, "c3 stops, c2 stops, app stops, c1 stops"),
        (
            "stopped for a cause",
            OneForOne,
            "c3 stops, c3 built, c3 up, c3 stops, c2 stops, c1 stops, app stops",
        ),
        (
            "started for a cause",
            OneForOne,
            "c3 fails, c3 built, c3 up, c3 stops, c2 stops, c1 stops, app stops",
        ),
        ("down for a cause", OneForOne, "c3 fails, c3 restarts, quiet, c2 stops, c1 stops, app stops"),
        ("one restart for one failure", OneForOne, "c3 restarts, c3 stops, c2 stops, c1 stops, app stops"),
        (
            "restarts are counted",
            OneForOne,
            "c3 fails, c3 restarts, c3 built, c3 up, c3 fails, c3 restarts, c3 built, c3 up, c3 stops, c2 stops, c1 stops, app stops",
        ),
        (
            "who restarts together",
            OneForOne,
            "c3 fails, c3 restarts with c2, c3 built, c3 up, c3 stops, c2 stops, c1 stops, app stops",
        ),
        (
            "who restarts together",
            RestForOne,
            "c2 fails, c2 restarts, c2 built, c2 up, c3 stops, c2 stops, c1 stops, app stops",
        ),
        (
            "group restart order",
            OneForAll,
            "c2 fails, c2 restarts with c1 c3, c3 stops, c2 built, c1 stops, c1 built, c1 up, c2 up, c3 built, c3 up, c3 stops, c2 stops, c1 stops, app stops",
        ),
        (
            "start order",
            OneForAll,
            "c2 fails, c2 restarts with c1 c3, c3 stops, c1 stops, c1 built, c2 built, c1 up, c2 up, c3 built, c3 up, c3 stops, c2 stops, c1 stops, app stops",
        ),
        ("every life has an end", OneForOne, "c3 stops, c1 stops"),
    ] {
        let broken = broken(strategy, Restart::Permanent, story);
        assert!(broken.contains(&rule), "{rule}: {story}: {broken:?}");
    }
}
