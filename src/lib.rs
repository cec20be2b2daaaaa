//! Fault tolerance for [actix](https://docs.rs/actix) actors: supervision with OTP's words and rules, for ordinary
//! actors at ordinary addresses.
//!
//! An actor here is plain actix. What it gets from its tree: it is built afresh when it panics, its address stays the
//! same, and what was sent to it meanwhile waits.
//!
//! ```
//! use std::time::Duration;
//!
//! use actix::prelude::*;
//! use latido::prelude::*;
//!
//! #[derive(Default)]
//! struct Divider;
//! impl Actor for Divider {
//!     type Context = Context<Self>;
//! }
//!
//! #[derive(Message)]
//! #[rtype(result = "u32")]
//! struct Divide(u32, u32);
//! impl Handler<Divide> for Divider {
//!     type Result = u32;
//!     fn handle(&mut self, Divide(a, b): Divide, _: &mut Context<Self>) -> u32 {
//!         a / b
//!     }
//! }
//!
//! #[actix::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     latido::quiet_panics(); // they are events; they need not be printed as well
//!     let spec = ChildSpec::new("divider", Divider::default);
//!     let divider = spec.actor_ref(); // good for every incarnation, before the first one runs
//!     let address = spec.addr(); // the plain actix address, just as good
//!     let tree = SupervisorSpec::new("app").intensity(3, Duration::from_secs(5)).child(spec).start()?;
//!
//!     let poison = divider.ask(Divide(1, 0)).await.unwrap_err(); // it panicked over this one, and that is known
//!     assert!(matches!(poison, AskError::Crashed { incarnation: 1, .. }));
//!     assert_eq!(address.send(Divide(6, 3)).await?, 2); // its successor answers the next
//!
//!     assert!(matches!(tree.stop(Duration::from_secs(1)).await, ExitReason::Shutdown));
//!     Ok(())
//! }
//! ```
//!
//! | module | what is there |
//! |---|---|
//! | [`supervision`] | trees: specs, strategies, restart rules, the handle to a running tree |
//! | [`exit`] | why an actor stopped, and how it says so itself: [`crash`] |
//! | [`event`] | what happened, as one stream of typed events |
//! | [`incident`] | failures as stories: what failed, what was decided, what came of it |
//! | [`fault`] | failures on demand, by tree path |
//! | [`prelude`] | the names that most programs need; it stands beside `actix::prelude` |
//! | [`control`](crate#features) | a door for other processes: look, break, restart |
//! | [`actors`] | downloaders, a CPU pool, a heartbeat, child processes |
//! | [`testing`] | for your tests: wait for events, tell them as a story, see that nothing is left or lost |
//!
//! # Features
//!
//! | feature | what it adds |
//! |---|---|
//! | none | supervision and the CPU pool |
//! | `digest` | [`actors::digest`](crate::actors): SHA-256 of files |
//! | `download` | [`actors::downloader`](crate::actors): HTTP(S) to files |
//! | `heartbeat` | [`actors::heartbeat`](crate::actors): the daemon that says the system is alive |
//! | `control` | `latido::control`: a door to a running tree (Linux) |
//! | `process` | [`actors::process`](crate::actors): programs as actors, CPU jobs in processes (Linux) |
//! | `testing` | [`testing`]'s virtual time, which needs tokio's `test-util` |
//! | `cli` (default) | all of the actors, and the program `latido` |

#[cfg(not(panic = "unwind"))]
compile_error!("latido catches panics: build with panic = \"unwind\"");

mod bus;
mod panic;
mod path;
mod pulse;
mod reporter;
mod type_name;

pub mod actors;
#[cfg(feature = "control")]
pub mod control;
pub mod event;
pub mod exit;
pub mod fault;
pub mod incident;
pub mod prelude;
pub mod supervision;
pub mod testing;

pub use event::{Event, EventKind, Events, Report};
pub use exit::{ExitReason, crash};
pub use incident::Incident;
pub use panic::{Panic, quiet_panics};
pub use path::TreePath;
pub use reporter::Reporter;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(doctest)]
#[doc = include_str!("../docs/adding-an-actor.md")]
struct AddingAnActor;
