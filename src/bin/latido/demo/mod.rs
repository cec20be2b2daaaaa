//! What the demo needs of its own.

pub(crate) mod origin;
