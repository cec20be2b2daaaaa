//! Everything that is wrong with what the user gave us, told at once.

use std::fmt;

use super::entry::Origin;

/// How many errors are told; the others are counted.
const TOLD: usize = 10;

/// The longest text of one error, in characters.
const TEXT_MAX: usize = 800;

/// The program ends with code 2: nothing was downloaded.
#[derive(Debug, Default)]
pub(crate) struct BadInput {
    told: Vec<String>,
    count: usize,
}

impl BadInput {
    pub(crate) fn push(&mut self, origin: &Origin, error: impl fmt::Display) {
        self.count += 1;
        if self.told.len() < TOLD {
            self.told.push(presentable(&format!("{origin}: {error}")));
        }
    }

    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Goes on with `value` if nothing was wrong.
    pub(crate) fn or<T>(self, value: T) -> Result<T, Self> {
        match self.count {
            0 => Ok(value),
            _ => Err(self),
        }
    }
}

/// Other people's text, fit for a terminal: no control characters, and not a whole novel.
fn presentable(text: &str) -> String {
    let clean = |c: char| match c.is_control() {
        true => c.escape_default().to_string(),
        false => c.to_string(),
    };
    let length = text.chars().count();
    if length <= TEXT_MAX {
        return text.chars().map(clean).collect();
    }
    let head = text.chars().take(TEXT_MAX / 2).map(clean);
    let tail = text.chars().skip(length - TEXT_MAX / 2).map(clean);
    head.chain(["[...]".to_owned()]).chain(tail).collect()
}

impl fmt::Display for BadInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.told.join("\n"))?;
        match self.count - self.told.len() {
            0 => Ok(()),
            more => write!(f, "\n... and {more} more"),
        }
    }
}

impl std::error::Error for BadInput {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_an_error_is_short_and_cannot_speak_to_the_terminal() {
        let mut bad = BadInput::default();
        bad.push(&Origin::CommandLine, "\u{1b}[2J é");
        bad.push(
            &Origin::CommandLine,
            format_args!("{}, use another", "x".repeat(60_000)),
        );
        let text = bad.to_string();
        let (first, second) = text.split_once('\n').unwrap();
        assert_eq!(first, r"command line: \u{1b}[2J é");
        assert!(second.len() < 900 && second.ends_with(", use another"));
    }
}
