//! What befalls a program on purpose: the faults of a [`Process`]'s own. The signals are real, and sent by the guard: a
//! process number that it knows cannot be somebody else's by now.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::str::FromStr;
use std::thread;

use actix::prelude::*;
use rustix::process::Signal;

use super::guard::wire::Order;
use super::resident::Process;
use crate::fault::Seconds;
use crate::supervision::ChildSpec;

/// A line of a flood, of 64 bytes with its end.
const LINE: &[u8; 64] = b"this line was put into the output on purpose, as one of a flood\n";

/// The number of a signal by its name, `TERM` or `SIGTERM`.
struct SignalName(i32);

impl FromStr for SignalName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let name = text.strip_prefix("SIG").unwrap_or(text);
        match format!("SIG{name}").parse::<nix::sys::signal::Signal>() {
            Ok(signal) => Ok(Self(signal as i32)),
            Err(_) => Err(format!("`{text}` is no signal's name")),
        }
    }
}

impl Process {
    /// Gives a program the faults of its own: `signal:NAME` sends it a signal, `freeze:SECONDS` suspends it and all of its
    /// group for so long, `gush:LINES` puts as many lines more into its standard output, and `escape` has a process below
    /// it that has left its group, to be found by the [`Census`](super::Census).
    ///
    /// ```
    /// # use latido::actors::process::{Command, Process};
    /// # use latido::supervision::ChildSpec;
    /// let spec = Process::breakable(ChildSpec::new("cat", || Process::new(Command::new("cat"))));
    /// ```
    pub fn breakable(spec: ChildSpec<Self>) -> ChildSpec<Self> {
        spec.fault_with(
            "signal:NAME=KILL",
            "its program gets a signal",
            |it: &mut Self, SignalName(signal), _| {
                it.meddle(Order::Signal { signal, is_for_group: false });
            },
        )
        .fault_with(
            "freeze:SECONDS",
            "its program is suspended for so long",
            |it: &mut Self, Seconds(time), ctx| {
                let all = |signal: Signal| Order::Signal { signal: signal.as_raw(), is_for_group: true };
                it.meddle(all(Signal::STOP));
                ctx.run_later(time, move |it, _| it.meddle(all(Signal::CONT)));
            },
        )
        .fault_with(
            "gush:LINES=1000",
            "its program's output has so many lines more",
            |it: &mut Self, lines: u32, _| {
                it.gush(lines);
            },
        )
        .fault("escape", "a process below its program leaves its group", |it: &mut Self, _| {
            it.meddle(Order::Escape)
        })
    }

    fn meddle(&mut self, order: Order) {
        if let Some(running) = &self.running {
            let _ = running.meddle.send(order); // no receiver: it has ended meanwhile
        }
    }

    /// Into the very pipe that the program writes to, and at its reader's pace: so not on this thread.
    fn gush(&self, lines: u32) {
        let Some(running) = &self.running else { return };
        let Ok(output) = File::options().write(true).open(format!("/proc/{}/fd/1", running.pid)) else {
            return;
        };
        thread::spawn(move || {
            let mut output = BufWriter::new(output);
            // An error: the program has ended, and nobody reads any more.
            (0..lines).try_for_each(|_| output.write_all(LINE)).and_then(|()| output.flush())
        });
    }
}
