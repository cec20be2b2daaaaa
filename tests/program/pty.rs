//! The program on a terminal: what is shown there, and what is typed.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use nix::pty::{Winsize, openpty};
use nix::sys::signal::{Signal, kill};
use nix::sys::termios::{LocalFlags, tcgetattr};
use nix::unistd::Pid;

/// What has not come by then never does.
const LIMIT: Duration = Duration::from_secs(60);

/// What we write behind all that a program has written.
const END: &[u8] = b"\x01";

/// A program on a terminal of its own. Dropped, it is killed.
pub struct OnTerminal {
    child: Child,
    keys: File,
    /// Kept, so that the terminal can be asked how it was left.
    terminal: OwnedFd,
    shown: Arc<(Mutex<Vec<u8>>, Condvar)>,
}

impl OnTerminal {
    pub fn start(mut command: Command, columns: u16, rows: u16) -> Self {
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        let ends = openpty(Some(&size), None).unwrap();
        let stream = || Stdio::from(ends.slave.try_clone().unwrap());
        let child = command.stdin(stream()).stdout(stream()).stderr(stream()).spawn().unwrap();
        drop(command);
        let shown = Arc::<(Mutex<Vec<u8>>, Condvar)>::default();
        let (sink, mut master) = (shown.clone(), File::from(ends.master.try_clone().unwrap()));
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            // When nobody has the other end any more, the system says so with an error.
            while let Ok(n @ 1..) = master.read(&mut bytes) {
                sink.0.lock().unwrap().extend(&bytes[..n]);
                sink.1.notify_all();
            }
        });
        let keys = File::from(ends.master);
        Self { child, keys, terminal: ends.slave, shown }
    }

    pub fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().cast_signed()), signal).unwrap();
    }

    /// Waits until what is on the screen satisfies `wanted`; answers the screen.
    #[track_caller]
    pub fn until(&self, what: &str, mut wanted: impl FnMut(&Screen) -> bool) -> Screen {
        let shown = self.shown.0.lock().unwrap();
        let mut screen = Screen::default();
        let lacks = |bytes: &mut Vec<u8>| {
            screen = Screen::of(bytes);
            !wanted(&screen)
        };
        let (shown, waited) = self.shown.1.wait_timeout_while(shown, LIMIT, lacks).unwrap();
        drop(shown);
        assert!(!waited.timed_out(), "{what} was never shown:\n{}", screen.text());
        screen
    }

    #[track_caller]
    pub fn until_shown(&self, text: &str) -> Screen {
        self.until(text, |screen| screen.text().contains(text))
    }

    /// Waits for its end; answers the exit code and all bytes that were written.
    #[track_caller]
    pub fn end(mut self) -> (i32, Vec<u8>, bool) {
        let status = self.child.wait().unwrap();
        let modes = tcgetattr(&self.terminal).unwrap().local_flags;
        let is_as_before = modes.contains(LocalFlags::ICANON | LocalFlags::ECHO | LocalFlags::ISIG);
        // What was written last may still be on its way; this comes after it. Its end cannot be waited for: a program that
        // another test has started may have inherited this terminal.
        File::from(self.terminal.try_clone().unwrap()).write_all(END).unwrap();
        let is_under_way = |bytes: &mut Vec<u8>| !bytes.ends_with(END);
        let shown = self.shown.1.wait_while(self.shown.0.lock().unwrap(), is_under_way).unwrap();
        let bytes = shown[..shown.len() - END.len()].to_vec();
        drop(shown);
        (status.code().unwrap_or(-1), bytes, is_as_before)
    }
}

impl Drop for OnTerminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What is to be seen, as far as the program speaks to the terminal: it goes to a place, and writes.
#[derive(Default)]
pub struct Screen {
    rows: Vec<Vec<char>>,
    /// The other screen, which is left with all that is on it.
    pub is_alternate: bool,
    pub is_cursor_hidden: bool,
}

impl Screen {
    pub fn text(&self) -> String {
        self.rows.iter().map(|row| row.iter().collect::<String>().trim_end().to_owned() + "\n").collect()
    }

    pub fn of(bytes: &[u8]) -> Self {
        let mut screen = Self::default();
        let (mut row, mut column) = (0, 0);
        let text = String::from_utf8_lossy(bytes);
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '\u{1b}' if chars.peek() == Some(&'[') => {
                    chars.next();
                    let mut words = String::new();
                    let last = loop {
                        match chars.next() {
                            Some(c @ '@'..='~') => break c,
                            Some(c) => words.push(c),
                            None => return screen,
                        }
                    };
                    screen.obey(&words, last, &mut row, &mut column);
                }
                '\u{1b}' => {}
                '\r' => column = 0,
                '\n' => row += 1,
                c => {
                    screen.put(row, column, c);
                    column += 1;
                }
            }
        }
        screen
    }

    fn obey(&mut self, words: &str, last: char, row: &mut usize, column: &mut usize) {
        let mut numbers = words.split(';').map(|word| word.parse::<usize>().unwrap_or(1).max(1) - 1);
        match (words, last) {
            (_, 'H') => {
                *row = numbers.next().unwrap_or(0);
                *column = numbers.next().unwrap_or(0);
            }
            ("2" | "3", 'J') => self.rows.clear(),
            ("?1049", 'h' | 'l') => {
                self.is_alternate = last == 'h';
                self.rows.clear();
            }
            ("?25", 'h' | 'l') => self.is_cursor_hidden = last == 'l',
            _ => {}
        }
    }

    fn put(&mut self, row: usize, column: usize, c: char) {
        while self.rows.len() <= row {
            self.rows.push(Vec::new());
        }
        while self.rows[row].len() <= column {
            self.rows[row].push(' ');
        }
        self.rows[row][column] = c;
    }
}
