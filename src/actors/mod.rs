//! The actors that the crate ships. Each is a file of its own; adding one touches this folder only.

#[cfg(feature = "heartbeat")]
pub mod heartbeat;
pub mod cpu_pool;
#[cfg(feature = "digest")]
pub mod digest;
#[cfg(all(feature = "process", target_os = "linux"))]
pub mod process;
#[cfg(feature = "download")]
pub mod downloader;
