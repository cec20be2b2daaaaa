//! What the supervision kernel relies on in actix 0.13.5, one test per fact. Half of these facts are documented
//! nowhere, so that an upgrade of actix is checked here before anything else.

mod arbiters;
mod lifecycle;
mod messages;
mod panics;
mod probe;
