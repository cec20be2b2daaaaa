use proptest::prelude::*;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn whole(length: u64, streams: usize, min_split: u64) -> Segments {
    Segments::new(length, std::iter::once(0..length).collect(), streams, min_split)
}

fn claimed(segments: &mut Segments, stream: usize, now: Duration) -> Option<Range<u64>> {
    let claim = segments.claim(stream, now)?;
    assert_eq!(claim.relieved, None);
    Some(claim.range)
}

fn begin(segments: &mut Segments, streams: usize) {
    for stream in 0..streams {
        segments.claim(stream, ms(0)).unwrap();
    }
}

#[test]
fn a_file_begins_with_one_and_the_others_take_halves() {
    let mut segments = whole(800, 4, 100);
    assert_eq!(claimed(&mut segments, 0, ms(0)), Some(0..800));
    assert_eq!(claimed(&mut segments, 1, ms(0)), Some(400..800));
    assert_eq!(claimed(&mut segments, 2, ms(0)), Some(600..800));
    assert_eq!(claimed(&mut segments, 3, ms(0)), Some(200..400));
    assert_eq!((0..4).map(|n| segments.left(n)).collect::<Vec<_>>(), [0..200, 400..600, 600..800, 200..400]);
    assert_eq!(segments.missing(), vec![0..800; 1]);
}

#[test]
fn what_is_too_small_to_be_shared_is_not() {
    let mut segments = whole(199, 2, 100);
    assert_eq!(claimed(&mut segments, 0, ms(0)), Some(0..199));
    assert_eq!(segments.claim(1, SECOND), None);
}

#[test]
fn who_is_done_takes_over_from_who_needs_longest() {
    let mut segments = whole(1000, 3, 10);
    let ranges = (0..3).map(|n| claimed(&mut segments, n, ms(0)).unwrap());
    assert_eq!(ranges.collect::<Vec<_>>(), [0..1000, 500..1000, 750..1000]);
    segments.brought(0, 400, SECOND); // 100 are left
    segments.brought(1, 50, SECOND); // 200 are left
    segments.brought(2, 250, SECOND);
    assert_eq!(claimed(&mut segments, 2, SECOND), Some(650..750));
    assert_eq!(segments.left(1), 550..650);
}

#[test]
fn one_that_is_slow_by_far_or_stands_still_is_relieved_of_all_of_it() {
    let mut segments = whole(1000, 2, 200);
    begin(&mut segments, 2);
    segments.brought(0, 300, ms(100)); // 200 are left
    segments.brought(1, 500, ms(100));
    assert_eq!(segments.claim(1, ms(200)), None, "it has been as fast until now");
    let claim = segments.claim(1, 10 * SECOND).unwrap();
    assert_eq!(claim, Claim { range: 300..500, relieved: Some(0) });
    assert!(segments.left(0).is_empty());
    assert_eq!(segments.claim(0, 10 * SECOND), None, "who was slow relieves nobody");
}

#[test]
fn nobody_who_has_not_shown_how_fast_he_is_relieves_anybody() {
    let mut segments = whole(100, 2, 100);
    begin(&mut segments, 1);
    assert_eq!(segments.claim(1, 1000 * SECOND), None);
}

#[test]
fn what_was_taken_from_somebody_in_vain_is_his_again() {
    let mut segments = whole(1000, 3, 10);
    let ranges = (0..3).map(|n| claimed(&mut segments, n, ms(0)).unwrap());
    assert_eq!(ranges.collect::<Vec<_>>(), [0..1000, 500..1000, 750..1000]);
    segments.brought(2, 50, ms(0));
    segments.give_back(1);
    assert_eq!(segments.left(0), 0..750);
    segments.give_back(2); // not from its beginning
    assert_eq!(segments.left(0), 0..750);
    assert_eq!(claimed(&mut segments, 1, ms(0)), Some(800..1000));
    segments.brought(0, 750, ms(0));
    segments.give_back(1);
    assert_eq!(claimed(&mut segments, 2, ms(0)), Some(800..1000));
}

#[test]
fn who_comes_to_where_another_has_not_begun_goes_on() {
    let mut segments = whole(1000, 3, 10);
    begin(&mut segments, 3); // 0..500, 500..750, 750..1000
    segments.begun(2);
    segments.brought(0, 500, ms(0));
    assert_eq!(segments.go_on(0), Some(1));
    assert_eq!((segments.left(0), segments.left(1)), (500..750, 0..0));
    segments.brought(0, 250, ms(0));
    assert_eq!(segments.go_on(0), None);
    segments.brought(2, 250, ms(0));
    assert_eq!(segments.missing(), []);
}

#[test]
fn what_one_gives_back_the_next_gets_the_first_of_it_first() {
    let mut segments = Segments::new(100, vec![10..20, 50..100], 3, 1000);
    assert_eq!(segments.whole_until(), 10);
    assert_eq!(claimed(&mut segments, 0, ms(0)), Some(10..20));
    assert_eq!(claimed(&mut segments, 1, ms(0)), Some(50..100));
    segments.brought(0, 4, SECOND);
    segments.give_back(0);
    segments.give_back(1);
    assert_eq!(segments.missing(), [14..20, 50..100]);
    assert_eq!(claimed(&mut segments, 2, SECOND), Some(14..20));
    segments.brought(2, 6, SECOND);
    assert_eq!(segments.whole_until(), 50);
    assert_eq!(claimed(&mut segments, 2, SECOND), Some(50..100));
    segments.brought(2, 50, SECOND);
    assert_eq!((segments.whole_until(), segments.missing()), (100, vec![]));
}

#[derive(Clone, Debug)]
enum Happens {
    Brings(u64),
    BreaksDown,
    /// The program is killed, and goes on with so many connections from what was noted last.
    Kill(usize),
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        20 => (1u64..300).prop_map(Happens::Brings),
        2 => Just(Happens::BreaksDown),
        1 => (1usize..9).prop_map(Happens::Kill),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Whatever happens in whatever order, what is said to be there is there; nothing comes twice but what was not noted
    /// when the program was killed; and from wherever that is, the file can be completed.
    #[test]
    fn what_is_not_missing_was_brought_and_the_rest_always_can_be(
        length in 1u64..2_000, min_split in 1u64..600,
        story in prop::collection::vec((0usize..9, 0u64..3_000, happens()), 0..300),
    ) {
        let mut times = vec![0u8; length as usize];
        let mut noted = whole(length, 1, min_split).missing();
        let mut segments = whole(length, 4, min_split);
        let (mut streams, mut now) = (4, Duration::ZERO);
        let check = |times: &[u8], segments: &Segments| {
            let mut is_missing = vec![false; length as usize];
            for range in segments.missing() {
                is_missing[range.start as usize..range.end as usize].fill(true);
            }
            let whole = is_missing.iter().position(|missing| *missing).unwrap_or(is_missing.len());
            assert_eq!(segments.whole_until(), whole as u64);
            assert!(is_missing.iter().zip(times).all(|(missing, times)| *missing == (*times == 0)));
        };
        for (n, wait, happens) in story {
            now += ms(wait);
            let n = n % streams;
            match happens {
                Happens::Kill(connections) => {
                    for range in &noted {
                        times[range.start as usize..range.end as usize].fill(0);
                    }
                    segments = Segments::new(length, noted.clone(), connections, min_split);
                    streams = connections;
                }
                Happens::BreaksDown => segments.give_back(n),
                Happens::Brings(bytes) => {
                    if segments.left(n).is_empty() && segments.go_on(n).is_none() {
                        segments.claim(n, now);
                    }
                    if wait % 2 == 0 {
                        segments.begun(n);
                    }
                    let left = segments.left(n);
                    let bytes = bytes.min(left.end - left.start);
                    for byte in left.start..left.start + bytes {
                        times[byte as usize] += 1;
                        prop_assert_eq!(times[byte as usize], 1);
                    }
                    segments.brought(n, bytes, now);
                    if wait % 3 == 0 {
                        noted = segments.missing();
                    }
                }
            }
            check(&times, &segments);
        }
        // One connection completes it, whatever the others have.
        (1..streams).for_each(|n| segments.give_back(n));
        segments.give_back(0);
        while let Some(range) = claimed(&mut segments, 0, now) {
            times[range.start as usize..range.end as usize].iter_mut().for_each(|times| *times += 1);
            segments.brought(0, range.end - range.start, now);
            check(&times, &segments);
        }
        prop_assert_eq!(segments.missing(), vec![]);
        prop_assert!(times.iter().all(|times| *times == 1));
    }
}
