//! Trees of actors that restart each other.
//!
//! A tree is data first: [`ChildSpec`] says how one actor is built, placed, restarted and stopped, [`SupervisorSpec`]
//! puts children under a [`Strategy`] and a restart intensity, and supervisors stand below supervisors.
//! [`SupervisorSpec::start`] makes it run and gives a [`Tree`], the handle to look at it, break it and stop it.
//!
//! ```text
//!  app              a supervisor: decides who restarts, counts restarts, gives up
//!  ├── fetch        an actor; any `impl Actor { type Context = Context<Self> }`
//!  └── workers      a supervisor is a child like any other
//!      ├── cpu
//!      └── sorter
//! ```
//!
//! What happens to a child:
//!
//! ```text
//!  panic, crash(), ctx.stop() ─> its incarnation ends, with an ExitReason
//!    ─> Restart: does this reason call for a restart?
//!    ─> intensity: may there be one more in this period?     no: stop all children and fail; the parent decides
//!    ─> Strategy: who else goes with it?
//!    ─> stop those in reverse order, wait as Backoff says, start them in order, same mailboxes
//! ```
//!
//! # The words
//!
//! OTP's, unchanged: [strategy](https://www.erlang.org/doc/system/sup_princ.html#restart-strategy),
//! [intensity and period](https://www.erlang.org/doc/system/sup_princ.html#maximum-restart-intensity),
//! [permanent, transient, temporary](https://www.erlang.org/doc/system/sup_princ.html#child-specification) and
//! [shutdown](https://www.erlang.org/doc/system/sup_princ.html#child-specification). An *incarnation* is one life of a
//! child, from its factory to its exit.

mod admin;
mod armed;
mod ask;
mod backoff;
mod boss;
mod bound;
mod branch;
mod check;
mod child;
mod fence;
mod forecast;
mod home;
mod incarnation;
mod letter;
mod machine;
mod mailbox;
mod monitor;
mod node;
mod own_fault;
mod placement;
mod policy;
mod queue;
mod roster;
mod seat;
mod snapshot;
mod spec;
mod supervisor;
mod tree;
mod unborn;
mod valve;
mod vitals;
mod window;

pub use admin::AdminError;
pub use ask::{ActorRef, AskError};
pub use backoff::Backoff;
pub use bound::{Bound, MessageCounts, Overflow};
pub use check::SpecError;
pub use forecast::{Forecast, Warning};
pub use monitor::{Down, Monitor};
pub use placement::{Arbiters, Placement};
pub use policy::{AutoShutdown, Restart, Shutdown, Strategy};
pub use snapshot::{ChildInfo, Counts, Snapshot};
pub use spec::{AnySpec, ChildSpec, SupervisorSpec};
pub use tree::{Tree, TreeError};
pub use vitals::ChildState;
