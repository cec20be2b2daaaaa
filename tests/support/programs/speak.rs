//! Programs with something to say.

use std::env;
use std::io::{self, BufRead, Read, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use serde_json::{Value, json};

use super::stay;

/// Without end.
pub(crate) fn print_lines() {
    let mut stdout = io::stdout().lock();
    for n in 0u64.. {
        if writeln!(stdout, "{n}").is_err() {
            return;
        }
    }
}

/// Without end.
pub(crate) fn print_frames() {
    let mut stdout = io::stdout().lock();
    for n in 0u64.. {
        write_frame(&mut stdout, &json!({ "n": n, "padding": "x".repeat(1000) }));
    }
}

/// Answers each frame that has a number with one that has its double, and 13 with what is no frame of that type.
pub(crate) fn double() {
    let (mut stdin, mut stdout) = (io::stdin().lock(), io::stdout().lock());
    let mut length = [0; 4];
    while stdin.read_exact(&mut length).is_ok() {
        let mut json = vec![0; u32::from_be_bytes(length) as usize];
        stdin.read_exact(&mut json).unwrap();
        let question: Value = serde_json::from_slice(&json).unwrap();
        match question["n"].as_u64().unwrap() {
            13 => write_frame(&mut stdout, &json!("bad luck")),
            n => write_frame(&mut stdout, &json!({ "n": 2 * n })),
        }
    }
}

fn write_frame(to: &mut impl Write, value: &Value) {
    let json = serde_json::to_vec(value).unwrap();
    to.write_all(&(json.len() as u32).to_be_bytes()).unwrap();
    to.write_all(&json).unwrap();
    to.flush().unwrap();
}

/// Says the messages to its notify socket, then each line that it reads. At the end of its input it stays.
pub(crate) fn notify(messages: &[&str]) {
    let name = env::var("NOTIFY_SOCKET").unwrap();
    let to = SocketAddr::from_abstract_name(name.strip_prefix('@').unwrap()).unwrap();
    let socket = UnixDatagram::unbound().unwrap();
    println!("{name} {}", env::var("WATCHDOG_USEC").unwrap_or_default());
    let say = |message: &str| {
        socket.send_to_addr(message.as_bytes(), &to).unwrap();
    };
    messages.iter().for_each(|message| say(message));
    io::stdin().lock().lines().for_each(|line| say(&line.unwrap()));
    stay()
}
