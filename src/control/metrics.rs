//! The tree as [Prometheus](https://prometheus.io/docs/instrumenting/exposition_formats/) reads it.

use std::fmt::{self, Write};

use super::wire::{Child, State, Tree};

pub(super) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Name, type, help, and what it is of a child; `None` where it has none.
type Metric = (&'static str, &'static str, &'static str, fn(&Child) -> Option<f64>);

const OF_A_CHILD: [Metric; 9] = [
    ("latido_child_up", "gauge", "1 while the child is up", |child| {
        Some(f64::from(u8::from(child.state == State::Running)))
    }),
    (
        "latido_child_incarnations_total",
        "counter",
        "Lives of the child; all but the first are restarts",
        |child| Some(child.incarnation as f64),
    ),
    ("latido_child_messages_received_total", "counter", "Messages that arrived", |child| {
        Some(child.messages.received as f64)
    }),
    ("latido_child_messages_handled_total", "counter", "Messages whose handler returned", |child| {
        Some(child.messages.handled as f64)
    }),
    ("latido_child_messages_lost_total", "counter", "Messages in hand when the child failed", |child| {
        Some(child.messages.lost as f64)
    }),
    ("latido_child_messages_dropped_total", "counter", "Messages that nobody handled", |child| {
        Some(child.messages.dropped as f64)
    }),
    ("latido_child_messages_queued", "gauge", "Messages that wait", |child| {
        Some(child.messages.queued as f64)
    }),
    ("latido_supervisor_restarts_used", "gauge", "Restarts within the supervisor's period", |child| {
        child.supervisor.as_ref().map(|supervisor| f64::from(supervisor.budget.used))
    }),
    (
        "latido_supervisor_restarts_allowed",
        "gauge",
        "Restarts that the supervisor allows in its period",
        |child| child.supervisor.as_ref().map(|supervisor| f64::from(supervisor.budget.intensity)),
    ),
];

pub(super) fn text(tree: &Tree) -> String {
    let mut text = String::new();
    write_all(tree, &mut text).expect("text takes all");
    text
}

fn write_all(tree: &Tree, to: &mut impl Write) -> fmt::Result {
    for (name, kind, help, value) in OF_A_CHILD {
        writeln!(to, "# HELP {name} {help}\n# TYPE {name} {kind}")?;
        for child in &tree.children {
            if let Some(value) = value(child) {
                writeln!(to, "{name}{{path=\"{}\"}} {value}", escaped(&child.path))?;
            }
        }
    }
    for (name, kind, help, value) in [
        (
            "latido_abandoned_threads",
            "gauge",
            "Threads that blocked actors were left behind on",
            tree.abandoned_threads as f64,
        ),
        ("latido_events_total", "counter", "Events of the tree", tree.seq as f64),
    ] {
        writeln!(to, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}")?;
    }
    Ok(())
}

fn escaped(label: &str) -> String {
    label.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::wire::Messages;

    #[test]
    fn a_child_has_a_line_in_each_metric_that_is_its_own() {
        let child = Child {
            path: "app/a\"b\\\n".to_owned(),
            kind: "A".to_owned(),
            state: State::Running,
            incarnation: 3,
            last_exit: None,
            messages: Messages { received: 1 << 40, queued: 2, ..Messages::default() },
            supervisor: None,
            paused: false,
            draining: false,
            armed: Vec::new(),
            own_faults: Vec::new(),
        };
        let text = text(&Tree { at: 0.0, seq: 7, abandoned_threads: 1, children: vec![child] });
        let label = r#"{path="app/a\"b\\\n"}"#;
        for line in [
            format!("latido_child_up{label} 1"),
            format!("latido_child_incarnations_total{label} 3"),
            format!("latido_child_messages_received_total{label} 1099511627776"),
            format!("latido_child_messages_queued{label} 2"),
            "latido_abandoned_threads 1".to_owned(),
            "latido_events_total 7".to_owned(),
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
        assert!(!text.contains("latido_supervisor_restarts_used{"), "it is no supervisor");
        assert!(text.lines().all(|line| line.starts_with("# ") || line.starts_with("latido_")), "{text}");
    }
}
