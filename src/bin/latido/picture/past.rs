//! What is known of a program over time. It is bounded: what is oldest goes first.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use latido::control::wire::{Entry, Event, Extra, Incident, Instance, Tree};

use super::moment::{self, Picture};

/// How much memory the entries of a program that runs may take, in bytes, roughly: of the demo more than half
/// an hour.
pub(crate) const LIVE: usize = 64 << 20;
/// How much those of a recording may: all that its two files have room for takes less.
pub(crate) const RECORDED: usize = 512 << 20;

/// So many of the events that are worth a line are kept, whatever becomes of the others.
const NOTABLE: usize = 4_096;
/// As a door does.
const INCIDENTS: usize = 256;

/// Everything that is known, of one program or of several that ran one after the other.
#[derive(Debug)]
pub(crate) struct Past {
    runs: VecDeque<Run>,
    bytes: usize,
    limit: usize,
    /// When the last thing happened that is known of.
    last: f64,
}

/// One process from its start to its end.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) instance: Instance,
    pub(super) trees: VecDeque<Arc<Tree>>,
    pub(super) events: VecDeque<Arc<Event>>,
    pub(super) notable: VecDeque<Arc<Event>>,
    pub(super) incidents: BTreeMap<u64, Arc<Incident>>,
    pub(super) extras: VecDeque<Arc<Extra>>,
}

/// Whether an event is one of those that tell what becomes of the tree, and not of the work that it does.
pub(super) fn is_notable(event: &Event) -> bool {
    matches!(&*event.level, "error" | "warn" | "info") || event.incident.is_some()
}

impl Past {
    pub(crate) fn new(limit: usize) -> Self {
        Self { runs: VecDeque::new(), bytes: 0, limit, last: 0.0 }
    }

    /// Takes in what has happened. Of each kind the entries come in their order.
    pub(crate) fn push(&mut self, entry: Entry) {
        if let Entry::Instance(instance) = entry {
            // A file that was put aside and the next one begin with the same.
            if self.runs.back().is_none_or(|run| run.instance != instance) {
                self.runs.push_back(Run::new(instance));
            }
            return;
        }
        let Some(run) = self.runs.back_mut() else { return };
        match entry {
            Entry::Tree(tree) => {
                self.last = self.last.max(tree.at);
                self.bytes += tree_bytes(&tree);
                run.trees.push_back(Arc::new(tree));
            }
            // Whoever comes back hears again what it knows.
            Entry::Event(event) if run.events.back().is_none_or(|last| last.seq < event.seq) => {
                self.last = self.last.max(event.at);
                self.bytes += event_bytes(&event);
                let event = Arc::new(event);
                if is_notable(&event) {
                    run.notable.push_back(event.clone());
                    if run.notable.len() > NOTABLE {
                        run.notable.pop_front();
                    }
                }
                run.events.push_back(event);
            }
            Entry::Incident(incident) => {
                run.incidents.insert(incident.id, Arc::from(incident));
                if run.incidents.len() > INCIDENTS {
                    run.incidents.pop_first();
                }
            }
            Entry::Extra(extra) => {
                self.last = self.last.max(extra.at);
                self.bytes += extra_bytes(&extra);
                run.extras.push_back(Arc::new(extra));
            }
            _ => {}
        }
        self.shrink();
    }

    /// How it was at `at`: seconds since 1970.
    pub(crate) fn picture(&self, at: f64) -> Option<Picture> {
        let begun = |run: &&Run| run.first().is_some_and(|first| first <= at);
        let run = self
            .runs
            .iter()
            .rev()
            .find(begun)
            .or_else(|| self.runs.iter().find(|run| run.first().is_some()))?;
        Some(moment::picture(run, at.max(run.first()?)))
    }

    /// The time from the first picture to the last.
    pub(crate) fn span(&self) -> Option<(f64, f64)> {
        let first = self.runs.iter().find_map(Run::first)?;
        Some((first, self.last.max(first)))
    }

    /// When the next thing worth a line happened after `at`, or the last one before it.
    pub(crate) fn neighbour(&self, at: f64, is_next: bool) -> Option<f64> {
        /// Those of one moment are one step.
        const APART: f64 = 0.001;
        let mut times = self.runs.iter().flat_map(|run| run.notable.iter().map(|event| event.at));
        let (first, _) = self.span()?;
        match is_next {
            true => times.find(|time| *time > at + APART),
            false => times.filter(|time| *time < at - APART && *time >= first).max_by(f64::total_cmp),
        }
    }

    /// Who is shown.
    pub(crate) fn instance(&self) -> Option<&Instance> {
        self.runs.back().map(|run| &run.instance)
    }

    fn shrink(&mut self) {
        while self.bytes > self.limit {
            let is_last = self.runs.len() == 1;
            let Some(run) = self.runs.front_mut() else { return };
            match run.forget(is_last) {
                0 if is_last => return,
                0 => drop(self.runs.pop_front()),
                bytes => self.bytes -= bytes,
            }
        }
    }
}

impl Run {
    fn new(instance: Instance) -> Self {
        Self {
            instance,
            trees: VecDeque::new(),
            events: VecDeque::new(),
            notable: VecDeque::new(),
            incidents: BTreeMap::new(),
            extras: VecDeque::new(),
        }
    }

    /// Without a tree there is nothing to show.
    fn first(&self) -> Option<f64> {
        self.trees.front().map(|tree| tree.at)
    }

    /// Lets go of what is oldest; the last tree of the last run stays. Answers how many bytes that were.
    fn forget(&mut self, is_last: bool) -> usize {
        let next = |at: Option<f64>| at.unwrap_or(f64::INFINITY);
        let tree = if is_last { self.trees.get(1) } else { self.trees.front() };
        let tree = next(tree.map(|tree| tree.at));
        let event = next(self.events.front().map(|event| event.at));
        let extra = if is_last { self.extras.get(1) } else { self.extras.front() };
        let extra = next(extra.map(|extra| extra.at));
        if event.is_finite() && event <= tree && event <= extra {
            self.events.pop_front().map_or(0, |event| event_bytes(&event))
        } else if tree.is_finite() && tree <= extra {
            self.trees.pop_front().map_or(0, |tree| tree_bytes(&tree))
        } else if extra.is_finite() {
            self.extras.pop_front().map_or(0, |extra| extra_bytes(&extra))
        } else {
            0
        }
    }
}

fn tree_bytes(tree: &Tree) -> usize {
    let child = |child: &latido::control::wire::Child| {
        let exit = child.last_exit.as_ref().map_or(0, |exit| exit.kind.len() + exit.text.len());
        size_of_val(child) + child.path.len() + child.kind.len() + exit + 64
    };
    size_of::<Tree>() + tree.children.iter().map(child).sum::<usize>()
}

fn event_bytes(event: &Event) -> usize {
    // Most of what it has beside is in the text too.
    size_of::<Event>() + event.path.len() + 2 * event.text.len() + 64
}

fn extra_bytes(extra: &Extra) -> usize {
    // A map in memory is several times as long as its words.
    size_of::<Extra>() + 4 * extra.value.to_string().len() + 64
}

#[cfg(test)]
mod tests {
    use super::super::samples::{event, instance, tree};
    use super::*;

    #[test]
    fn no_more_is_kept_than_there_is_room_for_and_the_oldest_goes_first() {
        let mut past = Past::new(100_000);
        past.push(Entry::Instance(instance(1)));
        for n in 0..2_000_u32 {
            let at = f64::from(n);
            past.push(Entry::Tree(tree(at, u64::from(n), &[("app", 1), ("app/one", 1)])));
            past.push(Entry::Event(event(u64::from(n) + 1, at + 0.5, "app/one", "debug")));
        }
        assert!(past.bytes <= 100_000, "{}", past.bytes);
        let run = &past.runs[0];
        let bytes = run.trees.iter().map(|tree| tree_bytes(tree)).sum::<usize>()
            + run.events.iter().map(|event| event_bytes(event)).sum::<usize>();
        assert_eq!(bytes, past.bytes);
        let (first, last) = past.span().unwrap();
        assert!(first > 1_800.0 && last == 1_999.5, "{first} to {last}");
        assert!((run.events[0].at - first).abs() < 2.0, "{} and {first}", run.events[0].at);
    }

    #[test]
    fn noise_does_not_drive_out_what_is_worth_a_line() {
        let mut past = Past::new(50_000);
        past.push(Entry::Instance(instance(1)));
        past.push(Entry::Event(event(1, 0.0, "app/one", "warn")));
        for n in 1..2_000_u32 {
            past.push(Entry::Tree(tree(f64::from(n), u64::from(n), &[("app", 1)])));
            past.push(Entry::Event(event(u64::from(n) + 1, f64::from(n), "app/one", "debug")));
        }
        assert_eq!(past.runs[0].notable[0].seq, 1);
        assert!(past.runs[0].events[0].seq > 1_000);
    }

    #[test]
    fn a_program_that_was_started_anew_is_another_run_and_the_head_of_a_file_is_not() {
        let mut past = Past::new(LIVE);
        for (pid, at) in [(1, 1.0), (1, 2.0), (2, 3.0)] {
            past.push(Entry::Instance(instance(pid)));
            past.push(Entry::Tree(tree(at, 0, &[("app", u64::from(pid))])));
        }
        assert_eq!(past.runs.len(), 2);
        assert_eq!(past.picture(2.5).unwrap().instance.pid, 1);
        assert_eq!(past.picture(3.0).unwrap().instance.pid, 2);
        assert_eq!(past.picture(0.0).unwrap().at, 1.0, "nothing is known of what was before");
    }

    #[test]
    fn one_goes_from_event_to_event_that_is_worth_a_line() {
        let mut past = Past::new(LIVE);
        past.push(Entry::Instance(instance(1)));
        past.push(Entry::Tree(tree(1.0, 0, &[("app", 1)])));
        for (seq, at, level) in [(1, 2.0, "warn"), (2, 2.5, "debug"), (3, 3.0, "info")] {
            past.push(Entry::Event(event(seq, at, "app/one", level)));
        }
        let steps = [(1.0, true), (2.0, true), (3.0, true), (3.0, false), (2.0, false)];
        let found = steps.map(|(at, is_next)| past.neighbour(at, is_next));
        assert_eq!(found, [Some(2.0), Some(3.0), None, Some(2.0), None]);
    }
}
