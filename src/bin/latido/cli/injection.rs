//! `--fault`.

use std::str::FromStr;

use latido::fault::{Fault, FaultError, When};

pub(super) const HELP: &str = "\
Break a part of the program on purpose and watch it recover

WHEN is the number of a message: the fault strikes while the part handles it. Without it, it strikes at once.
The heartbeat gets no messages; those of the ledger are its writes to the journal, those of a downloader are portions of \
one to sixteen files, those of the cpu pool pieces of files above one MiB.

Faults: panic, fail, stop, block:SECONDS
Paths, `*` for any: latido/heartbeat, latido/ledger, latido/downloaders/0.., latido/cpu, latido/exec/0..

  --fault 'latido/downloaders/*=panic@3'  each downloader panics on its third message
  --fault latido/ledger=block:2           the ledger is stuck for two seconds";

/// A fault and where it is to strike: `latido/downloaders/*=panic@3`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Injection {
    /// A tree path, or a glob over paths.
    pub(crate) path: String,
    pub(crate) fault: Fault,
    pub(crate) when: When,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InjectionError {
    #[error("no PATH=FAULT; write for example latido/cpu=panic")]
    NoFault,
    #[error(transparent)]
    Fault(#[from] FaultError),
    #[error("`{0}` is no message; they are counted from 1")]
    When(String),
}

impl FromStr for Injection {
    type Err = InjectionError;

    fn from_str(text: &str) -> Result<Self, InjectionError> {
        let (path, strike) =
            text.split_once('=').filter(|(path, _)| !path.is_empty()).ok_or(InjectionError::NoFault)?;
        let (fault, when) = match strike.split_once('@') {
            None => (strike, When::Now),
            Some((fault, message)) => match message.parse() {
                Ok(n @ 1..) => (fault, When::Message(n)),
                _ => return Err(InjectionError::When(message.to_owned())),
            },
        };
        Ok(Self { path: path.to_owned(), fault: fault.parse()?, when })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_has_a_path_a_kind_and_a_time() {
        let injection = |path: &str, fault, when| Ok(Injection { path: path.to_owned(), fault, when });
        assert_eq!(
            "latido/downloaders/*=panic@3".parse(),
            injection("latido/downloaders/*", Fault::Panic, When::Message(3))
        );
        assert_eq!("latido/cpu=stop".parse(), injection("latido/cpu", Fault::Stop, When::Now));
        for wrong in ["latido/cpu", "=panic", "latido/cpu=panic@0", "latido/cpu=panic@x", "a=b"] {
            assert!(wrong.parse::<Injection>().is_err(), "{wrong}");
        }
    }
}
