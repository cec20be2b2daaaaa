//! Supervision for [actix](https://docs.rs/actix) actors.

mod panic;
mod path;
mod reporter;

pub mod actors;
pub mod event;
pub mod exit;
pub mod fault;
pub mod supervision;

pub use event::{Event, EventKind, Events, Report};
pub use exit::{ExitReason, crash};
pub use panic::{Panic, quiet_panics};
pub use path::TreePath;
pub use reporter::Reporter;
