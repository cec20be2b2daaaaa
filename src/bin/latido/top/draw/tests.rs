use latido::control::wire::{Entry, Exit, Extra, FaultInfo, What};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent};

use super::*;
use crate::picture::Past;
use crate::picture::samples::{budget, event, happened, incident, instance, tree};
use crate::top::faults::Has;
use crate::top::keys::Order;

mod keys;

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
