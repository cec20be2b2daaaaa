//! A web server that lets nobody have a file at the first attempt.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::TcpListener;
use std::thread;

use tokio::sync::mpsc::UnboundedSender;

pub(crate) const CONTENT: &[u8] = &[b'x'; 100_000];

/// Answers each first request for a file with half of it, and tells; then with all of it.
pub(crate) fn serve(listener: &TcpListener, halves: &UnboundedSender<()>) -> io::Result<()> {
    let mut asked = HashMap::new();
    for stream in listener.incoming() {
        let (mut stream, mut request) = (stream?, Vec::new());
        while !request.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte)?;
            request.extend(byte);
        }
        let path = request.split(|byte| *byte == b' ').nth(1).unwrap_or_default().to_owned();
        let n = asked.entry(path).and_modify(|n| *n += 1).or_insert(0);
        let length = CONTENT.len();
        write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n")?;
        if *n < 1 {
            stream.write_all(&CONTENT[..length / 2])?;
            let _ = halves.send(());
            thread::spawn(move || stream.read(&mut [0])); // held open until whoever asked has gone
        } else {
            stream.write_all(CONTENT)?;
        }
    }
    Ok(())
}
