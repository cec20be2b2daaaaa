use proptest::prelude::*;
use tempfile::tempfile;

use super::*;

const URL: &str = "http://a/file";

fn known() -> Known {
    Known { length: 1_000_000, validator: Validator::of_text("\"a b\"").unwrap() }
}

fn missing(n: u64) -> Vec<Range<u64>> {
    vec![n * 1000..100_000, 500_000..1_000_000]
}

#[test]
fn the_latest_record_is_read_back() {
    let file = tempfile().unwrap();
    let mut notes = Notes::new(known(), URL);
    assert_eq!(Record::read(&file, URL), None);
    for n in 0..5 {
        notes.write(&file, &missing(n)).unwrap();
        assert_eq!(Record::read(&file, URL).unwrap(), Record { known: known(), missing: missing(n) });
    }
    assert_eq!(file.metadata().unwrap().len(), 1_000_000 + ROOM);
    notes.write(&file, &[]).unwrap();
    assert_eq!(Record::read(&file, URL).unwrap().missing, []);
}

#[test]
fn a_record_of_something_else_is_not_believed() {
    let file = tempfile().unwrap();
    let mut notes = Notes::new(known(), URL);
    for n in 0..2 {
        notes.write(&file, &missing(n)).unwrap();
    }
    assert_eq!(Record::read(&file, "http://b/file"), None);
    file.set_len(1_000_000 + ROOM - 1).unwrap();
    assert_eq!(Record::read(&file, URL), None);
    file.set_len(1_000_000).unwrap();
    assert_eq!(Record::read(&file, URL), None);

    let before_the_boot = encode(&known(), &hex(URL.as_bytes()), "another", 1, &missing(1));
    file.write_all_at(before_the_boot.as_bytes(), 1_000_000).unwrap();
    file.set_len(1_000_000 + ROOM).unwrap();
    assert_eq!(Record::read(&file, URL), None);
}

#[test]
fn ranges_that_make_no_sense_are_not_believed() {
    let read = |missing: &[Range<u64>]| {
        let text = encode(&known(), "source", "boot", 1, missing);
        decode(text.as_bytes(), "source", "boot").is_some()
    };
    assert!(read(&[0..5, 6..1_000_000]));
    assert!(!read(&[0..5, 5..10]));
    assert!(!read(&[5..10, 0..4]));
    assert!(!read(&[Range { start: 5, end: 5 }]));
    assert!(!read(&[Range { start: 6, end: 5 }]));
    assert!(!read(&[0..1, 5..1_000_001]));
}

#[test]
fn more_than_has_room_is_not_written() {
    let file = tempfile().unwrap();
    let mut notes = Notes::new(known(), URL);
    notes.write(&file, &missing(1)).unwrap();
    let many: Vec<_> = (0..1000).map(|n| n * 10..n * 10 + 5).collect();
    notes.write(&file, &many).unwrap_err();
    assert_eq!(Record::read(&file, URL).unwrap().missing, missing(1));
}

proptest! {
    /// As if the program had been killed in the middle of a write, or the disk had lied.
    #[test]
    fn a_torn_record_leaves_the_one_before_and_harm_is_never_believed(
        cut in 0..PLACE, harm in prop::collection::vec((0..ROOM, any::<u8>()), 0..3),
    ) {
        let file = tempfile().unwrap();
        let mut notes = Notes::new(known(), URL);
        notes.write(&file, &missing(1)).unwrap();
        notes.write(&file, &missing(2)).unwrap();
        // The third, over the first, up to the cut.
        let mut whole = vec![0; PLACE as usize];
        let before = tempfile().unwrap();
        notes.write(&before, &missing(3)).unwrap();
        before.read_exact_at(&mut whole, 1_000_000 + PLACE).unwrap();
        file.write_all_at(&whole[..cut as usize], 1_000_000 + PLACE).unwrap();
        let torn = Record::read(&file, URL).unwrap().missing;
        prop_assert!(torn == missing(2) || torn == missing(3));
        for (at, byte) in harm {
            file.write_all_at(&[byte], 1_000_000 + at).unwrap();
        }
        if let Some(record) = Record::read(&file, URL) {
            prop_assert_eq!(&record.known, &known());
            prop_assert!((1..4).any(|n| record.missing == missing(n)));
        }
    }
}
