//! The door to a running tree, knocked at over real sockets.

#![allow(unreachable_pub)]

mod acting;
mod finding;
mod following;
mod looking;
mod recording;
mod refusals;
mod replaying;
mod support;
