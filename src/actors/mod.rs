//! The actors that the crate ships. Each is a file of its own; adding one touches this folder only.
//!
//! | actor | what it does | feature |
//! |---|---|---|
//! | `cpu_pool::CpuPool` | runs jobs on many cores; `digest` has one that checks files | always (`digest`) |
//! | `downloader::Downloader` | gets a URL into a file | `download` |
//! | `heartbeat::Heartbeat` | says at an interval that the system is alive | `heartbeat` |
//! | `process::Process` | is a program that runs | `process` (Linux) |
//! | `process::pool::ProcessPool` | runs CPU jobs in processes of this program's own | `process` (Linux) |
//! | `process::CommandRunner` | runs a program for each message | `process` (Linux) |

pub mod cpu_pool;
#[cfg(feature = "digest")]
pub mod digest;
#[cfg(feature = "download")]
pub mod downloader;
#[cfg(feature = "heartbeat")]
pub mod heartbeat;
#[cfg(all(feature = "process", target_os = "linux"))]
pub mod process;
mod wanted;

pub use wanted::WhileWanted;
