//! What is left: messages that do not add up, children that are still there.

use std::time::{Duration, Instant};

use crate::supervision::{ChildState, Snapshot, Tree};

/// How long a thread that was told to end may take, however busy the machine is.
const THREAD_END: Duration = Duration::from_secs(2);

/// Asserts that no message is unaccounted for: for each child, received = handled + lost + dropped + queued, and one
/// more that is in hand ([`MessageCounts`](crate::supervision::MessageCounts)). Holds at any moment; after the tree's
/// end its last counts are compared.
///
/// # Panics
///
/// With the child and the numbers, where it does not hold.
#[track_caller]
pub fn assert_conserved(tree: &Tree) {
    let wrong = not_conserved(&tree.snapshot());
    assert!(wrong.is_empty(), "messages do not add up:\n    {}", wrong.join("\n    "));
}

fn not_conserved(snapshot: &Snapshot) -> Vec<String> {
    let wrong = snapshot.children.iter().filter_map(|child| {
        let counts = child.messages;
        let (handled, lost, dropped, queued) = (counts.handled, counts.lost, counts.dropped, counts.queued);
        let in_hand = u64::from(counts.in_hand);
        let sum = handled + lost + dropped + queued + in_hand;
        (counts.received != sum).then(|| {
            format!(
                "{}: {} received, but {handled} handled + {lost} lost + {dropped} dropped + {queued} queued + \
                 {in_hand} in hand = {sum}",
                child.path, counts.received
            )
        })
    });
    wrong.collect()
}

/// Asserts that the tree has ended and left nothing behind: no child is up, no incarnation of any of them hangs
/// somewhere, and the threads of their own have ended, for which it waits a little; no thread is
/// [abandoned](Tree::abandoned_threads) either. The threads of an [`Arbiters`](crate::supervision::Arbiters) set are the
/// set's.
///
/// # Panics
///
/// With what is left.
pub async fn assert_all_down(tree: &Tree) {
    let snapshot = tree.snapshot();
    let is_up = |state| matches!(state, ChildState::Starting | ChildState::Running | ChildState::Stopping);
    let up = snapshot.children.iter().filter(|child| is_up(child.state));
    let up: Vec<String> = up.map(|child| format!("{} #{}", child.path, child.incarnation)).collect();
    assert!(up.is_empty(), "still up: {}; stop the tree first", up.join(", "));
    assert!(tree.has_ended(), "the tree has not ended, although nothing of it is up: join it first");
    // No timer: in virtual time it would be over before the other threads have had any.
    let since = Instant::now();
    loop {
        let mut left = tree.left_behind();
        let abandoned = tree.abandoned_threads();
        if left.is_empty() && abandoned > 0 {
            left.push(format!("blocked threads, {abandoned} of them"));
        }
        if left.is_empty() {
            return;
        }
        assert!(since.elapsed() < THREAD_END, "left behind: {}", left.join(", "));
        tokio::task::yield_now().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::supervision::SupervisorSpec;

    #[test]
    fn counts_that_do_not_add_up_are_told_with_the_child_and_the_numbers() {
        actix_rt::System::new().block_on(async {
            let inner = SupervisorSpec::new("inner");
            let tree = SupervisorSpec::new("app").child(inner).start().unwrap();
            let mut snapshot = tree.snapshot();
            assert!(not_conserved(&snapshot).is_empty());
            // No tree does this; if one did, this is what would be said.
            snapshot.children[1].messages.received += 3;
            snapshot.children[1].messages.lost += 1;
            snapshot.children[1].messages.in_hand = true;
            assert_eq!(
                not_conserved(&snapshot),
                ["app/inner: 3 received, but 0 handled + 1 lost + 0 dropped + 0 queued + 1 in hand = 2"]
            );
            tree.stop(THREAD_END).await;
        });
    }
}
