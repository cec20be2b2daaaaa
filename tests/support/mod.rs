//! What several test programs need. Each of them uses a part of it.
#![allow(dead_code, unreachable_pub)]

#[cfg(feature = "download")]
pub mod download;
pub mod ranges;
pub mod server;
#[cfg(feature = "download")]
pub mod tls;
