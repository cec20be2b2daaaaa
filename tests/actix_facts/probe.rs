//! An actor that writes down what happens to it and does what it is told.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Poll, Waker};

use actix::dev::ContextFut;
use actix::prelude::*;

#[derive(Clone, Default)]
pub(crate) struct Log(Rc<RefCell<Vec<&'static str>>>);

impl Log {
    pub(crate) fn add(&self, line: &'static str) {
        self.0.borrow_mut().push(line);
    }

    /// What was written since the last call.
    pub(crate) fn take(&self) -> Vec<&'static str> {
        self.0.take()
    }
}

/// Tests replace the hooks: `Probe { stopping: |_| Running::Continue, ..Probe::new(&log) }`.
pub(crate) struct Probe {
    pub(crate) log: Log,
    pub(crate) started: fn(&mut Context<Probe>),
    pub(crate) stopping: fn() -> Running,
}

impl Probe {
    pub(crate) fn new(log: &Log) -> Self {
        Self { log: log.clone(), started: |_| {}, stopping: || Running::Stop }
    }
}

impl Actor for Probe {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        self.log.add("started");
        (self.started)(ctx)
    }

    fn stopping(&mut self, _: &mut Context<Self>) -> Running {
        self.log.add("stopping");
        (self.stopping)()
    }

    fn stopped(&mut self, _: &mut Context<Self>) {
        self.log.add(match std::thread::panicking() {
            true => "stopped while panicking",
            false => "stopped",
        });
    }
}

impl Supervised for Probe {
    fn restarting(&mut self, _: &mut Context<Self>) {
        self.log.add("restarting");
    }
}

/// Runs a function in the handler.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Do(pub(crate) fn(&mut Probe, &mut Context<Probe>));

impl Handler<Do> for Probe {
    type Result = ();

    fn handle(&mut self, Do(order): Do, ctx: &mut Context<Self>) {
        order(self, ctx)
    }
}

/// Writes a line.
pub(crate) const NOTE: Do = Do(|probe, _| probe.log.add("handled"));
pub(crate) const STOP: Do = Do(|_, ctx| ctx.stop());
pub(crate) const PANIC: Do = Do(|_, _| panic!("on purpose"));

/// Polls once, as a runner would: `None` if that panicked.
pub(crate) fn poll(incarnation: &mut ContextFut<Probe, Context<Probe>>) -> Option<Poll<()>> {
    let mut cx = std::task::Context::from_waker(Waker::noop());
    catch_unwind(AssertUnwindSafe(|| Pin::new(incarnation).poll(&mut cx))).ok()
}

/// The answer, if it is there.
pub(crate) fn answer<T>(request: impl Future<Output = T>) -> Option<T> {
    let mut cx = std::task::Context::from_waker(Waker::noop());
    match pin!(request).poll(&mut cx) {
        Poll::Ready(answer) => Some(answer),
        Poll::Pending => None,
    }
}
