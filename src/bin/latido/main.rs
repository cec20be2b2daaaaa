<<<<<<< HEAD
//! `latido`: downloads, verifies and post-processes files under supervision.
=======
//! The program `latido`.

#[allow(dead_code)]
mod demo;
>>>>>>> bb3126d (Add the downloader, tested against a server that breaks the wire, and the demo's origin)

fn main() {}
