//! Real programs as actors.
#![cfg(all(feature = "process", target_os = "linux"))]

mod backpressure;
mod escapes;
mod exits;
mod frames;
mod input;
mod lines;
mod mishaps;
mod readiness;
mod runs;
mod support;
mod survivors;
mod terms;
mod tree;
mod watchdog;
