//! Whole trees of real actors, from outside.

mod mailbox;
mod panics;
mod placement;
mod strategies;
mod support;
