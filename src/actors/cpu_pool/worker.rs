//! One thread of the pool. actix ends a thread of a `SyncArbiter` on any panic and never replaces it, so
//! whatever is the user's runs under [`catch`] here: the factory, the job, and the destructors of the state, the
//! job and the result.

use std::any::type_name;
use std::sync::Arc;

use actix::dev::OneshotSender;
use actix::prelude::*;

use super::{CpuJob, JobError, JobPanicked};
use crate::Reporter;
use crate::exit::{ExitReason, catch, drop_quietly};

pub(super) type Factory<W> = Arc<dyn Fn() -> W + Send + Sync>;

/// A job and whom to tell.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Task<J: Message> {
    pub(super) job: J,
    pub(super) answer: Answer<J::Result>,
}

/// The line to the sender; nobody listens if the job came by `do_send`. Dropped unused it says
/// [`JobError::Lost`]: so end the tasks of a queue that nobody will read.
pub(super) struct Answer<R>(pub(super) Option<OneshotSender<Result<R, JobError>>>);

pub(super) struct Worker<W> {
    /// Built at the first job rather than with the worker: where a factory can fail, there is a sender to
    /// tell.
    state: Option<W>,
    factory: Factory<W>,
    reporter: Reporter,
}

impl<W: 'static> Actor for Worker<W> {
    type Context = SyncContext<Self>;
}

/// The state is never pinned.
impl<W> Unpin for Worker<W> {}

impl<W> Drop for Worker<W> {
    fn drop(&mut self) {
        let _ = drop_quietly(self.state.take());
    }
}

impl<W: 'static, J: CpuJob<W>> Handler<Task<J>> for Worker<W> {
    type Result = ();

    fn handle(&mut self, Task { job, answer }: Task<J>, _: &mut SyncContext<Self>) {
        // What the destructors of an unwanted job or result say is nobody's concern any more.
        if answer.is_unwanted() {
            let _ = drop_quietly(job);
            return;
        }
        let result = self.run(job);
        let _ = catch(|| answer.send(result));
    }
}

impl<W> Worker<W> {
    pub(super) fn new(factory: Factory<W>, reporter: Reporter) -> Self {
        Self { state: None, factory, reporter }
    }

    fn run<J: CpuJob<W>>(&mut self, job: J) -> Result<J::Result, JobError> {
        let state = match self.state.take() {
            Some(state) => Ok(state),
            None => catch(|| (self.factory)()),
        };
        let mut state = match state {
            Ok(state) => state,
            Err(reason) => {
                let _ = drop_quietly(job);
                self.report::<J>(&reason);
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
                self.report::<J>(&reason);
                Err(JobError::Panicked(reason))
            }
        }
    }

    fn report<J>(&self, reason: &ExitReason) {
        self.reporter.report(JobPanicked { job: type_name::<J>(), reason: reason.clone() });
    }
}

impl<R> Answer<R> {
    fn is_unwanted(&self) -> bool {
        self.0.as_ref().is_some_and(OneshotSender::is_closed)
    }

    fn send(mut self, result: Result<R, JobError>) {
        if let Some(sender) = self.0.take() {
            let _ = sender.send(result);
        }
    }
}

impl<R> Drop for Answer<R> {
    fn drop(&mut self) {
        if let Some(sender) = self.0.take() {
            let _ = sender.send(Err(JobError::Lost));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{CpuPool, Run};
    use super::*;
    use crate::TreePath;
    use crate::bus::EventBus;
    use crate::reporter::Speaker;

    #[derive(Message)]
    #[rtype(result = "()")]
    struct Break;

    impl CpuJob for Break {
        fn run(self, _: &mut ()) {
            panic!("broken")
        }
    }

    #[actix::test]
    async fn a_panic_of_a_job_is_on_the_event_stream_before_its_sender_hears_of_it() {
        let bus = EventBus::default();
        let mut events = bus.subscribe();
        let path = TreePath::root("app").join("cpu");
        let in_a_tree = Reporter::new(Speaker::new(bus, path.clone()), 3).enter();
        let pool = CpuPool::new(1).start();

        let answer = pool.send(Run(Break)).await.unwrap();
        assert!(matches!(answer, Err(JobError::Panicked(_))));

        let event = events.try_next().expect("an event");
        assert_eq!((event.path.as_str(), event.incarnation), (path.as_str(), 3));
        let report = event.report::<JobPanicked>().expect("a JobPanicked");
        assert!(report.job.ends_with("Break"), "{report}");
        assert!(report.to_string().contains("panicked: broken at src/"), "{report}");
        drop(in_a_tree);
    }

    #[test]
    fn a_state_whose_destructor_panics_does_not_harm_the_end_of_its_thread() {
        struct Mine;
        impl Drop for Mine {
            fn drop(&mut self) {
                panic!("stepped on a mine")
            }
        }
        impl CpuJob<Mine> for Break {
            fn run(self, _: &mut Mine) {}
        }
        let mut worker = Worker::new(Arc::new(|| Mine), Reporter::current());
        assert!(worker.run(Break).is_ok());
        drop(worker);
    }
}
