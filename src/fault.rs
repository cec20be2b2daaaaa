//! Failures on demand. The actor that fails needs no code for it: the fault strikes between its mailbox and its
//! handler.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A failure to put into a child, with `Tree::inject`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// It panics.
    Panic,
    /// It ends with an error, as by [`crash`](crate::crash).
    Fail,
    /// It stops itself, as by `ctx.stop()`.
    Stop,
    /// It blocks its thread for this long.
    Block(Duration),
}

/// When a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum When {
    /// As soon as the child's thread gets to it.
    #[default]
    Now,
    /// While it handles its n-th message from here on, counted from 1. That message is lost to its sender,
    /// as in any crash; it strikes once.
    Message(u64),
}

/// A fault that no child can have: the text was not one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no fault; write panic, fail, stop or block:SECONDS")]
pub struct FaultError(String);

impl Fault {
    /// Carries the fault out, in the actor's own code as far as anybody can tell. `Stop` is the caller's: it
    /// has the context.
    pub(crate) fn strike(&self) {
        match self {
            Self::Panic => panic!("injected fault"),
            Self::Fail => crate::crash("injected fault"),
            Self::Block(time) => std::thread::sleep(*time),
            Self::Stop => {}
        }
    }
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let seconds = |text: &str| text.parse().ok().and_then(|s| Duration::try_from_secs_f64(s).ok());
        match text.split_once(':') {
            None if text == "panic" => Ok(Self::Panic),
            None if text == "fail" => Ok(Self::Fail),
            None if text == "stop" => Ok(Self::Stop),
            Some(("block", time)) => {
                seconds(time).map(Self::Block).ok_or_else(|| FaultError(text.to_owned()))
            }
            _ => Err(FaultError(text.to_owned())),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Panic => f.write_str("panic"),
            Self::Fail => f.write_str("fail"),
            Self::Stop => f.write_str("stop"),
            Self::Block(time) => write!(f, "block:{}", time.as_secs_f64()),
        }
    }
}
