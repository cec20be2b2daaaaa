//! The faults that are offered. To offer another, add a line.

use latido::control::wire::Inject;
use latido::fault::Injection;

/// A fault, as `latido inject` takes it, and what it does.
pub(super) const OFFERED: &[(&str, &str)] = &[
    ("panic", "its code panics"),
    ("fail", "it ends with an error"),
    ("stop", "it stops, as if it had nothing to do"),
    ("block:3", "it blocks its thread for three seconds"),
    ("panic@1", "it panics over its next message"),
];

/// What is asked of the door for `fault`, which may have a rule: `panic@3`. What cannot be is said at once.
pub(super) fn inject(path: &str, fault: &str) -> Result<Inject, String> {
    let injection = fault.trim().parse::<Injection>().map_err(|error| error.to_string())?;
    Ok(Inject { path: path.to_owned(), fault: injection.to_string(), at_message: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_offered_and_what_is_typed_is_what_a_door_takes() {
        for (fault, _) in OFFERED {
            assert_eq!(inject("app/one", fault).unwrap().fault, *fault);
        }
        assert_eq!(inject("app", " panic@3,times=2").unwrap().fault, "panic@3,times=2");
        assert_eq!(inject("app", "cut").unwrap().fault, "cut", "one of the part's own");
        assert!(inject("app", "panic@x").unwrap_err().contains("`x` is no rule"));
    }
}
