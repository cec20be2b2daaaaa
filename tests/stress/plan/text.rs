//! A plan as text, for whoever has to understand a failure.

use std::fmt;

use latido::supervision::*;

use super::tree::{Kind, NodePlan, Place};
use super::{Plan, Step};

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let c = self.conditions;
        let thread =
            if c.apart { "on a thread of its own" } else { "on the thread of whoever takes the steps" };
        let begin = if c.early { "before it is up" } else { "once it is up" };
        writeln!(f, "the tree runs {thread}; the steps begin {begin}; it may take {:?} to stop", c.deadline)?;
        draw(f, &self.root, 1)?;
        for (number, step) in &self.steps {
            write!(f, "  step {number}: ")?;
            match step {
                Step::Start { below, child } => {
                    writeln!(f, "Start below s{below}:")?;
                    draw(f, child, 3)?;
                }
                step => writeln!(f, "{step:?}")?,
            }
        }
        Ok(())
    }
}

fn draw(f: &mut fmt::Formatter<'_>, node: &NodePlan, depth: usize) -> fmt::Result {
    writeln!(f, "{:indent$}{}: {}", "", node.name(), traits(node).join(", "), indent = 2 * depth)?;
    node.children().iter().try_for_each(|child| draw(f, child, depth + 1))
}

/// What is not as it is by default.
fn traits(node: &NodePlan) -> Vec<String> {
    let mut traits = vec![format!("{:?}", node.restart).to_lowercase()];
    let mut say = |text: String| traits.push(text);
    match &node.kind {
        Kind::Supervisor(spec) => {
            say(if spec.dynamic { "dynamic".to_owned() } else { format!("{:?}", spec.strategy) });
            spec.intensity.into_iter().for_each(|intensity| say(format!("at most {intensity} restarts")));
            spec.max_children.into_iter().for_each(|max| say(format!("at most {max} children")));
            if spec.auto_shutdown != AutoShutdown::Never {
                say(format!("{:?} ends it", spec.auto_shutdown));
            }
        }
        Kind::Worker(worker) => {
            if worker.watched {
                say("watched".to_owned());
            }
            if worker.listens {
                say("with a limit for messages".to_owned());
            }
            worker
                .bound
                .into_iter()
                .for_each(|(count, overflow)| say(format!("room for {count}, {overflow:?}")));
        }
    }
    match node.place {
        Place::Same => {}
        Place::Own => say("thread of its own".to_owned()),
        Place::Shared(set) => say(format!("thread of set {set}")),
    }
    if node.shutdown != Shutdown::Infinity {
        say(format!("shutdown {:?}", node.shutdown));
    }
    if node.backoff != Backoff::NONE {
        say("with a backoff".to_owned());
    }
    if node.significant {
        say("significant".to_owned());
    }
    traits
}
