//! What is said to a daemon from outside.

use std::env;
use std::fs;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::Outcome;
use crate::daemon::{DAEMON, SOCKET};

/// Starts one, and returns when it runs. It is no child of anybody's then: its parent is this command, which ends.
pub(crate) fn start(dir: &Path) -> Outcome {
    fs::create_dir_all(dir)?;
    let mut daemon = Command::new(env::current_exe()?);
    let daemon = daemon.arg(DAEMON).arg(dir.canonicalize()?).stdin(Stdio::null()).stderr(Stdio::null());
    let mut daemon = daemon.stdout(Stdio::piped()).spawn()?;
    let mut word = String::new();
    BufReader::new(daemon.stdout.take().ok_or("no pipe")?).read_line(&mut word)?;
    print!("{word}");
    if word.is_empty() { Err(format!("the daemon has ended with {}", daemon.wait()?).into()) } else { Ok(()) }
}

/// Asks it over its socket. Nobody answers there who does not run, whatever files are left.
pub(crate) fn ask(dir: &Path, question: &str) -> Outcome {
    let answer = match UnixStream::connect(dir.join(SOCKET)) {
        Ok(socket) => converse(socket, question)?,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => {
            "not running\n".to_owned()
        }
        Err(error) => return Err(error.into()),
    };
    print!("{answer}");
    Ok(())
}

fn converse(mut socket: UnixStream, question: &str) -> io::Result<String> {
    socket.write_all(question.as_bytes())?;
    socket.shutdown(Shutdown::Write)?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer)?;
    Ok(answer)
}
