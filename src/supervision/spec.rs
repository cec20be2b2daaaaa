//! A tree as data: what its children are, before anything runs.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, Addr, Context};

use super::ask::ActorRef;
use super::backoff::Backoff;
use super::bound::Bound;
use super::check::SpecError;
use super::child::{AnyChild, Core};
use super::placement::Placement;
use super::policy::{AutoShutdown, Restart, Shutdown, Strategy};
use super::tree::Tree;
use crate::path::TreePath;
use crate::pulse::Limits;

/// How one child is built, placed, restarted and stopped.
///
/// The address is there before anything runs, stays the same over every restart, and keeps what is sent to it until
/// an incarnation takes it:
///
/// ```
/// use actix::prelude::*;
/// use latido::supervision::{ChildSpec, Restart};
///
/// #[derive(Default)]
/// struct Fetcher;
/// impl Actor for Fetcher {
///     type Context = Context<Self>;
/// }
///
/// let fetch = ChildSpec::new("fetch", Fetcher::default).restart(Restart::Transient);
/// let fetcher: Addr<Fetcher> = fetch.addr();
/// ```
pub struct ChildSpec<A: Actor<Context = Context<A>>> {
    pub(super) core: Arc<Core<A>>,
    rules: Rules,
}

/// A supervisor and its children.
#[derive(Debug)]
pub struct SupervisorSpec {
    pub(super) rules: Rules,
    pub(super) plan: Plan,
}

/// Anything that can stand below a supervisor: a [`ChildSpec`] or a [`SupervisorSpec`].
#[derive(Debug)]
pub struct AnySpec {
    pub(crate) rules: Rules,
    pub(crate) kind: Kind,
}

pub(crate) enum Kind {
    Worker(Arc<dyn AnyChild>),
    Supervisor(Plan),
}

/// What a supervisor has to know of a child, whatever it is.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) id: String,
    pub(crate) restart: Restart,
    pub(crate) shutdown: Shutdown,
    pub(crate) backoff: Backoff,
    pub(crate) placement: Placement,
    pub(crate) significant: bool,
    pub(crate) limits: Limits,
}

/// How a supervisor goes about its children.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Conduct {
    pub(crate) strategy: Strategy,
    pub(crate) auto_shutdown: AutoShutdown,
    /// Children come and go at run time: in no order, and a child that has ended for good is forgotten.
    pub(crate) dynamic: bool,
    pub(crate) max_children: Option<usize>,
}

#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) conduct: Conduct,
    pub(crate) intensity: u32,
    pub(crate) period: Duration,
    pub(crate) children: Vec<AnySpec>,
}

macro_rules! rules {
    () => {
        /// Which exits call for a restart; [`Restart::Permanent`] unless said otherwise.
        pub fn restart(mut self, restart: Restart) -> Self {
            self.rules.restart = restart;
            self
        }

        /// How it is stopped; after five seconds it is killed unless said otherwise, and a supervisor is waited for.
        pub fn shutdown(mut self, shutdown: Shutdown) -> Self {
            self.rules.shutdown = shutdown;
            self
        }

        /// How long to wait before a restart; not at all unless said otherwise.
        pub fn backoff(mut self, backoff: Backoff) -> Self {
            self.rules.backoff = backoff;
            self
        }

        /// Makes its end matter to its supervisor, see [`AutoShutdown`].
        pub fn significant(mut self) -> Self {
            self.rules.significant = true;
            self
        }

        /// On which thread it runs; on its supervisor's unless said otherwise.
        pub fn on(mut self, placement: Placement) -> Self {
            self.rules.placement = placement;
            self
        }
    };
}

impl<A: Actor<Context = Context<A>>> ChildSpec<A> {
    /// A child called `id`. `factory` builds each incarnation afresh, on the thread where it will run; a panic or a
    /// [`crash`](crate::crash) in it is a failed start.
    pub fn new(id: impl Into<String>, factory: impl Fn() -> A + Send + Sync + 'static) -> Self {
        Self { core: Core::new(move |_| factory()), rules: Rules::new(id.into(), Shutdown::default()) }
    }

    rules!();

    /// How many messages may wait for it, and what happens to one too many; any number unless said otherwise.
    ///
    /// An [`ask`](ActorRef::ask) keeps to the bound exactly. A message sent to the plain address cannot be held back by
    /// anybody but actix, which does not: it is counted, and dropped if the rule says so, as soon as the child or
    /// an `ask` next looks into the mailbox.
    pub fn mailbox(self, bound: Bound) -> Self {
        self.core.mailbox.set_bound(bound);
        self
    }

    /// For how long it may block its thread: in its factory, a handler, a future of its context, wherever its code
    /// runs. One that blocks longer has failed, with [`ExitReason::Unresponsive`](crate::ExitReason::Unresponsive), and
    /// is restarted like any other: within twice the limit, on a new thread, with what waits in its mailbox. Not watched
    /// unless said otherwise; limits below 10 ms count as 10 ms.
    ///
    /// A thread cannot be ended from outside. The old one is left behind, and ends when the handler returns; until
    /// then it is one of [`Tree::abandoned_threads`](super::Tree::abandoned_threads).
    ///
    /// Give it a placement off its supervisor's thread. Whoever shares a set of threads with it and ran on that one
    /// moves to another, at no cost. A supervisor whose own thread it blocks fails with it, and is restarted by its
    /// parent. On the thread where the tree was started nothing can be replaced: the failure is an event at once, and
    /// the restart waits until the thread is free.
    ///
    /// Time in which the whole process stands still does not count.
    pub fn watchdog(mut self, limit: Duration) -> Self {
        self.rules.limits.block = Some(limit);
        self
    }

    /// For how long messages may wait while it takes none because of what it has put into `ctx.wait()`, as a handler
    /// does that answers with an `AtomicResponse`. One that is deaf for longer has failed, with
    /// [`ExitReason::Deaf`](crate::ExitReason::Deaf), within twice the limit. No limit unless said otherwise.
    ///
    /// It says nothing of futures beside which the actor takes messages (`ResponseActFuture`, `ctx.spawn`): nobody but
    /// their sender knows how long those may take, see [`ask_within`](ActorRef::ask_within). Nor of an asynchronous
    /// start, nor of a child that was asked to stop, nor of a blocked thread, see [`watchdog`](Self::watchdog).
    pub fn message_limit(mut self, limit: Duration) -> Self {
        (self.rules.limits.deaf, self.rules.limits.deaf_uncalled) = (Some(limit), false);
        self
    }

    /// The same for one to which nobody may say anything for long: it has failed also when no message waits. Whatever it has
    /// put into `ctx.wait()` has to end within the limit then. In the place of a `message_limit`.
    pub fn wait_limit(mut self, limit: Duration) -> Self {
        (self.rules.limits.deaf, self.rules.limits.deaf_uncalled) = (Some(limit), true);
        self
    }

    /// The child, for those who want to know why it did not answer.
    pub fn actor_ref(&self) -> ActorRef<A> {
        ActorRef::new(self.core.mailbox.clone())
    }

    /// The child's address, good for every incarnation.
    pub fn addr(&self) -> Addr<A> {
        self.core.mailbox.addr()
    }
}

impl SupervisorSpec {
    /// A supervisor called `id`, without children: one-for-one, three restarts in five seconds.
    pub fn new(id: impl Into<String>) -> Self {
        let plan = Plan {
            conduct: Conduct::default(),
            intensity: 3,
            period: Duration::from_secs(5),
            children: Vec::new(),
        };
        Self { rules: Rules::new(id.into(), Shutdown::Infinity), plan }
    }

    rules!();

    /// A supervisor called `id` for children that come and go at run time, by
    /// [`Tree::start_child`](super::Tree::start_child). It is one-for-one; its children stop all at once; a child that
    /// has ended for good is forgotten.
    pub fn dynamic(id: impl Into<String>) -> Self {
        let mut spec = Self::new(id);
        spec.plan.conduct.dynamic = true;
        spec
    }

    /// How many children it may have at the same time, those that wait for a restart included.
    pub fn max_children(mut self, count: usize) -> Self {
        self.plan.conduct.max_children = Some(count);
        self
    }

    /// Whether it stops by itself when significant children have ended.
    pub fn auto_shutdown(mut self, rule: AutoShutdown) -> Self {
        self.plan.conduct.auto_shutdown = rule;
        self
    }

    /// Which children restart when one fails.
    pub fn strategy(mut self, strategy: Strategy) -> Self {
        self.plan.conduct.strategy = strategy;
        self
    }

    /// How many restarts its children may have together, within how much time, before it gives up.
    pub fn intensity(mut self, restarts: u32, period: Duration) -> Self {
        self.plan.intensity = restarts;
        self.plan.period = period;
        self
    }

    /// Adds a child after those already there: children start in order and stop in reverse.
    pub fn child(mut self, child: impl Into<AnySpec>) -> Self {
        self.plan.children.push(child.into());
        self
    }

    /// Adds many.
    pub fn children(mut self, children: impl IntoIterator<Item = impl Into<AnySpec>>) -> Self {
        self.plan.children.extend(children.into_iter().map(Into::into));
        self
    }

    /// The paths that the tree's children will have, parents first.
    pub fn paths(&self) -> Vec<TreePath> {
        fn walk(plan: &Plan, path: TreePath, paths: &mut Vec<TreePath>) {
            paths.push(path.clone());
            for AnySpec { rules, kind } in &plan.children {
                match kind {
                    Kind::Worker(_) => paths.push(path.join(&rules.id)),
                    Kind::Supervisor(plan) => walk(plan, path.join(&rules.id), paths),
                }
            }
        }
        let mut paths = Vec::new();
        walk(&self.plan, TreePath::root(&self.rules.id), &mut paths);
        paths
    }

    /// Starts the tree with this supervisor as its root, on the current arbiter. What fails later, the start of a
    /// child included, comes out of [`Tree::join`].
    pub fn start(self) -> Result<Tree, SpecError> {
        let root = AnySpec::from(self);
        root.check(None)?;
        if !actix_rt::System::is_registered() {
            return Err(SpecError::NoSystem);
        }
        Ok(Tree::start(root))
    }
}

impl Rules {
    fn new(id: String, shutdown: Shutdown) -> Self {
        let (restart, backoff, placement) = Default::default();
        Self { id, restart, shutdown, backoff, placement, significant: false, limits: Limits::default() }
    }
}

impl<A: Actor<Context = Context<A>>> From<ChildSpec<A>> for AnySpec {
    fn from(spec: ChildSpec<A>) -> Self {
        Self { rules: spec.rules, kind: Kind::Worker(spec.core) }
    }
}

impl From<SupervisorSpec> for AnySpec {
    fn from(spec: SupervisorSpec) -> Self {
        Self { rules: spec.rules, kind: Kind::Supervisor(spec.plan) }
    }
}

impl<A: Actor<Context = Context<A>>> fmt::Debug for ChildSpec<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChildSpec")
            .field("actor", &std::any::type_name::<A>())
            .field("rules", &self.rules)
            .finish()
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Worker(child) => write!(f, "Worker({})", child.kind()),
            Self::Supervisor(plan) => plan.fmt(f),
        }
    }
}
