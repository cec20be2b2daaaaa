//! What is broken on purpose, and when: a fixed order, told beforehand.

use latido::fault::{Fault, Injection, Rule};
use latido::supervision::Tree;
use latido::{Event, EventKind};

use crate::fetch::report::{JobReport, What};
use crate::view::Screen;

pub(super) struct Sabotage {
    acts: Vec<Act>,
}

/// One failure.
struct Act {
    /// Files that must be done before.
    after: usize,
    path: String,
    fault: Injection,
    words: &'static str,
}

impl Sabotage {
    /// One failure of each kind of actor, at moments and places that `random` chooses.
    pub(super) fn plan(random: &mut fastrand::Rng, downloaders: usize) -> Self {
        let downloader = format!("latido/downloaders/{}", random.usize(..downloaders));
        let plan = [
            (downloader, Fault::Panic.into(), "a downloader panics in the middle of a transfer"),
            (
                "latido/cpu".to_owned(),
                Fault::Panic.with(Rule::message(1)),
                "the CPU pool panics over a job it is handed",
            ),
            ("latido/heartbeat".to_owned(), Fault::Panic.into(), "the heartbeat daemon panics"),
            (
                "latido/exec/*".to_owned(),
                // Not at a message: one of them may be handed nothing more.
                Fault::Panic.into(),
                "those who run child processes panic, and the processes die with them",
            ),
            ("latido/ledger".to_owned(), Fault::Fail.into(), "the ledger, which owns every job, fails"),
        ];
        let mut after = 0;
        let acts = plan.into_iter().map(|(path, fault, words)| {
            after += random.usize(4..8);
            Act { after, path, fault, words }
        });
        Self { acts: acts.collect() }
    }

    pub(super) async fn carry_out(self, tree: Tree, screen: Screen) {
        let mut events = tree.subscribe();
        if events.until("latido", |event| matches!(event.kind, EventKind::Started)).await.is_some() {
            screen.line(format!("\n{}", tree.snapshot()));
        }
        let mut done = 0;
        for act in self.acts {
            while done < act.after {
                match events.next().await {
                    Some(event) => done += usize::from(is_done(&event)),
                    None => return,
                }
            }
            screen.line(format!(
                "\n  --- {done} files done; now {}: {}={} ---",
                act.words, act.path, act.fault.fault
            ));
            if let Err(error) = tree.inject(&act.path, act.fault) {
                log::error!("{error}");
            }
        }
    }
}

fn is_done(event: &Event) -> bool {
    event.report::<JobReport>().is_some_and(|report| matches!(report.what, What::Done { .. }))
}
