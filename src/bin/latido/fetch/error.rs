//! Everything that is wrong with what the user gave us, told at once.

use std::fmt;

use super::entry::Origin;
use super::text::presentable;

/// How many errors are told; the others are counted.
const TOLD: usize = 10;

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

    /// Takes the errors of another.
    pub(crate) fn append(&mut self, other: Self) {
        self.count += other.count;
        self.told.extend(other.told);
        self.told.truncate(TOLD);
    }

    /// As many lines as are worth telling.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.to_string().lines().map(str::to_owned).collect()
    }

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
