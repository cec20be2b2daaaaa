//! The threads of one incarnation of the pool, and the queue that they share.
//!
//! The queue is the pool's own because that of a `SyncArbiter` cannot be given to other threads: with it, a job that
//! does not return would cost the pool a thread for ever. So the threads of a `SyncArbiter` are hired, and so is one
//! more in the place of each that must be given up.

use std::sync::atomic::{AtomicUsize, Ordering, fence};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use actix::WeakAddr;
use actix::prelude::*;
use crossbeam_channel::{Receiver, Sender};

use super::desk::{Desk, Desks, Overdue, Relief};
use super::outcome::JobTimedOut;
use super::worker::{Work, Worker};
use super::{CpuPool, Factory};
use crate::bus::{EventBus, LostThread, MAX_LOST_THREADS};
use crate::exit::{ExitReason, catch, drop_quietly};
use crate::pulse::{self, Timekeeper};
use crate::{Report, Reporter, TreePath};

type AnyTask<W> = Box<dyn Work<W>>;

pub(super) struct Crew<W: 'static> {
    queue: Receiver<AnyTask<W>>,
    factory: Factory<W>,
    /// How many threads take jobs from the queue.
    size: AtomicUsize,
    /// Threads hired so far, for their names.
    hired: AtomicUsize,
    desks: Arc<Desks>,
    pool: WeakAddr<CpuPool<W>>,
    /// Where threads can be hired.
    system: System,
    reporter: Reporter,
    bus: EventBus,
}

/// The pool's end of the queue: when it is dropped, the threads do what is there, and end.
pub(super) struct Entrance<W: 'static> {
    line: Sender<AnyTask<W>>,
    crew: Arc<Crew<W>>,
}

/// To the pool: it has lost a thread, and there is none to take its place.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct OutOfThreads {
    desks: Weak<Desks>,
    pub(super) reason: ExitReason,
}

// ===== the pool's side =====

impl<W: 'static> Entrance<W> {
    /// Hires so many threads for the pool that is starting.
    pub(super) fn open(threads: usize, factory: Factory<W>, pool: WeakAddr<CpuPool<W>>) -> Self {
        let (line, queue) = crossbeam_channel::unbounded();
        let reporter = Reporter::current();
        let crew = Arc::new_cyclic(|crew: &Weak<Crew<W>>| Crew {
            queue,
            factory,
            size: AtomicUsize::new(0),
            hired: AtomicUsize::new(0),
            desks: Arc::new(Desks::new(crew.clone())),
            pool,
            system: System::current(),
            bus: reporter.bus(),
            reporter,
        });
        crew.hire(threads);
        Self { line, crew }
    }

    pub(super) fn put(&self, task: impl Work<W> + 'static) {
        if let Err(unread) = self.line.send(Box::new(task)) {
            let _ = drop_quietly(unread);
        }
        // If the last thread is given up at this moment, either it is seen here or the task is seen there.
        fence(Ordering::SeqCst);
        if self.crew.size.load(Ordering::SeqCst) == 0 {
            self.crew.drop_tasks();
        }
    }

    /// There will be jobs with such a limit.
    pub(super) fn keep_time(&self, limit: Duration) {
        let desks = Arc::downgrade(&self.crew.desks);
        pulse::keep_time(desks as Weak<dyn Timekeeper>, limit);
    }

    pub(super) fn has_sent(&self, notice: &OutOfThreads) -> bool {
        notice.desks.as_ptr() == Arc::as_ptr(&self.crew.desks)
    }
}

// ===== the threads' side =====

impl<W: 'static> Crew<W> {
    /// The next task; `None` when there will be no more.
    pub(super) fn next_task(&self) -> Option<AnyTask<W>> {
        self.queue.recv().ok()
    }

    pub(super) fn new_state(&self) -> W {
        (self.factory)()
    }

    pub(super) fn new_desk(&self) -> Arc<Desk> {
        self.desks.add()
    }

    pub(super) fn report(&self, report: impl Report) {
        self.reporter.report(report);
    }

    fn hire(self: &Arc<Self>, threads: usize) {
        let crew = self.clone();
        let worker = move || Worker::new(crew.clone());
        let thread = || {
            let number = self.hired.fetch_add(1, Ordering::Relaxed);
            thread::Builder::new().name(format!("cpu-{number}"))
        };
        // Nobody keeps their address: they listen to the queue.
        drop(SyncArbiter::start_with_thread_builder(threads, thread, worker));
        self.size.fetch_add(threads, Ordering::SeqCst);
    }

    // ===== without a thread =====

    /// Goes on without the thread of this desk: puts another in its place, unless there is a reason not to.
    fn go_on_without(
        self: &Arc<Self>,
        desk: &Desk,
        Overdue { job, sender }: Overdue,
        reason: Option<ExitReason>,
    ) {
        desk.lose(LostThread::new(&self.bus));
        self.report(job.clone());
        let reason = match reason {
            None if self.bus.lost_threads() > MAX_LOST_THREADS => Some(self.out_of_threads(&job)),
            None => catch(|| self.hire(1)).err(),
            reason => reason,
        };
        if let Some((pool, reason)) = self.pool.upgrade().zip(reason) {
            pool.do_send(OutOfThreads { desks: Arc::downgrade(&self.desks), reason });
        }
        // Only now, so that a pool of one is not taken for empty.
        if self.size.fetch_sub(1, Ordering::SeqCst) == 1 {
            fence(Ordering::SeqCst);
            self.drop_tasks();
        }
        sender.hear_of_time_out(job.limit);
    }

    fn out_of_threads(&self, job: &JobTimedOut) -> ExitReason {
        let child = self.reporter.path().cloned().unwrap_or_else(|| TreePath::root("cpu"));
        let reason = Box::new(ExitReason::failed(job.clone()));
        ExitReason::OutOfThreads { child, reason, max: MAX_LOST_THREADS }
    }

    /// Nobody will take them.
    fn drop_tasks(&self) {
        self.queue.try_iter().for_each(|task| drop(drop_quietly(task)));
    }
}

impl<W: 'static> Relief for Crew<W> {
    /// On a thread for this alone: the caller's has others to watch, must not run anybody's destructors, and has no
    /// actix system.
    fn relieve(self: Arc<Self>, desk: Arc<Desk>, overdue: Overdue) {
        let (give, given) = crossbeam_channel::bounded::<(Arc<Self>, Arc<Desk>, Overdue)>(1);
        let relief = move || {
            if let Ok((crew, desk, overdue)) = given.recv() {
                System::set_current(crew.system.clone());
                crew.go_on_without(&desk, overdue, None);
            }
        };
        match thread::Builder::new().name("cpu-relief".to_owned()).spawn(relief) {
            Ok(_) => drop(give.send((self, desk, overdue))),
            Err(error) => self.go_on_without(&desk, overdue, Some(ExitReason::failed(error))),
        }
    }
}
