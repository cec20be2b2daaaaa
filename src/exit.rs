//! Why an actor stopped, and how it says so itself.

use std::error::Error;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::time::Duration;

use crate::TreePath;
use crate::panic::{self, Panic};
use crate::pulse::Hang;

/// Why one incarnation of a child ended. What the supervisor makes of it is said by
/// [`Restart`](crate::supervision::Restart).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ExitReason {
    /// The actor stopped itself: `ctx.stop()` or `ctx.terminate()`. Like a process that returns 0.
    Normal,
    /// Its supervisor asked it to stop and it did, in time. Like a process that ends on SIGTERM.
    Shutdown,
    /// It was not asked, or did not stop in time. Like SIGKILL.
    Killed(Kill),
    /// It panicked. Like a segmentation fault: nobody planned it.
    Panicked(Panic),
    /// It called [`crash`]: it knew that it could not go on. Like a process that returns non-zero.
    Failed(Failure),
    /// It blocked its thread for longer than its [`watchdog`](crate::supervision::ChildSpec::watchdog) allows. A
    /// supervisor: one of its children did, on the thread of both. Like a machine that does not answer.
    Unresponsive {
        /// For how long, at least.
        blocked: Duration,
    },
    /// It took no message for longer than its [`message_limit`](crate::supervision::ChildSpec::message_limit) allows,
    /// although messages waited: what it had put into `ctx.wait()` did not end.
    Deaf {
        /// For how long, at least.
        waited: Duration,
    },
    /// A supervisor, or a CPU pool: its tree has left more blocked threads behind than it may.
    OutOfThreads {
        /// The child that blocked one too many.
        child: TreePath,
        /// How that child ended; of a CPU pool, the failure with its
        /// [`JobTimedOut`](crate::actors::cpu_pool::JobTimedOut).
        reason: Box<ExitReason>,
        /// How many threads a tree may leave behind.
        max: usize,
    },
    /// A supervisor: a child could not be started, so those started before it were stopped.
    StartFailed {
        /// The child that could not start.
        child: TreePath,
        /// Why it could not.
        reason: Box<ExitReason>,
    },
    /// A supervisor: its children failed more often than its intensity allows.
    GaveUp {
        /// The child whose failure was one too many.
        child: TreePath,
        /// How that child ended.
        reason: Box<ExitReason>,
        /// The restarts that were allowed within `period`.
        intensity: u32,
        /// The time over which restarts are counted.
        period: Duration,
    },
}

/// Who killed, or what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kill {
    /// Its shutdown is [`BrutalKill`](crate::supervision::Shutdown::BrutalKill).
    Brutal,
    /// It did not stop within this time.
    Late(Duration),
    /// The supervisor above it ended without stopping it: it crashed, or was killed.
    Orphaned,
    /// The arbiter thread it ran on ended.
    ArbiterGone,
    /// Another actor blocks the thread it ran on, so it goes to another. It costs its supervisor no restart.
    Displaced,
}

/// The error that an actor gave to [`crash`]. Cheap to clone; ask it for its type with
/// [`downcast_ref`](Self::downcast_ref).
#[derive(Clone)]
pub struct Failure(Arc<dyn Error + Send + Sync>);

impl Failure {
    /// The error as the type it was given with.
    pub fn downcast_ref<E: Error + 'static>(&self) -> Option<&E> {
        self.0.downcast_ref()
    }
}

impl ExitReason {
    /// Whether a transient child stays down after it.
    pub fn is_normal(&self) -> bool {
        matches!(self, Self::Normal | Self::Shutdown)
    }

    /// A failure with `error`, as [`crash`] makes it.
    pub fn failed(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Failed(Failure(error.into().into()))
    }
}

/// Ends the calling actor with a reason of its own, from wherever in it this is called. No panic message is
/// printed and no panic hook runs; the supervisor sees [`ExitReason::Failed`].
///
/// Inside a `ResponseFuture` or `actix::spawn` there is no actor around the call: it ends that task alone.
///
/// ```no_run
/// # use actix::prelude::*;
/// # struct Config;
/// # #[derive(Message)] #[rtype(result = "()")] struct Reload;
/// # impl Actor for Config { type Context = Context<Self>; }
/// impl Handler<Reload> for Config {
///     type Result = ();
///     fn handle(&mut self, _: Reload, _: &mut Context<Self>) {
///         if let Err(error) = std::fs::read("app.toml") {
///             latido::crash(error) // an io::Error; text will do as well
///         }
///     }
/// }
/// ```
pub fn crash(reason: impl Into<Box<dyn Error + Send + Sync>>) -> ! {
    resume_unwind(Box::new(Crash(ExitReason::failed(reason))))
}

/// Ends the calling actor with any reason. A supervisor gives up through it.
pub(crate) fn exit(reason: ExitReason) -> ! {
    resume_unwind(Box::new(Crash(reason)))
}

/// What [`crash`] throws, so that [`catch`] can tell it from a panic.
struct Crash(ExitReason);

/// Runs user code and turns a panic or a [`crash`] in it into a reason. For actors that run other people's
/// code and must outlive it, as the CPU pool does.
///
/// ```
/// use latido::exit::{ExitReason, catch};
///
/// assert_eq!(catch(|| 40 + 2).unwrap(), 42);
/// let reason = catch(|| latido::crash("no such table")).unwrap_err();
/// assert!(matches!(&reason, ExitReason::Failed(_)));
/// assert_eq!(reason.to_string(), "failed: no such table");
/// ```
pub fn catch<R>(user_code: impl FnOnce() -> R) -> Result<R, ExitReason> {
    let _guarded = panic::Guarded::enter();
    catch_unwind(AssertUnwindSafe(user_code)).map_err(|payload| match payload.downcast::<Crash>() {
        Ok(crash) => crash.0,
        Err(payload) => ExitReason::Panicked(Panic::from_payload(payload)),
    })
}

/// Drops what is the user's; a destructor that panics is a reason, never an abort.
pub(crate) fn drop_quietly<T>(value: T) -> Result<(), ExitReason> {
    catch(move || drop(value))
}

impl From<Hang> for ExitReason {
    fn from(hang: Hang) -> Self {
        match hang {
            Hang::Blocked(blocked) => Self::Unresponsive { blocked },
            Hang::Deaf(waited) => Self::Deaf { waited },
        }
    }
}

impl fmt::Display for ExitReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Normal => f.write_str("stopped itself"),
            Self::Shutdown => f.write_str("was stopped"),
            Self::Killed(kill) => write!(f, "was killed: {kill}"),
            Self::Panicked(panic) => write!(f, "panicked: {panic}"),
            Self::Failed(failure) => write!(f, "failed: {failure}"),
            Self::Unresponsive { blocked } => {
                write!(f, "did not answer for {blocked:.1?}: its handler blocks its thread")
            }
            Self::Deaf { waited } => {
                write!(f, "took no message for {waited:.1?}: what it waits for does not end")
            }
            Self::OutOfThreads { child, reason, max } => write!(
                f,
                "gave up: more than {max} threads are blocked and were left behind, the last by {child}, which {reason}"
            ),
            Self::StartFailed { child, reason } => write!(f, "could not start {child}: {reason}"),
            Self::GaveUp { child, reason, intensity, period } => {
                write!(
                    f,
                    "gave up: more than {intensity} restarts in {period:?}, the last for {child}, which {reason}"
                )
            }
        }
    }
}

impl fmt::Display for Kill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Brutal => f.write_str("by its shutdown rule"),
            Self::Late(limit) => write!(f, "did not stop within {limit:?}"),
            Self::Orphaned => f.write_str("its supervisor ended"),
            Self::ArbiterGone => f.write_str("its arbiter ended"),
            Self::Displaced => f.write_str("another actor blocks its thread"),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}
