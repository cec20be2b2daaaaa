//! The program `latido`.

#[allow(dead_code)]
mod cli;
#[allow(dead_code)]
mod fetch;

fn main() {}
