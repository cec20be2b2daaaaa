//! The faults that are offered. To offer another, add a line.

use latido::control::wire::Inject;

/// A fault, as `latido inject` takes it, and what it does.
pub(super) const OFFERED: &[(&str, &str)] = &[
    ("panic", "its code panics"),
    ("fail", "it ends with an error"),
    ("stop", "it stops, as if it had nothing to do"),
    ("block:3", "it blocks its thread for three seconds"),
    ("panic@1", "it panics over its next message"),
];

/// What is asked of the door for `fault`, which may end in the number of a message: `panic@3`.
pub(super) fn inject(path: &str, fault: &str) -> Result<Inject, String> {
    let fault = fault.trim();
    let (fault, at_message) = match fault.rsplit_once('@') {
        None => (fault, None),
        Some((fault, n)) => match n.parse() {
            Ok(n) => (fault, Some(n)),
            Err(_) => return Err(format!("`{n}` is no message; they are counted from 1")),
        },
    };
    Ok(Inject { path: path.to_owned(), fault: fault.to_owned(), at_message })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_offered_is_what_a_door_takes() {
        for (fault, _) in OFFERED {
            let inject = inject("app/one", fault).unwrap();
            assert!(inject.fault.parse::<latido::fault::Fault>().is_ok(), "{fault}");
        }
        assert_eq!(inject("app", "panic@3").unwrap().at_message, Some(3));
        assert!(inject("app", "panic@x").unwrap_err().contains("`x` is no message"));
    }
}
