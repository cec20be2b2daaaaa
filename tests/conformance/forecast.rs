//! Forecasts, held against what really happens.

use std::time::Duration;

use latido::ExitReason;
use latido::supervision::*;
use tokio::time::Instant;

use crate::kit::*;

fn exponential(from: u32, to: u32) -> Backoff {
    Backoff::exponential(from * SECOND, to * SECOND)
}

fn sup(id: &str, intensity: u32, period: u32) -> SupervisorSpec {
    SupervisorSpec::new(id).intensity(intensity, period * SECOND)
}

#[test]
fn a_crash_loop_makes_as_many_restarts_and_takes_as_long_as_forecast() {
    type Levels = fn(ChildSpec<Probe>) -> SupervisorSpec;
    let trees: [(Levels, u64, u32); 9] = [
        (|a| sup("app", 3, 5).child(a), 3, 0),
        (|a| sup("app", 0, 5).child(a), 0, 0),
        (|a| sup("app", 5, 20).child(a.backoff(exponential(1, 4))), 5, 1 + 2 + 4 + 4 + 4),
        // One failure too many takes exactly the period.
        (|a| sup("app", 5, 15).child(a.backoff(exponential(1, 4))), 5, 15),
        // Starts over after each life, however short.
        (|a| sup("app", 4, 20).child(a.backoff(exponential(2, 60).reset_after(Duration::ZERO))), 4, 8),
        (|a| sup("app", 2, 5).child(sup("in", 3, 5).child(a)), 3 * 4 - 1, 0),
        (|a| sup("app", 1, 5).child(sup("in", 2, 5).child(sup("in", 3, 5).child(a))), 2 * 3 * 4 - 1, 0),
        (
            |a| {
                sup("app", 2, 60)
                    .child(sup("in", 2, 5).backoff(exponential(1, 2)).child(a.backoff(exponential(1, 4))))
            },
            // Three lives of three seconds, with one and two between them; a life of two starts the backoff over.
            3 * 3 - 1,
            3 * 3 + 1 + 1,
        ),
        // The worst of several.
        (
            |a| {
                sup("app", 2, 60)
                    .child(child("x").restart(Restart::Temporary))
                    .child(sup("in", 2, 5).child(a))
            },
            3 * 3 - 1,
            0,
        ),
    ];
    for (nth, (levels, restarts, seconds)) in trees.into_iter().enumerate() {
        run_in_virtual_time(async move {
            let (spec, lives) = crashing("a");
            let tree = levels(spec);
            let forecast = tree.forecast();
            let takes = seconds * SECOND;
            assert_eq!((forecast.restarts, forecast.gives_up_after), (Some(restarts), Some(takes)), "{nth}");
            assert_eq!(forecast.worst.as_ref().unwrap().name(), "a");
            let begin = Instant::now();
            assert!(matches!(tree.start().unwrap().join().await, ExitReason::GaveUp { .. }));
            assert_eq!(lives.ever() as u64 - 1, restarts, "{nth}");
            assert_eq!(begin.elapsed().as_secs(), takes.as_secs(), "{nth}");
        });
    }
}

#[test]
fn a_loop_that_is_forecast_to_last_for_ever_does() {
    run_in_virtual_time(async {
        let (spec, lives) = crashing("a");
        let spec = spec.backoff(exponential(2, 4));
        let tree = SupervisorSpec::new("app").intensity(3, 5 * SECOND).child(spec);
        let forecast = tree.forecast();
        assert_eq!((forecast.restarts, forecast.gives_up_after), (None, None));
        assert_eq!(
            forecast.to_string(),
            "app/a in a crash loop: restarts for ever\n\
             stops within 5s\n\
             warning: app never gives up on app/a: one failure too many takes 10s, and it counts over 5s; make the \
             period longer or the backoff shorter\n"
        );
        let tree = tree.start().unwrap();
        tokio::time::sleep(4000 * SECOND).await;
        assert!((999..=1002).contains(&lives.ever()), "{}", lives.ever());
        tree.stop(SECOND).await;
    });
}

#[test]
fn a_stop_takes_as_long_as_forecast() {
    let worker = |id, seconds: u32| stubborn(id).shutdown(Shutdown::Timeout(seconds * SECOND));
    let within = |seconds: u32| Shutdown::Timeout(seconds * SECOND);
    type Children = Vec<AnySpec>;
    let flat: Children = vec![worker("a", 1).into(), worker("b", 2).into(), stubborn("c").into()];
    let brutal: Children = vec![stubborn("a").shutdown(Shutdown::BrutalKill).into(), worker("b", 2).into()];
    let of = |spec: SupervisorSpec| spec.child(worker("a", 3)).child(worker("b", 4));
    for (children, seconds) in [
        (vec![], 0),
        (flat, 1 + 2 + 5),
        (brutal, 2),
        (vec![of(SupervisorSpec::new("x")).into(), worker("c", 1).into()], 8),
        (vec![of(SupervisorSpec::dynamic("x")).into(), worker("c", 1).into()], 5),
        (vec![of(SupervisorSpec::new("x")).shutdown(within(5)).into()], 5),
        (vec![of(SupervisorSpec::new("x")).shutdown(within(9)).into()], 7),
        (vec![of(SupervisorSpec::new("x")).shutdown(Shutdown::BrutalKill).into()], 0),
    ] {
        run_in_virtual_time(async move {
            let spec = patient("app").children(children);
            let takes = seconds * SECOND;
            assert_eq!(spec.forecast().stops_within, Some(takes));
            let tree = spec.start().unwrap();
            let mut events = tree.subscribe();
            started(&mut events, "app", 1).await;
            let begin = Instant::now();
            tree.stop(1000 * SECOND).await;
            assert_eq!(begin.elapsed().as_secs(), takes.as_secs());
        });
    }
    let endless = patient("app").child(child("a").shutdown(Shutdown::Infinity)).forecast();
    assert_eq!(endless.stops_within, None);
    assert!(endless.to_string().ends_with("stops when its children do: one has no limit\n"));
}

#[test]
fn what_is_probably_not_meant_is_a_warning() {
    let tree = |child: AnySpec| sup("app", 3, 60).child(child);
    let of = |spec: SupervisorSpec| spec.child(child("a"));
    let limit = |seconds: u32| Shutdown::Timeout(seconds * SECOND);
    let no_restarts = sup("app", 0, 5);
    for (spec, warnings) in [
        (tree(child("a").into()), ""),
        (tree(of(sup("in", 5, 5)).into()), ""),
        (tree(child("a").restart(Restart::Temporary).backoff(exponential(90, 90)).into()), ""),
        (
            tree(child("a").backoff(exponential(15, 30)).into()),
            "app never gives up on app/a: one failure too many takes 75s, and it counts over 60s",
        ),
        (
            tree(of(sup("in", 2, 5).backoff(exponential(30, 30))).into()),
            "app never gives up on app/in: one failure too many takes 90s, and it counts over 60s",
        ),
        (
            tree(sup("in", 2, 90).child(child("a").backoff(exponential(15, 30))).into()),
            "app never gives up on app/in: one failure too many takes 135s, and it counts over 60s",
        ),
        (tree(of(sup("in", 3, 5)).into()), "every supervisor allows 3 restarts"),
        (
            tree(of(sup("in", 5, 5).shutdown(limit(3))).into()),
            "app/in/a may take 5s to stop, but app/in is killed after 3s",
        ),
        (tree(of(sup("in", 5, 5).shutdown(limit(5))).into()), ""),
        (
            tree(of(sup("in", 5, 5).shutdown(Shutdown::BrutalKill)).into()),
            "app/in is a supervisor and killed instead of stopped",
        ),
        (no_restarts.child(child("a")), "app/a is permanent, but app allows no restart"),
    ] {
        let forecast = spec.forecast();
        let found: Vec<_> = forecast.warnings.iter().map(ToString::to_string).collect();
        match warnings {
            "" => assert!(found.is_empty(), "{found:?}"),
            text => assert!(found.len() == 1 && found[0].starts_with(text), "{found:?} is not {text}"),
        }
    }
    let endless = child("b").shutdown(Shutdown::Infinity);
    let forecast = tree(sup("in", 5, 5).shutdown(limit(9)).child(endless).into()).forecast();
    let [Warning::StopsTooLate { child, takes: None, supervisor, limit }] = &forecast.warnings[..] else {
        panic!("{forecast}")
    };
    assert_eq!((child.as_str(), supervisor.as_str(), *limit), ("app/in/b", "app/in", 9 * SECOND));
}

#[test]
fn a_tree_that_restarts_nobody_and_a_loop_that_the_root_does_not_hear_of() {
    let forecast = sup("app", 3, 5).child(child("a").restart(Restart::Temporary)).forecast();
    assert_eq!(forecast.to_string(), "no child is restarted after a failure\nstops within 5s\n");
    let inner = sup("in", 4, 5).restart(Restart::Temporary).child(child("a"));
    let text =
        "app/in/a in a crash loop: restarts 4 times, and the root does not hear of it\nstops within 5s\n";
    assert_eq!(sup("app", 3, 5).child(inner).forecast().to_string(), text);
}

#[test]
fn the_largest_numbers_are_forecast_at_once() {
    let tiny = Duration::from_nanos(1);
    let most = |id: &str| SupervisorSpec::new(id).intensity(u32::MAX, Duration::MAX);
    let worker =
        child("a").backoff(Backoff::exponential(tiny, tiny)).shutdown(Shutdown::Timeout(Duration::MAX));
    let forecast = most("app").child(most("x").child(most("y").child(worker))).forecast();
    assert_eq!(forecast.restarts, Some(u64::MAX - 1));
    let worker = child("a").backoff(Backoff::exponential(Duration::MAX, Duration::MAX));
    assert!(most("app").child(worker).forecast().gives_up_after.is_some());
}
