//! Whole trees of real actors, from outside.

mod ask;
mod backoff;
mod blocked;
mod counting;
mod events;
mod faults;
mod incidents;
mod life_cycle;
mod mailbox;
mod panics;
mod placement;
mod restart;
mod strategies;
mod stress;
mod support;
