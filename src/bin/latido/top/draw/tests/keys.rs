//! What is on the screen after keys were pressed.

use super::*;

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
    assert!(screen(&mut view, 80, 24).contains("it would end all of it"));
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
