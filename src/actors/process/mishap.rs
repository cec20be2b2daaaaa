//! What befalls a program on purpose: the faults of a [`Process`]'s own, and of a [`CommandRunner`]'s. The signals are real,
//! and sent by the guard: a process number that it knows cannot be somebody else's by now.

use std::convert::Infallible;
use std::fs::File;
use std::future::pending;
use std::io::{BufWriter, Write};
use std::str::FromStr;
use std::sync::Arc;
use std::thread;

use actix::prelude::*;
use rustix::process::Signal;
use tokio::sync::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::guard::Orders;
use super::guard::wire::Order;
use super::resident::Process;
use super::runner::CommandRunner;
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
        let spec = signalled(
            spec,
            ["its program gets a signal", "its program is suspended for so long"],
            Self::meddle,
        );
        spec.fault_with(
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

impl CommandRunner {
    /// Gives a runner the faults of its own: `signal:NAME` sends the program that it runs a signal, `freeze:SECONDS` suspends
    /// that and all of its group for so long. If it runs none, the next one gets it; of several, the first that was started.
    ///
    /// ```
    /// # use latido::actors::process::CommandRunner;
    /// # use latido::supervision::ChildSpec;
    /// let spec = CommandRunner::breakable(ChildSpec::new("exec", CommandRunner::default));
    /// ```
    pub fn breakable(spec: ChildSpec<Self>) -> ChildSpec<Self> {
        let says = [
            "the program that it runs gets a signal, or the next one",
            "the program that it runs is suspended for so long, or the next one",
        ];
        signalled(spec, says, |it, order| it.meddling.put(order))
    }
}

/// What is done to the programs of a runner: each order reaches one of them, and waits while there is none.
#[derive(Clone, Debug)]
pub(super) struct Meddling {
    put: UnboundedSender<Order>,
    /// Whoever has it locked is the one.
    orders: Arc<Mutex<UnboundedReceiver<Order>>>,
}

impl Default for Meddling {
    fn default() -> Self {
        let (put, orders) = unbounded_channel();
        Self { put, orders: Arc::new(Mutex::new(orders)) }
    }
}

impl Meddling {
    fn put(&self, order: Order) {
        let _ = self.put.send(order); // the receiver is here
    }

    /// Has them carried out, for as long as this is polled.
    pub(super) async fn pass_on(&self, to: Orders<'_>) -> Infallible {
        let mut orders = self.orders.lock().await;
        loop {
            match orders.recv().await {
                Some(order) => to.meddle(&order),
                None => pending().await,
            }
        }
    }
}

/// The faults of all that have programs.
fn signalled<A: Actor<Context = Context<A>>>(
    spec: ChildSpec<A>,
    [signal, freeze]: [&'static str; 2],
    meddle: fn(&mut A, Order),
) -> ChildSpec<A> {
    spec.fault_with("signal:NAME=KILL", signal, move |it, SignalName(signal), _| {
        meddle(it, Order::Signal { signal, is_for_group: false });
    })
    .fault_with("freeze:SECONDS", freeze, move |it, Seconds(time), ctx| {
        let all = |signal: Signal| Order::Signal { signal: signal.as_raw(), is_for_group: true };
        meddle(it, all(Signal::STOP));
        ctx.run_later(time, move |it, _| meddle(it, all(Signal::CONT)));
    })
}
