//! One thread of the pool. actix ends a thread of a `SyncArbiter` on any panic and never replaces it, so
//! whatever is the user's runs under [`catch`] here: the factory, the job, and the destructors of the state, the
//! job and the result.

use std::any::type_name;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use actix::dev::OneshotSender;
use actix::prelude::*;

use super::CpuJob;
use super::crew::Crew;
use super::desk::{Desk, Overdue, Sender};
use super::outcome::{JobError, JobPanicked, JobTimedOut};
use crate::exit::{catch, drop_quietly};

/// A job, how long it may run, and whom to tell.
pub(super) struct Task<J: Message> {
    pub(super) job: J,
    pub(super) limit: Option<Duration>,
    pub(super) answer: Answer<J::Result>,
}

/// A task, whatever its job.
pub(super) trait Work<W>: Send {
    /// Does it; `Break` if the pool has given the thread up meanwhile.
    fn work(self: Box<Self>, worker: &mut Worker<W>) -> ControlFlow<()>;
}

/// The line to the sender; nobody listens if the job came by `do_send`. Dropped unused it says
/// [`JobError::Lost`]: so end the tasks of a queue that nobody will read.
pub(in crate::actors) struct Answer<R>(pub(in crate::actors) Option<OneshotSender<Result<R, JobError>>>);

pub(super) struct Worker<W: 'static> {
    /// Built at the first job rather than with the worker: where a factory can fail, there is a sender to
    /// tell.
    state: Option<W>,
    desk: Arc<Desk>,
    crew: Arc<Crew<W>>,
}

impl<W: 'static> Actor for Worker<W> {
    type Context = SyncContext<Self>;

    /// Works, all its life. No job comes as a message: those reach the thread through the system's arbiter, which may be
    /// blocked, and cannot be taken from it any more.
    fn started(&mut self, _: &mut SyncContext<Self>) {
        let crew = self.crew.clone();
        while let Some(task) = crew.next_task() {
            if task.work(self).is_break() {
                break;
            }
        }
        let _ = drop_quietly(self.state.take());
    }
}

/// The state is never pinned.
impl<W> Unpin for Worker<W> {}

impl<W: 'static, J: CpuJob<W>> Work<W> for Task<J> {
    fn work(self: Box<Self>, worker: &mut Worker<W>) -> ControlFlow<()> {
        let Self { job, limit, answer } = *self;
        // What the destructors of an unwanted job or result say is nobody's concern any more.
        if answer.is_unwanted() {
            let _ = drop_quietly(job);
            return ControlFlow::Continue(());
        }
        let (result, answer) = match limit {
            None => (worker.run(job), answer),
            Some(limit) => {
                let job_type = JobTimedOut { job: type_name::<J>(), limit };
                worker.desk.begin(Overdue { job: job_type, sender: Box::new(answer) });
                let result = worker.run(job);
                let Some(answer) = worker.desk.end() else {
                    let _ = drop_quietly(result);
                    return ControlFlow::Break(());
                };
                (result, answer)
            }
        };
        if let Err(JobError::Panicked(reason) | JobError::WorkerInit(reason)) = &result {
            worker.crew.report(JobPanicked { job: type_name::<J>(), reason: reason.clone() });
        }
        let _ = catch(|| answer.send(result));
        ControlFlow::Continue(())
    }
}

impl<W: 'static> Worker<W> {
    pub(super) fn new(crew: Arc<Crew<W>>) -> Self {
        Self { state: None, desk: crew.new_desk(), crew }
    }

    fn run<J: CpuJob<W>>(&mut self, job: J) -> Result<J::Result, JobError> {
        let state = match self.state.take() {
            Some(state) => Ok(state),
            None => catch(|| self.crew.new_state()),
        };
        let mut state = match state {
            Ok(state) => state,
            Err(reason) => {
                let _ = drop_quietly(job);
                return Err(JobError::WorkerInit(reason));
            }
        };
        match catch(|| job.run(&mut state)) {
            Ok(result) => {
                self.state = Some(state);
                Ok(result)
            }
            Err(reason) => {
                let _ = drop_quietly(state);
                Err(JobError::Panicked(reason))
            }
        }
    }
}

impl<R> Answer<R> {
    pub(in crate::actors) fn is_unwanted(&self) -> bool {
        self.0.as_ref().is_some_and(OneshotSender::is_closed)
    }

    pub(in crate::actors) fn send(mut self, result: Result<R, JobError>) {
        if let Some(sender) = self.0.take() {
            let _ = sender.send(result);
        }
    }
}

impl<R: Send + 'static> Sender for Answer<R> {
    fn hear_of_time_out(self: Box<Self>, limit: Duration) {
        self.send(Err(JobError::TimedOut { limit }));
    }
}

impl<R> Drop for Answer<R> {
    fn drop(&mut self) {
        if let Some(sender) = self.0.take() {
            let _ = sender.send(Err(JobError::Lost));
        }
    }
}
