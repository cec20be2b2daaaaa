//! The parsers of the program, which has no library of its own: the same files, and what must hold of them.
#![allow(dead_code, unreachable_pub, unused_imports)]

#[path = "../../tests/support/answer.rs"]
pub mod answer;

#[path = "../../src/bin/latido/fetch"]
mod fetch {
    mod checksum;
    mod entries;
    mod entry;
    mod error;
    mod input;
    mod lines;
    pub mod outside;
    mod sums;
    mod target;
    mod text;
}

pub mod parsers {
    use crate::fetch::outside;

    pub fn list(data: &[u8]) {
        outside::list(data);
    }

    pub fn metalink(data: &[u8]) {
        outside::metalink(data);
    }

    pub fn read_sums(data: &[u8]) {
        outside::read_sums(data);
    }

    pub fn checksum(data: &[u8]) {
        outside::checksum(data);
    }

    pub fn url(data: &[u8]) {
        outside::url(data);
    }
}
