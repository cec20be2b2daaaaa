//! The program as its users have it: the real binary against our own servers. One rule stands above all: exit status
//! 0 says that the right file is under its name; after any other status, nothing or the right file is under it.
#![cfg(feature = "cli")]
#![allow(unreachable_pub)]

mod bad_input;
mod checksums;
mod content_disposition;
mod crashes;
mod demo;
mod door;
mod dry_run;
mod exec;
mod exit_codes;
mod failures;
mod faults;
mod files;
mod full_disk;
mod good_runs;
mod http;
mod http_waits;
mod hung;
mod jobs;
mod journal;
mod json;
mod kill;
mod kills;
mod latido;
mod metalink;
mod newer;
mod pty;
#[allow(dead_code)]
#[path = "../support/ranges.rs"]
mod ranges;
mod recording;
mod replaying;
mod resuming;
mod scenarios;
#[allow(dead_code)]
#[path = "../support/server.rs"]
mod server;
mod signals;
mod stories;
mod terminal;
#[allow(dead_code)]
#[path = "../support/tls.rs"]
mod tls;
mod top;
mod torn_journal;
