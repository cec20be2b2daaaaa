//! Makes what fails smaller, by leaving parts out for as long as it still fails.

/// Leaves out halves, then quarters, and so on down to single items, over and over until none can be spared.
pub(crate) fn shrink<T: Clone>(mut items: Vec<T>, mut still_fails: impl FnMut(&[T]) -> bool) -> Vec<T> {
    let mut size = items.len();
    while size > 0 && !items.is_empty() {
        let mut is_smaller = false;
        let mut at = 0;
        while at < items.len() {
            let end = items.len().min(at + size);
            let without = [&items[..at], &items[end..]].concat();
            if still_fails(&without) {
                items = without;
                is_smaller = true;
            } else {
                at = end;
            }
        }
        size = match size {
            1 if is_smaller => 1,
            _ => size / 2,
        };
    }
    items
}

#[test]
fn what_is_left_fails_and_nothing_of_it_can_be_spared() {
    for needed in [vec![], vec![0], vec![999], vec![3, 500, 501], vec![17, 18, 19, 700, 998]] {
        let mut tries = 0;
        let left = shrink((0..1_000).collect(), |items| {
            tries += 1;
            needed.iter().all(|item| items.contains(item))
        });
        assert_eq!(left, needed);
        assert!(tries < 150, "{needed:?} takes {tries} tries");
    }
}

#[test]
fn what_goes_together_goes_in_the_end() {
    // Fails with both of a pair, or with neither.
    let left =
        shrink((0..10).collect(), |items| items.contains(&4) && items.contains(&2) == items.contains(&7));
    assert!(left == [4] || left == [2, 4, 7], "{left:?}");
}
