//! Starting: in order, all or nothing; a child may decline; what is wrong with a spec is said before anything runs.

use std::time::Duration;

use latido::ExitReason;
use latido::supervision::*;

use crate::kit::*;

#[test]
fn a_start_that_fails_deep_in_the_tree_is_rolled_back_in_reverse_on_every_level() {
    run(async {
        let (never, lives) = child_with("e", Hooks::default());
        let closed = never.addr();
        let inner = SupervisorSpec::new("inner").child(child("b")).child(child("c")).child(broken("d"));
        let app = SupervisorSpec::new("app").child(child("a")).child(inner).child(never);
        let tree = app.start().unwrap();
        let mut events = tree.subscribe();
        let reason = tree.join().await;
        assert_eq!(
            reason.to_string(),
            "could not start app/inner: could not start app/inner/d: failed: no disk"
        );
        assert_eq!(lives_in(&mut events).join(" "), "+a +b +c -d -c -b -inner -a -app");
        assert_eq!(lives.ever(), 0, "nothing after it is built");
        assert!(closed.send(note(1)).await.is_err());
    });
}

#[test]
fn a_temporary_child_that_cannot_start_ends_the_start_too() {
    run(async {
        let tree = SupervisorSpec::new("app").child(broken("a").restart(Restart::Temporary)).start().unwrap();
        assert!(matches!(tree.join().await, ExitReason::StartFailed { child, .. } if child == "app/a"));
    });
}

#[test]
fn a_child_may_decline_and_the_others_start() {
    run(async {
        for restart in [Restart::Permanent, Restart::Transient, Restart::Temporary] {
            let app = SupervisorSpec::new("app").child(declining("a").restart(restart)).child(child("b"));
            let tree = app.start().unwrap();
            let mut events = tree.subscribe();
            started(&mut events, "app", 1).await;
            assert_eq!(lives_of_all(&tree), "a#1 Finished, b#1", "{restart:?}");
            let counts = tree.count_children("app").unwrap();
            assert_eq!((counts.specs, counts.active, counts.supervisors, counts.workers), (2, 1, 0, 2));
            assert_eq!(used(&tree, "app"), 0);
            tree.stop(SECOND).await;
        }
    });
}

#[test]
fn a_child_that_declined_is_kept_and_can_be_asked_again() {
    run(async {
        let (spec, lives) = child_with(
            "a",
            Hooks::default().started(|probe, ctx| {
                if probe.life == 1 {
                    actix::ActorContext::stop(ctx)
                }
            }),
        );
        let addr = spec.addr();
        let tree = SupervisorSpec::new("app").child(spec).start().unwrap();
        let mut events = tree.subscribe();
        started(&mut events, "app", 1).await;
        tree.restart_child("app/a").await.unwrap();
        assert_eq!(addr.send(note(7)).await.unwrap(), [7]);
        assert_eq!((lives.ever(), used(&tree, "app")), (2, 0));
        tree.stop(SECOND).await;
    });
}

#[test]
fn what_is_wrong_with_a_spec_is_a_typed_error_before_anything_runs() {
    run(async {
        let (first, lives) = child_with("first", Hooks::default());
        let mut first = Some(first);
        let sup = SupervisorSpec::new;
        let dynamic = SupervisorSpec::dynamic;
        let transient = |id| child(id).restart(Restart::Transient);
        let any = AutoShutdown::AnySignificant;
        for (bad, text) in [
            (sup("x").intensity(1, Duration::ZERO), "the period of app/x is zero"),
            (sup("x").child(child("a")).child(child("a")), "two children are called app/x/a"),
            (sup("x").child(child("")), "a child of \"app/x\" cannot be called \"\""),
            (sup("x").child(child("a/b")), "a child of \"app/x\" cannot be called \"a/b\""),
            (
                sup("x").auto_shutdown(any).child(child("a").significant()),
                "app/x/a is significant and permanent",
            ),
            (
                sup("x").child(transient("a").significant()),
                "app/x/a is significant, but its supervisor never shuts down",
            ),
            (dynamic("x").strategy(Strategy::RestForOne), "app/x is dynamic and not one-for-one"),
            (
                dynamic("x").max_children(1).child(child("a")).child(child("b")),
                "app/x has 2 children, and may have 1",
            ),
        ] {
            let app = SupervisorSpec::new("app").children(first.take()).child(bad);
            let error = app.start().unwrap_err().to_string();
            assert!(error.starts_with(text), "{error}");
        }
        assert_eq!(lives.ever(), 0);
    });
}

#[test]
fn a_path_that_names_nobody_is_a_typed_error_of_every_order() {
    run(async {
        let tree = SupervisorSpec::new("app").child(child("a")).start().unwrap();
        for path in ["app/b", "app/a/b", "ap", "application", "a", "", "app/"] {
            let all = [
                tree.start_child(path, child("x")).await.unwrap_err(),
                tree.terminate_child(path).await.unwrap_err(),
                tree.restart_child(path).await.unwrap_err(),
                tree.delete_child(path).await.unwrap_err(),
                tree.count_children(path).unwrap_err(),
                tree.monitor(path).unwrap_err(),
            ];
            for error in all {
                assert!(matches!(&error, AdminError::Unknown(unknown) if unknown == path), "{error}");
                assert_eq!(error.to_string(), format!("there is no {path}"));
            }
        }
        tree.stop(SECOND).await;
    });
}
