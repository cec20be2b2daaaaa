//! What stands behind the colon of an own fault, where more than one actor type needs it.

use std::io;
use std::str::FromStr;
use std::time::Duration;

use super::words::seconds;

/// A time, in seconds: for [`ChildSpec::fault_with`](crate::supervision::ChildSpec::fault_with).
///
/// ```
/// # use std::time::Duration;
/// # use latido::fault::Seconds;
/// assert_eq!("0.5".parse(), Ok(Seconds(Duration::from_millis(500))));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seconds(pub Duration);

/// What a disk says when it takes nothing: for [`ChildSpec::fault_with`](crate::supervision::ChildSpec::fault_with).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DiskError {
    /// `EIO`: it is broken.
    Io,
    /// `ENOSPC`: it is full.
    Full,
}

/// It is not what is wanted there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("that is no {0}")]
pub struct ArgumentError(&'static str);

impl FromStr for Seconds {
    type Err = ArgumentError;

    fn from_str(text: &str) -> Result<Self, ArgumentError> {
        seconds(text).map(Self).ok_or(ArgumentError("number of seconds"))
    }
}

impl FromStr for DiskError {
    type Err = ArgumentError;

    fn from_str(text: &str) -> Result<Self, ArgumentError> {
        match text {
            "EIO" => Ok(Self::Io),
            "ENOSPC" => Ok(Self::Full),
            _ => Err(ArgumentError("EIO and no ENOSPC")),
        }
    }
}

/// As the system says it.
impl From<DiskError> for io::Error {
    fn from(error: DiskError) -> Self {
        // The numbers are the same wherever latido runs.
        Self::from_raw_os_error(match error {
            DiskError::Io => 5,
            DiskError::Full => 28,
        })
    }
}
