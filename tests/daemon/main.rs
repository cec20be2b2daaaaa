//! `latido daemon` and `latido add` as their users have them: real daemons, each with a state directory of its own, and none
//! of them left when its test has ended.
#![allow(unreachable_pub)]

mod adding;
mod chain;
mod commands;
mod detaching;
#[allow(dead_code)]
#[path = "../program/files.rs"]
mod files;
mod init;
mod killed;
mod kit;
#[allow(dead_code)]
#[path = "../program/latido.rs"]
mod latido;
mod logs;
#[allow(dead_code)]
#[path = "../support/server.rs"]
mod server;
mod unit;
