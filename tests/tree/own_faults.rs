//! Faults of an actor type's own.

use latido::EventKind;
use latido::fault::{Fault, Injection};
use latido::supervision::*;

use crate::support::*;

fn fault(text: &str) -> Injection {
    text.parse().unwrap()
}

fn forgetful(id: &str) -> ChildSpec<Probe> {
    child(id)
        .fault("forget", "it forgets what it was told", |probe: &mut Probe, _| probe.notes.clear())
        .fault_with("mark:NUMBER", "it is told a number", |probe: &mut Probe, number: u64, _| {
            probe.notes.push(number)
        })
        .fault("trip", "it trips", |_: &mut Probe, _| panic!("over its own feet"))
}

#[test]
fn a_fault_of_its_own_strikes_between_messages_or_at_one() {
    run(async {
        let probe = forgetful("probe");
        let addr = probe.addr();
        let tree = patient("app").child(probe).start().unwrap();
        let mut events = tree.subscribe();
        addr.send(note(1)).await.unwrap();
        tree.inject("app/probe", fault("mark:77")).unwrap();
        let told = |event: &latido::Event| matches!(&event.kind, EventKind::Injected(Fault::Own { .. }));
        let told = events.until("app/probe", told).await.unwrap();
        assert_eq!(told.to_string(), "app/probe #1 gets a fault on purpose: mark:77");
        assert_eq!(addr.send(note(2)).await.unwrap(), [1, 77, 2]);
        tree.inject("app/probe", fault("forget@2")).unwrap();
        assert_eq!(addr.send(note(3)).await.unwrap(), [1, 77, 2, 3]);
        assert_eq!(addr.send(note(4)).await.unwrap(), [4], "before that message");
        tree.inject("app/probe", fault("trip")).unwrap();
        started(&mut events, "app/probe", 2).await;
        let [mark, _, trip] = &tree.incidents()[..] else { panic!("{:?}", tree.incidents()) };
        assert!(mark.reason.is_none() && mark.to_string().contains("has not ended of it"), "{mark}");
        let story = trip.to_string();
        assert!(story.contains("over its own feet") && story.contains("on purpose: trip"), "{story}");
        tree.stop(SECOND).await;
    });
}

#[test]
fn what_a_part_understands_is_told_and_what_it_does_not_is_refused_with_that() {
    run(async {
        let tree = patient("app").child(forgetful("probe")).child(child("plain")).start().unwrap();
        let names = |path| {
            let faults = tree.faults(path).unwrap();
            faults.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let all: Vec<_> = Fault::all().iter().map(ToString::to_string).collect();
        assert_eq!(names("app/plain"), all);
        assert_eq!(names("app/probe")[all.len()..], ["forget", "mark:NUMBER", "trip"]);
        assert_eq!(names("app/*"), names("app/probe"));
        let own: Vec<_> =
            tree.snapshot().get("app/probe").unwrap().own_faults.iter().map(|own| own.name).collect();
        assert_eq!(own, ["forget", "mark", "trip"]);
        for (path, text, said) in [
            ("app/plain", "forget", "app/plain has no fault `forget`; it has panic, fail"),
            ("app/probe", "pannic", "mark:NUMBER, trip"),
            ("app/probe", "forget:3", "`forget:3` cannot be: nothing stands behind it; write forget"),
            ("app/probe", "mark", "`mark` cannot be: something is missing behind it; write mark:NUMBER"),
            ("app/probe", "mark:x", "`mark:x` cannot be: invalid digit found in string; write mark:NUMBER"),
            ("app", "trip", "app has no fault `trip`"),
        ] {
            let error = tree.inject(path, fault(text)).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
        assert_eq!(tree.inject("app/*", fault("forget")).unwrap(), 1, "those that have it");
        tree.stop(SECOND).await;
    });
}

#[test]
fn a_fault_whose_name_cannot_be_is_a_wrong_spec() {
    run(async {
        for name in ["panic", "Big", "", "two words", "same"] {
            let spec = child("probe").fault("same", "", |_, _| {}).fault(name, "", |_, _| {});
            let error = SupervisorSpec::new("app").child(spec).start().unwrap_err();
            assert!(matches!(&error, SpecError::BadFault { name: bad, .. } if bad == name), "{error}");
        }
    });
}

#[test]
fn a_spec_says_beforehand_whether_a_fault_can_be() {
    let spec = SupervisorSpec::new("app").child(forgetful("probe")).child(SupervisorSpec::new("inner"));
    assert_eq!(spec.check_injection("app/*", &fault("forget")).unwrap(), 1);
    assert_eq!(spec.check_injection("**", &fault("panic")).unwrap(), 3);
    for (path, text) in [("app/x", "panic"), ("app/inner", "drop:1"), ("app/probe", "mark:x")] {
        assert!(spec.check_injection(path, &fault(text)).is_err(), "{path} {text}");
    }
}

struct Till {
    drawer: Vec<u32>,
}

impl actix::Actor for Till {
    type Context = actix::Context<Self>;
}

/// As in docs/faults.md.
#[test]
fn the_lines_of_the_guide() {
    run(async {
        #[rustfmt::skip] // as it stands there
        let till = ChildSpec::new("till", || Till { drawer: vec![5, 10] })
            .fault("rob", "somebody empties the drawer", |till: &mut Till, _| till.drawer.clear())
            .fault_with("add:CENTS", "there is more in it than was paid", |till: &mut Till, cents: u32, _| {
                till.drawer.push(cents)
            });
        let tree = SupervisorSpec::new("shop").child(till).start().unwrap();
        assert_eq!(tree.inject("shop/till", fault("add:50@p=0.5,times=3")).unwrap(), 1);
        assert_eq!(tree.inject("shop/till", fault("rob")).unwrap(), 1);
        tree.stop(SECOND).await;

        let page = include_str!("../../docs/faults.md");
        let words = |text: &str| text.split_whitespace().collect::<String>();
        let code = page.split("```rust\n").nth(2).unwrap().split("```").next().unwrap();
        let (spec, _) = code.split_once("let tree").unwrap();
        assert!(words(include_str!("own_faults.rs")).contains(&words(spec)), "{spec}");
        for known in Fault::all() {
            assert!(page.contains(&format!("| `{known}` |")), "{known} is not in the table");
        }
    });
}
