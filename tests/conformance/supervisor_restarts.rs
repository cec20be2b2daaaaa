//! What is left of a supervisor's children when it starts again.

use latido::fault::Fault;
use latido::supervision::*;

use crate::kit::*;

#[test]
fn children_of_the_spec_come_back_and_those_added_at_run_time_go() {
    for placement in [Placement::Current, Placement::OwnThread] {
        run(async {
            let added = child("added").on(placement.clone());
            let (addr, of_spec) = (added.addr(), child("spec").on(placement));
            let spec_addr = of_spec.addr();
            let tree = patient("app").child(patient("inner").child(of_spec)).start().unwrap();
            let mut events = tree.subscribe();
            started(&mut events, "app", 1).await;
            tree.start_child("app/inner", added).await.unwrap();
            let nested = SupervisorSpec::new("nested").child(child("deep"));
            tree.start_child("app/inner", nested).await.unwrap();
            tree.inject("app/inner", Fault::Panic).unwrap();
            started(&mut events, "app/inner", 2).await;
            assert_eq!(spec_addr.send(note(1)).await.unwrap(), [1]);
            assert_eq!(lives_of_all(&tree), "inner#2, spec#2");
            assert!(addr.send(note(1)).await.is_err(), "closed");
            tree.start_child("app/inner", child("added")).await.unwrap();
            tree.stop(SECOND).await;
        });
    }
}

#[test]
fn a_dynamic_supervisor_comes_back_empty() {
    run(async {
        let tree = patient("app").child(SupervisorSpec::dynamic("pool")).start().unwrap();
        let mut events = tree.subscribe();
        let (specs, lives): (Vec<_>, Vec<_>) =
            ["a", "b", "c"].map(|id| child_with(id, Hooks::default())).into_iter().unzip();
        for spec in specs {
            tree.start_child("app/pool", spec).await.unwrap();
        }
        tree.inject("app/pool", Fault::Panic).unwrap();
        started(&mut events, "app/pool", 2).await;
        assert_eq!(tree.count_children("app/pool").unwrap(), Counts::default());
        tree.start_child("app/pool", child("a")).await.unwrap();
        tree.stop(SECOND).await;
        assert!(lives.iter().all(|lives| (lives.now(), lives.ever()) == (0, 1)));
    });
}

#[test]
fn a_terminated_child_of_the_spec_comes_back_with_its_supervisor_and_a_deleted_one_does_not() {
    run(async {
        let inner = patient("inner").children(["a", "b", "c"].map(child));
        let tree = patient("app").child(inner).start().unwrap();
        let mut events = tree.subscribe();
        started(&mut events, "app", 1).await;
        tree.terminate_child("app/inner/a").await.unwrap();
        tree.terminate_child("app/inner/b").await.unwrap();
        tree.delete_child("app/inner/b").await.unwrap();
        tree.inject("app/inner", Fault::Panic).unwrap();
        started(&mut events, "app/inner", 2).await;
        assert_eq!(lives_of_all(&tree), "inner#2, a#2, c#2");
        tree.stop(SECOND).await;
    });
}

#[test]
fn a_supervisor_restarted_by_hand_has_its_whole_budget_and_its_spec() {
    run(async {
        let spec = child("a");
        let addr = spec.addr();
        let inner = SupervisorSpec::new("inner").intensity(1, 60 * SECOND).child(spec);
        let tree = SupervisorSpec::new("app").intensity(0, SECOND).child(inner).start().unwrap();
        for _ in 0..3 {
            crash(&addr).await;
            addr.send(note(1)).await.unwrap();
            assert_eq!(used(&tree, "app/inner"), 1);
            tree.start_child("app/inner", child("added")).await.unwrap();
            tree.terminate_child("app/inner").await.unwrap();
            tree.restart_child("app/inner").await.unwrap();
            assert_eq!(used(&tree, "app/inner"), 0);
            assert_eq!(ids(&tree), ["inner", "a"]);
        }
        tree.stop(SECOND).await;
    });
}
