//! Real programs as actors.
#![cfg(all(feature = "process", target_os = "linux"))]

mod escapes;
mod exits;
mod lines;
mod runs;
mod support;
mod survivors;
mod tree;
