//! `latido`: downloads, verifies and post-processes files under supervision.

fn main() {}
