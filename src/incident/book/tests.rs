//! Stories that are not told every day.

use super::*;
use crate::event::{Budget, Wait};

fn event(seq: u64, path: &str, kind: EventKind) -> Event {
    Event { seq, at: SystemTime::now(), path: TreePath::root(path), incarnation: 1, incident: None, kind }
}

fn failed(seq: u64, path: &str) -> Event {
    let lived = Duration::ZERO;
    event(
        seq,
        path,
        EventKind::Exited { reason: ExitReason::failed("x"), lived, lost: 0, message: None, kept: 0 },
    )
}

fn restarting(seq: u64, path: &str, siblings: &[&str]) -> Event {
    let wait = Wait { first: Duration::ZERO, doublings: 0, stretch: 1.0, cap: Duration::ZERO };
    let period = Duration::from_secs(5);
    let budget = Budget { used: 1, intensity: 3, period, frees_in: period };
    let siblings = siblings.iter().map(|path| TreePath::root(path)).collect();
    event(seq, path, EventKind::Restarting { delay: Duration::ZERO, wait, failures: 1, budget, siblings })
}

#[test]
fn failures_are_forgotten_in_time_whatever_comes_of_them() {
    let mut book = Book::default();
    (1..10_000).for_each(|seq| {
        let (path, open) = (format!("job-{seq}"), Open::default());
        book.note(&failed(seq * 2, &path), &open);
        book.note(&restarting(seq * 2 + 1, &path, &["sibling"]), &open);
    });
    assert_eq!((book.incidents.len(), book.of_groups.len()), (REMEMBERED, REMEMBERED));
}

#[test]
fn a_failure_of_long_ago_is_closed_without_harm() {
    let (mut book, early) = (Book::default(), Open::default());
    book.note(&failed(1, "early"), &early);
    for seq in 2..1_000 {
        book.note(&failed(seq, "other"), &Open::default());
    }
    book.note(&event(1_000, "early", EventKind::Started), &early);
    book.answered(&early);
    assert!(book.incidents().iter().all(|incident| incident.down.is_none() && incident.answered.is_none()));
}

#[test]
fn who_was_stopped_is_told_by_its_own_incident_whatever_failed_since() {
    let (mut book, a, other) = (Book::default(), Open::default(), Open::default());
    book.note(&failed(1, "a"), &a);
    book.note(&restarting(2, "a", &["b"]), &a);
    for seq in 3..9 {
        book.note(&failed(seq * 2, "other"), &other);
        book.note(&event(seq * 2 + 1, "other", EventKind::Started), &other);
    }
    let stopped = EventKind::Stopped { reason: ExitReason::Shutdown, took: Duration::ZERO };
    book.note(&event(30, "b", stopped), &Open::default());
    assert_eq!(book.incidents()[0].stopped[0].0, "b");
    assert!(book.incidents()[1..].iter().all(|incident| incident.stopped.is_empty()));
}

// ===== faults that end nobody, and what comes of things =====

fn injected(seq: u64, path: &str, fault: &str) -> Event {
    event(seq, path, EventKind::Injected(fault.parse().unwrap()))
}

/// A clerk says something of an order; with a full stop it is the last word.
#[derive(Debug)]
struct Said(Trouble, &'static str);

impl std::fmt::Display for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} is late", self.1)
    }
}

impl crate::Report for Said {
    fn consequence(&self) -> Option<Consequence> {
        let (of, matter) = (self.0.clone(), self.1.trim_end_matches('.').to_owned());
        Some(Consequence { of, matter, is_settled: self.1.ends_with('.') })
    }
}

fn said(seq: u64, of: &Trouble, matter: &'static str) -> Event {
    event(seq, "clerk", EventKind::Report(std::sync::Arc::new(Said(of.clone(), matter))))
}

fn child(path: &str) -> Trouble {
    Trouble::Child(TreePath::root(path))
}

/// Notes events, each of a child that has no incident open, and gives the numbers of their incidents.
fn noted(book: &mut Book, events: &[Event]) -> Vec<Option<u64>> {
    events.iter().map(|event| book.note(event, &Open::default())).collect()
}

#[test]
fn a_fault_of_its_own_has_to_do_with_the_first_matter_that_goes_wrong_and_with_no_other() {
    let mut book = Book::default();
    let a = child("a");
    let events = [
        said(1, &a, "one"),
        injected(2, "a", "cut"),
        said(3, &child("b"), "two"),
        said(4, &a, "three"),
        said(5, &a, "four"),
        said(6, &a, "three"),
        injected(7, "a", "cut"),
        said(8, &a, "three."),
        said(9, &a, "three"),
        said(10, &a, "five"),
    ];
    let of = noted(&mut book, &events);
    let what_was_settled_is_another_matter_now = Some(7);
    assert_eq!(of[..7], [None, Some(2), None, Some(2), None, Some(2), Some(7)]);
    assert_eq!(of[7..], [Some(2), what_was_settled_is_another_matter_now, None]);
    let told: Vec<_> = book.incidents().iter().map(|it| it.consequences.len()).collect();
    assert_eq!(told, [3, 1]);
    assert_eq!(book.incidents()[0].consequences[0].text, "three is late");
}

#[test]
fn of_several_faults_the_oldest_that_has_shown_nothing_yet_is_to_blame() {
    let mut book = Book::default();
    let a = child("a");
    let events = [
        injected(1, "a", "stall"),
        injected(2, "a", "cut"),
        said(3, &a, "one"),
        said(4, &a, "two"),
        said(5, &a, "three"),
        said(6, &a, "two"),
    ];
    assert_eq!(noted(&mut book, &events)[2..], [Some(1), Some(2), None, Some(2)]);
    (7..107).for_each(|seq| assert!(book.note(&injected(seq, "a", "cut"), &Open::default()).is_some()));
    assert_eq!(book.faults[&TreePath::root("a")].len(), SUSPECTS);
}

#[test]
fn a_fault_that_goes_on_has_to_do_with_all_that_goes_wrong_until_it_is_healed() {
    let mut book = Book::default();
    let a = child("a");
    let events = [
        injected(1, "a", "slow:1"),
        said(2, &a, "one"),
        said(3, &a, "two"),
        injected(4, "a", "heal"),
        said(5, &a, "three"),
        injected(6, "a", "heal"),
    ];
    assert_eq!(noted(&mut book, &events), [Some(1), Some(1), Some(1), Some(1), None, None]);
    assert!(book.incidents()[0].healed.is_some());
}

#[test]
fn a_fault_that_ends_its_life_is_one_story_with_that_end_and_one_that_was_over_is_another() {
    for (fault, told, stories) in
        [("trip", false, 1), ("trip", true, 2), ("slow:1", false, 2), ("fail", false, 1)]
    {
        let (mut book, open) = (Book::default(), Open::default());
        assert_eq!(book.note(&injected(1, "a", fault), &open), Some(1));
        if told {
            book.note(&said(2, &child("a"), "one"), &open);
        }
        let id = if stories == 1 { 1 } else { 3 };
        assert_eq!(book.note(&failed(3, "a"), &open), Some(id), "{fault}");
        assert_eq!(book.note(&restarting(4, "a", &[]), &open), Some(id));
        let incidents = book.incidents();
        assert_eq!(incidents.len(), stories, "{fault}");
        let last = incidents.last().unwrap();
        assert_eq!((last.injected.is_some(), last.reason.is_some()), (stories == 1, true));
    }
}

#[test]
fn a_normal_end_is_an_incident_only_if_it_was_put_there() {
    let normal = || {
        let lived = Duration::ZERO;
        EventKind::Exited { reason: ExitReason::Normal, lived, lost: 0, message: None, kept: 0 }
    };
    let (mut book, open) = (Book::default(), Open::default());
    book.note(&injected(1, "a", "stop"), &open);
    assert_eq!(book.note(&event(2, "a", normal()), &open), Some(1));
    assert_eq!(book.note(&event(3, "a", normal()), &open), None);
    assert_eq!(book.note(&restarting(4, "a", &[]), &open), None, "not the story of the end before it");
    assert_eq!(book.incidents().len(), 1);
}

#[test]
fn who_loses_its_thread_is_told_with_who_blocks_it() {
    let (mut book, open) = (Book::default(), Open::default());
    let displaced = EventKind::Stopped { reason: ExitReason::Killed(Kill::Displaced), took: Duration::ZERO };
    assert_eq!(book.note(&event(1, "b", displaced.clone()), &Open::default()), None, "who knows by whom");
    let blocked = ExitReason::Unresponsive { blocked: Duration::ZERO };
    let (lived, message) = (Duration::ZERO, None);
    book.note(&event(2, "a", EventKind::Exited { reason: blocked, lived, lost: 0, message, kept: 0 }), &open);
    assert_eq!(book.note(&event(3, "b", displaced.clone()), &Open::default()), Some(2));
    assert_eq!(book.incidents()[0].moved, ["b"]);
    book.note(&event(4, "a", EventKind::Started), &open);
    assert_eq!(book.note(&event(5, "b", displaced), &Open::default()), None, "that one is over");
}

#[test]
fn children_that_end_with_their_supervisor_are_in_its_story_whoever_is_told_of_first() {
    let (mut book, open) = (Book::default(), Open::default());
    let orphaned = |seq, path| {
        let reason = ExitReason::Killed(Kill::Orphaned);
        event(seq, path, EventKind::Stopped { reason, took: Duration::from_millis(seq) })
    };
    let life = |path| Trouble::Life { path: TreePath::root(path), incarnation: 1 };
    assert_eq!(
        noted(&mut book, &[orphaned(1, "app/old"), event(2, "app", EventKind::Started)]),
        [None, None]
    );
    assert_eq!(noted(&mut book, &[orphaned(3, "app/a"), orphaned(4, "other/a")]), [None, None]);
    assert_eq!(book.note(&failed(5, "app"), &open), Some(5));
    assert_eq!(noted(&mut book, &[orphaned(6, "app/b"), orphaned(7, "application")]), [Some(5), None]);
    let of = ["app/a", "app/b", "app/old", "other/a", "nobody"].map(|path| said(8, &life(path), "one"));
    assert_eq!(noted(&mut book, &of), [Some(5), Some(5), None, None, None]);
    let names: Vec<_> = book.incidents()[0].stopped.iter().map(|(path, _)| path.to_string()).collect();
    assert_eq!(names, ["app/a", "app/b"]);
}

#[test]
fn a_fault_that_strikes_life_after_life_names_the_last_that_it_ended() {
    let (mut book, open) = (Book::default(), Open::default());
    let deaf = || {
        let (lived, message) = (Duration::ZERO, None);
        EventKind::Exited { reason: ExitReason::Deaf { waited: lived }, lived, lost: 0, message, kept: 0 }
    };
    book.note(&injected(1, "a", "slow:3"), &open);
    assert_eq!(book.note(&event(2, "a", deaf()), &open), Some(1));
    let next = |seq, fault| Event { incarnation: 2, ..injected(seq, "a", fault) };
    book.note(&next(3, "slow:3"), &open);
    book.note(&next(4, "slow:4"), &open);
    let before: Vec<_> = book.incidents().iter().map(|it| it.before).collect();
    assert_eq!(before, [None, Some(1), None]);
    assert!(book.incidents()[1].to_string().contains("the same fault has ended an earlier life: incident 1"));
}

#[test]
fn what_comes_of_one_incident_is_told_up_to_a_bound_and_then_counted() {
    let mut book = Book::default();
    book.note(&failed(1, "a"), &Open::default());
    for seq in 2..102 {
        assert_eq!(noted(&mut book, &[said(seq, &Trouble::Incident(1), "one")]), [Some(1)]);
    }
    let incident = &book.incidents()[0];
    assert_eq!((incident.consequences.len(), incident.untold), (TOLD, 100 - TOLD as u64));
    assert!(incident.to_string().ends_with("\n    and 88 more"), "{incident}");
    assert_eq!(
        noted(&mut book, &[said(102, &Trouble::Incident(77), "one")]),
        [None],
        "nobody remembers that"
    );
}
