//! Jobs in real worker processes, and all the ways in which those end.
#![cfg(all(feature = "process", target_os = "linux"))]

mod deaths;
mod ends;
#[path = "../support/jobs.rs"]
#[allow(dead_code, reason = "the program that is the worker uses the rest")]
mod jobs;
mod kit;
mod limits;
mod many;
#[path = "../process/support.rs"]
#[allow(dead_code, reason = "the tests of programs use the rest")]
mod support;
mod values;
