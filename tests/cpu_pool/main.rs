//! The CPU pool, from outside.

mod digest;
mod jobs;
mod limits;
mod lost_threads;
mod support;
