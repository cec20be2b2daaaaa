use super::*;

#[allow(unreachable_pub)]
#[path = "../../../../../tests/support/variations.rs"]
mod variations;

#[test]
fn whatever_is_read_from_outside_is_taken_or_refused_in_words() {
    for (name, parser) in PARSERS {
        variations::try_all(name, parser);
    }
}
