//! Files of lines that somebody else wrote, a line at a time: however long they are, little of them is in memory.

use std::io::{self, BufRead, Read};
use std::ops::ControlFlow;
use std::rc::Rc;

use super::entry::Origin;

/// A longer line is a sign of another kind of file.
const LONGEST: u64 = 65_536;

/// Gives `take` each line, without a byte order mark before the first, until it breaks off or the lines end. Answers where a
/// line stands that is too long; behind that nothing is read.
pub(crate) fn each(
    list: &Rc<str>,
    mut from: impl BufRead,
    mut take: impl FnMut(Origin, &[u8]) -> ControlFlow<()>,
) -> io::Result<Option<Origin>> {
    let mut bytes = Vec::new();
    for number in 1.. {
        bytes.clear();
        let length = from.by_ref().take(LONGEST).read_until(b'\n', &mut bytes)?;
        let origin = Origin::Line { list: list.clone(), number };
        if length as u64 == LONGEST && !bytes.ends_with(b"\n") {
            return Ok(Some(origin));
        }
        let line = bytes.strip_prefix(b"\xef\xbb\xbf").filter(|_| number == 1).unwrap_or(&bytes);
        if length == 0 || take(origin, line).is_break() {
            break;
        }
    }
    Ok(None)
}
