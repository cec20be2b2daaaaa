//! What a program writes: read no faster than it is wanted, and the end of it kept.

use std::collections::VecDeque;
use std::pin::pin;
use std::time::Duration;

use futures::future::select;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::net::unix::pipe;
use tokio::sync::watch;
use tokio::time::sleep;

/// What is kept of an output, in bytes: the last of it.
const TAIL: usize = 64 * 1024;

/// How much of an output is read at a time, in bytes, where it is not for values of any size.
pub(super) const BUFFER: usize = 8 * 1024;

/// The longest line, in bytes. A longer one comes in pieces.
const MAX_LINE: usize = 1024 * 1024;

/// The longest frame, in bytes.
pub(super) const MAX_FRAME: usize = 16 * 1024 * 1024;

/// How long a pipe may be silent once its program has ended. Whatever the program wrote is in the pipe by then and all
/// that it started is dead, so only somebody whom it gave the pipe to can still hold it open.
const LINGER: Duration = Duration::from_secs(1);

/// One output pipe of a program.
pub(super) struct Output<P = pipe::Receiver> {
    pipe: BufReader<P>,
    tail: VecDeque<u8>,
    /// Turns true when the program has ended.
    ended: watch::Receiver<bool>,
}

impl<P: AsyncRead + Unpin> Output<P> {
    /// With a buffer of so many bytes.
    pub(super) fn new(pipe: P, buffer: usize, ended: watch::Receiver<bool>) -> Self {
        Self { pipe: BufReader::with_capacity(buffer, pipe), tail: VecDeque::new(), ended }
    }

    /// The next line without its end; `None` after the last. It is what pulls the next bytes out of the pipe: a
    /// program whose lines nobody asks for comes to a halt when the pipe is full.
    pub(super) async fn next_line(&mut self) -> Option<String> {
        let mut line = Vec::new();
        loop {
            self.fill().await;
            let chunk = self.pipe.buffer();
            let room = MAX_LINE - line.len();
            // One byte past the room, for the end of a line that just fits.
            let window = &chunk[..chunk.len().min(room + 1)];
            let end = window.iter().position(|&byte| byte == b'\n');
            let taken = end.unwrap_or(window.len().min(room));
            let over = end.is_some() || taken < window.len() || chunk.is_empty();
            let nothing = chunk.is_empty() && line.is_empty();
            line.extend_from_slice(&window[..taken]);
            self.consume(taken + usize::from(end.is_some()));
            if over {
                return (!nothing).then(|| String::from_utf8_lossy(&line).into_owned());
            }
        }
    }

    /// The next bytes, at most as many as the buffer holds; `None` after the last.
    pub(super) async fn next_chunk(&mut self) -> Option<Vec<u8>> {
        self.fill().await;
        let chunk = self.pipe.buffer().to_vec();
        self.consume(chunk.len());
        (!chunk.is_empty()).then_some(chunk)
    }

    /// The next frame without its length; `None` after the last, and if the output ends within one. The error is the
    /// length of one that is too long.
    pub(super) async fn next_frame(&mut self) -> Option<Result<Vec<u8>, usize>> {
        let length = self.exactly(size_of::<u32>()).await?;
        let length = u32::from_be_bytes(length.try_into().ok()?) as usize;
        if length > MAX_FRAME {
            return Some(Err(length));
        }
        self.exactly(length).await.map(Ok)
    }

    async fn exactly(&mut self, count: usize) -> Option<Vec<u8>> {
        let mut bytes = Vec::with_capacity(count);
        while bytes.len() < count {
            self.fill().await;
            let chunk = self.pipe.buffer();
            let taken = chunk.len().min(count - bytes.len());
            if taken == 0 {
                return None;
            }
            bytes.extend_from_slice(&chunk[..taken]);
            self.consume(taken);
        }
        Some(bytes)
    }

    /// Reads to the end and keeps the tail.
    pub(super) async fn drain(&mut self) {
        loop {
            self.fill().await;
            match self.pipe.buffer().len() {
                0 => return,
                read => self.consume(read),
            }
        }
    }

    /// The last 64 KiB of what was read.
    pub(super) fn tail(&self) -> String {
        let (front, back) = self.tail.as_slices();
        String::from_utf8_lossy(&[front, back].concat()).into_owned()
    }

    /// The last ten lines of what was read, for an error message.
    pub(super) fn last_words(&self) -> Vec<String> {
        let text = self.tail();
        let lines: Vec<&str> = text.lines().collect();
        let last = &lines[lines.len().saturating_sub(10)..];
        last.iter().map(|line| line.chars().take(200).collect()).collect()
    }

    /// Makes sure that there is something in the buffer; it stays empty at the end of the output only.
    async fn fill(&mut self) {
        let Self { pipe, ended, .. } = self;
        let silence = async {
            // An error: the child was dropped, and with it the reason to wait.
            let _ = ended.wait_for(|ended| *ended).await;
            sleep(LINGER).await;
        };
        // A pipe that fails to be read has nothing more to say.
        let _ = select(pin!(pipe.fill_buf()), pin!(silence)).await;
    }

    fn consume(&mut self, count: usize) {
        self.tail.extend(&self.pipe.buffer()[..count]);
        let over = self.tail.len().saturating_sub(TAIL);
        self.tail.drain(..over);
        self.pipe.consume(count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(bytes: &[u8]) -> Output<&[u8]> {
        Output::new(bytes, BUFFER, watch::channel(true).1)
    }

    #[actix::test]
    async fn lines_come_whole_and_the_last_needs_no_end() {
        let mut output = output(b"one\n\ntwo\nthree");
        for expected in [Some("one"), Some(""), Some("two"), Some("three"), None, None] {
            assert_eq!(output.next_line().await.as_deref(), expected);
        }
    }

    #[actix::test]
    async fn a_line_over_the_bound_comes_in_pieces() {
        let mut text = "x".repeat(MAX_LINE); // just fits
        text.push('\n');
        text += &"y".repeat(MAX_LINE + 1);
        text += "\nend\n";
        let mut output = output(text.as_bytes());
        for (first, length) in [('x', MAX_LINE), ('y', MAX_LINE), ('y', 1), ('e', 3)] {
            let line = output.next_line().await.unwrap();
            assert!(line.starts_with(first));
            assert_eq!(line.len(), length);
        }
        assert_eq!(output.next_line().await, None);
    }

    #[actix::test]
    async fn frames_come_whole_and_one_that_is_cut_off_is_the_end() {
        let mut output = output(b"\0\0\0\x03one\0\0\0\0\0\0\0\x05thr");
        for expected in [Some("one"), Some(""), None, None] {
            let frame = output.next_frame().await.map(|frame| String::from_utf8(frame.unwrap()).unwrap());
            assert_eq!(frame.as_deref(), expected);
        }
    }

    #[actix::test]
    async fn a_frame_over_the_bound_is_not_read() {
        assert_eq!(output(b"Hello, world").next_frame().await, Some(Err(0x48656c6c)));
    }

    #[actix::test]
    async fn only_the_end_of_a_long_output_is_kept() {
        let text: String = (1..=100_000).map(|n| format!("line {n}\n")).collect();
        let mut output = output(text.as_bytes());
        output.drain().await;
        assert_eq!(output.tail(), text[text.len() - TAIL..]);
        assert_eq!(output.last_words()[0], "line 99991");
        assert_eq!(output.last_words()[9], "line 100000");
    }
}
