//! One run of a plan, from the start of the tree until nothing of it is left.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant, SystemTime};

use actix::{Arbiter, System};
use futures::future::FutureExt;
use latido::supervision::*;
use latido::testing::assert_all_down;
use latido::{Event, EventKind, TreePath};

use crate::garden::Garden;
use crate::notes::Note;
use crate::plan::{Act, How, MS, Plan};
use crate::probe::Child;
use crate::record::Record;
use crate::steps::{Outcome, Steps};

/// All that is known after a run.
pub(crate) struct Evidence {
    pub(crate) plan: Plan,
    pub(crate) events: Vec<Event>,
    pub(crate) outcome: Outcome,
    pub(crate) children: Vec<Arc<Child>>,
    pub(crate) wrongs: Vec<(TreePath, String)>,
    /// When all was quiet, and how it was from then on.
    pub(crate) quiet: Option<(SystemTime, Snapshot)>,
    /// At the end.
    pub(crate) end: Snapshot,
    /// What should not be there any more.
    pub(crate) left: Vec<String>,
}

/// `patience` is what those have who take their time to go.
pub(crate) fn run(plan: Plan, record: &Arc<Record>, patience: Duration) -> Evidence {
    System::new().block_on(whole(plan, record, patience))
}

async fn whole(plan: Plan, record: &Arc<Record>, patience: Duration) -> Evidence {
    let root_path = TreePath::root(&plan.root.name());
    let in_time = record.open(&root_path, "the start");
    let garden = Garden::new(record);
    let spec = garden.root(&plan.root);
    let record = record.clone();
    let apart = plan.conditions.apart.then(Arbiter::new);
    let (tree, events) = match &apart {
        None => begin(spec),
        Some(arbiter) => {
            let (tell, told) = tokio::sync::oneshot::channel();
            arbiter.spawn(async { drop(tell.send(begin(spec))) });
            told.await.expect("it starts")
        }
    };
    let writer = record.write_down(events);
    *record.tree.lock().unwrap() = Some(tree.clone());
    let paths = plan.nodes().into_iter().map(|(path, node)| (node.number, path)).collect();
    let mut steps = Steps::new(garden, &tree, paths);
    until_up(&record, plan.conditions.early).await;
    drop(in_time);

    for (_, step) in &plan.steps {
        steps.take(step).await;
    }
    let mut quiet = None;
    if plan.conditions.calm_end {
        let in_time = record.open(&root_path, "the calm before the end");
        quiet = calm(&mut steps, &record).await;
        drop(in_time);
    }
    let in_time = record.open(&root_path, "the stop");
    record.say(Note::Stops);
    tree.stop(plan.conditions.deadline).await;
    drop(in_time);
    let in_time = record.open(&root_path, "the end of what is left");
    let (garden, outcome) = steps.end().await;
    let children: Vec<_> = garden.all.0.write().unwrap().drain().map(|(_, child)| child).collect();
    drop(garden);
    let left = left(&tree, &children, &record, patience).await;
    writer.join().expect("it writes on");
    if let Some(arbiter) = apart {
        arbiter.stop();
        arbiter.join().expect("it ends");
    }
    drop(in_time);
    *record.tree.lock().unwrap() = None; // Its actors hold the record in turn.
    let events = std::mem::take(&mut *record.events.lock().unwrap());
    let wrongs = std::mem::take(&mut *record.wrongs.lock().unwrap());
    Evidence { plan, events, outcome, children, wrongs, quiet, end: tree.snapshot(), left }
}

fn begin(spec: SupervisorSpec) -> (Tree, latido::Events) {
    let tree = spec.start().expect("the spec is right");
    let events = tree.subscribe();
    (tree, events)
}

/// Until the root is up, or has ended. The early do not wait for the root, but for the scribe.
async fn until_up(record: &Record, early: bool) {
    let is_it = |event: &Event| {
        let is_news =
            matches!(event.kind, EventKind::Started | EventKind::Exited { .. } | EventKind::Stopped { .. });
        is_news && (event.path.depth() == 0 || early)
    };
    while !record.events.lock().unwrap().iter().any(is_it) {
        tokio::task::yield_now().await;
    }
}

/// Waits until all who can come up have, nobody hangs, and every question has its answer. `None` if the tree ended.
async fn calm(steps: &mut Steps, record: &Arc<Record>) -> Option<(SystemTime, Snapshot)> {
    loop {
        steps.calm().await;
        let before = steps.tree.snapshot();
        for child in &before.children {
            let number = child.path.name().strip_prefix('c').and_then(|number| number.parse().ok());
            // Faults that wait for a message strike, and who is deaf is found out.
            number.into_iter().for_each(|number| steps.send(number, &Act::Answer, How::Ask));
        }
        steps.calm().await;
        // Nothing is waited for: it only leaves the processor to those who still have something to do.
        actix::clock::sleep(MS).await;
        let taken = SystemTime::now();
        let after = steps.tree.snapshot();
        if after.children[0].state == ChildState::Finished || is_over(&after) {
            return None;
        }
        if is_settled(&after) && steps.tree.abandoned_threads() == 0 && lives(&before) == lives(&after) {
            steps.count();
            record.say(Note::Quiet);
            return Some((taken, after));
        }
    }
}

fn is_over(snapshot: &Snapshot) -> bool {
    let root = &snapshot.children[0];
    root.state == ChildState::Down && root.last_exit.is_some()
}

fn is_settled(snapshot: &Snapshot) -> bool {
    snapshot.children.iter().all(|child| match child.state {
        ChildState::Running | ChildState::Finished => true,
        // Below one that is down for good, some have never been up.
        ChildState::Down => child.path.parent().is_some_and(|parent| {
            snapshot.get(parent.as_str()).is_none_or(|parent| parent.state != ChildState::Running)
        }),
        _ => false,
    })
}

fn lives(snapshot: &Snapshot) -> Vec<(&TreePath, u64, ChildState)> {
    snapshot.children.iter().map(|child| (&child.path, child.incarnation, child.state)).collect()
}

/// Waits for a while until nothing is left, and says what is.
async fn left(tree: &Tree, children: &[Arc<Child>], record: &Record, patience: Duration) -> Vec<String> {
    let mut left = Vec::new();
    let since = Instant::now();
    let is_left = || {
        let alive = children.iter().any(|child| child.now.load(SeqCst) > 0);
        alive || tree.abandoned_threads() > 0 || record.messages.load(SeqCst) != 0
    };
    while is_left() && since.elapsed() < patience {
        tokio::task::yield_now().await;
    }
    for child in children.iter().filter(|child| child.now.load(SeqCst) > 0) {
        left.push(format!("{} {} times", child.path, child.now.load(SeqCst)));
    }
    if tree.abandoned_threads() > 0 {
        left.push(format!("{} threads that are still counted as left behind", tree.abandoned_threads()));
    }
    if record.messages.load(SeqCst) != 0 {
        left.push(format!("{} messages", record.messages.load(SeqCst)));
    }
    if let Some(scribe) = record.scribe.get()
        && scribe.alive() > 0
    {
        left.push(format!("{} children counted as alive", scribe.alive()));
    }
    if let Err(panic) = AssertUnwindSafe(assert_all_down(tree)).catch_unwind().await {
        left.extend(panic.downcast::<String>().map(|text| text.replace("left behind: ", "")));
    }
    left
}
