use latido::control::wire::{Entry, Exit, Extra, FaultInfo, What};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent};

use super::*;
use crate::picture::Past;
use crate::picture::samples::{budget, event, happened, incident, instance, tree};
use crate::top::faults::Has;
use crate::top::keys::Order;

/// What is on a screen of this size.
fn screen(view: &mut View, width: u16, height: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(frame, view)).unwrap();
    terminal
        .backend()
        .to_string()
        .lines()
        .map(|line| line.trim_matches('"').trim_end().to_owned() + "\n")
        .collect()
}

/// Compares with the file of that name. To change the files: `LATIDO_WRITE_SCREENS=1 cargo test`, then look at them.
#[track_caller]
fn is_screen(name: &str, shown: &str) {
    let path = format!("{}/src/bin/latido/top/draw/screens/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("LATIDO_WRITE_SCREENS").is_some() {
        std::fs::write(&path, shown).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap();
    assert!(shown == expected, "shown:\n{shown}\nexpected:\n{expected}");
}

const PARTS: [(&str, u64); 6] = [
    ("app", 1),
    ("app/heartbeat", 1),
    ("app/ledger", 1),
    ("app/pool", 1),
    ("app/pool/0", 1),
    ("app/pool/1", 1),
];

fn past(entries: impl IntoIterator<Item = Entry>) -> Past {
    let mut past = Past::new(64 << 20);
    past.push(Entry::Instance(instance(4711)));
    entries.into_iter().for_each(|entry| past.push(entry));
    past
}

/// A view at this moment.
fn view(entries: impl IntoIterator<Item = Entry>, at: f64) -> View {
    let mut view = View::live(past(entries), true);
    view.look(at);
    view
}

fn press(view: &mut View, code: KeyCode) -> Option<Order> {
    let order = view.press(KeyEvent::from(code));
    view.look(100.0);
    order
}

fn normal() -> Vec<Entry> {
    let mut before = tree(99.0, 1, &PARTS);
    before.children[4].messages.handled = 100;
    let mut now = tree(100.0, 1, &PARTS);
    now.children[4].messages.handled = 123;
    now.children[4].messages.queued = 7;
    let jobs = serde_json::json!({"total": 40, "queued": 12, "fetching": 4, "verifying": 0, "processing": 1, "done": 23,
        "failed": 0, "bytes": 36_700_160});
    vec![
        Entry::Tree(before),
        Entry::Tree(now),
        Entry::Event(event(1, 98.0, "app/pool/0", "info")),
        Entry::Extra(Extra { name: "jobs".to_owned(), at: 99.0, value: jobs }),
    ]
}

fn failing() -> Vec<Entry> {
    let exit = || Exit {
        kind: "panicked".to_owned(),
        text: "panicked: injected fault at src/fault.rs:44:28".to_owned(),
    };
    let mut entries = normal();
    let level = |level: &str, event| latido::control::wire::Event { level: level.to_owned(), ..event };
    entries.extend([
        Entry::Event(level(
            "warn",
            happened(2, 99.5, "app/pool/0", 1, What::Injected { fault: "panic".to_owned() }),
        )),
        Entry::Event(level(
            "warn",
            happened(
                3,
                100.1,
                "app/pool/0",
                1,
                What::Exited { reason: exit(), lived: 2.0, lost: 1, message: None, kept: 7 },
            ),
        )),
        Entry::Event(level(
            "warn",
            happened(
                4,
                100.2,
                "app/pool/0",
                1,
                What::Restarting {
                    delay: 0.5,
                    wait: "500ms".to_owned(),
                    failures: 1,
                    budget: budget(1),
                    siblings: vec![],
                },
            ),
        )),
        Entry::Incident(incident(3, 100.1, "app/pool/0")),
    ]);
    entries
}

#[test]
fn a_tree_in_which_all_is_well() {
    is_screen("normal", &screen(&mut view(normal(), 100.0), 80, 24));
}

#[test]
fn a_part_that_has_failed_and_waits() {
    let mut view = view(failing(), 100.3);
    is_screen("failing", &screen(&mut view, 80, 24));
    press(&mut view, KeyCode::Char('w'));
    view.look(100.3);
    is_screen("why", &screen(&mut view, 80, 24));
}

#[test]
fn a_supervisor_that_has_given_up() {
    let mut entries = failing();
    let reason = Exit { kind: "panicked".to_owned(), text: "panicked: oh".to_owned() };
    let what = What::GaveUp { child: "app/pool/0".to_owned(), reason, budget: budget(6) };
    let gave_up = happened(5, 100.3, "app/pool", 1, what);
    entries.push(Entry::Event(latido::control::wire::Event { level: "error".to_owned(), ..gave_up }));
    let mut view = view(entries, 100.4);
    view.selected = Some("app/pool".to_owned());
    is_screen("giving_up", &screen(&mut view, 80, 24));
}

#[test]
fn a_wide_screen_tells_the_story_beside_the_tree() {
    is_screen("wide", &screen(&mut view(failing(), 100.3), 140, 20));
}

#[test]
fn of_a_thousand_children_those_around_the_chosen_one_are_shown() {
    let names: Vec<String> = (0..1_000).map(|n| format!("app/{n}")).collect();
    let mut children = vec![("app", 1)];
    children.extend(names.iter().map(|name| (&**name, 1)));
    let mut view = view([Entry::Tree(tree(100.0, 0, &children))], 100.0);
    for _ in 0..50 {
        press(&mut view, KeyCode::PageDown);
    }
    let shown = screen(&mut view, 80, 24);
    assert!(shown.contains(">  500"), "{shown}");
    assert!(shown.contains("1000/1000 parts up"), "{shown}");
    press(&mut view, KeyCode::Char('/'));
    "99".chars().for_each(|c| drop(press(&mut view, KeyCode::Char(c))));
    let shown = screen(&mut view, 80, 24);
    for part in [">  99 ", "   199 ", "   299 ", " /99_"] {
        assert!(shown.contains(part), "{part:?} is not in\n{shown}");
    }
    assert!(!shown.contains("500"), "{shown}");
    press(&mut view, KeyCode::Esc);
    assert!(screen(&mut view, 80, 24).contains("   98 "));
}

#[test]
fn names_of_any_length_and_what_they_say_to_the_terminal_stay_in_their_place() {
    let long = "app/".to_owned() + &"very-long-name-".repeat(20);
    let rude = "app/\u{1b}[2Jred\u{7}".to_owned();
    let entries = || {
        let mut shown = event(1, 100.0, &long, "warn");
        shown.text = "\u{1b}[31m".to_owned() + &"word ".repeat(300) + "\n\nlast";
        let children = [("app", 1), (&*long, 123_456), (&*rude, 1)];
        [Entry::Tree(tree(100.0, 0, &children)), Entry::Event(shown)]
    };
    for (width, height) in [(80, 24), (200, 60), (40, 10), (39, 9), (1, 1), (65, 11), (120, 10)] {
        let mut view = view(entries(), 100.0);
        for mode in [KeyCode::Char('?'), KeyCode::Char('w'), KeyCode::Char('i'), KeyCode::Char('/')] {
            press(&mut view, KeyCode::Esc);
            press(&mut view, mode);
            let shown = screen(&mut view, width, height);
            assert!(!shown.contains(['\u{1b}', '\u{7}']), "{shown}");
        }
    }
    let shown = screen(&mut view(entries(), 100.0), 80, 24);
    assert!(shown.contains("very-long-name-very-long-n..") && shown.contains("\\u{1b}[2Jred"), "{shown}");
}

#[test]
fn without_colour_the_words_are_the_same() {
    let mut plain = View::live(past(failing()), false);
    plain.look(100.3);
    let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
    terminal.draw(|frame| draw(frame, &mut plain)).unwrap();
    let is_plain = |cell: &ratatui::buffer::Cell| {
        cell.fg == ratatui::style::Color::Reset && cell.bg == ratatui::style::Color::Reset
    };
    assert!(terminal.backend().buffer().content().iter().all(is_plain));
    is_screen("failing", &screen(&mut plain, 80, 24));
}

#[test]
fn no_ground_is_ever_coloured_so_that_light_and_dark_terminals_can_show_it() {
    let mut terminal = Terminal::new(TestBackend::new(140, 30)).unwrap();
    let mut view = view(failing(), 100.3);
    for code in ['?', 'w', 'i', 's', ' '] {
        press(&mut view, KeyCode::Char(code));
        terminal.draw(|frame| draw(frame, &mut view)).unwrap();
        use ratatui::style::Color::{Black, Reset, White};
        let is_safe = |cell: &ratatui::buffer::Cell| cell.bg == Reset && ![Black, White].contains(&cell.fg);
        assert!(terminal.backend().buffer().content().iter().all(is_safe), "{code}");
        press(&mut view, KeyCode::Esc);
    }
}

#[test]
fn the_past_is_shown_and_nothing_can_be_done_to_it() {
    let mut view = view(failing(), 100.3);
    let before: Vec<_> = (0..3)
        .map(|_| {
            press(&mut view, KeyCode::Char('['));
            view.at.unwrap()
        })
        .collect();
    assert_eq!(before, [100.2, 100.1, 99.5]);
    let shown = screen(&mut view, 80, 24);
    assert!(shown.contains("PAUSED 00:01:39.500, 700ms ago"), "{shown}");
    assert!(!shown.contains("waiting"), "{shown}");
    assert_eq!(press(&mut view, KeyCode::Char('p')), None);
    assert!(screen(&mut view, 80, 24).contains("this is the past: End goes back to now"));
    press(&mut view, KeyCode::End);
    assert_eq!(view.at, None);
    let order = press(&mut view, KeyCode::Char('p'));
    assert!(
        matches!(order, Some(Order::Inject(inject)) if inject.path == "app/pool/0" && inject.fault == "panic")
    );
}

#[test]
fn a_recording_plays_stands_still_and_is_gone_through() {
    let mut view = View::recording(past(failing()), "run".to_owned(), true);
    view.look(5_000.0);
    assert!(
        screen(&mut view, 100, 24).contains("PLAYS 00:01:39.000, 0.0s of 1.2s"),
        "{}",
        screen(&mut view, 100, 24)
    );
    view.pass(0.6);
    view.look(5_000.0);
    assert_eq!((view.at, view.plays), (Some(99.6), true));
    press(&mut view, KeyCode::Char(' '));
    view.pass(60.0);
    assert_eq!((view.at, view.plays), (Some(99.6), false));
    press(&mut view, KeyCode::End);
    assert!(screen(&mut view, 100, 24).contains("waiting"));
    press(&mut view, KeyCode::Char('i'));
    assert!(screen(&mut view, 100, 24).contains("nothing can be done to it"));
    press(&mut view, KeyCode::Char(' '));
    assert_eq!((view.at, view.plays), (Some(99.0), true), "from the beginning again");
    view.pass(60.0);
    assert_eq!((view.at, view.plays), (Some(100.2), false), "to its end");
}

#[test]
fn what_is_not_allowed_is_said_with_how_to_allow_it() {
    let mut past = Past::new(1 << 20);
    past.push(Entry::Instance(latido::control::wire::Instance { actions: false, ..instance(1) }));
    normal().into_iter().for_each(|entry| past.push(entry));
    let mut view = View::live(past, true);
    view.look(100.0);
    for key in ['p', 'i', 'r', 's'] {
        assert_eq!(press(&mut view, KeyCode::Char(key)), None);
        assert!(screen(&mut view, 80, 24).contains("start that program with --allow-actions"), "{key}");
    }
}

#[test]
fn a_stop_is_asked_about_and_the_root_is_not_broken_by_one_key() {
    let mut view = view(normal(), 100.0);
    press(&mut view, KeyCode::Char('s'));
    assert!(screen(&mut view, 80, 24).contains("stop app/pool/0, until it is restarted? y does it"));
    assert_eq!(press(&mut view, KeyCode::Char('n')), None);
    press(&mut view, KeyCode::Char('s'));
    assert_eq!(press(&mut view, KeyCode::Char('y')), Some(Order::Stop("app/pool/0".to_owned())));
    press(&mut view, KeyCode::PageUp);
    assert_eq!(press(&mut view, KeyCode::Char('p')), None);
    assert!(screen(&mut view, 80, 24).contains("that would end all of it"));
    press(&mut view, KeyCode::Down);
    assert!(matches!(press(&mut view, KeyCode::Char('i')), Some(Order::AskFaults(_))));
    press(&mut view, KeyCode::End);
    "block:2@7".chars().for_each(|c| drop(press(&mut view, KeyCode::Char(c))));
    let order = press(&mut view, KeyCode::Enter);
    assert!(matches!(order, Some(Order::Inject(it)) if it.fault == "block:2@7"));
}

#[test]
fn the_faults_that_a_part_has_are_offered_as_soon_as_they_are_known_and_the_choice_stays() {
    let fault = |usage: &str, example: Option<&str>| FaultInfo {
        usage: usage.to_owned(),
        says: format!("says of {usage}"),
        example: example.map(ToOwned::to_owned),
    };
    let has = |path: &str, faults: Vec<FaultInfo>| Has { path: path.to_owned(), faults };
    let own = [fault("cut", None), fault("signal:NAME", Some("signal:KILL")), fault("leak:BYTES", None)];
    let mut view = view(normal(), 100.0);
    press(&mut view, KeyCode::Char('i'));
    assert!(screen(&mut view, 80, 24).contains("drop:3"), "what every part has");
    (0..3).for_each(|_| drop(press(&mut view, KeyCode::Down)));
    view.hear_faults(has("app/other", own.to_vec()));
    assert!(!screen(&mut view, 80, 24).contains("signal"));
    view.hear_faults(has(
        "app/pool/0",
        [&own[..1], &[fault("block:SECONDS", Some("block:3"))], &own[1..]].concat(),
    ));
    assert!(screen(&mut view, 80, 24).contains("signal:KILL  says of signal:NAME"));
    let order = press(&mut view, KeyCode::Enter);
    assert!(matches!(order, Some(Order::Inject(it)) if it.fault == "block:3"));

    let many = (0..40).map(|n| fault(&format!("own-{n}"), None)).chain(own[2..].to_vec());
    view.hear_faults(has("app/pool/0", many.collect()));
    assert_eq!(press(&mut view, KeyCode::Char('i')), Some(Order::AskFaults("app/pool/0".to_owned())));
    press(&mut view, KeyCode::End);
    press(&mut view, KeyCode::Up);
    let shown = screen(&mut view, 80, 24);
    assert!(shown.contains("leak:BYTES") && !shown.contains("own-0 "), "{shown}");
    assert_eq!(press(&mut view, KeyCode::Enter), None, "nobody has said how many");
    "64".chars().for_each(|c| drop(press(&mut view, KeyCode::Char(c))));
    assert!(screen(&mut view, 80, 24).contains("leak:64_"));
    let order = press(&mut view, KeyCode::Enter);
    assert!(matches!(order, Some(Order::Inject(it)) if it.fault == "leak:64"));
}

#[test]
fn what_the_filter_hides_is_not_broken() {
    let mut view = view(normal(), 100.0);
    press(&mut view, KeyCode::Char('/'));
    "zzz".chars().for_each(|c| drop(press(&mut view, KeyCode::Char(c))));
    press(&mut view, KeyCode::Enter);
    assert_eq!(press(&mut view, KeyCode::Char('p')), None);
    assert!(screen(&mut view, 80, 24).contains("no part has `zzz` in its path; esc shows all of them"));
    press(&mut view, KeyCode::Esc);
    assert!(matches!(press(&mut view, KeyCode::Char('p')), Some(Order::Inject(_))));
}

#[test]
fn a_part_whose_messages_are_held_says_so_and_the_choice_of_faults_is_a_circle() {
    let mut entries = normal();
    for entry in &mut entries {
        if let Entry::Tree(tree) = entry {
            tree.children[4].paused = true;
        }
    }
    let mut view = view(entries, 100.0);
    assert!(screen(&mut view, 80, 24).contains("0        paused"), "{}", screen(&mut view, 80, 24));
    press(&mut view, KeyCode::Char('i'));
    press(&mut view, KeyCode::Up);
    "fail".chars().for_each(|c| drop(press(&mut view, KeyCode::Char(c))));
    let Some(Order::Inject(inject)) = press(&mut view, KeyCode::Enter) else { panic!("it is put in") };
    assert_eq!(inject.fault, "fail");
    press(&mut view, KeyCode::Char('i'));
    press(&mut view, KeyCode::Char('f'));
    assert!(screen(&mut view, 80, 24).contains("f_"), "{}", screen(&mut view, 80, 24));
}
