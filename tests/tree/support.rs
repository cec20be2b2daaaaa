//! An actor that does what a test tells it to, and a guard that turns a hang into a failure.

use std::future::Future;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use actix::prelude::*;
use latido::supervision::*;
use latido::testing::in_virtual_time;
use latido::{EventKind, Events, ExitReason};

pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const MS: Duration = Duration::from_millis(1);

/// More restarts than a test makes.
pub(crate) const MANY: u32 = 1_000_000;

// ===== running =====

/// Runs a test on a system of its own.
pub(crate) fn run(test: impl Future<Output = ()>) {
    latido::quiet_panics();
    let _ = env_logger::builder().is_test(true).try_init();
    guarded(|| System::new().block_on(test));
}

/// Runs a test in virtual time: see there who lives in it.
pub(crate) fn run_in_virtual_time(test: impl Future<Output = ()>) {
    latido::quiet_panics();
    guarded(|| in_virtual_time(test));
}

/// Ends the process if `test` has not ended after a time that only a hang can take.
pub(crate) fn guarded(test: impl FnOnce()) {
    let name = std::thread::current().name().unwrap_or("a test").to_owned();
    let (done, is_done) = channel::<()>();
    let watch = std::thread::spawn(move || {
        if is_done.recv_timeout(30 * SECOND) == Err(RecvTimeoutError::Timeout) {
            // Not eprintln: the test harness keeps that to itself, and the process ends here.
            let _ = writeln!(std::io::stderr(), "{name} hangs");
            std::process::abort();
        }
    });
    test();
    drop(done);
    watch.join().unwrap();
}

// ===== the actor =====

type Hook<R> = Option<Arc<dyn Fn(&mut Probe, &mut Context<Probe>) -> R + Send + Sync>>;

/// What a probe does in its life cycle.
#[derive(Clone, Default)]
pub(crate) struct Hooks {
    built: Option<Arc<dyn Fn(usize) + Send + Sync>>,
    started: Hook<()>,
    stopping: Hook<Running>,
    stopped: Hook<()>,
    dropped: Option<Arc<dyn Fn(usize) + Send + Sync>>,
}

impl Hooks {
    /// In the factory; it is given the number of the life, from 1.
    pub(crate) fn built(mut self, hook: impl Fn(usize) + Send + Sync + 'static) -> Self {
        self.built = Some(Arc::new(hook));
        self
    }

    pub(crate) fn started(
        mut self,
        hook: impl Fn(&mut Probe, &mut Context<Probe>) + Send + Sync + 'static,
    ) -> Self {
        self.started = Some(Arc::new(hook));
        self
    }

    pub(crate) fn stopping(
        mut self,
        hook: impl Fn(&mut Probe, &mut Context<Probe>) -> Running + Send + Sync + 'static,
    ) -> Self {
        self.stopping = Some(Arc::new(hook));
        self
    }

    pub(crate) fn stopped(
        mut self,
        hook: impl Fn(&mut Probe, &mut Context<Probe>) + Send + Sync + 'static,
    ) -> Self {
        self.stopped = Some(Arc::new(hook));
        self
    }

    /// In the destructor; it is given the number of the life.
    pub(crate) fn dropped(mut self, hook: impl Fn(usize) + Send + Sync + 'static) -> Self {
        self.dropped = Some(Arc::new(hook));
        self
    }
}

/// How many probes of one child there are now, and were at most at the same time.
#[derive(Clone, Default)]
pub(crate) struct Lives(Arc<[AtomicUsize; 3]>);

impl Lives {
    pub(crate) fn most_at_once(&self) -> usize {
        self.0[1].load(Ordering::SeqCst)
    }

    pub(crate) fn now(&self) -> usize {
        self.0[0].load(Ordering::SeqCst)
    }

    /// How many there have been.
    pub(crate) fn ever(&self) -> usize {
        self.0[2].load(Ordering::SeqCst)
    }

    fn begin(&self) -> usize {
        let now = self.0[0].fetch_add(1, Ordering::SeqCst) + 1;
        self.0[1].fetch_max(now, Ordering::SeqCst);
        self.0[2].fetch_add(1, Ordering::SeqCst) + 1
    }

    fn end(&self) {
        self.0[0].fetch_sub(1, Ordering::SeqCst);
    }
}

pub(crate) struct Probe {
    hooks: Arc<Hooks>,
    lives: Lives,
    /// Which life of the child this is, from 1.
    pub(crate) life: usize,
    /// What messages have left here.
    pub(crate) notes: Vec<u64>,
}

impl Probe {
    fn hook<R>(&mut self, ctx: &mut Context<Self>, hook: impl FnOnce(&Hooks) -> &Hook<R>, otherwise: R) -> R {
        let hooks = self.hooks.clone();
        hook(&hooks).as_ref().map_or(otherwise, |hook| hook(self, ctx))
    }
}

impl Actor for Probe {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        self.hook(ctx, |hooks| &hooks.started, ());
    }

    fn stopping(&mut self, ctx: &mut Context<Self>) -> Running {
        self.hook(ctx, |hooks| &hooks.stopping, Running::Stop)
    }

    fn stopped(&mut self, ctx: &mut Context<Self>) {
        self.hook(ctx, |hooks| &hooks.stopped, ());
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.lives.end();
        if let Some(hook) = &self.hooks.dropped {
            hook(self.life);
        }
    }
}

/// Has a probe run a closure as a message, and answers with what that returns.
pub(crate) struct Do<R>(Job<R>);
type Job<R> = Box<dyn FnOnce(&mut Probe, &mut Context<Probe>) -> R + Send>;

pub(crate) fn job<R>(job: impl FnOnce(&mut Probe, &mut Context<Probe>) -> R + Send + 'static) -> Do<R> {
    Do(Box::new(job))
}

/// Leaves a number with the probe and answers with all it has.
pub(crate) fn note(number: u64) -> Do<Vec<u64>> {
    job(move |probe, _| {
        probe.notes.push(number);
        probe.notes.clone()
    })
}

impl<R: Send + 'static> Message for Do<R> {
    type Result = R;
}

impl<R: Send + 'static> Handler<Do<R>> for Probe {
    type Result = MessageResult<Do<R>>;

    fn handle(&mut self, Do(job): Do<R>, ctx: &mut Context<Self>) -> Self::Result {
        MessageResult(job(self, ctx))
    }
}

// ===== specs =====

pub(crate) fn child(id: &str) -> ChildSpec<Probe> {
    child_with(id, Hooks::default()).0
}

pub(crate) fn child_with(id: &str, hooks: Hooks) -> (ChildSpec<Probe>, Lives) {
    let (hooks, lives) = (Arc::new(hooks), Lives::default());
    let count = lives.clone();
    let spec = ChildSpec::new(id, move || {
        let life = lives.begin();
        let probe = Probe { hooks: hooks.clone(), lives: lives.clone(), life, notes: Vec::new() };
        if let Some(built) = &hooks.built {
            built(life);
        }
        probe
    });
    (spec, count)
}

/// A supervisor that does not run out of restarts.
pub(crate) fn patient(id: &str) -> SupervisorSpec {
    SupervisorSpec::new(id).intensity(MANY, SECOND)
}

// ===== waiting for events =====

pub(crate) async fn started(events: &mut Events, path: &str, incarnation: u64) {
    let is_it = |e: &latido::Event| matches!(e.kind, EventKind::Started) && e.incarnation >= incarnation;
    events.until(path, is_it).await.expect("it starts");
}

/// How the next incarnation of the child ended, whether it was asked to or not.
pub(crate) async fn ended(events: &mut Events, path: &str) -> ExitReason {
    loop {
        let event = events.until(path, |_| true).await.expect("it ends");
        if let EventKind::Exited { reason, .. } | EventKind::Stopped { reason, .. } = event.kind {
            return reason;
        }
    }
}

/// `"+name"` for each start and `"-name"` for each end, in order.
pub(crate) fn lives_in(events: &mut Events) -> Vec<String> {
    let mut lives = Vec::new();
    while let Some(event) = events.try_next() {
        match event.kind {
            EventKind::Started => lives.push(format!("+{}", event.path.name())),
            EventKind::Exited { .. } | EventKind::Stopped { .. } => {
                lives.push(format!("-{}", event.path.name()))
            }
            _ => {}
        }
    }
    lives
}
