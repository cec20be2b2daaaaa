//! Supervision.

mod armed;
mod backoff;
mod child;
mod incarnation;
mod machine;
mod mailbox;
mod node;
mod placement;
mod policy;
mod seat;
mod snapshot;
mod spec;
mod supervisor;
mod tree;
mod window;

pub use backoff::Backoff;
pub use node::ChildState;
pub use placement::{Arbiters, Placement};
pub use policy::{Restart, Shutdown, Strategy};
pub use snapshot::{ChildInfo, Snapshot};
pub use spec::{AnySpec, ChildSpec, SpecError, SupervisorSpec};
pub use tree::{Tree, TreeError};
pub use window::RestartWindow;
