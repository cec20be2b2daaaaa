//! Whole trees of real actors, from outside.

mod ask;
mod backoff;
mod blocked;
mod counting;
mod dead_letters;
mod deaf;
mod events;
mod faults;
mod faults_of_messages;
mod flow;
mod gallery;
mod incidents;
mod life_cycle;
mod mailbox;
mod neighbours;
mod own_faults;
mod panics;
mod placement;
mod pulse;
mod restart;
mod strategies;
mod support;
mod watched;
