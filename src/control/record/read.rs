//! What was recorded, read back.

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::path::Path;

use super::file::aside;
use crate::control::wire::Entry;

/// What is longer is no line of ours: a tree of a hundred thousand children is half as long.
const LONGEST: u64 = 64 << 20;

/// The entries of a recording, in the order in which they were written.
#[derive(Debug)]
pub struct Recorded {
    /// The last of them is read first.
    files: Vec<BufReader<File>>,
    is_begun: bool,
}

/// Reads what [`Door::record`](crate::control::Door::record) has written to `path`: first what was put aside from it, if
/// that is still there.
///
/// A line that is not known, as one that was cut short, is passed over.
///
/// # Errors
///
/// If the file cannot be read, or is no recording; the latter is told by the first entry.
///
/// # Examples
///
/// ```no_run
/// use latido::control::{recorded, wire::Entry};
///
/// for entry in recorded("run.jsonl".as_ref())? {
///     if let Entry::Incident(incident) = entry? {
///         println!("{}", incident.story);
///     }
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn recorded(path: &Path) -> io::Result<Recorded> {
    let mut files = vec![BufReader::new(File::open(path)?)];
    match File::open(aside(path)) {
        Ok(file) => files.push(BufReader::new(file)),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    Ok(Recorded { files, is_begun: false })
}

impl Recorded {
    /// The next entry, and its line with an end: who hands that on loses nothing that a later version has written.
    pub(in crate::control) fn line(&mut self) -> Option<io::Result<(Vec<u8>, Entry)>> {
        loop {
            let mut line = Vec::new();
            match self.files.last_mut()?.take(LONGEST).read_until(b'\n', &mut line) {
                Ok(0) => drop(self.files.pop()),
                Ok(_) => match serde_json::from_slice(&line) {
                    Ok(entry) => {
                        self.is_begun = true;
                        if !line.ends_with(b"\n") {
                            line.push(b'\n');
                        }
                        return Some(Ok((line, entry)));
                    }
                    Err(_) if self.is_begun => {}
                    Err(_) => {
                        self.files.clear();
                        let why = "it is no recording: it does not begin with who wrote it";
                        return Some(Err(io::Error::new(ErrorKind::InvalidData, why)));
                    }
                },
                Err(error) => {
                    self.files.clear();
                    return Some(Err(error));
                }
            }
        }
    }
}

impl Iterator for Recorded {
    type Item = io::Result<Entry>;

    fn next(&mut self) -> Option<io::Result<Entry>> {
        Some(self.line()?.map(|(_, entry)| entry))
    }
}
