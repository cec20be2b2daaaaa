//! What a tree looked like at a moment: entries in, a picture out. Whoever shows trees shows these.
//!
//! | file | idea |
//! |---|---|
//! | [`past`] | what is known of a program over time, bounded |
//! | [`moment`] | the picture of one moment, worked out of it |
//! | [`live`] | entries from a door |
//!
//! Entries from a file are those of `latido::control::recorded`.

pub(crate) mod live;
mod moment;
mod past;
#[cfg(test)]
pub(crate) mod samples;

pub(crate) use moment::{Part, Picture};
pub(crate) use past::{LIVE, Past, RECORDED};
