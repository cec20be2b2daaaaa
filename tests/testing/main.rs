//! What the crate offers to the tests of its users, and that each of its assertions can fail.

mod assertions;
mod conserved;
mod support;
