//! Whole trees of real actors, from outside.

mod events;
mod faults;
mod mailbox;
mod panics;
mod placement;
mod restart;
mod strategies;
mod stress;
mod support;
