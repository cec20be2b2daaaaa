//! The names that nearly every user needs, to be imported beside actix's own: no name is in both.
//!
//! ```
//! use actix::prelude::*;
//! use latido::prelude::*;
//! # // A name that both had would be ambiguous here.
//! # type Tree_<A: Actor<Context = Context<A>>> = (ActorRef<A>, Arbiters, AskError, AutoShutdown, Backoff, Bound, ChildSpec<A>, Overflow, Placement, Restart, Shutdown, Strategy, SupervisorSpec, Tree);
//! # type Story = (Event, EventKind, Events, ExitReason, Fault, Injection, Box<dyn Report>, Reporter, Rule);
//! # fn end() -> ! { crash("over") }
//! ```

pub use crate::event::{Event, EventKind, Events, Report};
pub use crate::exit::{ExitReason, crash};
pub use crate::fault::{Fault, Injection, Rule};
pub use crate::reporter::Reporter;
pub use crate::supervision::{
    ActorRef, Arbiters, AskError, AutoShutdown, Backoff, Bound, ChildSpec, Overflow, Placement, Restart,
    Shutdown, Strategy, SupervisorSpec, Tree,
};
