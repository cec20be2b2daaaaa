//! How files come, and how they are put on disk.

use clap::builder::RangedU64ValueParser;
use clap::{Args, ValueEnum};
use latido::actors::downloader::{Fetch, MAX_CONNECTIONS};

#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct TransferArgs {
    /// Connections for one file, if it is large and its server serves parts, up to 16. A slow one is taken over by a fast one
    #[arg(short = 'x', long, value_name = "N", default_value_t = 1, value_parser = RangedU64ValueParser::<u16>::new().range(1..=MAX_CONNECTIONS as u64))]
    pub(crate) connections: u16,

    /// Give no connection less than SIZE of a file to begin with; K, M and G are 1024 and its powers
    #[arg(long, value_name = "SIZE", default_value = "20M", value_parser = size)]
    pub(crate) min_split_size: u64,

    /// What to wait for before a file counts as done, for the case that the power fails. Files survive a crash of this
    /// program with each of them
    #[arg(long, value_enum, value_name = "WHAT", default_value_t = Sync::None)]
    pub(crate) sync: Sync,
}

/// What is on its disk when a file counts as done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Sync {
    /// Nothing: the system writes when it likes
    None,
    /// The file's content, before it gets its name
    File,
    /// The content, and then the name
    All,
}

impl TransferArgs {
    /// What is said of each file.
    pub(crate) fn apply(self, fetch: Fetch) -> Fetch {
        self.put(fetch).resume().connections(self.connections.into()).min_split(self.min_split_size)
    }

    /// What is said of a file that is to come in one piece.
    pub(crate) fn put(self, fetch: Fetch) -> Fetch {
        if self.sync == Sync::None { fetch } else { fetch.synced() }
    }
}

/// `20M`, in bytes.
fn size(text: &str) -> Result<u64, String> {
    let units = [('K', 10), ('M', 20), ('G', 30)];
    let unit = |last: char| units.iter().find(|(unit, _)| unit.eq_ignore_ascii_case(&last));
    let (number, shift) = match text.chars().last().and_then(unit) {
        Some((_, shift)) => (&text[..text.len() - 1], *shift),
        None => (text, 0),
    };
    let bytes = number.parse().ok().and_then(|number: u64| number.checked_mul(1 << shift));
    bytes
        .filter(|bytes| *bytes > 0)
        .ok_or_else(|| "write a number of bytes, such as 500K, 20M or 1G".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_in_powers_of_1024() {
        let read: Vec<_> = ["1", "3k", "20M", "1G"].map(|text| size(text).unwrap()).into();
        assert_eq!(read, [1, 3 << 10, 20 << 20, 1 << 30]);
        for text in ["", "0", "M", "-1M", "1.5M", "20MB", "99999999999G", "20é"] {
            assert!(size(text).is_err(), "{text}");
        }
    }
}
