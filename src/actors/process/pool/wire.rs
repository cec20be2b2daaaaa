//! What a pool and a worker say to each other, in frames: a length in four bytes, the most significant one first, and as
//! many bytes.
//!
//! Values are MessagePack. JSON, which the other frames here are, has no NaN and no infinity, and makes of each byte of a
//! buffer three or four: a job must have the same result here as on a thread.

use std::io::{self, Read};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::super::output::MAX_FRAME;
use crate::actors::cpu_pool::JobError;
use crate::exit::{ExitReason, catch, drop_quietly};
use crate::panic::Panic;

pub(super) const LENGTH: usize = size_of::<u32>();
const NAME_LENGTH: usize = size_of::<u16>();

/// From a worker. A result stands behind a byte of its own, so that it is not copied once more.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Told {
    /// It takes jobs.
    Ready,
    Panicked {
        message: String,
        location: Option<String>,
    },
    /// It called `crash`, or what it threw is none of ours.
    Failed(String),
    NotRegistered,
    NotSerializable(String),
    TooLarge(usize),
}

const RESULT: u8 = 0;
const TOLD: u8 = 1;

/// A job, ready to be sent to a worker, as often as need be. Takes the job, whose destructor may panic.
pub(super) fn order(name: &str, job: impl Serialize) -> Result<Vec<u8>, JobError> {
    let mut frame = vec![0; LENGTH];
    frame.extend_from_slice(&(name.len() as u16).to_be_bytes());
    frame.extend_from_slice(name.as_bytes());
    append(&mut frame, job)?;
    measured(frame).map_err(|bytes| JobError::TooLarge { bytes, max: MAX_FRAME })
}

/// The name of a job, and the job.
pub(super) fn read_order(frame: &[u8]) -> Option<(&str, &[u8])> {
    let (length, rest) = frame.split_first_chunk::<NAME_LENGTH>()?;
    let (name, job) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    Some((str::from_utf8(name).ok()?, job))
}

/// The job alone, out of an [`order`].
pub(super) fn job_of(mut frame: Vec<u8>) -> Vec<u8> {
    let job = read_order(&frame[LENGTH..]).map_or(0, |(_, job)| job.len());
    frame.split_off(frame.len() - job)
}

pub(super) fn result(result: impl Serialize) -> Vec<u8> {
    let mut frame = vec![0; LENGTH];
    frame.push(RESULT);
    match append(&mut frame, result) {
        Ok(()) => measured(frame).unwrap_or_else(|bytes| told(&Told::TooLarge(bytes))),
        Err(JobError::Panicked(reason)) => told(&Told::ended_with(&reason)),
        Err(error) => told(&Told::NotSerializable(error.to_string())),
    }
}

pub(super) fn told(told: &Told) -> Vec<u8> {
    let mut frame = vec![0; LENGTH];
    frame.push(TOLD);
    rmp_serde::encode::write_named(&mut frame, told).expect("it is plain data");
    measured(frame).expect("it is short")
}

/// A job's bytes or its result's, or why there is no result; `None` if it is not a worker that speaks.
pub(super) fn read_told(frame: &[u8]) -> Option<Result<&[u8], Told>> {
    match frame.split_first()? {
        (&RESULT, result) => Some(Ok(result)),
        (&TOLD, told) => rmp_serde::from_slice(told).ok().map(Err),
        _ => None,
    }
}

/// The next frame; `None` when there will be no more. Its length is read by itself, from what may be no buffer: see
/// `has_begun`, on the other side.
pub(super) fn read_frame(from: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; LENGTH];
    match from.read_exact(&mut length) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    let mut frame = vec![0; u32::from_be_bytes(length) as usize];
    from.read_exact(&mut frame)?;
    Ok(Some(frame))
}

/// A value out of its bytes. How it is made of them is the user's code, which may panic.
pub(super) fn value<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, JobError> {
    match catch(|| rmp_serde::from_slice(bytes)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(JobError::NotSerializable(error.to_string())),
        Err(reason) => Err(JobError::Panicked(reason)),
    }
}

fn append(frame: &mut Vec<u8>, value: impl Serialize) -> Result<(), JobError> {
    // With the names of fields, as some attributes of serde need them.
    let written = catch(|| rmp_serde::encode::write_named(frame, &value));
    let _ = drop_quietly(value);
    match written {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(JobError::NotSerializable(error.to_string())),
        Err(reason) => Err(JobError::Panicked(reason)),
    }
}

/// With its length; the error is the length of one that is too long.
fn measured(mut frame: Vec<u8>) -> Result<Vec<u8>, usize> {
    let length = frame.len() - LENGTH;
    if length > MAX_FRAME {
        return Err(length);
    }
    frame[..LENGTH].copy_from_slice(&(length as u32).to_be_bytes());
    Ok(frame)
}

impl Told {
    pub(super) fn ended_with(reason: &ExitReason) -> Self {
        match reason {
            ExitReason::Panicked(panic) => Self::Panicked {
                message: panic.message().to_owned(),
                location: panic.location().map(ToOwned::to_owned),
            },
            ExitReason::Failed(failure) => Self::Failed(failure.to_string()),
            other => Self::Failed(other.to_string()),
        }
    }

    /// What the sender of the job `name` hears; `None` if that makes no sense.
    pub(super) fn error(self, name: &'static str) -> Option<JobError> {
        Some(match self {
            Self::Ready => return None,
            Self::Panicked { message, location } => {
                JobError::Panicked(ExitReason::Panicked(Panic::elsewhere(message, location)))
            }
            Self::Failed(text) => JobError::Panicked(ExitReason::failed(text)),
            Self::NotRegistered => JobError::NotRegistered { job: name },
            Self::NotSerializable(text) => JobError::NotSerializable(text),
            Self::TooLarge(bytes) => JobError::TooLarge { bytes, max: MAX_FRAME },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_json_does_not_have_arrive_as_they_were() {
        let values = (f64::NAN, f64::INFINITY, 0.1f64 + 0.2, Some(f64::NAN), u128::MAX, vec![0u8, 255]);
        let frame = result(values.clone());
        let arrived: (f64, f64, f64, Option<f64>, u128, Vec<u8>) =
            value(read_told(&frame[LENGTH..]).unwrap().unwrap()).unwrap();
        assert_eq!(format!("{arrived:?}"), format!("{values:?}"));
        assert_eq!(arrived.2.to_bits(), values.2.to_bits());
    }

    #[test]
    fn what_is_not_whole_or_not_ours_is_nothing() {
        assert!(read_order(b"\0\x05sum").is_none());
        assert!(read_told(b"").is_none() && read_told(b"hello").is_none() && read_told(b"\x01??").is_none());
        assert!(read_frame(&mut &b"\0\0"[..]).unwrap().is_none());
        assert!(read_frame(&mut &b"\0\0\0\x05hell"[..]).is_err());
    }

    #[test]
    fn what_is_too_long_is_not_sent() {
        let max = MAX_FRAME - 100;
        assert!(order("name", "x".repeat(max)).is_ok());
        let error = order("name", "x".repeat(MAX_FRAME)).unwrap_err();
        assert!(matches!(error, JobError::TooLarge { max: MAX_FRAME, .. }), "{error}");
        let frame = result("x".repeat(MAX_FRAME));
        assert!(matches!(read_told(&frame[LENGTH..]), Some(Err(Told::TooLarge(_)))));
    }
}
