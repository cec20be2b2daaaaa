//! Whole trees of real actors, from outside.

mod mailbox;
mod panics;
mod strategies;
mod support;
