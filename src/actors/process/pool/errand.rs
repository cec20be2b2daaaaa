//! A job on its way, and the line to its sender.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::mem;
use std::time::Duration;

use serde::de::DeserializeOwned;
use tokio::sync::Notify;

use super::super::exit::ProcessExit;
use super::report::Quarantine;
use super::wire;
use crate::actors::cpu_pool::{Answer, JobError};
use crate::exit::catch;

/// A job that was sent, as the bytes that a worker gets. Dropped, it tells its sender that the pool has ended.
pub(super) struct Errand {
    pub(super) name: &'static str,
    pub(super) frame: Vec<u8>,
    pub(super) limit: Option<Duration>,
    /// The workers that it has cost.
    pub(super) deaths: Vec<ProcessExit>,
    /// Whether a worker has, or has had, any of it.
    is_begun: bool,
    /// Used up by the answer.
    reply: Option<Box<dyn Reply>>,
}

/// The line to a sender, whatever the type of the result that it waits for.
pub(super) trait Reply {
    fn is_unwanted(&self) -> bool;
    /// Answers with the result that has these bytes.
    fn result(self: Box<Self>, bytes: &[u8]);
    fn error(self: Box<Self>, error: JobError);
}

impl<R: DeserializeOwned + Send + 'static> Reply for Answer<R> {
    fn is_unwanted(&self) -> bool {
        Answer::is_unwanted(self)
    }

    fn result(self: Box<Self>, bytes: &[u8]) {
        let result = wire::value(bytes);
        // If nobody listens any more, it is dropped here.
        let _ = catch(|| self.send(result));
    }

    fn error(self: Box<Self>, error: JobError) {
        self.send(Err(error));
    }
}

impl Errand {
    pub(super) fn new(
        name: &'static str,
        frame: Vec<u8>,
        limit: Option<Duration>,
        reply: impl Reply + 'static,
    ) -> Self {
        let reply: Option<Box<dyn Reply>> = Some(Box::new(reply));
        Self { name, frame, limit, deaths: Vec::new(), is_begun: false, reply }
    }

    pub(super) fn begin(&mut self) {
        self.is_begun = true;
    }

    pub(super) fn succeed(mut self, bytes: &[u8]) {
        if let Some(reply) = self.reply.take() {
            reply.result(bytes);
        }
    }

    pub(super) fn fail(mut self, error: JobError) {
        if let Some(reply) = self.reply.take() {
            reply.error(error);
        }
    }

    /// Its story, if it is not to be run again.
    pub(super) fn quarantine(&mut self) -> Quarantine {
        let (frame, deaths) = (mem::take(&mut self.frame), mem::take(&mut self.deaths));
        Quarantine::new(self.name, wire::job_of(frame), deaths)
    }

    fn is_unwanted(&self) -> bool {
        self.reply.as_ref().is_none_or(|reply| reply.is_unwanted())
    }
}

impl Drop for Errand {
    fn drop(&mut self) {
        if let Some(reply) = self.reply.take() {
            reply.error(if self.is_begun { JobError::Interrupted } else { JobError::Lost });
        }
    }
}

/// The jobs that wait for a worker. All workers are looked after on one thread.
#[derive(Default)]
pub(super) struct Queue {
    errands: RefCell<VecDeque<Errand>>,
    arrivals: Notify,
}

impl Queue {
    pub(super) fn put(&self, errand: Errand) {
        self.errands.borrow_mut().push_back(errand);
        self.arrivals.notify_one();
    }

    /// For one that its worker has seen nothing of.
    pub(super) fn put_back(&self, mut errand: Errand) {
        errand.is_begun = !errand.deaths.is_empty();
        self.errands.borrow_mut().push_front(errand);
        self.arrivals.notify_one();
    }

    /// The next that somebody wants.
    pub(super) async fn next(&self) -> Errand {
        loop {
            while let Some(errand) = self.pop() {
                if !errand.is_unwanted() {
                    return errand;
                }
            }
            self.arrivals.notified().await;
        }
    }

    pub(super) fn clear(&self) {
        while self.pop().is_some() {}
    }

    fn pop(&self) -> Option<Errand> {
        self.errands.borrow_mut().pop_front()
    }
}
