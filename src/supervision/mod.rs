//! Supervision.
pub struct Shutdown;
pub struct Restart;
