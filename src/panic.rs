//! What a panic said, and where. The text travels in the panic's payload; the place is known to the panic
//! hook alone, which runs *before* the unwinding: a sender waiting for an answer hears `Closed` while the
//! stack unwinds, and must find the reason already noted.

use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::cell::{Cell, RefCell};
use std::fmt;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Once};

thread_local! {
    /// How many `catch` calls are on this thread's stack.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    /// The last panic on this thread below a `catch`.
    static NOTED: RefCell<Option<Panic>> = const { RefCell::new(None) };
}

static QUIET: AtomicBool = AtomicBool::new(false);

/// The text of a panic and its place. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Panic(Arc<Noted>);

#[derive(Debug)]
struct Noted {
    message: String,
    location: Option<String>,
    backtrace: Option<Backtrace>,
}

impl Panic {
    /// What it said.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// `file:line:column`; `None` when the program replaced the panic hook after the tree was started.
    pub fn location(&self) -> Option<&str> {
        self.0.location.as_deref()
    }

    /// The way to it, where the environment asks for backtraces (`RUST_BACKTRACE=1`) and the panic hook is in place.
    pub fn backtrace(&self) -> Option<&Backtrace> {
        self.0.backtrace.as_ref()
    }

    /// The part of the backtrace that is the actor's: from what panicked up to where actix called it.
    pub(crate) fn trace(&self) -> Option<String> {
        Some(frames_of_the_actor(&self.backtrace()?.to_string()))
    }

    /// One that happened in another process.
    #[cfg(all(feature = "process", target_os = "linux"))]
    pub(crate) fn elsewhere(message: String, location: Option<String>) -> Self {
        Self(Arc::new(Noted { message, location, backtrace: None }))
    }

    pub(crate) fn from_payload(payload: Box<dyn Any + Send>) -> Self {
        let message = text(&*payload);
        // The payload is the user's too: its destructor may panic. What that panic throws is leaked
        // rather than dropped, or there would be no end to it.
        if let Err(another) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            std::mem::forget(another);
        }
        match NOTED.take() {
            Some(noted) if noted.message() == message => noted,
            _ => Self(Arc::new(Noted { message, location: None, backtrace: None })),
        }
    }
}

impl fmt::Display for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.location() {
            Some(location) => write!(f, "{} at {location}", self.message()),
            None => f.write_str(self.message()),
        }
    }
}

/// Stops panics that a supervisor catches from also being printed by the program's panic hook: the event
/// stream and the log have them. For the whole process; panics outside supervised actors are printed as ever.
pub fn quiet_panics() {
    QUIET.store(true, Ordering::Relaxed);
}

/// Marks this thread as inside a `catch`, for the hook.
pub(crate) struct Guarded(());

impl Guarded {
    pub(crate) fn enter() -> Self {
        install_hook();
        DEPTH.set(DEPTH.get() + 1);
        Self(())
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() - 1);
    }
}

fn install_hook() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let previous = take_hook();
        set_hook(Box::new(move |info: &PanicHookInfo<'_>| {
            let guarded = DEPTH.try_with(Cell::get).unwrap_or(0) > 0;
            if guarded {
                let backtrace = Backtrace::capture();
                let is_captured = backtrace.status() == BacktraceStatus::Captured;
                NOTED.set(Some(Panic(Arc::new(Noted {
                    message: text(info.payload()),
                    location: info.location().map(ToString::to_string),
                    backtrace: is_captured.then_some(backtrace),
                }))));
            }
            if !guarded || !QUIET.load(Ordering::Relaxed) {
                previous(info);
            }
        }));
    });
}

/// Frames between the machinery of panics and that of actix. std gives a backtrace as text alone.
fn frames_of_the_actor(backtrace: &str) -> String {
    let is_frame = |line: &str| {
        let number = line.trim_start().split(':').next().unwrap_or_default();
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    };
    let throws = |line: &str| {
        ["rust_begin_unwind", "__rustc", "core::panicking", "core::result", "core::option", "std::panic"]
            .iter()
            .any(|part| line.contains(part))
    };
    let catches = |line: &str| {
        ["<actix::", "actix::context", "actix::mailbox", "latido::exit::catch", "latido::supervision"]
            .iter()
            .any(|part| line.contains(part))
    };
    let lines: Vec<_> = backtrace.lines().collect();
    let frames = || lines.iter().enumerate().filter(|(_, line)| is_frame(line));
    let last_throw = frames().take_while(|(_, line)| !catches(line)).filter(|(_, line)| throws(line)).last();
    let after = last_throw.map_or(0, |(throw, _)| throw + 1);
    let first = frames().map(|(place, _)| place).find(|&place| place >= after).unwrap_or(lines.len());
    let end =
        frames().find(|(place, line)| *place >= first && catches(line)).map_or(lines.len(), |(end, _)| end);
    lines[first..end].iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n")
}

fn text(payload: &(dyn Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "a panic without a text".to_owned()
    }
}
